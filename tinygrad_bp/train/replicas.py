"""What a worker keeps: copies of a model, with a program of its passes once blocks repeat."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from ..compiling import CannotCompileError, compile
from .packing import Packed, structure

WORTH_IT = 24  # blocks of one shape, until which recording two of them would not have paid
MOST, MOST_KINDS = 3, 4  # models that are kept, and kinds of blocks of each: programs hold buffers


class Replica:
    """A copy of a model and a loss that stays on a worker, with a program for each kind of block.

    Parameters
    ----------
    packed : Packed
        The model, the loss, and more.
    make_loss : function
        ``make_loss(model, loss, kind)`` gives the loss of blocks of a kind.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_bp import nn
    >>> model = nn.Linear(1, 1, seed=0)
    >>> packed = Packed((model, np.mean), model.parameters())
    >>> replica = Replica(packed, lambda model, loss, kind: lambda X: loss(model(X)))
    >>> replica.hold(packed.arrays)
    >>> value = replica.passed("mean", np.ones((2, 1)))
    >>> replica.objects[0].bias.grad
    array([1.])
    """

    def __init__(self, packed: Packed, make_loss: Callable[..., Any]):
        self.objects, self._tensors = packed.unpacked()
        self._image = structure(self.objects, self._tensors, chance=True)
        self._make_loss, self._programs = make_loss, dict[Hashable, Any]()

    def hold(self, arrays: list[Any]) -> None:
        """Put these arrays into the Tensors, whose gradients are forgotten."""
        for tensor, array in zip(self._tensors, arrays, strict=True):
            tensor._replace(array)
            tensor.grad = None

    def passed(self, kind: Hashable, *block: Any) -> Any:
        """The loss of a block of a kind, after the backward pass.

        Raises
        ------
        CannotCompileError
            If the loss cannot be compiled, or changes what it is made of: the copies of workers
            would not stay alike.
        """
        if kind not in self._programs:
            model, loss, *_ = self.objects
            noted = _Noted(model, self._make_loss(model, loss, kind))
            self._programs[kind] = noted, compile(noted.loss_of)
        noted, program = self._programs[kind]
        value = program(*block)
        value.backward()
        if noted.called and structure(self.objects, self._tensors, chance=True) != self._image:
            raise CannotCompileError("the model or the loss changes something at each call")
        noted.called = False
        return value


class _Noted:
    """A loss of which is noted that it was called, as no program does."""

    def __init__(self, model: Any, loss: Callable[..., Any]):
        self.model, self.called = model, False
        self._loss = loss

    def loss_of(self, *block: Any) -> Any:
        self.called = True
        return self._loss(*block)


class Kept:
    """What a worker knows of one model: blocks that it met, idle copies, and why there are none.

    A copy is for one block at a time: each thread takes its own.
    """

    def __init__(self) -> None:
        self.why_eager = ""
        self._met, self._chosen = Counter[Hashable](), set[Hashable]()
        self._idle: list[Replica] = []

    def repeats(self, kind: Hashable) -> bool:
        """Whether a program pays, if there is to be one: told of each block that is met."""
        self._met[kind] += 1
        if self._met[kind] > WORTH_IT and len(self._chosen) < MOST_KINDS:
            self._chosen.add(kind)
        return kind in self._chosen and not self.why_eager

    @contextmanager
    def replica(self, packed: Packed, make_loss: Callable[..., Any]) -> Iterator[Replica]:
        """A copy that holds the arrays that were sent; after an error it is not taken again."""
        try:
            taken = self._idle.pop()
        except IndexError:
            taken = Replica(packed, make_loss)
        taken.hold(packed.arrays)
        yield taken
        self._idle.append(taken)


_KEPT: dict[bytes, Kept] = {}  # the last that was used comes last
_LOCK = threading.Lock()


def kept(packed: Packed) -> Kept:
    """What this worker knows of the model that was sent.

    Examples
    --------
    >>> packed = Packed(("model", "loss"), [])
    >>> kept(packed) is kept(packed)
    True
    """
    with _LOCK:
        found = _KEPT.pop(packed.structure, None) or Kept()
        _KEPT[packed.structure] = found
        if len(_KEPT) > MOST:
            del _KEPT[next(iter(_KEPT))]
    return found
