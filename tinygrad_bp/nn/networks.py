"""Networks put together from layers: one after the other, and the multilayer perceptron."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

import numpy as np

from ..functional import gelu, leaky_relu, relu, sigmoid, silu, softmax, softplus, tanh
from ..support.arguments import Seed, below_one, chance, kind_of, look_up, shown, size
from .initialization import Initialization
from .layers import Dropout, Linear
from .module import Module
from .normalization import BatchNorm, LayerNorm

Function = Callable[[Any], Any]

ACTIVATIONS: dict[str, tuple[Function, str]] = {  # each with its initialization
    "gelu": (gelu, "he"),
    "identity": (np.positive, "xavier"),
    "leaky_relu": (leaky_relu, "he"),
    "relu": (relu, "he"),
    "sigmoid": (sigmoid, "xavier"),
    "silu": (silu, "he"),
    "softmax": (softmax, "xavier"),
    "softplus": (softplus, "he"),
    "tanh": (tanh, "xavier"),
}
NORMALIZATIONS: dict[str, type[BatchNorm] | type[LayerNorm]] = {
    "batch": BatchNorm,
    "layer": LayerNorm,
}


class Sequential(Module):
    """Functions applied one after the other: Modules, or any functions of one Tensor.

    Examples
    --------
    >>> model = Sequential(Linear(2, 3), np.tanh, Linear(3, 1))
    >>> model
    Sequential(
      0: Linear(in_features=2, out_features=3)
      1: tanh
      2: Linear(in_features=3, out_features=1)
    )
    >>> model[2].weight.name
    '2.weight'
    """

    _joins = False

    def __init__(self, *layers: Function):
        for i, layer in enumerate(layers):
            if not callable(layer) or isinstance(layer, type):
                raise TypeError(f"layer {i} is not a function but {_said(layer)}")
        self.layers = layers

    def members(self) -> Iterable[tuple[str, Any]]:
        """The layers, by their numbers; then what a subclass has besides, by name."""
        numbered = ((str(i), layer) for i, layer in enumerate(self.layers))
        return [*numbered, *(item for item in super().members() if item[0] != "layers")]

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, i: int) -> Function:
        return self.layers[i]

    def forward(self, x: Any) -> Any:
        """Apply each layer to what the one before gave."""
        for layer in self.layers:
            x = layer(x)
        return x


class MLP(Sequential):
    """A multilayer perceptron: Linear layers with an activation after each but the last.

    A hidden layer is Linear, then the normalization if there is one, the activation, and
    dropout if there is any.

    Parameters
    ----------
    sizes : sequence of int
        The length of the input, of each hidden layer, and of the output.
    activation : str or function
        After each hidden layer: 'gelu', 'identity', 'leaky_relu', 'relu', 'sigmoid', 'silu',
        'softmax', 'softplus', 'tanh', or a function of a Tensor, such as ``np.sin``.
    output_activation : str or function, optional
        After the output layer.
    dropout : float
        The probability that a hidden value is dropped in training: see `Dropout`.
    normalization : {'batch', 'layer'}, optional
        `BatchNorm` or `LayerNorm`, before each activation.
    bias : bool
        Whether the Linear layers have biases, which start at zero.
    init : str or function, optional
        How the weights are drawn: see `Linear`. By default the activation chooses: `he` for
        the kinds of relu and softplus, `xavier` for the others.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the same seed draws the same weights and drops the same
        elements.
    dtype : dtype
        The type of the parameters.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, one is less than 1, ``dropout`` is out of its range,
        or a name is unknown.
    TypeError
        If a size is not an integer, or ``dtype`` not real and floating.

    Examples
    --------
    >>> model = MLP([2, 16, 1], activation="tanh", dropout=0.1, seed=0)
    >>> model
    MLP(
      0: Linear(in_features=2, out_features=16)
      1: tanh
      2: Dropout(p=0.1)
      3: Linear(in_features=16, out_features=1)
    )
    >>> model.eval()(np.zeros((100, 2))).shape
    (100, 1)
    """

    def __init__(
        self,
        sizes: Iterable[int],
        activation: str | Function = "relu",
        output_activation: str | Function | None = None,
        *,
        dropout: float = 0.0,
        normalization: str | None = None,
        bias: bool = True,
        init: str | Initialization | None = None,
        seed: Seed = None,
        dtype: Any = np.float64,
    ):
        sizes = _sizes(sizes, activation, output_activation)
        function, usual = _activation(activation)
        last = [] if output_activation is None else [_activation(output_activation)[0]]
        dropout = below_one(dropout, "dropout")
        normalize = None
        if normalization is not None:
            normalize = look_up(normalization, NORMALIZATIONS, "normalization")
        generator = chance(seed)

        def affine(inputs: int, outputs: int) -> Linear:
            draw = usual if init is None else init
            return Linear(inputs, outputs, bias=bias, init=draw, seed=generator, dtype=dtype)

        def hidden(inputs: int, outputs: int) -> Iterator[Function]:
            yield affine(inputs, outputs)
            if normalize:
                yield normalize(outputs, dtype=dtype)
            yield function
            if dropout:  # with numbers of its own, which no other draws disturb
                yield Dropout(dropout, seed=generator.spawn(1)[0])

        *inner, (inputs, outputs) = itertools.pairwise(sizes)
        layers = [layer for pair in inner for layer in hidden(*pair)]
        super().__init__(*layers, affine(inputs, outputs), *last)


def _sizes(sizes: Any, activation: Any, output_activation: Any) -> list[int]:
    """The sizes of all layers in order, which are not spread over the arguments that follow."""
    if isinstance(sizes, Set):
        raise TypeError(f"a set has no order: write MLP([3, 8, 2]), and not {sizes}")
    sizes = list(sizes) if isinstance(sizes, Iterable) else [sizes]
    more = list(activation) if isinstance(activation, list | tuple) else [activation]
    if isinstance(activation, list | tuple) and not all(isinstance(n, int) for n in more):
        raise TypeError(
            "all hidden layers have one activation; of several make "
            f"Sequential(Linear(...), np.tanh, ...), not {shown(activation)}"
        )
    if isinstance(activation, list | tuple | int):
        more += [output_activation] if isinstance(output_activation, int) else []
        raise TypeError(f"all sizes go into one list: write MLP({sizes + more})")
    if len(sizes) < 2:
        raise ValueError(
            f"sizes must hold those of the input and the output, as [3, 8, 2], not {sizes}"
        )
    return [size(n, "each of sizes") for n in sizes]


def _said(layer: Any) -> str:
    """What is no layer, and how it becomes one."""
    if isinstance(layer, list | tuple):
        return f"{kind_of(layer)}: write Sequential(*layers)"
    if isinstance(layer, type):
        return f"the class {layer.__name__}: call it, {layer.__name__}(...)"
    if isinstance(layer, str) and layer in ACTIVATIONS:
        return f"{layer!r}: write bp.functional.{layer}"
    return shown(layer)


def _activation(given: Any) -> tuple[Function, str]:
    """An activation by its name or as a function, and the initialization that suits it."""
    if not callable(given):
        return look_up(given, ACTIVATIONS, "activation")
    known = (init for function, init in ACTIVATIONS.values() if function is given)
    return given, next(known, "xavier")
