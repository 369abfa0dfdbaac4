"""What things are called: numbers, nodes, expressions and local derivatives, as a reader has them.

The table of a backward pass and the picture of it take their words from here.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..engine.registry import Rule
from ..engine.tensor import Tensor
from .notation import typeset

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
MOST_ENTRIES = 4  # in a row or a column, for an array to be written out
LONGEST = 24  # characters of a literal argument, such as an index


def decimal(x: Any) -> str:
    """A number for a column: four decimals, or an exponent where they would not show it.

    Examples
    --------
    >>> decimal(2.5), decimal(0.0), decimal(1e-7), decimal(None)
    ('2.5000', '0', '1.00e-07', '-')
    """
    if x is None:
        return "-"
    if x == 0:
        return "0"
    return f"{x:.4f}" if 1e-3 <= abs(x) < 1e4 or x != x else f"{x:.2e}"  # noqa: PLR0124


def count_noun(number: int, noun: str) -> str:
    """How many of something there are: ``1 node``, ``2 nodes``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def quantity(x: Any) -> str:
    """A number as it is or as `decimal` writes it, a short vector, of an array the norm.

    Examples
    --------
    >>> quantity(2), quantity(0.5), quantity(np.array([0.5, -2.0])), quantity(np.ones(25))
    ('2', '0.5000', '[0.5000 -2.0000]', '|5.00|')
    """
    if isinstance(x, int):
        return str(x)
    if not getattr(x, "shape", ()):
        return decimal(x)
    if x.ndim == 1 and is_small(x):
        return f"[{' '.join(map(decimal, x))}]"
    length = euclidean_norm(x)
    return f"|{length:#.3g}|" if length else "|0|"


def is_small(x: Any) -> bool:
    """Whether an array has few enough entries to be written out."""
    return x.ndim <= 2 and x.size > 0 and max(x.shape, default=0) <= MOST_ENTRIES


def entries(x: Any) -> str:
    """Like `quantity`, but a matrix of up to 4 x 4 is written out, a line for each row.

    Examples
    --------
    >>> print(entries(np.array([[1.0, -0.5], [0.0, 20.0]])))
    [1.0000 -0.5000]
    [     0 20.0000]
    """
    if getattr(x, "ndim", 0) != 2 or not is_small(x):
        return quantity(x)
    columns = [[decimal(number) for number in column] for column in x.T]
    padded = [[text.rjust(max(map(len, column))) for text in column] for column in columns]
    return "\n".join(f"[{' '.join(row)}]" for row in zip(*padded, strict=True))


def euclidean_norm(x: Any) -> float:
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
        return _infix(INFIX[name], operands)
    if name == "square" and not parameters:
        return _infix("^", [*operands, "2"])
    if name == "transpose" and not any(parameters.values()):
        return f"{_within(operands[0], 9)}ᵀ"
    named = [f"{key}={literal(value)}" for key, value in parameters.items() if value is not None]
    if len(operands) == 1 and not named:
        return f"{name} {bracket(operands[0])}"
    return f"{name}({', '.join([*operands, *named])})"


def formula(
    rule: Rule, position: int, out: str, operands: Sequence[str], adjoint: str
) -> tuple[str, str]:
    """The local derivative by one input, and its product with what comes from upstream.

    Parameters
    ----------
    rule : Rule
        Whose formula is read: x and y, or what its derivative calls its arguments, and out.
    position : int
        Which input.
    out, operands : str
        What to put for the letters.
    adjoint : str
        What comes from upstream.

    Examples
    --------
    >>> from tinygrad_bp.engine.registry import RULES
    >>> formula(RULES[np.tanh], 0, "h", ["z"], "h.grad")
    ('1 - h²', 'h.grad × (1 - h²)')
    >>> formula(RULES[np.matmul], 0, "z", ["X", "W"], "δ")
    ('upstream @ Wᵀ', 'δ @ Wᵀ')
    >>> formula(RULES[np.power], 0, "z", ["x", "3"], "δ")
    ('3 x²', 'δ × 3 x²')
    """
    written = rule.formulas[position : position + 1] or rule.formulas[-1:]
    if not written:
        local = f"∂{out}/∂{operands[position]}"
        return local, f"{adjoint} × {local}"
    code = getattr(rule.derivatives[position], "__code__", None)
    letters = code.co_varnames[2 : 2 + len(operands)] if code else ()
    named, lettered = zip(letters, operands, strict=False), zip("xy", operands, strict=False)
    meaning = {"out": out, **dict(lettered), **dict(named)}
    if written[0] not in meaning:
        meaning = {letter: bracket(name) for letter, name in meaning.items()}
    if "g" in _LETTERS.findall(written[0]):  # a map, not a number: it says itself what it maps
        local = _substitute({**meaning, "g": "upstream"}, written[0])
        return local, _substitute({**meaning, "g": adjoint}, written[0])
    local = _substitute(meaning, written[0])
    return local, f"{adjoint} × {factor(local)}"


