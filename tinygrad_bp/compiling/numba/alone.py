"""The text of loops of their own: changes at an index, running sums, places of the largest."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..numpy_code import comment_of
from ..program import Line, Name, ufunc_of
from ..transcript import changed_at, put
from .calling import FunctionText
from .hosting import NoFormError, called
from .loops import Nest, element_of, first_elements, is_running, letters_of, made_at
from .lowering import without_units
from .nests import NestText, chosen
from .typed import SUMS, is_uniform, literal

_BEFORE = {np.argmax: "<=", np.argmin: ">="}


class _ScatterText(NestText):
    """The loops of a copy of an array in which some elements are changed."""

    def __init__(self, text: FunctionText, line: Line):
        self.line = line
        array, *others = line.operands
        added = line.function is changed_at
        if (added and others.pop(0) is not np.add) or len(others) != 2:
            raise NoFormError(line)
        self.index, self.new = others
        chosen = np.broadcast_to(0, line.shape)[first_elements(self.index, text.kind)]
        self.at, self.sign = letters_of(chosen.shape), "+=" if added else "="
        super().__init__(text, Nest(without_units(chosen.shape)))
        self.before[0].append(f"{text.array(line.target)}[:] = {self._whole(array)}")

    def _whole(self, x: Any) -> str:
        if isinstance(x, Name):
            base, at = self.text.schedule.root(x, letters_of(self.kind(x)[0]))
            if at != letters_of(self.kind(x)[0]):
                raise NoFormError(self.line, "a part of an array")
            return self.text.array(base)
        if is_uniform(x):
            return literal(np.ravel(x)[0], self.line.dtype)
        return self.text.constant(x)

    def fill(self) -> None:
        """Change the elements that are chosen."""
        line = self.line
        place = chosen(self, line, self.index, line.shape, self.at)
        value = self.element(self.new, element_of(self.kind(self.new)[0], self.at), line.dtype)
        self.body.append(
            f"{self.text.at(line.target, place)} {self.sign} {value}{comment_of(line)}"
        )


class _RunningText(NestText):
    """The loops of a running sum, in the order of the axis."""

    def __init__(self, text: FunctionText, line: Line):
        self.line = line
        super().__init__(text, Nest(without_units(line.shape)))

    def fill(self) -> None:
        """Put each sum from the one before it."""
        line, ufunc = self.line, ufunc_of(self.line.function)
        if ufunc not in SUMS or line.keywords.keys() - {"axis"}:
            raise NoFormError(line)
        axis = line.keywords.get("axis", 0) % len(line.shape)
        at = letters_of(line.shape)
        value = self.element(line.operands[0], at, line.dtype)
        if at[axis] != "0":
            before = tuple(f"{x} - 1" if i == axis else x for i, x in enumerate(at))
            total = SUMS[ufunc][0].format(self.text.at(line.target, before), value)
            value = f"{total} if {at[axis]} > 0 else {value}"
        self.body.append(f"{self.text.at(line.target, at)} = {value}{comment_of(line)}")


class _PlaceText(NestText):
    """The loops of the first place of the largest or the smallest along an axis."""

    def __init__(self, text: FunctionText, line: Line):
        self.line, self.shape = line, text.kind(line.operands[0])[0]
        super().__init__(text, Nest(without_units(self.shape)))

    def fill(self) -> None:
        """Hold each element against the one that was found; what is not a number is both."""
        line, text = self.line, self.text
        axis = line.keywords["axis"] % len(self.shape)
        at = letters_of(self.shape)
        target = text.at(line.target, made_at(line, self.kind))
        text_of_all = "..." if not line.shape else ":"
        self.before[0].append(f"{text.array(line.target)}[{text_of_all}] = 0")
        place = tuple(target if i == axis else x for i, x in enumerate(at))
        here, best = (text.at(*text.schedule.root(line.operands[0], x)) for x in (at, place))
        if at[axis] != "0":
            name, found = text.fresh("here"), text.fresh("found")
            self.body += [
                f"{name} = {here}",
                f"{found} = {best}",
                f"if not ({name} {_BEFORE[line.function]} {found}) and {found} == {found}:",
                f"    {target} = {at[axis]}{comment_of(line)}",
            ]
        elif not self.body:
            self.body.append("pass")


def statements(text: FunctionText) -> list[str]:
    """The statements of a schedule, in order."""
    found: list[str] = []
    for item in text.schedule.items:
        if isinstance(item, Nest):
            found += NestText(text, item).lines()
        elif item.function in (np.dot, np.matmul):
            found.append(text.product(item))
        elif item.function in (changed_at, put):
            found += _ScatterText(text, item).lines()
        elif is_running(item):
            found += _RunningText(text, item).lines()
        elif item.function in _BEFORE:
            found += _PlaceText(text, item).lines()
        elif item.function is called:
            found += text.call(item)
    return found
