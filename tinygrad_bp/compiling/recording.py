"""One step of training, taken on arrays that write down what is computed of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.backprop import backward_pass, seed_of
from ..engine.recording import recording
from ..engine.tensor import Tensor
from ..optim import Optimizer
from ..optim.norms import euclidean_norm
from ..support.arguments import some
from .buffers import laid_end_to_end
from .naming import Labels
from .program import CannotCompileError, Name, Program
from .state import Group
from .transcript import Transcript, Written

WRITING: ContextVar[bool] = ContextVar("WRITING", default=False)
Step = Callable[..., Tensor]
SUMMARY = "One step of training: the loss and its gradient, and what the optimiser makes of it."


@dataclass(frozen=True)
class Recording:
    """A step that was taken, and the program that it wrote.

    Attributes
    ----------
    program : Program
    groups : list of Group
        Of the parameters that have a gradient.
    held : list of Tensor
        The model's other Tensors: buffers, and parameters that have none.
    inputs : dict of Tensor to Name
        What the program calls the Tensors.
    batch : int
        How many of the program's inputs are the batch.
    ignored : frozenset of str
        The kinds of floating-point error that the computation ignores.
    labels : Labels
        What a reader would call its values.
    """

    program: Program
    groups: list[Group]
    held: list[Tensor]
    inputs: dict[Tensor, Name]
    batch: int
    ignored: frozenset[str]
    labels: Labels

    def value(self, role: str) -> Any:
        """The value of an output in this step; nan if it was not computed."""
        found = self.program.outputs.get(role, math.nan)
        return self.program.values[found] if isinstance(found, Name) else found

    def arrays(self, optimizer: Optimizer) -> Iterator[tuple[Tensor, Any]]:
        """Each Tensor, with its array after the step."""
        for k, group in enumerate(self.groups):
            for i, part in zip(group.places, group.parts(self.value(f"p{k}")), strict=True):
                yield optimizer.parameters[i], part
        for i, tensor in enumerate(self.held):
            yield tensor, self.value(f"held{i}")

    def memories(self, optimizer: Optimizer) -> list[dict[str, Any]]:
        """The optimiser's memories after the step, one for each parameter."""
        memories = [dict(memory) for memory in optimizer._memories]
        for k, group in enumerate(self.groups):
            for name in optimizer.memory_names:
                value = self.value(f"p{k}_{name}")
                counts = name in optimizer.count_names
                parts = [value] * len(group.places) if counts else group.parts(value)
                for i, part in zip(group.places, parts, strict=True):
                    memories[i][name] = part
        return memories


class Layout:
    """The arguments of the text of a step, in order, by the names that a reader knows.

    Attributes
    ----------
    batch : list of Name
    counts : list of (Group, str, Name)
        The counts of steps, each with its group and what the optimiser calls it.
    held : list of Name
        The Tensors that are in no flat array.
    flats : list of Name
        The flat arrays of the parameters and of what is remembered for them.
    parts : dict of Name to (Name, int, tuple of int)
        For each parameter the flat array that it is in, where it starts, and its shape.
    """

    def __init__(self, recording: Recording, optimizer: Optimizer):
        names, inputs = recording.labels.names, recording.inputs
        self.batch = [Name(names[x]) for x in recording.program.inputs[: recording.batch]]
        self.held = [Name(names[inputs[tensor]]) for tensor in recording.held]
        self.flats: list[Name] = []
        self.parts: dict[Name, tuple[Name, int, tuple[int, ...]]] = {}
        self.counts: list[tuple[Group, str, Name]] = []
        for k, group in enumerate(recording.groups):
            flat = Name(f"p{k}")
            self.flats += [flat, *(Name(f"p{k}_{name}") for name in group.memory)]
            start = 0
            for i, shape, end in zip(group.places, group.shapes, group.ends, strict=True):
                name = names[inputs[optimizer.parameters[i]]]
                self.parts[Name(name)] = (flat, start, shape)
                start = end
            self.counts += [
                (group, name, Name(f"p{k}_{name}"))
                for name in optimizer.count_names
                if name in group.remembers
            ]


@contextmanager
def standing_in(arrays: dict[Tensor, Any]) -> Iterator[None]:
    """Let Tensors hold other arrays for a while, and nothing of what is done to them stay."""
    before = {tensor: tensor._array for tensor in arrays}
    token = WRITING.set(True)
    try:
        for tensor, array in arrays.items():
            tensor._array = array
        yield
    finally:
        WRITING.reset(token)
        for tensor, array in before.items():
            tensor._array = array


def given_tensors(
    transcript: Transcript, labels: Labels, tensors: Sequence[Tensor]
) -> tuple[dict[Tensor, Written], dict[Tensor, Name]]:
    """Stand-ins for Tensors that are inputs of a program, and their names in it."""
    written = {t: transcript.given(f"s{i}", t._array) for i, t in enumerate(tensors)}
    for tensor, x in written.items():
        labels.name_tensor(x.name, tensor)
    return written, {tensor: x.name for tensor, x in written.items()}


def gradients_of(
    loss: Any, transcript: Transcript, labels: Labels, leaves: dict[Tensor, Name]
) -> dict[Tensor, Any]:
    """The adjoint of every leaf, by the ordinary pass; each line is told what it is for."""
    found = {}
    labels.name_nodes(loss, leaves)
    transcript.comment = getattr(loss._array, "name", "")
    with recording(False):
        for node, adjoint in backward_pass(loss, seed_of(loss)):
            labels.name_adjoint(node, adjoint, leaves.get(node))
            if node.rule is None:
                found[node] = adjoint
            else:
                transcript.comment = getattr(node._array, "name", "")
    transcript.comment = ""
    return found


