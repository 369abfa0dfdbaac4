"""A program as the text of a module that imports NumPy alone, and as what that module defines."""

from __future__ import annotations

import importlib
import inspect
import linecache
import operator
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .buffers import Buffer
from .program import Line, Name, slice_parts, ufunc_of

INFIX: dict[Any, str] = {
    np.add: "+",
    np.subtract: "-",
    np.multiply: "*",
    np.divide: "/",
    np.floor_divide: "//",
    np.remainder: "%",
    np.matmul: "@",
    np.less: "<",
    np.less_equal: "<=",
    np.greater: ">",
    np.greater_equal: ">=",
    np.equal: "==",
    np.not_equal: "!=",
    np.bitwise_and: "&",
    np.bitwise_or: "|",
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
    operator.pow: "**",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
}
_MOST_PRINTED = 64


class ModuleText:
    """The text of a module, as it is put together.

    Constants that are arrays stand at its top, and so do functions that are not NumPy's.
    """

    def __init__(self, summary: str):
        self.summary = summary
        self.top: dict[str, str] = {}
        self.imports: set[str] = set()
        self.helpers: dict[str, Callable[..., Any]] = {}
        self._constants: dict[Any, str] = {}
        self.parts: list[str] = []

    def declare(self, buffers: Sequence[Buffer]) -> None:
        """Make the buffers when the module is loaded."""
        for b in buffers:
            if b.part_of is None:
                order = ', order="F"' if b.fortran else ""
                self.top[b.name] = f"np.empty({b.shape}, {_dtype(b.dtype)}{order})"
            else:
                stop = b.start + int(np.prod(b.shape))
                self.top[b.name] = f"{b.part_of}[{b.start}:{stop}].reshape({b.shape})"

    def define(
        self,
        name: str,
        arguments: Sequence[str],
        lines: Sequence[Line],
        returned: str,
        doc: str,
        first: Sequence[str] = (),
    ) -> None:
        """Add a function of these lines."""
        statements = [*first, *(self.statement(line) for line in lines), f"return {returned}"]
        body = [f'"""{doc}"""', *statements]
        text = textwrap.indent("\n".join(body), "    ")
        self.parts.append(f"def {name}({', '.join(arguments)}):\n{text}\n")

    def statement(self, line: Line) -> str:
        """A line as a statement of Python."""
        comment = comment_of(line)
        if line.answer is not None:
            return f"if {self._call(line)} != {line.answer!r}: return None{comment}"
        if line.function is np.copyto:
            return self._call(line) + comment
        return f"{line.target} = {self._call(line)}{comment}"

    def _call(self, line: Line) -> str:
        function, text = line.function, self.operand
        if function is operator.getitem:
            index = line.operands[1]
            parts = index if isinstance(index, tuple) and index else (index,)
            return f"{text(line.operands[0])}[{', '.join(map(self._index, parts))}]"
        if function is operator.neg or (function is np.negative and line.out is None):
            return f"-{text(line.operands[0])}"
        if function is np.transpose and not line.keywords and len(line.operands) == 1:
            return f"{text(line.operands[0])}.T"
        if function in INFIX and line.out is None and len(line.operands) == 2 and not line.keywords:
            left, right = map(text, line.operands)
            return f"{left} {INFIX[function]} {right}"
        if function is np.reshape and len(line.operands) == 2 and not line.keywords:
            return f"{text(line.operands[0])}.reshape({text(line.operands[1])})"
        inner = [text(x) for x in line.operands]
        inner += [f"{name}={text(x)}" for name, x in line.keywords.items()]
        inner += [f"out={line.out}"] if line.out else []
        name = function.__name__
        if any(getattr(kind, name, None) is function for kind in (np.ndarray, np.generic)):
            return f"{inner[0]}.{name}({', '.join(inner[1:])})"
        return f"{self._name_of(function)}({', '.join(inner)})"

    def _index(self, part: Any) -> str:
        if isinstance(part, slice):
            start, stop, step = ("" if x is None else self.operand(x) for x in slice_parts(part))
            return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
        return self.operand(part)

    def _name_of(self, function: Any) -> str:
        """How a function is called: NumPy's by its public name, a helper by its own."""
        if ufunc := ufunc_of(function):
            return f"{self._name_of(ufunc)}.{function.__name__}"
        name = function.__name__
        if getattr(np, name, None) is function:
            return f"np.{name}"
        for module in ("linalg", "fft", "lib.stride_tricks"):
            owner: Any = np
            for part in module.split("."):
                owner = getattr(owner, part)
            if getattr(owner, name, None) is function:
                return f"np.{module}.{name}"
        if function is bool:
            return "bool"
        if isinstance(function, np.ufunc):  # SciPy's, whose special functions are ufuncs
            own = importlib.import_module("scipy.special")
            inner = "" if hasattr(own, name) else "._ufuncs"
            self.imports.add(f"import scipy.special{inner}")
            return f"scipy.special{inner}.{name}"
        self.helpers[name] = function
        return str(name)

    def operand(self, x: Any) -> str:
        """An operand as text."""
        if isinstance(x, Name):
            return str(x)
        if isinstance(x, tuple):
            return f"({''.join(f'{self.operand(part)}, ' for part in x).rstrip()})"
        if isinstance(x, list):
            return f"[{', '.join(map(self.operand, x))}]"
        if isinstance(x, dict):
            return f"{{{', '.join(f'{k!r}: {self.operand(v)}' for k, v in x.items())}}}"
        if isinstance(x, slice):
            return f"slice({', '.join(map(self.operand, slice_parts(x)))})"
        if isinstance(x, np.dtype):
            return _dtype(x)
        if isinstance(x, type):
            return f"np.{x.__name__}" if issubclass(x, np.generic) else x.__name__
        if isinstance(x, np.ufunc):
            return self._name_of(x)
        if isinstance(x, np.ndarray):
            return self._constant(x)
        if isinstance(x, np.generic):
            return f"np.{x.dtype.name}({x.item()!r})" if np.isfinite(x) else _not_finite(x)
        if isinstance(x, float) and not np.isfinite(x):
            return f'float("{x}")'
        return repr(x)

    def _constant(self, x: np.ndarray) -> str:
        """The name of an array that the module makes when it is loaded."""
        key = (x.dtype, x.shape, x.strides, x.tobytes())
        if key not in self._constants:
            name = self._constants[key] = f"constant{len(self._constants)}"
            self.top[name] = _literal(x)
        return self._constants[key]

    def source(self) -> str:
        """The whole text."""
        imports = ["import numpy as np", *sorted(self.imports)]
        helpers = [_text_of_function(f) for f in self.helpers.values()]
        top = "\n".join(f"{name} = {made}" for name, made in self.top.items())
        sections = [f'"""{self.summary}"""', "\n".join(imports), *helpers, top, *self.parts]
        return "\n\n".join(section.rstrip() for section in sections if section) + "\n"


