"""Derivatives of what was recorded already: Tensors in containers."""

from __future__ import annotations

from typing import Any

from ..engine import backprop
from ..engine.tensor import Tensor
from ..support.structures import is_container, leaves, rebuild


def gradients(output: Tensor, inputs: Any, seed: Any = None, *, create_graph: bool = False) -> Any:
    """Differentiate ``output`` by each of ``inputs``; touches no ``.grad``.

    Parameters
    ----------
    output : Tensor
        What to differentiate.
    inputs : list of Tensor, or containers of them
        Leaves or interior nodes of the graph of ``output``.
    seed : array, optional
        The adjoint of ``output``, of its shape; 1 for a scalar.
    create_graph : bool
        Give Tensors that can be differentiated again, in place of arrays.

    Returns
    -------
    list, or the containers of ``inputs``
        One gradient for each input, with that input's shape and dtype; zeros where ``output``
        does not depend on it.

    Examples
    --------
    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> gradients((x * x).sum(), [x])
    [array([2., 4.])]
    >>> gradients((x * x).sum(), {"x": x})
    {'x': array([2., 4.])}
    """
    if not is_container(inputs):
        return backprop.gradients(output, inputs, seed, create_graph=create_graph)
    nodes = leaves(inputs)
    found = backprop.gradients(output, nodes, seed, create_graph=create_graph)
    return rebuild(inputs, found)


def stop_gradient(x: Any) -> Any:
    """Return the same values as constants: Tensors without a history, and anything else unchanged.

    Examples
    --------
    >>> from tinygrad_bp import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    np.float64(3.0)
    """
    if is_container(x):
        return rebuild(x, map(stop_gradient, leaves(x)))
    return x.detach() if isinstance(x, Tensor) else x
