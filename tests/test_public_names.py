"""The public names and their signatures are those of ``public_names.txt``: a change is meant.

python -m tests.test_public_names       # writes the file anew, for the difference to be read
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinygrad_bp as bp

GOLDEN = Path(__file__).with_name("public_names.txt")


def parameters(function: Any) -> str:
    """The signature without types, which are mypy's to hold."""
    error = inspect.isclass(function) and issubclass(function, Exception)
    if error or isinstance(function, np.ufunc):
        return "(...)"  # Python's or NumPy's own
    signature = inspect.signature(function)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    text = str(signature.replace(parameters=bare, return_annotation=signature.empty))
    return re.sub(r"<(?:function|class|built-in method) '?([\w.]+)[^>]*>", r"\1", text)


def lines_of(name: str, value: Any) -> list[str]:
    """A line for a public value; for a class, one more for each public member that is ours."""
    if not inspect.isclass(value):
        return [name + (parameters(value) if callable(value) else f": {type(value).__name__}")]
    members = set()
    for owner in value.__mro__:
        if owner.__module__.startswith("tinygrad_bp"):
            members |= {part for part in vars(owner) if not re.match("_|set_.*_request", part)}
    lines = [name + parameters(value)]
    for part in sorted(members):
        member = getattr(value, part)
        lines.append(f"{name}.{part}" + (parameters(member) if callable(member) else ""))
    return lines


def public_names() -> str:
    """Every public name, room by room, with its signature."""
    rooms = {name: room for name in dir(bp) if inspect.ismodule(room := getattr(bp, name))}
    lines: list[str] = []
    for prefix, room in [("bp", bp), *((f"bp.{name}", room) for name, room in rooms.items())]:
        for name in getattr(room, "__all__", ()):
            if not inspect.ismodule(value := getattr(room, name)):
                lines += lines_of(f"{prefix}.{name}", value)
    return "\n".join(lines) + "\n"


def test_the_public_names_and_signatures_are_the_known_ones() -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    assert public_names().splitlines() == GOLDEN.read_text().splitlines()


if __name__ == "__main__":
    GOLDEN.write_text(public_names())