def loaded(source: str, name: str) -> dict[str, Any]:
    """The names that a module of this text defines; errors in it show its lines."""
    filename = f"<{name} {abs(hash(source)):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    found: dict[str, Any] = {"__name__": name}
    exec(compile(source, filename, "exec"), found)
    return found


def comment_of(line: Line) -> str:
    """The comment that ends a printed line."""
    return f"  # {line.comment}" if line.comment else ""


def text_of(line: Line) -> str:
    """A line of a program on its own, as a reader would write it."""
    return ModuleText("").statement(line)


def _text_of_function(function: Any) -> str:
    """The text of a helper, which needs nothing but NumPy."""
    text = textwrap.dedent(inspect.getsource(function)).strip()
    return re.sub(r" *# (type|noqa):.*", "", text[text.index("def ") :])


def _dtype(dtype: np.dtype) -> str:
    native = dtype.isnative and dtype.kind in "fiubc"
    return f"np.{dtype.type.__name__}" if native else f"np.dtype({dtype.str!r})"


def _not_finite(x: np.generic) -> str:
    return f'np.{x.dtype.name}("{x.item()}")'


def _literal(x: np.ndarray) -> str:
    """An expression that makes this array anew."""
    kind = _dtype(x.dtype)
    for number, made in ((0, "zeros"), (1, "ones")):
        if x.size and x.tobytes() == np.full(x.shape, number, x.dtype).tobytes():
            return f"np.{made}({x.shape}, {kind})"
    if x.dtype.kind in "iu" and x.ndim == 1 and np.array_equal(x, np.arange(len(x))):
        return f"np.arange({len(x)}, dtype={kind})"
    if x.size <= _MOST_PRINTED and np.isfinite(x).all():
        return f"np.array({x.tolist()!r}, {kind})"
    return f"np.frombuffer(bytes.fromhex({x.tobytes().hex()!r}), {kind}).reshape({x.shape})"
