"""Networks as scikit-learn draws them and shows them: a list of arrays for weights and biases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..functional import sigmoid
from ..nn import MLP, Linear


class LayerArrays(list):
    """An array for each layer; one that is put in goes into the network.

    Weights are shown as columns, of shape (inputs, outputs).

    Examples
    --------
    >>> weight = Tensor([[1.0, 2.0]], requires_grad=True)
    >>> arrays = LayerArrays([weight])
    >>> arrays[0] = np.array([[3.0], [4.0]])
    >>> weight
    Tensor([[3., 4.]], requires_grad=True)
    """

    def __init__(self, tensors: Sequence[Tensor]):
        super().__init__(tensor.data.T for tensor in tensors)
        self.tensors = tensors

    def __setitem__(self, index: Any, value: Any) -> None:
        several = isinstance(index, slice)
        tensors = self.tensors[index] if several else [self.tensors[index]]
        arrays = [np.asarray(array) for array in (value if several else [value])]
        for tensor, array in zip(tensors, arrays, strict=True):
            if array.shape != tensor.shape[::-1]:
                raise ValueError(
                    f"{tensor.name} has shape {tensor.shape[::-1]} in this network, "
                    f"and {array.shape} does not fit"
                )
        for tensor, array in zip(tensors, arrays, strict=True):
            tensor.data = array.T
        self.__init__(self.tensors)  # type: ignore[misc]  # and show what is there now


def affine_layers(model: MLP) -> list[Any]:
    """The layers that have weights, from the input on.

    Examples
    --------
    >>> affine_layers(MLP([2, 3, 1]))
    [Linear(in_features=2, out_features=3), Linear(in_features=3, out_features=1)]
    """
    return [layer for layer in model.layers if isinstance(layer, Linear)]


def random_network(
    sizes: list[int], activation: Any, random: np.random.RandomState, dtype: Any
) -> MLP:
    """A network with weights and biases as scikit-learn draws them: Glorot's, from one bound.

    Examples
    --------
    >>> model = random_network([2, 4, 1], "tanh", np.random.RandomState(0), np.float64)
    >>> bool(np.abs(model[0].bias.data).max() <= 1)
    True
    """
    model = MLP(sizes, activation, init="zeros", dtype=dtype)
    factor = 2 if activation is sigmoid else 6
    for layer in affine_layers(model):
        outputs, inputs = layer.weight.shape
        bound = math.sqrt(factor / (inputs + outputs))
        layer.weight.data = random.uniform(-bound, bound, (inputs, outputs)).T.astype(dtype)
        layer.bias.data = random.uniform(-bound, bound, outputs).astype(dtype)
    return model


def network_of(weight: Sequence[Any], bias: Sequence[Any], activation: Any) -> MLP:
    """A network of weights of shape (inputs, outputs) and biases.

    Examples
    --------
    >>> network_of([np.ones((2, 3))], [np.zeros(3)], "relu")
    MLP(
      0: Linear(in_features=2, out_features=3)
    )
    """
    weights = [np.asarray(array) for array in weight]
    sizes = [weights[0].shape[0], *(array.shape[1] for array in weights)]
    model = MLP(sizes, activation, init="zeros", dtype=np.result_type(*weights, np.float32))
    for arrays, name in ((weights, "weight"), (bias, "bias")):
        LayerArrays([getattr(layer, name) for layer in affine_layers(model)])[:] = arrays
    return model
