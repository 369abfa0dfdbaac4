"""Backpropagation as dynamic programming: an order, a table of adjoints, one visit to each edge.

The adjoint of a node is the derivative of the output by that node. It is the sum, over the node's
consumers, of (the consumer's adjoint) x (the local derivative on the edge between them): a
subproblem that is solved once and reused by every edge that leaves it. The pass knows no function's
derivative; it asks the rule that the node was recorded with.

See Griewank and Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .recording import recording

if TYPE_CHECKING:
    from .tensor import Tensor


def topological_order(*outputs: Tensor) -> list[Tensor]:
    """List the nodes that lead to ``outputs``, each after all of its consumers.

    Kahn's algorithm: count every node's consumers (one per edge, so ``x * x`` counts twice),
    then release a node when its last consumer has been listed. No recursion, so a chain of a
    million nodes is no deeper than one of two.

    Kahn, "Topological sorting of large networks", Communications of the ACM 5 (1962) 558.
    """
    consumers = dict.fromkeys(outputs, 0)
    found = list(consumers)
    for node in found:  # which grows while it is read
        for position in node.edges:
            parent = node.inputs[position]
            if parent in consumers:
                consumers[parent] += 1
            else:
                consumers[parent] = 1
                found.append(parent)
    order = []
    ready = [output for output in outputs if not consumers[output]]
    while ready:
        node = ready.pop()
        order.append(node)
        for position in node.edges:
            parent = node.inputs[position]
            consumers[parent] -= 1
            if not consumers[parent]:
                ready.append(parent)
    return order


def backward_pass(
    output: Tensor,
    seed: Any,
    *,
    inputs: Collection[Tensor] | None = None,
    create_graph: bool = False,
) -> Iterator[tuple[Tensor, Any]]:
    """Yield every node with its adjoint, when its last consumer has paid in.

    Parameters
    ----------
    output : Tensor
        Where the pass starts.
    seed : array or Tensor
        The adjoint of ``output``.
    inputs : collection of Tensor, optional
        Take only the edges that lead to these.
    create_graph : bool
        Run the derivatives on Tensors, so that the pass is itself recorded.

    Yields
    ------
    tuple
        A node and its adjoint. Every edge's derivative is called exactly once.
    """
    order = topological_order(output)
    wanted = None  # everything
    if inputs is not None:
        order = _leading_to(inputs, order)
        wanted = set(order)
    adjoints = {output: seed}
    for node in order:
        adjoint = adjoints.pop(node)  # out of the table: the value is final
        yield node, adjoint
        arguments = node.tensor_arguments() if create_graph else node.arguments
        for position in node.edges:
            parent = node.inputs[position]
            if wanted is None or parent in wanted:
                derivative = node.rule.derivatives[position]
                term = derivative(adjoint, *arguments, **node.parameters)
                value = node.arguments[1 + position]
                if not (type(term) is type(value) is np.float64):  # two numbers do fit
                    term = unbroadcast(term, value)
                adjoints[parent] = adjoints[parent] + term if parent in adjoints else term


def gradients(
    output: Tensor, inputs: Sequence[Tensor], seed: Any = None, *, create_graph: bool = False
) -> list[Any]:
    """Differentiate ``output`` by each of ``inputs``; touches no ``.grad``.

    Parameters
    ----------
    output : Tensor
        What to differentiate.
    inputs : sequence of Tensor
        Leaves or interior nodes of the graph of ``output``.
    seed : array, optional
        The adjoint of ``output``, of its shape; 1 for a scalar.
    create_graph : bool
        Give Tensors that can be differentiated again, in place of arrays.

    Returns
    -------
    list
        One gradient for each input, with that input's shape and dtype; zeros where ``output``
        does not depend on it.

    Examples
    --------
    >>> import tinygrad_bp as bp
    >>> x = bp.Tensor([1.0, 2.0], requires_grad=True)
    >>> bp.gradients((x * x).sum(), [x])
    [array([2., 4.])]
    """
    found: dict[Tensor, Any] = {}
    if hasattr(inputs, "requires_grad"):
        raise TypeError("differentiate by a list of Tensors, gradients(output, [x])")
    targets = set(inputs)
    if output.requires_grad:
        seed = output.seed(seed, create_graph)
        passes = backward_pass(output, seed, inputs=targets, create_graph=create_graph)
        with recording(create_graph):
            found = {node: adjoint for node, adjoint in passes if node in targets}
    found_or_zero = [found[x] if x in found else np.zeros(x.shape, x.dtype) for x in inputs]
    if create_graph:
        return [x if hasattr(x, "requires_grad") else type(output)(x) for x in found_or_zero]
    return separate(found_or_zero)


def separate(arrays: Iterable[Any]) -> list[Any]:
    """The same arrays, each writable and sharing memory with no other; copied where need be."""
    result, taken = [], set()
    for array in arrays:
        own = isinstance(array, np.ndarray) and array.base is None and array.flags.writeable
        result.append(array if own and id(array) not in taken else array.copy())
        taken.add(id(array))
    return result


def _leading_to(inputs: Collection[Tensor], order: list[Tensor]) -> list[Tensor]:
    """The nodes of ``order`` that depend on at least one of ``inputs``, these included."""
    wanted = set(inputs)
    for node in reversed(order):
        if any(node.inputs[position] in wanted for position in node.edges):
            wanted.add(node)
    return [node for node in order if node in wanted]


def unbroadcast(term: Any, value: Any) -> Any:
    """Give a term the shape and dtype of the array whose adjoint it is paid into.

    Where the forward pass broadcast, one element was used in many places: sum over them.
    """
    if term.shape != value.shape:
        added = term.ndim - value.ndim
        stretched = [added + i for i, n in enumerate(value.shape) if n != term.shape[added + i]]
        term = term.sum(axis=(*range(added), *stretched))
        if stretched:
            term = term.reshape(value.shape)
    return term if term.dtype is value.dtype else term.astype(value.dtype)
