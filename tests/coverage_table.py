"""The README's table of what is covered, made from the registry.

    python -m tests.coverage_table       # writes it into the README

A test checks that what stands there is what this makes.
"""

import importlib
import inspect
from pathlib import Path

import tinygrad_bp as bp
from tinygrad_bp.engine import registry, signatures

README = Path(__file__).parents[1] / "README.md"
START, END = "<!-- coverage: python -m tests.coverage_table -->\n", "<!-- end of coverage -->\n"


def home(function):
    """The module of the rules that makes ``function`` known."""
    if function in registry.COMPOSITIONS:
        module = registry.COMPOSITIONS[function].__module__
        return (
            module
            if module.startswith("tinygrad_bp")
            else "tinygrad_bp.engine.compositions.joining"
        )
    derivatives = registry.RULES[function].derivatives
    if isinstance(derivatives, registry.Each):
        return derivatives.derivative.__module__
    return next(d.__module__ for d in derivatives if d is not None)


def is_numpys(function):
    """Whether a user reaches it as np.…; primitives of ours are not for the table."""
    return signatures.full_name(function).startswith("np.")


def table():
    """One row for each file of rules, in the words of its docstring."""
    themes = {}
    for function in (*registry.RULES, *registry.COMPOSITIONS):
        if is_numpys(function):
            themes.setdefault(home(function), set()).add(signatures.full_name(function))
    rows = ["| | differentiable, to any order |", "|---|---|"]
    for module, names in sorted(themes.items()):
        title = inspect.getdoc(importlib.import_module(module)).splitlines()[0].rstrip(".:")
        rows.append(f"| [{title}]({link(module)}) | {listed(names)} |")
    plain = listed(signatures.full_name(f) for f in registry.PLAIN if is_numpys(f))
    rows.append(f"| Functions that give plain arrays, without a derivative | {plain} |")
    return "\n".join(rows) + "\n"


def listed(names):
    return " ".join(f"`{name}`" for name in sorted(names))


def link(module):
    return f"{module.replace('.', '/')}.py"


def main():
    text = README.read_text()
    before, rest = text.split(START)
    _, after = rest.split(END)
    README.write_text(before + START + table() + END + after)


if __name__ == "__main__":
    assert bp  # importing it fills the registry
    main()
