"""The architecture, kept: one file, one job; imports go one way; every public name is explained."""

import ast
import inspect
import pkgutil
import re
import subprocess
import sys
from functools import partial
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import tinygrad_bp as bp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tinygrad_bp"

# The rooms, from the ground up: a room's files may import one another, and what its line lists.
MAY_IMPORT: dict[str, set[str]] = {"support": set()}
MAY_IMPORT["engine/arrays"] = set()
MAY_IMPORT["engine/advice"] = set()
MAY_IMPORT["engine/callers"] = set()
MAY_IMPORT["engine/context"] = set()
MAY_IMPORT["engine/recording"] = {"engine/context"}
MAY_IMPORT["engine/derivatives"] = set()
MAY_IMPORT["engine/registry"] = {"engine/arrays", "engine/recording", "engine/derivatives"}
MAY_IMPORT["engine/signatures"] = {
    "engine/advice",
    "engine/registry",
    *MAY_IMPORT["engine/registry"],
}
MAY_IMPORT["engine/views"] = {"engine/recording"}
MAY_IMPORT["engine/rules"] = {"engine/registry", "engine/arrays"}
MAY_IMPORT["engine/compositions"] = {
    "engine/rules",
    "engine/registry",
    "engine/recording",
    "engine/arrays",
}
MAY_IMPORT["engine/backprop"] = {"engine/registry", "engine/recording", "engine/arrays"}
for _room in (
    "engine/dispatch",
    "engine/methods",
    "engine/ndarray",
    "engine/tensor",
    "engine",
):  # the last is its door, __init__
    MAY_IMPORT[_room] = {name for name in MAY_IMPORT if name.startswith("engine/")}
# What the rooms above see of the engine: what a node, a pass and a call are. How a Tensor behaves
# as an array, and how calls are written, is behind the door; the tables are for `functional`.
TABLES = {"engine/rules", "engine/compositions"}
HIDDEN = {
    f"engine/{room}"
    for room in ("callers", "dispatch", "methods", "ndarray", "signatures", "views")
} | TABLES
ENGINE = {name for name in MAY_IMPORT if name.startswith("engine")} - HIDDEN
GROUND = {"support", *ENGINE}
FLOORS = [
    ["transforms", "functional", "optim", "data", "coverage"],
    ["explain"],
    ["nn", "check"],
    ["drawing", "plot", "compiling"],
    ["train"],
    ["estimators"],
]
_below: set[str] = set()
for _floor in FLOORS:  # none of a floor imports another of it
    MAY_IMPORT |= dict.fromkeys(_floor, GROUND | _below)
    _below |= set(_floor) - {"coverage"}  # which is a page to read
MAY_IMPORT["explain"] = GROUND  # it shows any graph, and needs nothing that makes one
MAY_IMPORT["functional"] = GROUND | TABLES
for _room in ("check", "coverage"):  # they print functions' names
    MAY_IMPORT[_room] = MAY_IMPORT[_room] | {"engine/signatures"}
MOST_LINES = 400
# What a lecturer shows, and a reader reads in an evening, docstrings included.
CORE = ["recording", "registry", "backprop", "tensor"]
CORE += ["rules/arithmetic", "rules/elementary", "rules/reductions"]
MOST_LINES_OF_THE_CORE = 1150
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


def name_of(path):
    """The parts of a module's name below ``tinygrad_bp``; a package is its ``__init__``."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


MODULES = {name_of(path): path for path in FILES}
PACKAGES = [name for name, path in MODULES.items() if path.name == "__init__.py"]
INSIDE = sorted(MODULES.keys() - {()})  # all but the front door, which gathers the public names


def room(module):
    """The line of the table that a module belongs to."""
    return "/".join(module[: 2 if module[0] == "engine" else 1])


def imported(module):
    """The library's modules that a module imports: anywhere in it, for types alone included."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ["tinygrad_bp", *package][: len(package) + 2 - node.level] if node.level else []
            base += node.module.split(".") if node.module else []
            names = [[*base, alias.name] for alias in node.names]
        for top, *parts in names:
            if top == "tinygrad_bp":  # the last part may be a name in a module
                found.add(tuple(parts) if tuple(parts) in MODULES else tuple(parts[:-1]))
    return found - {module}


