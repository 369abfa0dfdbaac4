"""Networks: modules that hold parameters, and layers made of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from .arguments import look_up, size
from .functional import linear, relu, sigmoid, softplus, tanh
from .tensor import Tensor


class Module:
    """Something with parameters that can be called.

    A subclass sets its parameters and parts as attributes and defines ``forward``. Tensors,
    Modules, and lists and tuples of them are found by themselves, in the order they were set.
    Each Tensor is named after where it was found, for pictures and errors: ``layers.0.weight``.

    Examples
    --------
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Tensor(2.0, requires_grad=True)
    ...         self.intercept = Tensor(1.0, requires_grad=True)
    ...     def forward(self, x):
    ...         return self.slope * x + self.intercept
    >>> line = Line()
    >>> line(np.array([0.0, 1.0])).data.tolist()
    [1.0, 3.0]
    >>> [name for name, parameter in line.named_parameters()]
    ['slope', 'intercept']
    """

    def forward(self, *inputs: Any) -> Any:
        """Compute the output. Each subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} has to define forward")

    training = True

    def train(self, training: bool = True) -> Module:
        """Set ``training``, here and in the Modules within: dropout, for one, looks at it.

        Examples
        --------
        >>> model = Sequential(Linear(2, 1)).train(False)
        >>> model.training, model.layers[0].training
        (False, False)
        """
        self.training = training
        for _, member in _flat(self.members()):
            if isinstance(member, Module):
                member.train(training)
        return self

    def eval(self) -> Module:
        """Be used, not trained: ``train(False)``."""
        return self.train(False)

    def __call__(self, *inputs: Any, **parameters: Any) -> Any:
        """Run `forward`."""
        return self.forward(*inputs, **parameters)

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if isinstance(value, Tensor | Module | list | tuple):
            for path, tensor in self._named_tensors().items():
                tensor.name = path

    def members(self) -> Iterable[tuple[str, Any]]:
        """What to look for Tensors in, by name: the attributes."""
        return vars(self).items()

    def _named_tensors(self) -> dict[str, Tensor]:
        """Every leaf Tensor once, by the first path that leads to it."""
        first: dict[Tensor, str] = {}
        for path, tensor in _tensors(self):
            first.setdefault(tensor, path)
        return {path: tensor for tensor, path in first.items()}

    def named_parameters(self) -> list[tuple[str, Tensor]]:
        """Each Tensor that requires grad, once, after its path such as ``0.weight``."""
        return [item for item in self._named_tensors().items() if item[1].requires_grad]

    def parameters(self) -> list[Tensor]:
        """Each Tensor that requires grad, once.

        Examples
        --------
        >>> len(MLP([2, 16, 1]).parameters())
        4
        """
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients found so far."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every Tensor's values, by its path.

        Examples
        --------
        >>> {name: array.shape for name, array in Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return {path: tensor.numpy() for path, tensor in self._named_tensors().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy in the values that `state_dict` gave, of a model with the same paths and shapes.

        Raises
        ------
        ValueError
            If a path is missing or unknown, or a shape or type does not fit. All are listed,
            and the model is as it was.
        """
        tensors = self._named_tensors()
        wrong = [f"no {path!r}" for path in tensors if path not in state]
        wrong += [f"unknown {path!r}" for path in state if path not in tensors]
        arrays = {path: np.asarray(state[path]) for path in tensors if path in state}
        for path, array in arrays.items():
            tensor = tensors[path]
            if array.shape != tensor.shape:
                wrong.append(f"{path!r} of shape {array.shape}, not {tensor.shape}")
            elif not np.can_cast(array.dtype, tensor.dtype, "same_kind"):
                wrong.append(f"{path!r} of {array.dtype}, not {tensor.dtype}")
        if wrong:
            kind = type(self).__name__
            raise ValueError(f"the state does not fit this {kind}: it has {'; '.join(wrong)}")
        for path, array in arrays.items():
            tensors[path].data = array

    def __repr__(self) -> str:
        lines = [
            f"{path}: {_shown(part)}" for path, part in _flat(self.members()) if _is_part(part)
        ]
        body = "".join(f"\n{line}" for line in lines).replace("\n", "\n  ")
        return f"{type(self).__name__}({body}\n)" if lines else f"{type(self).__name__}()"


def _flat(members: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The members, with the items of lists and tuples as members of their own: ``layers.0``."""
    for path, member in members:
        if isinstance(member, list | tuple):
            yield from _flat((f"{path}.{i}", item) for i, item in enumerate(member))
        else:
            yield path, member


def _tensors(module: Module, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every leaf Tensor that a module holds, with each path that leads to it."""
    for path, member in _flat(module.members()):
        if isinstance(member, Module):
            yield from _tensors(member, f"{prefix}{path}.")
        elif isinstance(member, Tensor) and member.is_leaf:
            yield prefix + path, member


def _is_part(member: Any) -> bool:
    return isinstance(member, Tensor) or callable(member)


def _shown(part: Any) -> str:
    """What a picture of the architecture says of a part: not its numbers."""
    if isinstance(part, Tensor):
        return f"{part.dtype} {part.shape}"
    return repr(part) if isinstance(part, Module) else getattr(part, "__name__", repr(part))


def he(generator: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Normal weights of variance 2 / inputs: signals keep their size through ReLU layers.

    He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> he(np.random.default_rng(0), 2, 3).shape
    (3, 2)
    """
    return generator.normal(0, math.sqrt(2 / inputs), (outputs, inputs))


def xavier(generator: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Uniform weights of variance 2 / (inputs + outputs), for tanh and sigmoid.

    Signals keep their size forward, and gradients backward, as nearly as both can be had.
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

    Examples
    --------
    >>> bool(np.abs(xavier(np.random.default_rng(0), 2, 4)).max() < 1)
    True
    """
    limit = math.sqrt(6 / (inputs + outputs))
    return generator.uniform(-limit, limit, (outputs, inputs))


INITIALIZATIONS = {"he": he, "xavier": xavier}
ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], str]] = {  # each with its initialization
    "relu": (relu, "he"),
    "sigmoid": (sigmoid, "xavier"),
    "softplus": (softplus, "he"),
    "tanh": (tanh, "xavier"),
}


class Linear(Module):
    """The affine layer ``x @ weight.T + bias``.

    Parameters
    ----------
    inputs, outputs : int
        The lengths of the rows that come and go.
    bias : bool
        Whether to add a bias, which starts at zero.
    init : {'he', 'xavier'}
        How the weights are drawn: see `he` and `xavier`.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the same seed draws the same weights.
    dtype : dtype

    Attributes
    ----------
    weight : Tensor of shape (outputs, inputs)
    bias : Tensor of shape (outputs,), or None

    Raises
    ------
    ValueError
        If a size is less than 1, or ``init`` is unknown.
    TypeError
        If a size is not an integer, or ``dtype`` not real and floating.

    Examples
    --------
    >>> layer = Linear(3, 2, seed=0)
    >>> layer
    Linear(3, 2)
    >>> layer(np.ones((5, 3))).shape
    (5, 2)
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: bool = True,
        init: str = "he",
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ):
        inputs, outputs = size(inputs, "inputs"), size(outputs, "outputs")
        draw = look_up(init, INITIALIZATIONS, "initialization")
        weight = draw(np.random.default_rng(seed), inputs, outputs)
        self.weight = Tensor(weight, dtype=dtype, requires_grad=True)
        self.bias = Tensor(np.zeros(outputs), dtype=dtype, requires_grad=True) if bias else None

    def forward(self, x: Any) -> Tensor:
        """``x @ weight.T + bias``, for rows ``x`` of shape (..., inputs)."""
        return linear(x, self.weight, self.bias)

    def __repr__(self) -> str:
        outputs, inputs = self.weight.shape
        return f"Linear({inputs}, {outputs}{', bias=False' if self.bias is None else ''})"


class Sequential(Module):
    """Functions applied one after the other: Modules, or any functions of one Tensor.

    Examples
    --------
    >>> model = Sequential(Linear(2, 3), np.tanh, Linear(3, 1))
    >>> model
    Sequential(
      0: Linear(2, 3)
      1: tanh
      2: Linear(3, 1)
    )
    >>> model.layers[2].weight.name
    '2.weight'
    """

    def __init__(self, *layers: Callable[[Any], Any]):
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise TypeError(f"layer {i} is not a function but {layer!r}")
        self.layers = layers

    def members(self) -> Iterable[tuple[str, Any]]:
        """The layers, by their numbers."""
        return ((str(i), layer) for i, layer in enumerate(self.layers))

    def forward(self, x: Any) -> Any:
        """Apply each layer to what the one before gave."""
        for layer in self.layers:
            x = layer(x)
        return x


class MLP(Sequential):
    """A multilayer perceptron: Linear layers with an activation after each but the last.

    Parameters
    ----------
    sizes : sequence of int
        The length of the input, of each hidden layer, and of the output.
    activation : {'relu', 'sigmoid', 'softplus', 'tanh'}
        It also chooses the initialization: `he` for relu and softplus, `xavier` for the others.
        Biases start at zero.
    seed : int or Generator, optional
        For `numpy.random.default_rng`: the same seed draws the same weights.
    dtype : dtype
        Of the parameters.

    Raises
    ------
    ValueError
        If there are fewer than two sizes, one is less than 1, or the activation is unknown.
    TypeError
        If a size is not an integer, or ``dtype`` not real and floating.

    Examples
    --------
    >>> model = MLP([2, 16, 1], activation="tanh", seed=0)
    >>> model
    MLP(
      0: Linear(2, 16)
      1: tanh
      2: Linear(16, 1)
    )
    >>> model(np.zeros((100, 2))).shape
    (100, 1)
    """

    def __init__(
        self,
        sizes: Iterable[int],
        activation: str = "relu",
        *,
        seed: int | np.random.Generator | None = None,
        dtype: Any = np.float64,
    ):
        sizes = list(sizes) if isinstance(sizes, Iterable) else [sizes]
        if len(sizes) < 2:
            raise ValueError(f"sizes must hold those of the input and the output, not {sizes}")
        function, init = look_up(activation, ACTIVATIONS, "activation")
        generator = np.random.default_rng(seed)
        layers: list[Callable[[Any], Any]] = []
        for inputs, outputs in itertools.pairwise(sizes):
            layers += [Linear(inputs, outputs, init=init, seed=generator, dtype=dtype), function]
        super().__init__(*layers[:-1])
