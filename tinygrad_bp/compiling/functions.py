"""`compile`: a function that gives one number, as a NumPy program of its value and gradient."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.backprop import gradients, topological_order
from ..engine.recording import is_recording
from ..engine.tensor import Tensor
from ..nn import Module
from ..support.answers import keyword_advice
from ..support.arguments import kind_of
from ..support.structures import leaves, rebuild
from .buffers import in_buffers
from .closures import PLAIN, ClosedOver, Settings
from .naming import Labels, named
from .numpy_code import ModuleText, loaded
from .passes import PASSES, Pass, optimized
from .precomputed import precomputed
from .program import CannotCompileError, Name, Program
from .recording import WRITING, check_loss, given_tensors, gradients_of, standing_in
from .transcript import Transcript, Written
from .variants import Runner, Variants, shown

_SUMMARY = "The value of a function and its gradient, as calls of NumPy."


@dataclass(frozen=True)
class _Effects:
    """The Tensors that a call reads, and where its outputs belong."""

    tensors: list[Tensor]
    moved: list[int]  # the Tensors whose arrays it replaces
    by: list[int]  # the Tensors, and then the arguments, that have a gradient

    def result(self, given: list[Any], outputs: Any) -> Tensor:
        """The Tensor that a call gives, once what else it changes is changed."""
        value, *rest = outputs
        for i, new in zip(self.moved, rest, strict=False):
            self.tensors[i]._replace(new)
        sources = [*self.tensors, *given]
        return precomputed([sources[i] for i in self.by], value, rest[len(self.moved) :])


@dataclass(frozen=True)
class _Recording:
    """A call that was written down, and what it gave."""

    program: Program
    labels: Labels
    ignored: frozenset[str]
    effects: _Effects

    def values(self) -> list[Any]:
        """The outputs."""
        values = self.program.values
        return [values[x] if isinstance(x, Name) else x for x in self.program.outputs.values()]


class CompiledFunction:
    """A function as NumPy programs; see `compile`.

    Attributes
    ----------
    function : callable
        What was compiled.
    programs : int
        How many were written: one for each kind of arguments.
    source : str
        The text of the last: a module that imports NumPy alone.
    """

    def __init__(self, function: Callable[..., Any], passes: tuple[Pass, ...], buffers: bool):
        self.function, self.passes, self.buffers = function, passes, buffers
        self.source = ""
        self._variants: Variants[_Loaded] = Variants(self._load)
        self._closed_over = ClosedOver(function)
        self._tensors: list[Tensor] = []
        self._changes, self._of_modules, self._found_anew = -1, Settings(()), 0
        functools.update_wrapper(self, function)

    @property
    def programs(self) -> int:
        """How many were written."""
        return len(self._variants)

    def __repr__(self) -> str:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return shown("CompiledFunction", name, "numpy", self.programs, self.source)

    def __reduce__(self) -> Any:
        """A copy, or what was saved, is compiled anew when it is called.

        What has the name of the function itself, as a decorated one has, is saved by its name.
        """
        module = sys.modules.get(getattr(self, "__module__", ""))
        name = getattr(self, "__qualname__", "")
        if name and getattr(module, name, None) is self:
            return name
        return type(self), (self.function, self.passes, self.buffers)

    def value_and_grad(self, *arguments: Any) -> Any:
        """The value, and the gradient by the first argument, of its form."""
        form, *others = arguments
        chosen = [Tensor(x, requires_grad=True) for x in leaves(form)]
        loss = self(rebuild(form, chosen), *others)
        return loss._array, rebuild(form, gradients(loss, chosen))

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """The function's result, from a program once two calls have agreed on one."""
        if not is_recording() or WRITING.get():  # which writes this down with the rest
            return self.function(*arguments, **keywords)
        given = [np.asarray(x) if type(x) is list else x for x in leaves((arguments, keywords))]
        key = self._key((arguments, keywords), given)
        for program in self._variants.of(key):
            found = program(given)
            if found is not None:
                self._variants.in_vain = 0
                return found
        recording = self._recorded((arguments, keywords), given)
        effects = recording.effects
        told_of_all = len(effects.tensors) == len(self._tensors)  # none was found anew
        if told_of_all and np.isfinite(recording.values()[0]):  # else it is not for a program
            why_not = self._variants.add(key, recording)
            if why_not:
                raise CannotCompileError(why_not)
        result = effects.result(given, recording.values())
        self._tensors = effects.tensors
        return result

    def _key(self, structure: Any, given: list[Any]) -> Any:
        form = repr(rebuild(structure, ("*" for _ in given)))
        if self._changes != Module.changes[0] or self._of_modules.have_changed():
            self._look_at_modules()
        kinds = tuple((t._array.shape, t._array.dtype, t._requires_grad) for t in self._tensors)
        closed_over = self._closed_over.key()
        return form, tuple(map(_kind, given)), kinds, closed_over, self._of_modules.key()

    def _look_at_modules(self) -> None:
        """Find what the modules hold that the function leads to, now that one was changed."""
        self._changes, modules = Module.changes[0], list(self._closed_over.modules())
        found = (t for module in modules for t in module.named_tensors().values())
        self._tensors = list(dict.fromkeys([*self._tensors, *found]))
        self._of_modules = Settings(modules)

    def _recorded(self, structure: Any, given: list[Any]) -> _Recording:
        """Call the function on arrays that write down; nothing that it changes stays."""
        transcript, labels = Transcript(), Labels()
        arguments = [_stand_in(transcript, i, x) for i, x in enumerate(given)]
        for x, name in zip(arguments, self._argument_names(structure), strict=True):
            if isinstance(stand_in := getattr(x, "_array", x), Written):
                labels.name(stand_in.name, name)
        written, names = given_tensors(transcript, labels, self._tensors)
        with standing_in(written):
            inputs, keywords = rebuild(structure, arguments)
            loss = self.function(*inputs, **keywords)
            check_loss(loss)
            names |= {x: x._array.name for x in arguments if isinstance(x, Tensor)}
            gradients = gradients_of(loss, transcript, labels, names)
            moved = [i for i, t in enumerate(self._tensors) if t._array is not written[t]]
            after = {f"new {i}": self._tensors[i]._array for i in moved}
        more = _leaves_of(loss, {*self._tensors, *(x for x in arguments if isinstance(x, Tensor))})
        self._found_anew += bool(more)
        if self._found_anew > _MOST_FOUND:
            raise CannotCompileError("the function makes Tensors anew in each call")
        tensors = [*self._tensors, *more]
        sources = [*tensors, *arguments]
        by = [i for i, x in enumerate(sources) if isinstance(x, Tensor) and x in gradients]
        outputs = {"loss": loss._array, **after}
        outputs |= {f"d {i}": gradients[sources[i]] for i in by}
        program, ignored = transcript.program(outputs), frozenset(transcript.ignored)
        return _Recording(program, labels, ignored, _Effects(tensors, moved, by))

    def _argument_names(self, structure: Any) -> Iterator[str]:
        """The names of the function's parameters, for each leaf of the arguments."""
        arguments, keywords = structure
        try:
            bound = inspect.signature(self.function).bind(*arguments, **keywords).arguments
        except (TypeError, ValueError):
            bound = {f"x{i}": x for i, x in enumerate((*arguments, *keywords.values()))}
        for name, value in bound.items():
            inner = leaves(value)
            for i, _ in enumerate(inner):
                yield name if len(inner) == 1 else f"{name}{i + 1}"

    def _load(self, recording: _Recording) -> _Loaded:
        program = _Loaded(recording, self.passes, self.buffers)
        self.source = program.source
        return program


