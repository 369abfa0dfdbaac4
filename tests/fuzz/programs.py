"""Random programs: each is the text of a function, and the text of what it is in plain NumPy."""

from __future__ import annotations

import math
import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from .operations import GROUPS, KINDS, NUMBERS, SHAPES, TRANSFORMED, TYPES, WRITES

STEPS, MOST_ELEMENTS, LARGEST = 8, 40, 200.0
HEAD = """
import tinygrad_bp as bp
from tinygrad_bp import Tensor, grad, hvp, jvp, no_grad, value_and_grad, vjp

def detach(t):
    return t.detach() if isinstance(t, Tensor) else t
"""
HELPERS = """\
import numpy as np

def read_only(array):
    array.flags.writeable = False
    return array
"""


@dataclass
class Step:
    """Some lines, which give ``name`` a value or write to a buffer, and the same in plain NumPy."""

    name: str
    lines: list[str]
    plain: list[str]


@dataclass
class Program:
    """A function of ``leaves``, step by step."""

    leaves: dict[str, np.ndarray]
    steps: list[Step]

    @property
    def lines(self) -> list[str]:
        """What the program does."""
        return [line for step in self.steps for line in step.lines]

    @property
    def plain(self) -> list[str]:
        """The same in plain NumPy, with ``frozen`` around what no gradient flows through."""
        return [line for step in self.steps for line in step.plain]

    def text(self, lines: list[str]) -> str:
        values = sorted({line.split()[0] for line in lines if line.lstrip().startswith("v")})
        everything = ", ".join([*values, *([] if values else self.leaves), ""])
        body = "\n".join([*lines, f"return sum(np.sum(np.sin(v)) for v in ({everything}))"])
        return f"def f({', '.join(self.leaves)}):\n{textwrap.indent(body, '    ')}\n"

    def function(self) -> Callable[..., Any]:
        """The program, for arrays and Tensors."""
        names: dict[str, Any] = {}
        exec(HELPERS + HEAD + self.text(self.lines), names)
        return names["f"]

    def reference(self) -> Callable[..., Any]:
        """The program in plain NumPy; what it froze in its first run stays as it was then."""
        kept: list[Any] = []
        names: dict[str, Any] = {}
        exec(HELPERS + self.text(self.plain), names)

        def run(*arrays: Any) -> Any:
            count = iter(range(len(self.plain)))

            def frozen(value: Any) -> Any:
                place = next(count)
                if place == len(kept):
                    kept.append(value)
                return kept[place]

            names["frozen"] = frozen
            return names["f"](*arrays)

        return run

    def __repr__(self) -> str:
        """Code to paste."""
        arrays = [f"{name} = np.array({x.tolist()})" for name, x in self.leaves.items()]
        places = tuple(range(len(self.leaves)))
        call = f"print(bp.grad(f, {places})({', '.join(self.leaves)}))"
        return "\n".join(["", HELPERS, HEAD, self.text(self.lines), *arrays, call, ""])


