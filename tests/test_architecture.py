"""The architecture, kept: one file, one job; imports go one way; every public name is explained."""

import ast
import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import tinygrad_bp as bp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tinygrad_bp"

# A file may import what stands in its line, and nothing that stands in none.
MAY_IMPORT = {
    "registry": set(),
    "readonly": set(),
    "arguments": set(),
    "state": {"arguments"},
    "files": set(),
    "printing": set(),
    "progress": set(),
    "rules": {"registry"},
    "signatures": {"registry"},
    "recording": {"registry"},
    "backprop": {"recording", "registry"},
    "ndarray": {"rules", "recording", "registry", "signatures"},
    "tensor": {"ndarray", "recording", "signatures", "backprop", "registry", "readonly"},
    "transforms": {"tensor", "recording", "backprop"},
    "functional": {"tensor", "rules", "registry", "arguments"},
    "nn": {"functional", "tensor", "recording", "arguments", "files", "state"},
    "schedules": {"arguments"},
    "optim": {"tensor", "schedules", "arguments", "state"},
    "data": {"arguments"},
    "plot": {
        "nn",
        "functional",
        "backprop",
        "tensor",
        "recording",
        "arguments",
        "files",
        "printing",
        "drawing",
    },
    "history": {"arguments", "files", "plot", "printing"},
    "metrics": set(),
    "train": {
        "nn",
        "optim",
        "tensor",
        "recording",
        "functional",
        "data",
        "history",
        "metrics",
        "progress",
        "check",
        "backprop",
        "arguments",
    },
    "estimators": {"train", "history", "data", "nn", "optim", "functional", "tensor", "arguments"},
    "check": {"transforms", "tensor", "recording", "backprop", "registry"},
    "explain": {"arguments", "backprop", "printing", "recording", "registry", "tensor"},
    "drawing": {"arguments", "files", "explain", "tensor", "backprop", "registry"},
    "draw": {"files", "drawing", "explain", "nn", "tensor"},
    "compile": {"backprop", "tensor", "registry"},
}
# What a plain `import tinygrad_bp` may load besides the standard library.
ON_IMPORT = {"numpy", "tinygrad_bp"}
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "LICENSE",
    "README.md",
    "examples",
    "pyproject.toml",
    "tests",
    "tinygrad_bp",
}

FILES = sorted(PACKAGE.rglob("*.py"))
SOURCES = sorted(
    path for part in ("tinygrad_bp", "tests", "examples") for path in (ROOT / part).rglob("*.py")
)


def room(path):
    """The line of the table that a file belongs to: its own name, or its folder's."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(path):
    """The rooms that a file imports from anywhere in it, for checking types alone excepted."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def for_types_alone(node):
        while node := parents.get(node):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                return True
        return False

    package = ("tinygrad_bp", *path.relative_to(PACKAGE).parts[:-1])
    found = set()
    for node in ast.walk(tree):
        if for_types_alone(node):
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base = [*base, *(node.module.split(".") if node.module else [])]
            names = [[*base, alias.name] for alias in node.names]
        found |= {name[1] for name in names if name[0] == "tinygrad_bp" and len(name) > 1}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    if path == PACKAGE / "__init__.py":
        return  # which gathers the public names
    here = room(path)
    assert here in MAY_IMPORT, f"{here} has no line in the table"
    beyond = imported_rooms(path) - MAY_IMPORT[here] - {here}
    assert not beyond, f"{path.name} may import {MAY_IMPORT[here]}, not {beyond}"


def test_the_table_has_no_circle():
    done = set()
    while len(done) < len(MAY_IMPORT):
        ready = {name for name, below in MAY_IMPORT.items() if name not in done and below <= done}
        assert ready, f"a circle among {set(MAY_IMPORT) - done}"
        done |= ready


def test_the_engine_knows_neither_networks_nor_pictures():
    above = {"functional", "nn", "optim", "train", "draw", "drawing", "explain", "compile"}
    for name in ("registry", "rules", "backprop", "tensor", "transforms"):
        assert not MAY_IMPORT[name] & above


def test_only_the_rules_know_calculus():
    """No other file below the networks says how a function is differentiated."""
    for path in FILES:
        if room(path) in {"rules", "functional", "registry"}:
            continue
        calls = {
            ast.unparse(n.func)
            for n in ast.walk(ast.parse(path.read_text()))
            if isinstance(n, ast.Call)
        }
        assert "rule" not in calls, path.name


IMPORT = """
import sys
import numpy
before = set(sys.modules)
import tinygrad_bp
print(*sorted(set(sys.modules) - before), sep="\\n")
"""


@pytest.fixture(scope="module")
def loaded():
    run = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return run.stdout.split()


def test_importing_loads_numpy_and_the_standard_library_alone(loaded):
    tops = {name.split(".")[0] for name in loaded}
    assert tops - set(sys.stdlib_module_names) <= ON_IMPORT


def test_importing_stays_fast(loaded):
    """Counted, not timed: what it loads beyond NumPy and itself is small."""
    others = [name for name in loaded if name.split(".")[0] not in ON_IMPORT]
    assert len(others) < 80, others


def modules():
    yield bp
    for info in pkgutil.walk_packages(bp.__path__, "tinygrad_bp."):
        yield import_module(info.name)


def public_names():
    """Every public class, function and method that is defined in the package."""
    for module in modules():
        for name, value in vars(module).items():
            mine = getattr(value, "__module__", None) == module.__name__
            if name.startswith("_") or not mine or not (inspect.isclass(value) or callable(value)):
                continue
            yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for part, member in vars(value).items():
                    if not part.startswith("_") and (
                        callable(member) or isinstance(member, property)
                    ):
                        yield f"{module.__name__}.{name}.{part}", member


def undocumented():
    """Rules are exempt: there, a formula is its own explanation."""
    return [
        name
        for name, value in public_names()
        if not (value.__doc__ or "").strip() and not name.startswith("tinygrad_bp.rules.")
    ]


def test_every_public_name_has_a_docstring():
    assert len(list(public_names())) > 30
    assert not undocumented()


def test_every_module_says_its_job():
    assert not [module.__name__ for module in modules() if not (module.__doc__ or "").strip()]


def test_what_the_package_offers_is_there_and_explained():
    assert sorted(bp.__all__) == list(bp.__all__)
    for name in bp.__all__:
        assert (getattr(bp, name).__doc__ or "").strip(), name
    for name in ("functional", "nn", "optim", "train", "data"):
        if (PACKAGE / f"{name}.py").exists():
            assert inspect.ismodule(getattr(bp, name))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_line_fits_and_a_function_fits_a_screen(path):
    text = path.read_text(encoding="utf-8")
    assert not [i for i, line in enumerate(text.splitlines(), 1) if len(line) > 100]
    assert "\t" not in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            described = ast.get_docstring(node) or ""
            lines = node.end_lineno - node.lineno + 1 - len(described.splitlines())
            assert lines <= 50, f"{node.name} has {lines} lines"


def tracked():
    """The files under version control; none where this is no checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    run = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in run.stdout.split("\0") if name]


def test_the_top_level_is_exactly_what_it_is_meant_to_be():
    assert {name.split("/")[0] for name in tracked()} == TOP_LEVEL


def test_nothing_built_or_cached_is_tracked():
    names = tracked()
    wrong = (".pyc", ".so", ".egg-info", ".deb", ".whl", ".npy")
    assert not [n for n in names if n.endswith(wrong) or "__pycache__" in n]
