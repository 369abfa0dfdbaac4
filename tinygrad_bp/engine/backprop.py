"""Backpropagation as dynamic programming: an order, a table of adjoints, one visit to each edge.

The adjoint of a node is the derivative of the output by that node. It is the sum, over the node's
consumers, of (the consumer's adjoint) x (the local derivative on the edge between them): a
subproblem that is solved once and reused by every edge that leaves it. The pass knows no function's
derivative; it asks the rule that the node was recorded with.

See Griewank and Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, section 3.2.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .arrays import NUMPYS, copied, of_kind, separate, unbroadcast
from .recording import Recorded, recording

_ACCUMULATING = threading.RLock()  # a handler of signals may run a pass within one
if hasattr(os, "register_at_fork"):  # a child has no thread that would release it
    os.register_at_fork(after_in_child=lambda: globals().update(_ACCUMULATING=threading.RLock()))


def topological_order(*outputs: Recorded) -> list[Any]:
    """List the nodes that lead to the outputs, each after all of its consumers.

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
    ready = [output for output in dict.fromkeys(outputs) if not consumers[output]]
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
    output: Recorded,
    seed: Any,
    *,
    inputs: Collection[Recorded] | None = None,
    create_graph: bool = False,
) -> Iterator[tuple[Any, Any]]:
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
        order = _dependents(inputs, order)
        wanted = set(order)
    adjoints = {output: seed}
    for node in order:
        adjoint = adjoints.pop(node)  # out of the table: the value is final
        yield node, adjoint
        if not node.edges:
            continue
        arguments = node.tensor_arguments() if create_graph else node.arguments
        for position in node.edges:
            parent = node.inputs[position]
            if wanted is None or parent in wanted:
                derivative = node.rule.derivatives[position]
                term = derivative(adjoint, *arguments, **node.keywords)
                value = node.values[position]
                if not (type(term) is type(value) is np.float64):  # two numbers do fit
                    term = unbroadcast(term, value)
                adjoints[parent] = adjoints[parent] + term if parent in adjoints else term


def gradients(
    output: Any, inputs: Sequence[Any], seed: Any = None, *, create_graph: bool = False
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
    if isinstance(inputs, Recorded):
        raise TypeError("differentiate by a list of Tensors, gradients(output, [x])")
    for x in (output, *inputs):
        if not isinstance(x, Recorded):
            kind = type(x).__name__
            raise TypeError(f"a Tensor is differentiated by Tensors, and this is a {kind}")
    targets, found = set(inputs), dict[Any, Any]()
    if output.requires_grad:
        seed = seed_of(output, seed, create_graph)
        passes = backward_pass(output, seed, inputs=targets, create_graph=create_graph)
        with recording(create_graph):
            found = {node: adjoint for node, adjoint in passes if node in targets}
    arrays = [x._array for x in inputs]
    zeros = map(np.zeros_like, arrays)
    grads = [found.get(x, zero) for x, zero in zip(inputs, zeros, strict=True)]
    if create_graph:
        return [g if isinstance(g, Recorded) else type(output)(g) for g in grads]
    return separate(of_kind(grads, arrays))


def seed_of(output: Any, grad: Any = None, create_graph: bool = False) -> Any:
    """The adjoint that a backward pass from ``output`` starts with: 1, or a copy of ``grad``.

    Raises
    ------
    ValueError
        If there is more than one element and no ``grad``, or ``grad`` has another shape.
    """
    if grad is None:
        if output.size != 1:
            raise ValueError(
                f"{output._called()} has {output.size} elements: backward() starts from one; "
                f"sum it first, or pass grad= of shape {output.shape}"
            )
        if isinstance(output._array, NUMPYS):  # faster, for it is done in every pass
            return np.array(1, output.dtype, ndmin=output.ndim)[()]
        return np.ones_like(output._array)
    if isinstance(grad, Recorded) and create_graph:
        seed: Any = grad
        seed = seed if seed.dtype == output.dtype else seed.astype(output.dtype)
    else:
        seed = copied(grad._array if isinstance(grad, Recorded) else grad, output.dtype)[()]
    if seed.shape != output.shape:
        raise ValueError(f"{output._called()} needs grad of its shape, not {seed.shape}")
    return seed


def accumulate(nodes: Iterable[tuple[Any, Any]], *, as_tensors: bool, keep_all: bool) -> None:
    """Add each leaf's adjoint to its ``grad``; keep those of the nodes between on request.

    All are computed before any is put, so that an error leaves every ``grad`` as it was. One
    thread at a time, or what another adds meanwhile would be lost.
    """
    found = []
    for node, adjoint in nodes:
        if node.rule is None or keep_all:
            found.append((node, adjoint))
        else:
            node._grad = None  # a gradient left from an earlier pass would be a lie
    with _ACCUMULATING:
        grads = [g if x.rule or x._grad is None else x._grad + g for x, g in found]
        if as_tensors:
            pairs = zip(found, grads, strict=True)
            grads = [g if isinstance(g, Recorded) else type(x)(g) for (x, _), g in pairs]
        else:  # an earlier pass may have left a Tensor
            grads = [g._array if isinstance(g, Recorded) else g for g in grads]
            grads = separate(of_kind(grads, [x._array for x, _ in found]))
        for (node, _), grad in zip(found, grads, strict=True):
            node._grad = np.array(grad) if isinstance(grad, np.generic) else grad  # writable


def _dependents(inputs: Collection[Any], order: list[Any]) -> list[Any]:
    """The nodes of ``order`` that depend on at least one of ``inputs``, these included."""
    wanted = set(inputs)
    for node in reversed(order):
        if any(node.inputs[position] in wanted for position in node.edges):
            wanted.add(node)
    return [node for node in order if node in wanted]
