"""What goes to the workers with each step: objects as bytes that stay, and arrays that change."""

from __future__ import annotations

import io
import pickle
import random
from collections.abc import Sequence
from typing import Any

import cloudpickle
import numpy as np

from ..engine.tensor import Tensor
from ..support.arguments import kind_of

_CHANCE = (np.random.Generator, np.random.RandomState, random.Random)


class Packed:
    """Objects that belong together, and apart from them the arrays of some Tensors in them.

    What the objects share stays shared. Their bytes are the same from step to step, while a step
    moves the arrays: so a worker knows again what it has seen.

    Parameters
    ----------
    objects : tuple
    tensors : sequence of Tensors
    chance : bool
        Whether a source of chance may be among the objects.
    compiled : bool
        Whether workers may compile what they do with them.

    Raises
    ------
    TypeError
        If there is one, and there must not be: each copy would draw the same.

    Examples
    --------
    >>> x = Tensor(1.0, name="x")
    >>> one, other = Packed((x, [x]), [x]).unpacked()[0]
    >>> one is other[0], one
    (True, Tensor(1., name='x'))
    """

    def __init__(
        self,
        objects: Any,
        tensors: Sequence[Tensor],
        chance: bool = False,
        compiled: bool = False,
    ):
        self.structure = structure(objects, tensors, chance)
        self.compiled = compiled
        self.arrays = [tensor._array for tensor in tensors]

    def unpacked(self) -> tuple[Any, list[Tensor]]:
        """Copies of the objects, and of the Tensors in them, which hold the arrays."""
        file = io.BytesIO(self.structure)
        tensors = [
            Tensor(array, requires_grad=wanted, name=name)
            for array, (wanted, name) in zip(self.arrays, pickle.load(file), strict=True)
        ]
        reader = pickle.Unpickler(file)
        reader.persistent_load = tensors.__getitem__  # type: ignore[method-assign]
        return reader.load(), tensors


def structure(objects: Any, tensors: Sequence[Tensor], chance: bool = False) -> bytes:
    """The objects without the arrays of the Tensors, as `Packed` keeps them.

    Examples
    --------
    >>> x = Tensor(1.0)
    >>> before = structure([x], [x])
    >>> x.data = np.array(2.0)
    >>> structure([x], [x]) == before
    True
    """
    file = io.BytesIO()
    pickle.dump([(tensor.requires_grad, tensor.name) for tensor in tensors], file)
    _Pickler(file, tensors, chance).dump(objects)
    return file.getvalue()


class _Pickler(cloudpickle.Pickler):
    def __init__(self, file: Any, tensors: Sequence[Tensor], chance: bool):
        super().__init__(file)
        self._numbers = {id(tensor): i for i, tensor in enumerate(tensors)}
        self._chance = chance

    def persistent_id(self, x: Any) -> int | None:
        """The number of a Tensor that is sent apart; None of what is pickled with the rest."""
        if isinstance(x, _CHANCE) and not self._chance:
            raise TypeError(
                f"the model or the loss holds {kind_of(x)}, of which every block would "
                "get a copy that draws the same: use nn.Dropout, whose masks follow from the "
                "block and the step, or add the noise to X"
            )
        return self._numbers.get(id(x))