def _own(transcript: Transcript, after: Any, before: Written) -> Any:
    """A Tensor's array after the step, copied if it is an input's, such as the batch's."""
    if after is before or not isinstance(after, Written):
        return after
    given = [transcript.values[name] for name in transcript.inputs]
    shared = any(isinstance(x, np.ndarray) and np.may_share_memory(after.value, x) for x in given)
    return transcript.call(np.copy, (after,), {}) if shared else after


def check_loss(loss: Any) -> None:
    """Refuse what is no loss: a Tensor with one number that parameters lead to."""
    if isinstance(loss, Written) or (isinstance(loss, Tensor) and not loss.requires_grad):
        raise ValueError(
            "what is compiled must give a Tensor with one number that requires grad, and none of "
            "its inputs does: Tensor(..., requires_grad=True)"
        )
    if not isinstance(loss, Tensor) or loss.size != 1:
        shape = getattr(loss, "shape", None)
        raise ValueError(
            "what is compiled must give a Tensor with one number that requires grad, not "
            f"a {type(loss).__name__}{'' if shape is None else f' of shape {shape}'}: "
            "reduce it, for instance by np.mean"
        )


def record_step(
    loss_of: Step, tensors: Sequence[Tensor], optimizer: Optimizer, batch: tuple, norm: bool
) -> Recording:
    """Take a step on arrays that write down; the model and the optimiser stay as they are.

    The length of the gradient is computed too where ``norm`` says so.
    """
    transcript, labels = Transcript(), Labels()
    called = [*("X", "y")[: len(batch)], *(f"y{i}" for i in range(2, len(batch)))]
    inputs = [transcript.given(name, x) for name, x in zip(called, batch, strict=True)]
    for x in inputs:
        labels.name(x.name, x.name)
    written, leaves = given_tensors(transcript, labels, tensors)
    with standing_in(written):
        loss = loss_of(*inputs)
        check_loss(loss)
        gradients = gradients_of(loss, transcript, labels, leaves)
        after = [_own(transcript, tensor._array, written[tensor]) for tensor in tensors]
    moving = [i for i, p in enumerate(optimizer.parameters) if p in gradients]
    if not moving:
        raise CannotCompileError("the loss depends on none of the optimizer's parameters")
    groups = _groups(optimizer, moving)
    own = {optimizer.parameters[i] for i in moving}
    others = [i for i, tensor in enumerate(tensors) if tensor not in own]
    held = [tensors[i] for i in others]
    outputs: dict[str, Any] = {"loss": loss._array}
    outputs |= {f"held{k}": after[i] for k, i in enumerate(others)}
    outputs |= _update(transcript, optimizer, groups, gradients, norm)
    program, ignored = transcript.program(outputs), frozenset(transcript.ignored)
    return Recording(program, groups, held, leaves, len(batch), ignored, labels)


def _groups(optimizer: Optimizer, moving: list[int]) -> list[Group]:
    """The parameters that move, by what makes their steps alike."""
    owner = next(kind for kind in type(optimizer).__mro__ if "move" in vars(kind))
    together = vars(owner).get("elementwise", False)  # said of this very move
    alike: dict[Any, list[int]] = {}
    for i in moving:
        memory, dtype = optimizer._memories[i], optimizer.parameters[i]._array.dtype
        counts = tuple(int(memory[name]) for name in optimizer.count_names if name in memory)
        key = (dtype, tuple(memory), counts, None if together else i)
        alike.setdefault(key, []).append(i)
    return [Group(places, optimizer) for places in alike.values()]


def _update(
    transcript: Transcript,
    optimizer: Optimizer,
    groups: list[Group],
    gradients: dict[Tensor, Any],
    with_norm: bool,
) -> dict[str, Any]:
    """The optimiser's step, of all parameters of a group at once."""
    parameters = optimizer.parameters
    found = {i: gradients[parameters[i]] for group in groups for i in group.places}
    rate = transcript.given("lr", optimizer.step_size)
    outputs: dict[str, Any] = {}
    if with_norm or optimizer.max_norm is not None:
        norm = euclidean_norm([found[i] for i in sorted(found)])
        outputs["norm"] = norm
    for k, group in enumerate(groups):
        data = _flat(transcript, f"p{k}", [parameters[i]._array for i in group.places])
        parts = [found[i] for i in group.places]
        gradient = transcript.call(laid_end_to_end, (parts,), {})
        if optimizer.max_norm is not None:
            scale = optimizer.max_norm / (norm + 1e-6)
            gradient = gradient * np.fmin(scale, 1.0).astype(group.dtype)
        memory = _memory(transcript, optimizer, group, k)
        outputs[f"p{k}"] = optimizer._moved(data, gradient, memory, rate)  # type: ignore[arg-type]
        if unknown := memory.keys() - set(optimizer.memory_names):
            raise CannotCompileError(
                f"the optimizer remembers {some(sorted(unknown))} beside memory_names"
            )
        outputs |= {f"p{k}_{name}": value for name, value in memory.items()}
    return outputs


def _flat(transcript: Transcript, name: str, arrays: list[Any]) -> Written:
    return transcript.given(name, laid_end_to_end(arrays))


def _memory(transcript: Transcript, optimizer: Optimizer, group: Group, k: int) -> dict[str, Any]:
    """The memory of the parameters of a group, laid end to end as they are."""
    memories = [optimizer._memories[i] for i in group.places]
    memory = {}
    for name in group.remembers:
        values = [m[name] for m in memories]
        counts = name in optimizer.count_names
        value = int(values[0]) if counts else laid_end_to_end(values)
        memory[name] = transcript.given(f"p{k}_{name}", value)
    return memory