class _Loaded(Runner):
    """A program for one kind of arguments."""

    def __init__(self, recording: _Recording, passes: tuple[Pass, ...], buffers: bool):
        self._effects = recording.effects
        program = named(optimized(recording.program, passes), recording.labels)
        text = ModuleText(_SUMMARY)
        if buffers:
            program, made = in_buffers(program, {}, frozenset(program.outputs))
            text.declare(made)
        returned = ", ".join(map(text.operand, program.outputs.values()))
        text.define("program", program.inputs, program.lines, f"({returned},)", _SUMMARY)
        self.source = text.source()
        super().__init__(loaded(self.source, "compiled function")["program"], recording.ignored)

    def __call__(self, given: list[Any]) -> Any:
        """The program's result; None where a guard does not hold."""
        arrays = [x._array if isinstance(x, Tensor) else x for x in given]
        arrays = [x for x in arrays if _is_input(x)]
        arrays += [tensor._array for tensor in self._effects.tensors]
        found = self.compute(arrays)
        if found is None or not np.isfinite(found[0]):
            return None
        return self._effects.result(given, found)


def _kind(x: Any) -> Any:
    """The part of an argument that a program depends on: shape and type, or else its value."""
    if isinstance(x, Tensor):
        return (Tensor, x._requires_grad, x._array.shape, x._array.dtype, x._array.strides)
    if isinstance(x, np.ndarray | np.generic):
        return (x.shape, x.dtype, x.strides)
    if _is_input(x):
        return float
    if isinstance(x, (*PLAIN, type, np.dtype, slice, tuple)):
        return (type(x), repr(x))
    raise CannotCompileError(
        f"an argument is {kind_of(x)}, whose attributes may change unseen: pass the numbers"
    )