class Writer:
    """Writes a program line by line, running each on the leaves' values: what fails is left out."""

    def __init__(self, random: Random, allowed: Callable[[np.dtype], bool], writes: bool):
        self.random = random
        self.types = [name for name in TYPES if allowed(np.dtype(name))]
        self.kinds = [*["call"] * 8, "transformed", "detached", "no_grad", "again"]
        self.kinds += ["buffer", "write", "write", "write"] if writes else []
        self.values: dict[str, Any] = {"frozen": lambda value: value}
        exec(HELPERS, self.values)
        self.names: list[str] = []
        self.buffers: list[str] = []
        self.steps: list[Step] = []
        for i in range(random.randint(1, 2)):
            shape = random.choice(SHAPES)
            numbers = [round(random.uniform(-2, 2), 3) for _ in range(math.prod(shape))]
            self.names.append(f"x{i}")
            self.values[f"x{i}"] = np.array(numbers).reshape(shape)
        self.leaves = {name: self.values[name] for name in self.names}

    def add(self) -> None:
        """Write one step."""
        kind = self.random.choice(self.kinds)
        if kind == "write" and self.buffers:
            line = self.random.choice(WRITES).format(b=self.random.choice(self.buffers))
            self.keep(Step("", [line], [line]))
        elif kind in {"buffer", "write"}:
            name = f"b{len(self.steps)}"
            shape = self.values[self.random.choice(self.names)].shape
            line = f"{name} = np.array({self.constant(shape)})"
            if self.keep(Step(name, [line], [line])):
                self.buffers.append(name)
        else:
            self.assign(kind)

    def assign(self, kind: str) -> None:
        """Write a step that gives a new value."""
        name, condition = f"v{len(self.steps)}", "True"
        if kind == "transformed":
            call, plain = self.filled(*self.random.choice(TRANSFORMED))
        elif kind == "detached":
            of = self.recent()
            call, plain = f"detach({of})", f"frozen({of})"
        else:
            group = self.random.choice(GROUPS)
            call, condition = self.filled(*self.random.choice(group))
            plain = call
        lines, plains = [f"{name} = {call}"], [f"{name} = {plain}"]
        if kind == "no_grad":
            lines, plains = ["with no_grad():", f"    {lines[0]}"], [f"{name} = frozen({plain})"]
        elif kind == "again":  # the name moves on, and what was recorded stays
            more = [f"{name} = {name} + 0", f"{name} *= 2"]
            lines, plains = [*lines, *more], [*plains, *more]
        if self.keep(Step(name, lines, plains), condition):
            self.names.append(name)

    def recent(self) -> str:
        """Choose a value, the last one as often as all others together."""
        return self.random.choice([self.names[-1], self.random.choice(self.names)])

    def filled(self, *templates: str) -> list[str]:
        """The templates with one choice of names and constants for all of them."""
        v = self.recent()
        shape = np.shape(self.values[v])
        alike = [name for name in self.names if np.shape(self.values[name]) == shape]
        names = {"v": v, "w": self.recent(), "same": self.random.choice(alike)}
        if self.buffers and self.random.random() < 0.5:
            names["c"] = self.random.choice(self.buffers)
        else:
            names["c"] = self.constant(shape)
        return [template.format(**names) for template in templates]

    def constant(self, shape: tuple[int, ...]) -> str:
        """The text of a constant that goes with an array of this shape, of any type and kind."""
        kind, dtype = self.random.choice(KINDS), np.dtype(self.random.choice(self.types))
        size = {"row": shape[-1:], "column": (*shape[-2:-1], 1), "0-d": ()}.get(kind, shape)
        numbers = self.random.choices(NUMBERS, k=4)
        if dtype.kind != "f":
            limits = np.iinfo(dtype if dtype.kind != "b" else np.uint8)
            numbers = [int(n) for n in numbers if limits.min <= n <= limits.max] or [1]
        if kind == "number":
            return repr(numbers[0])
        name = "longdouble" if dtype.char == "g" else dtype.name
        if kind == "scalar":
            return f"np.{name}({numbers[0]})"
        values = np.resize(np.array(numbers), size).tolist()
        if kind == "list":
            return repr(values)
        text = f"np.array({values}, np.{name})"
        wrappers = {
            "read-only": "read_only({0})",
            "strided": "np.repeat({0}, 2, axis=-1)[..., ::2]",
            "view": "{0}[None][0]",
        }
        return wrappers.get(kind if shape else "", "{0}").format(text)

    def keep(self, step: Step, condition: str = "True") -> bool:
        """Run a step in plain NumPy, and keep it if it gives few numbers, none of them large."""
        trial = {k: v.copy() if k in self.buffers else v for k, v in self.values.items()}
        try:
            with np.errstate(all="raise", under="ignore"), warnings.catch_warnings():
                warnings.simplefilter("error")
                if not eval(condition, trial):
                    return False
                exec("\n".join(step.plain), trial)
        except Exception:  # whatever NumPy refuses
            return False
        if step.name.startswith("v") and not moderate(trial[step.name]):
            return False
        self.values = trial
        self.steps.append(step)
        return True


def moderate(value: Any) -> bool:
    """Whether differences can be taken of it: few real numbers, wide, and none large."""
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind != "f":
        return False
    few = 0 < value.size <= MOST_ELEMENTS and value.dtype.itemsize >= 8
    return few and bool(np.all(np.abs(value) < LARGEST))


def written(
    random: Random, allowed: Callable[[np.dtype], bool] = lambda dtype: True, writes: bool = True
) -> Program:
    """Write a program, with constants of the types that are ``allowed``, and with ``writes``."""
    writer = Writer(random, allowed, writes)
    while len(writer.steps) < STEPS:
        writer.add()
    return Program(writer.leaves, writer.steps)


def shorter(program: Program, kept: Sequence[object]) -> Program:
    """The program with some of its steps alone; what needs one that is struck out goes with it."""
    writer = Writer(Random(0), lambda dtype: True, False)
    writer.values |= program.leaves
    writer.buffers = [step.name for step in program.steps if step.name.startswith("b")]
    steps = [s for s, keep in zip(program.steps, kept, strict=True) if keep and writer.keep(s)]
    return Program(program.leaves, steps)
