"""summary: a table of a model's layers, found by running one example of zeros through a copy."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.recording import no_grad, watching
from ..engine.tensor import Tensor
from ..explain.layers import PRODUCTS
from ..explain.tables import Column, Shown, Table
from ..support.answers import keyword_advice
from ..support.arguments import kind_of, size
from .module import Module, flat, part_label
from .networks import Sequential

_ELEMENTWISE = frozenset({"divide", "multiply", "square"})


@dataclass
class Row:
    """A layer, with what is its own and not its parts'.

    Attributes
    ----------
    path : str
        Where it is in the model; the empty path is the model itself.
    layer : str
        What it is.
    shape : tuple of int or None
        Of its output for one example. None if it was not called, or gave no array.
    parameters : int
        How many numbers are trained in it; 0 if an earlier row has counted them.
    multiplications : int
        For one example: those in matrix products, and those and divisions element by element.
    """

    path: str
    layer: str
    shape: tuple[int, ...] | None = None
    parameters: int = 0
    multiplications: int = 0


@dataclass(frozen=True, repr=False)
class Summary(Shown):
    """A model's layers, in the order in which they were called. It shows itself as a table.

    Attributes
    ----------
    model : str
        What kind of model it is.
    input_shape : tuple of int
        Of one example.
    rows : list of Row
    """

    model: str
    input_shape: tuple[int, ...]
    rows: list[Row]

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiplications(self) -> int:
        """How many multiplications one example takes."""
        return sum(row.multiplications for row in self.rows)

    def table(self) -> Table:
        """The table that is shown: a layer to a row, and the sums in the last."""
        in_all = Row("", "in all", None, self.parameters, self.multiplications)
        columns = [
            Column(""),
            Column("layer"),
            Column("output"),
            Column("parameters", "number"),
            Column("multiplications", "number"),
        ]
        title = f"{self.model} of an example of shape {self.input_shape}"
        return Table(title, columns, [*self.rows, in_all], _cells, limit=len(self.rows) + 1)


def _cells(row: Row) -> list[str]:
    shape = "" if row.layer == "in all" else "-" if row.shape is None else str(row.shape)
    return [row.path, row.layer, shape, f"{row.parameters:,}", f"{row.multiplications:,}"]


@keyword_advice
def summary(model: Module, input_shape: int | tuple[int, ...], *, dtype: Any = None) -> Summary:
    """A table of layers, with their output shapes, parameters and multiplications.

    One example of zeros runs through a copy of the model, in evaluation mode and without
    recording; the model is left as it was. A layer that is called twice has two rows.

    Parameters
    ----------
    model : Module
    input_shape : tuple of int, or int
        The shape of one example, without the axis of the batch.
    dtype : dtype, optional
        The type of the example, for instance int for an `Embedding`; by default that of the first
        parameter.

    Returns
    -------
    Summary
        Its ``rows`` are plain data; ``parameters`` and ``multiplications`` are their sums.

    Raises
    ------
    TypeError
        If ``model`` is not a Module, or a length is not an integer.
    ValueError
        If a length is less than 1, or the model cannot take such an example.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> nn.summary(nn.MLP([784, 128, 10]), 784)
    MLP of an example of shape (784,)
    <BLANKLINE>
       layer                                      output  parameters  multiplications
    0  Linear(in_features=784, out_features=128)  (128,)     100,480          100,352
    1  relu                                       (128,)           0                0
    2  Linear(in_features=128, out_features=10)   (10,)        1,290            1,280
       in all                                                101,770          101,632
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary(model, input_shape) needs a Module, not {kind_of(model)}")
    lengths = input_shape if isinstance(input_shape, tuple | list) else (input_shape,)
    shape = tuple(size(length, "a length of input_shape") for length in lengths)
    if dtype is None:
        dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float64))
    watched = copy.deepcopy(model).eval()
    calls = _Calls(watched)
    with no_grad(), watching(calls.count):
        watched(Tensor(np.zeros((1, *shape)), dtype=dtype))
    return Summary(type(model).__name__, shape, calls.rows())


class _Calls:
    """Notes every call of a part of a model, and the multiplications done in it."""

    def __init__(self, model: Module):
        self.made: list[Row] = []
        self.open: list[Row] = []  # of the calls that have not returned, the innermost last
        self.uncalled: dict[str, Row] = {}
        self.containers: set[str] = set()
        counted: set[Tensor] = set()
        for path, module in model.named_modules():
            members = [member for _, member in flat(module.members())]
            own = {member for member in members if isinstance(member, Tensor)} - counted
            counted |= own
            label = _label(module)
            parameters = sum(tensor.size for tensor in own if tensor.requires_grad)
            self.uncalled[path] = Row(path, label, parameters=parameters)
            if isinstance(module, Sequential) or any(isinstance(m, Module) for m in members):
                self.containers.add(path)
            vars(module)["forward"] = self._note(path, label, module.forward)
            if isinstance(module, Sequential):
                vars(module)["layers"] = tuple(self._note_functions(path, module.layers))

    def _note_functions(self, path: str, layers: Iterable[Any]) -> Iterator[Any]:
        for i, layer in enumerate(layers):
            inner = f"{path}.{i}" if path else str(i)
            known = isinstance(layer, Module)  # and noted by itself
            yield layer if known else self._note(inner, _label(layer), layer)

    def _note(self, path: str, label: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function``, with a row for each call."""

        def call(*inputs: Any, **parameters: Any) -> Any:
            row = self.uncalled.pop(path, None) or Row(path, label)
            self.made.append(row)
            self.open.append(row)
            out = function(*inputs, **parameters)
            self.open.pop()
            row.shape = out.shape[1:] if hasattr(out, "shape") else None
            return out

        return call

    def count(self, rule: Any, inputs: Any, values: Any, data: Any) -> Any:
        """Add the multiplications of an operation to the innermost call."""
        if rule.name == "tensordot":  # of a b c multiplications, for sizes a c, b c and a b
            sizes = np.size(values[0]) * np.size(values[1]) * data.size
            self.open[-1].multiplications += math.isqrt(sizes)
        elif rule.name in PRODUCTS:
            self.open[-1].multiplications += data.size * math.prod(np.shape(values[0])[-1:])
        elif rule.name in _ELEMENTWISE:
            self.open[-1].multiplications += data.size
        return rule

    def rows(self) -> list[Row]:
        """The calls, without those that only passed on to their parts; then what was not used."""
        done = [
            row
            for row in self.made
            if row.parameters or row.multiplications or row.path not in self.containers
        ]
        return done + [row for row in self.uncalled.values() if row.parameters]


def _label(part: Any) -> str:
    text = part_label(part)
    return type(part).__name__ if "\n" in text else text
