"""What is covered, from the registry: ``python -m tinygrad_bp.coverage`` prints it."""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from .engine.registry import COMPOSITIONS, PLAIN, REFUSED, RULES, Each
from .engine.signatures import full_name
from .support.printing import quiet_end

OWN_CODE = "Functions that run as NumPy wrote them, since they are made of others of this table"
WITHOUT = "Functions that give plain arrays, without a derivative"
WIDTH = 100


def table() -> str:
    """List NumPy's functions by what is known of their derivatives.

    One paragraph for each file of the engine's rules and compositions, whose functions have
    derivatives to any order; then the functions without one, then those refused and why.

    Examples
    --------
    >>> print(table().splitlines()[-1].strip())
    np.unique: the number of its values jumps; use np.sort, or t.data to leave the graph
    """
    themes: dict[str, list[str]] = {}
    for function in filter(_is_ours, (*RULES, *COMPOSITIONS)):
        themes.setdefault(_theme(function), []).append(full_name(function))
    themes = dict(sorted(themes.items()))
    themes[OWN_CODE] = themes.pop(OWN_CODE)
    themes[WITHOUT] = list(map(full_name, PLAIN))
    paragraphs = [_paragraph(title, names) for title, names in themes.items()]
    refused = sorted(f"    {full_name(function)}: {why}" for function, why in REFUSED.items())
    return "\n\n".join([*filter(None, paragraphs), "\n".join(["Functions refused", *refused])])


def _is_ours(function: Any) -> bool:
    """Whether the package gave it its rule, and not a user."""
    return (_definition(function).__module__ or "").startswith(("tinygrad_bp.", "numpy"))


def _theme(function: Any) -> str:
    """The first line of the file that makes ``function`` known."""
    module = _definition(function).__module__
    if not module.startswith("tinygrad_bp."):
        return OWN_CODE
    text = inspect.getdoc(importlib.import_module(module)) or module
    return text.splitlines()[0].rstrip(".:")


def _definition(function: Any) -> Callable[..., Any]:
    """What the registry holds for ``function``: its composition, or its first derivative."""
    if function in COMPOSITIONS:
        return COMPOSITIONS[function]
    derivatives = RULES[function].derivatives
    if isinstance(derivatives, Each):
        return derivatives.derivative
    return next(derivative for derivative in derivatives if derivative is not None)


def _paragraph(title: str, names: list[str]) -> str:
    """The names that a user writes, below their title; primitives of ours are not for the table."""
    numpys = sorted({name for name in names if name.startswith("np.")})
    indent = " " * 4
    lines = textwrap.fill(" ".join(numpys), WIDTH, initial_indent=indent, subsequent_indent=indent)
    return f"{title}\n{lines}" if numpys else ""


if __name__ == "__main__":
    with quiet_end():
        print(table())