def _stand_in(transcript: Transcript, i: int, x: Any) -> Any:
    """An argument that writes down, if it is an input."""
    if isinstance(x, Tensor):
        written = transcript.given(f"x{i}", x._array)
        return Tensor(written, requires_grad=x._requires_grad, name=x.name)
    return transcript.given(f"x{i}", x) if _is_input(x) else x


def _is_input(x: Any) -> bool:
    """Whether an argument is told to a program; all but arrays and floats is part of it."""
    return isinstance(x, np.ndarray | np.generic) or type(x) is float


_MOST_FOUND = 16  # times that a call led to Tensors that were not known


def _leaves_of(loss: Tensor, known: set[Any]) -> list[Tensor]:
    """The leaves of a graph that were not known: what the function closes over."""
    found: dict[Tensor, None] = {}
    for node in reversed(topological_order(loss)):
        for x in node.inputs:
            leaf = isinstance(x, Tensor) and x.is_leaf and x not in known
            if leaf and not isinstance(x._array, Written):  # which is made of what is given
                found[x] = None
    return list(found)


@keyword_advice
def compile(
    f: Callable[..., Any], *, passes: Sequence[Pass] | None = None, buffers: bool = True
) -> CompiledFunction:
    """Compile a function that returns one number into a NumPy program of value and gradient.

    The function itself runs in the first two calls, on arrays that record each call of NumPy. If
    both recorded the same, the program is run from then on, for arguments of the same shapes and
    types. Its results are those of the function to the last bit.

    Tensors that the function closes over are inputs of the program, so that it sees a step of an
    optimiser between two calls, and ``p.data = new``. A question about a value, such as
    ``if loss > 1``, becomes a guard: a call with another answer is recorded anew. Numbers, small
    arrays, and containers of these that ``f`` closes over, names as globals, or reads from
    attributes of objects are compared at each call, and so is what modules hold or read so. A
    recording cannot see what functions read that these call, writes into large arrays, or a
    counter in ``f`` that will take it another way later: pass these as arguments.

    Parameters
    ----------
    f : callable
        Takes arrays, Tensors, numbers, and containers of them; returns a Tensor of one number.
    passes : sequence of functions, optional
        What shortens the program, in order: by default `tinygrad_bp.compiling.passes.PASSES`;
        ``()`` leaves the program as it was recorded.
    buffers : bool
        Whether results are written into arrays that are used again.

    Returns
    -------
    CompiledFunction
        Takes the arguments of ``f``. The Tensor that it returns can be differentiated once: its
        gradient was computed together with it.

    Raises
    ------
    CannotCompileError
        When called, if two calls compute different things, or a value leaves the computation,
        for instance through ``float``.

    Examples
    --------
    >>> import tinygrad_bp as bp
    >>> w = bp.Tensor([1.0, 2.0], requires_grad=True, name="w")
    >>> program = bp.compile(lambda x: np.sum((w * x) ** 2))
    >>> x = np.array([3.0, 4.0])
    >>> [program(x).item() for _ in range(3)], program.programs
    ([73.0, 73.0, 73.0], 1)
    >>> program(x).backward()
    >>> w.grad
    array([18., 64.])
    """
    if not callable(f):
        raise TypeError(f"compile takes a function, not {kind_of(f)}")
    return CompiledFunction(f, tuple(PASSES if passes is None else passes), buffers)
