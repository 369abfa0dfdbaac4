"""Finding layers in a graph: products with weights, and the activations after them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..engine.backprop import topological_order
from ..engine.tensor import Tensor

PRODUCTS = frozenset({"dot", "inner", "linear", "matmul", "tensordot"})
WEIGHTED = PRODUCTS | {"einsum"}  # what makes a pre-activation of weights


def weighted_sums(output: Tensor, weights: Collection[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Every product with one of the weights, and that one, from the input's side on.

    Examples
    --------
    >>> import numpy as np
    >>> W = Tensor(np.ones((3, 2)), requires_grad=True, name="W")
    >>> for node, weight in weighted_sums(np.tanh(np.ones((4, 2)) @ W.T).sum(), [W]):
    ...     print(node.shape, weight.name)
    (4, 3) W
    """
    for node in reversed(topological_order(output)):
        if not node.is_leaf and node.rule.name in WEIGHTED:
            bias = 2 if node.rule.name == "linear" else None
            for position in node.edges:
                factor = _without_transpose(node.inputs[position])
                if position != bias and factor in weights:
                    yield node, factor


def linear_layers(
    output: Tensor, activations: Collection[str]
) -> list[tuple[Tensor, Tensor | None]]:
    """What came out of each affine map, and out of the activation after it, if there is one.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> import numpy as np
    >>> output = nn.MLP([2, 3, 1], activation="tanh", seed=0)(np.ones((4, 2)))
    >>> for z, a in linear_layers(output, {"tanh"}):
    ...     print(z.shape, "linear" if a is None else a.rule.name)
    (4, 3) tanh
    (4, 1) linear
    """
    found: list[tuple[Tensor, Tensor | None]] = []
    for node in reversed(topological_order(output)):
        name = node.rule.name if node.rule else ""
        if name == "linear":
            found.append((node, None))
        elif name in activations and found and found[-1][1] is None:
            found[-1] = (found[-1][0], node)
    return found


def _without_transpose(x: Tensor) -> Tensor:
    return x if x.is_leaf or "transpose" not in x.rule.name else x.inputs[0]