def factor(formula: str) -> str:
    """A formula as it stands in a product: in brackets if it is a sum or a case."""
    outside = re.sub(r"\([^()]*\)", "", formula)
    compound = formula.startswith("-") or any(sign in outside for sign in (" + ", " - ", " if "))
    return f"({formula})" if compound else formula


_LETTERS = re.compile(r"\b[A-Za-z_]\w*", re.ASCII)  # in xᵀ and out² the letter ends at the mark
_RAISED = re.compile(r"\^\((?:(-?\d+(?:\.\d+)?)-1|([^()]*)-1)\)")


def _substitute(meaning: dict[str, str], text: str) -> str:
    """The text with the meanings in place of the letters.

    A power of a power is bracketed, and what is transposed twice is itself.
    """

    def meant(found: re.Match[str]) -> str:
        name = meaning.get(found[0], found[0])
        follows = text[found.end() : found.end() + 1]
        raised = follows == "²" or (follows == "^" and meaning.get("y") != "2")
        return f"({name})" if raised and "^" in name else name

    return _RAISED.sub(_less_one, _LETTERS.sub(meant, text)).replace("ᵀᵀ", "")


def _less_one(found: re.Match[str]) -> str:
    """The exponent that is left of a power: 2 for ``^(3-1)``, and none for ``^(2-1)``."""
    left = f"{found[2]}-1" if found[1] is None else f"{float(found[1]) - 1:g}"
    raised = typeset(f"x^{{{left}}}")[1:]
    return "" if left == "1" else f"^({left})" if "^" in raised else raised


def bracket(operand: str) -> str:
    """A text as it stands within another: bracketed if it is made of several terms."""
    whole = operand[1:-1] if operand.startswith("(") and operand.endswith(")") else operand
    if whole != operand and "(" not in whole:
        return operand
    return f"({operand})" if operand.startswith("-") or _SEVERAL.search(operand) else operand


_SEVERAL = re.compile(r"\s[-+×−/^@%]+\s")
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BINDS = {"+": 1, "-": 1, "−": 1, "^": 3}  # how strongly; all other signs 2


def _infix(sign: str, operands: Sequence[str]) -> str:
    """Operands with a sign between, bracketed where they bind less; a power is raised."""
    strength = _BINDS.get(sign, 2)
    first, *others = operands
    if not others:
        return f"{sign}{_within(first, 2)}"
    if sign == "^" and others[0].isdigit():
        base = _within(first, 4)
        base = f"({base})" if "^" in base and base == first else base
        return typeset(f"x^{{{others[0]}}}").replace("x", base, 1)
    stricter = strength + (sign not in "+×")
    return f" {sign} ".join([_within(first, strength), *(_within(x, stricter) for x in others)])


def _within(operand: str, strength: int) -> str:
    """An operand beside a sign that binds so strongly."""
    bare = operand
    while bare != (bare := _BRACKETED.sub("", bare)):
        pass
    signs = [sign.strip()[:1] for sign in _SEVERAL.findall(bare)]
    weakest = min((_BINDS.get(sign, 2) for sign in signs), default=8 if " " in bare else 9)
    return f"({operand})" if weakest < strength or operand.startswith("-") else operand


class Names:
    """Gives each node of a graph a name of its own, the same in every process.

    A Tensor keeps the name that it has; a second one of that name becomes ``h#2``. Those without
    are numbered in the order in which they are asked for: ``v1``, ``v2``, ...
    """

    def __init__(self, tensors: Iterable[Tensor]):
        self._given = {_in_one_line(x.name) for x in tensors if x.name}
        self._uses: Counter[str] = Counter()
        self._numbers = {"v": itertools.count(1), "c": itertools.count(1)}
        self._taken: set[str] = set()

    def of(self, x: Any, letter: str) -> str:
        """The name of a Tensor or a constant; ``letter`` is for one without."""
        given = _in_one_line(x.name) if isinstance(x, Tensor) and x.name else ""
        while True:
            name = self._repeated(given) if given else f"{letter}{next(self._numbers[letter])}"
            if name not in self._taken and (given or name not in self._given):
                self._taken.add(name)
                return name

    def _repeated(self, name: str) -> str:
        self._uses[name] += 1
        return name if self._uses[name] == 1 else f"{name}#{self._uses[name]}"


def _in_one_line(name: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f]+", " ", str(name)).strip()