@pytest.mark.parametrize("module", INSIDE, ids="/".join)
def test_imports_go_one_way(module):
    here = room(module)
    assert here in MAY_IMPORT, f"{here} has no line in the table"
    assert () not in imported(module), "it comes in by the front door, which imports it"
    beyond = {room(other) for other in imported(module)} - MAY_IMPORT[here] - {here}
    assert not beyond, f"{here} may import {sorted(MAY_IMPORT[here])}, not {sorted(beyond)}"


def test_no_file_leads_back_to_itself():
    """A package's door counts as a file: what it gathers does not come in through it."""
    below = {module: imported(module) for module in INSIDE}
    circles = []
    while True:
        try:
            TopologicalSorter(below).prepare()
            break
        except CycleError as error:  # which names one: break it open, to see the next
            circle = error.args[1]
            below[circle[1]].remove(circle[0])
            circles.append(" <- ".join("/".join(module) for module in circle))
    assert not circles


def test_imports_are_written_as_imports():
    """None is hidden in a text; the front door alone imports later what is heavy."""
    for module in INSIDE:
        for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
                assert not re.search(r"tinygrad_bp|['\"]\.|__name__", ast.unparse(node)), module


def test_the_table_has_no_circle():
    TopologicalSorter(MAY_IMPORT).prepare()


def test_the_engine_knows_neither_networks_nor_pictures():
    for name, below in MAY_IMPORT.items():
        assert not name.startswith("engine") or all(b.startswith("engine/") for b in below)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_can_be_read_in_one_sitting(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MOST_LINES, f"{lines} lines"


def test_the_core_can_be_read_in_an_evening():
    paths = [PACKAGE / "engine" / f"{name}.py" for name in CORE]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
    assert lines <= MOST_LINES_OF_THE_CORE, f"{lines} lines"


def test_no_module_has_the_name_of_what_its_package_exports():
    """``tinygrad_bp.plot.weights`` could mean either."""
    doors = {m: import_module(".".join(("tinygrad_bp", *m[:-1]))) for m in INSIDE}
    taken = {m: getattr(door, m[-1], door) for m, door in doors.items()}
    assert not [m for m, value in taken.items() if not inspect.ismodule(value)]


def test_only_the_rules_know_calculus():
    """No other file below the networks says how a function is differentiated."""
    for path in FILES:
        if path.is_relative_to(PACKAGE / "engine" / "rules") or "functional" in path.parts:
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
        if not (value.__doc__ or "").strip()
        and not name.startswith(("tinygrad_bp.engine.rules.", "tinygrad_bp.engine.compositions."))
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


def public_modules():
    """What a user finds as an attribute of `bp`, and every package but that of the helpers."""
    names = {".".join(("tinygrad_bp", *name)) for name in PACKAGES if name != ("support",)}
    found = [getattr(bp, name) for name in (*dir(bp), *bp._MOVED)]
    return {m.__name__: m for m in (*map(import_module, names), *found) if inspect.ismodule(m)}


def test_a_public_module_shows_its_public_names_alone():
    """What a reader finds by the tabulator key: no module of ours, and nothing that is imported."""
    pytest.importorskip("sklearn")
    for name, module in public_modules().items():
        shown = {word for word in dir(module) if not word.startswith("_")}
        beyond = {"estimators"} if module is bp else set()  # which a star must not import
        assert shown == {*module.__all__} | beyond, name
        assert all(hasattr(module, word) for word in shown), name


def documented_functions():
    """The functions and classes that users call, without those that Python or NumPy have made."""
    for name, module in public_modules().items():
        for function in map(partial(getattr, module), module.__all__):
            ours = getattr(function, "__module__", "").startswith("tinygrad_bp.")
            if ours and callable(function) and not is_error(function):
                yield f"{name}.{function.__name__}", function


def is_error(value):
    return inspect.isclass(value) and issubclass(value, Exception)


def test_a_signature_can_be_read():
    """A default that is a function would be shown by its address."""
    pytest.importorskip("sklearn")
    for name, function in documented_functions():
        assert " at 0x" not in str(inspect.signature(function)), name


def test_a_list_of_parameters_is_complete():
    """Those that a decorator adds included, and other names for them."""
    pytest.importorskip("sklearn")
    listed = 0
    for name, function in documented_functions():
        described = (inspect.getdoc(function) or "").partition("Parameters\n----------\n")[2]
        words = re.findall(r"\w+", re.split(r"\n\n[A-Z]\w+\n---", described)[0])
        if words:
            missing = {*inspect.signature(function).parameters} - {*words, "inputs", "keywords"}
            assert not missing, name
            listed += 1
    assert listed > 40


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
