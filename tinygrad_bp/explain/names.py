"""What things are called: numbers, nodes, expressions and local derivatives, as a reader has them.

The table of a backward pass and the picture of it take their words from here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

import numpy as np

from ..engine.registry import Rule
from ..engine.tensor import Tensor

SIGNS = {
    "add": "+",
    "divide": "/",
    "floor_divide": "//",
    "multiply": "×",
    "negative": "−",
    "power": "^",
    "remainder": "%",
    "subtract": "−",
}
INFIX = {**SIGNS, "matmul": "@"}
LONGEST = 24  # characters of a literal argument, such as an index


def number(x: Any) -> str:
    """A number for a column: four decimals, or an exponent where they would not show it.

    Examples
    --------
    >>> number(2.5), number(0.0), number(1e-7), number(None)
    ('2.5000', '0', '1.00e-07', '-')
    """
    if x is None:
        return "-"
    if x == 0:
        return "0"
    return f"{x:.4f}" if 1e-3 <= abs(x) < 1e4 or x != x else f"{x:.2e}"  # noqa: PLR0124


def quantity(x: Any) -> str:
    """An integer as it is, a scalar as `number` writes it, of an array the norm: ``|0.264|``."""
    if isinstance(x, int):
        return str(x)
    if not getattr(x, "shape", ()):
        return number(x)
    length = norm(x)
    return f"|{length:#.3g}|" if length else "|0|"


def norm(x: Any) -> float:
    """The square root of the sum of the squared elements, which may be too large to square."""
    sizes = np.abs(np.asarray(x, np.float64))
    largest = float(sizes.max(initial=0.0))
    if not 0 < largest < np.inf:
        return largest
    return largest * float(np.sqrt(np.sum(np.square(sizes / largest))))


def has_shape(x: Any) -> bool:
    """Whether ``x`` is an array or a NumPy scalar: a type such as ``np.float32`` is none."""
    return hasattr(x, "shape") and not isinstance(x, type | np.dtype)


def literal(x: Any) -> str:
    """A constant as one would write it in an expression.

    Examples
    --------
    >>> literal(2.0), literal((0, slice(None, 3), Ellipsis)), literal((2, 3))
    ('2', '(0, :3, ...)', '(2, 3)')
    """
    if isinstance(x, bool | int | np.integer | np.bool_ | str):
        text = str(x)
    elif isinstance(x, float | np.floating):
        text = f"{x:.4g}"
    elif isinstance(x, slice):
        parts = [x.start, x.stop] if x.step is None else [x.start, x.stop, x.step]
        text = ":".join("" if part is None else str(part) for part in parts)
    elif isinstance(x, tuple):
        text = f"({', '.join(map(literal, x))}{',' if len(x) == 1 else ''})"
    elif isinstance(x, list):
        text = f"[{', '.join(map(literal, x[:LONGEST]))}]"
    elif x is Ellipsis:
        text = "..."
    elif has_shape(x):
        text = f"array {x.shape}" if x.shape else literal(x.item())
    else:
        text = getattr(x, "__name__", None) or str(x)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def expression(name: str, operands: Sequence[str], parameters: dict[str, Any]) -> str:
    """How a node was made: ``x × y``, ``sin x``, ``sum(x, axis=0)``, ``x[0, :3]``."""
    if name == "getitem":
        index = operands[1]
        return f"{operands[0]}[{index[1:-1] if index.startswith('(') else index}]"
    if name in INFIX and not parameters:
        terms = [_enclosed(operand) for operand in operands]
        return f" {INFIX[name]} ".join(terms) if len(terms) > 1 else f"{INFIX[name]}{terms[0]}"
    named = [f"{key}={literal(value)}" for key, value in parameters.items() if value is not None]
    if len(operands) == 1 and not named:
        return f"{name} {operands[0]}"
    return f"{name}({', '.join([*operands, *named])})"


def formula(rule: Rule, position: int, out: str, operands: Sequence[str]) -> tuple[str, str]:
    """The local derivative by one input, and its product with what comes from upstream.

    Parameters
    ----------
    rule : Rule
        Whose formula is read: x and y, or what its derivative calls its arguments, and out.
    position : int
        Which input.
    out, operands : str
        What to put for the letters.

    Examples
    --------
    >>> from tinygrad_bp.engine.registry import RULES
    >>> formula(RULES[np.tanh], 0, "h", ["z"])
    ('1 - h²', 'h.grad × (1 - h²)')
    >>> formula(RULES[np.matmul], 0, "z", ["X", "W"])
    ('g @ Wᵀ', 'z.grad @ Wᵀ')
    """
    written = rule.formulas[position : position + 1] or rule.formulas[-1:]
    if not written:
        local = f"∂{out}/∂{operands[position]}"
        return local, f"{out}.grad × {local}"
    code = getattr(rule.derivatives[position], "__code__", None)
    letters = code.co_varnames[2 : 2 + len(operands)] if code else ()
    named, lettered = zip(letters, operands, strict=False), zip("xy", operands, strict=False)
    meaning = {"out": out, **dict(lettered), **dict(named)}
    if written[0] not in meaning:
        meaning = {letter: _enclosed(name) for letter, name in meaning.items()}
    local = _put(meaning, written[0])
    if "g" in _LETTERS.findall(written[0]):
        return local, _put({**meaning, "g": f"{out}.grad"}, written[0])
    return local, f"{out}.grad × {factor(local)}"


def factor(formula: str) -> str:
    """A formula as it stands in a product: in brackets if it is a sum or a case."""
    compound = formula.startswith("-") or any(sign in formula for sign in (" + ", " - ", " if "))
    return f"({formula})" if compound else formula


_LETTERS = re.compile(r"\b[A-Za-z_]\w*", re.ASCII)  # in xᵀ and out² the letter ends at the mark


def _put(meaning: dict[str, str], text: str) -> str:
    return _LETTERS.sub(lambda found: meaning.get(found[0], found[0]), text)


def _enclosed(operand: str) -> str:
    return f"({operand})" if operand.startswith("-") else operand


class Names:
    """Gives each node of a graph a name of its own, the same in every process.

    A Tensor keeps the name that it has; a second one of that name becomes ``h#2``. Those without
    are numbered in the order in which they are asked for: ``v1``, ``v2``, ...
    """

    def __init__(self, tensors: Iterable[Tensor]):
        self._given = {_in_one_line(x.name) for x in tensors if x.name}
        self._uses: Counter[str] = Counter()
        self._numbers = {"v": count(1), "c": count(1)}
        self._taken: set[str] = set()

    def of(self, x: Any, letter: str) -> str:
        """The name of a Tensor or a constant; ``letter`` is for one without."""
        name = _in_one_line(x.name) if isinstance(x, Tensor) and x.name else ""
        candidates = self._repeated(name) if name else self._numbered(letter)
        name = next(candidate for candidate in candidates if candidate not in self._taken)
        self._taken.add(name)
        return name

    def _repeated(self, name: str) -> Iterable[str]:
        while True:
            self._uses[name] += 1
            yield name if self._uses[name] == 1 else f"{name}#{self._uses[name]}"

    def _numbered(self, letter: str) -> Iterable[str]:
        return (name for n in self._numbers[letter] if (name := f"{letter}{n}") not in self._given)


def _in_one_line(name: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(name)).strip()
