"""Transformations: functions that take a function and give its derivative as a function.

They nest to any depth. They give plain arrays, unless something outside is recording (an outer
transformation, a parameter that the function closes over, a cotangent that requires grad): then
they give Tensors with a history. Nobody's ``grad`` is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .engine.backprop import gradients, topological_order
from .engine.recording import is_recording, recording, transforming
from .engine.tensor import Tensor

Function = Callable[..., Any]
Pullback = Callable[[Any], tuple[Any, ...]]


def vjp(f: Function, *primals: Any) -> tuple[Any, Pullback]:
    """Evaluate ``f`` and prepare its vector-Jacobian product, ``g -> gᵀ J``.

    Parameters
    ----------
    f : callable
        Takes the primals, gives one array.
    *primals : array_like
        Where it is evaluated; real and floating.

    Returns
    -------
    out : array
        ``f(*primals)``.
    pullback : callable
        Takes a cotangent of the shape of ``out``; gives a tuple with one cotangent for each
        primal, of its shape and dtype. It can be called many times. For a function that acts
        on each element alone, ``pullback(np.ones(out.shape))`` holds the derivatives.

    Raises
    ------
    TypeError
        If a primal is not real and floating, or ``f`` gives something other than one array.

    Examples
    --------
    >>> out, pullback = vjp(np.multiply, 3.0, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (np.float64(21.0), array([ 3., 30.]))
    """
    _check_function(f)
    was_recording = is_recording()
    with recording(True), transforming():
        variables = [_variable(x) for x in primals]
        out = _one_array(f(*variables))
    for x in variables:
        if x.is_leaf:
            x.requires_grad = False  # it is ours: nothing recorded from here on may follow it
    outside = any(node.is_leaf and node.requires_grad for node in topological_order(out))

    def pullback(g: Any) -> tuple[Any, ...]:
        follows_g = isinstance(g, Tensor) and g.requires_grad
        kept = is_recording() and (outside or follows_g)
        found = gradients(out, variables, g, create_graph=kept)
        return tuple(_given(x, kept) for x in found)

    return _given(out, was_recording and outside), pullback


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Evaluate ``f`` and its Jacobian-vector product, ``J v``, the derivative along ``v``.

    ``<Jᵀ u, v>`` is linear in ``u``, and its gradient by ``u`` is ``J v``: a vjp of a vjp.

    Parameters
    ----------
    f : callable
        Takes the primals, gives one array.
    primals, tangents : sequence of array_like
        Where, and along what, it is differentiated; of the same shapes.

    Returns
    -------
    out, tangent : array
        ``f(*primals)`` and ``J v``, of the same shape.

    Raises
    ------
    TypeError
        If primals or tangents are not a tuple or list.
    ValueError
        If the shapes of the tangents are not those of the primals.

    Examples
    --------
    >>> jvp(np.multiply, (3.0, np.array([1.0, 2.0])), (1.0, np.array([0.0, 1.0])))
    (array([3., 6.]), array([1., 5.]))
    """
    _check_shapes(primals, tangents)
    out, pullback = vjp(f, *primals)
    tangent = grad(lambda u: _inner(pullback(u), tangents))(np.ones(out.shape, out.dtype))
    return out, tangent


def value_and_grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Make the function that gives what ``f`` gives, and its gradient.

    Parameters
    ----------
    f : callable
        Gives a scalar.
    argnums : int or tuple of int
        Which of its positional arguments to differentiate by.

    Returns
    -------
    callable
        Takes what ``f`` takes; gives the value, and the gradient, of the shape and dtype of the
        argument. For a tuple of ``argnums`` a tuple of gradients.

    Raises
    ------
    ValueError
        When called, if ``f`` gives more than one element, or there is no such argument.
    TypeError
        When called, if an argument to differentiate by is not real and floating.

    Examples
    --------
    >>> value_and_grad(lambda x: np.sum(x ** 2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """
    _check_function(f)

    def value_and_gradient(*arguments: Any, **parameters: Any) -> tuple[Any, Any]:
        of_chosen, chosen = _restricted(f, argnums, arguments, parameters)
        out, pullback = vjp(of_chosen, *chosen)
        if out.size != 1:
            raise ValueError(
                f"grad needs a scalar, and the function gave an array of shape {out.shape}: "
                "sum it, or use jacobian or vjp"
            )
        found = pullback(np.ones(out.shape, out.dtype))
        return out, found if isinstance(argnums, tuple) else found[0]

    return value_and_gradient


def grad(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Make the gradient of the scalar function ``f``; arguments as in `value_and_grad`.

    Examples
    --------
    A third derivative:

    >>> grad(grad(grad(np.tanh)))(0.0)
    np.float64(-2.0)

    Each ``grad`` knows its own variable: here d/dx (x d/dy (x + y)) is d/dx x.

    >>> grad(lambda x: x * grad(lambda y: x + y)(2.0))(1.0)
    np.float64(1.0)
    """
    value_and_gradient = value_and_grad(f, argnums)
    return lambda *arguments, **parameters: value_and_gradient(*arguments, **parameters)[1]


def jacobian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Make the Jacobian of ``f``: the derivative of every output by every input.

    Parameters
    ----------
    f : callable
        Gives one array.
    argnums : int or tuple of int
        Which of its positional arguments to differentiate by.

    Returns
    -------
    callable
        Takes what ``f`` takes; gives an array of the shape of the output followed by the shape of
        the argument. For a tuple of ``argnums`` a tuple of arrays. One backward pass a row.

    Examples
    --------
    >>> jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    _check_function(f)

    def jacobian_of_f(*arguments: Any, **parameters: Any) -> Any:
        of_chosen, chosen = _restricted(f, argnums, arguments, parameters)
        out, pullback = vjp(of_chosen, *chosen)
        rows = [pullback(row.reshape(out.shape)) for row in np.eye(out.size, dtype=out.dtype)]
        stacked = map(np.stack, zip(*rows, strict=True)) if rows else np.zeros((len(chosen), 0))
        found = tuple(
            np.reshape(column, out.shape + np.shape(x))[()]
            for column, x in zip(stacked, chosen, strict=True)
        )
        return found if isinstance(argnums, tuple) else found[0]

    return jacobian_of_f


def hessian(f: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """Make the Hessian of the scalar function ``f``: the Jacobian of its gradient.

    Parameters
    ----------
    f : callable
        Gives a scalar.
    argnums : int or tuple of int
        Which of its positional arguments to differentiate by.

    Returns
    -------
    callable
        Takes what ``f`` takes; gives an array of the shape of the argument, twice. For a tuple of
        ``argnums`` a tuple of tuples, one for each pair of arguments.

    Examples
    --------
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    if not isinstance(argnums, tuple):
        return jacobian(grad(f, argnums), argnums)
    rows = [jacobian(grad(f, row), argnums) for row in argnums]
    return lambda *arguments, **parameters: tuple(row(*arguments, **parameters) for row in rows)


def hvp(f: Function, primals: Any, tangents: Any) -> Any:
    """Evaluate the Hessian of the scalar function ``f`` times a vector, without the Hessian.

    The gradient of ``<grad f, v>``: about the cost of two gradients, whatever the size.
    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994) 147.

    Parameters
    ----------
    f : callable
        Gives a scalar.
    primals, tangents : array_like, or tuple of array_like
        Its arguments, and what the Hessian is multiplied with; of the same shapes.

    Returns
    -------
    array, or tuple of array
        As ``primals``.

    Examples
    --------
    >>> hvp(lambda x: np.sum(x ** 3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    if not isinstance(primals, tuple):
        return hvp(f, (primals,), (tangents,))[0]
    _check_shapes(primals, tangents)
    every = tuple(range(len(primals)))
    return grad(lambda *x: _inner(grad(f, every)(*x), tangents), every)(*primals)


def _variable(x: Any) -> Tensor:
    """A node of our own to differentiate by, tied to what is outside if that is recording."""
    if isinstance(x, Tensor) and x.requires_grad:
        return +x
    try:
        return Tensor(x, requires_grad=True)
    except TypeError:
        kind = getattr(x, "dtype", type(x).__name__)
        raise TypeError(
            f"cannot differentiate by an argument of {kind}: make it real and floating, "
            "x.astype(float)"
        ) from None


def _one_array(out: Any) -> Tensor:
    """What a function gave as a node of our own; a constant has no history."""
    if type(out) in (int, float):  # and not bool
        out = np.float64(out)
    kind = getattr(out, "dtype", type(out).__name__)
    if getattr(kind, "kind", "") not in {"f", "i", "u"}:
        raise TypeError(
            f"the function gave {kind}; to be differentiated it must give one real array"
        )
    return +out if isinstance(out, Tensor) else Tensor(out)


def _given(x: Any, kept: bool) -> Any:
    """A result as the caller gets it: a Tensor if its history is kept, else an array of its own."""
    if kept:
        return x if isinstance(x, Tensor) else Tensor(x)
    return +(x.data if isinstance(x, Tensor) else x)


def _restricted(
    f: Function, argnums: int | tuple[int, ...], arguments: tuple, parameters: dict[str, Any]
) -> tuple[Function, list[Any]]:
    """``f`` as a function of the chosen arguments alone, and these."""
    places = argnums if isinstance(argnums, tuple) else (argnums,)
    count = len(arguments)
    found = {place % count for place in places if place in range(-count, count)}
    if not places or len(found) < len(places):
        raise ValueError(
            f"argnums={argnums!r} must be an int, or a tuple of ints, that name different ones "
            f"of the {count} positional arguments"
        )

    def of_chosen(*chosen: Any) -> Any:
        replaced = list(arguments)
        for place, x in zip(places, chosen, strict=True):
            replaced[place] = x
        return f(*replaced, **parameters)

    return of_chosen, [arguments[place] for place in places]


def _inner(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The inner product of two lists of arrays."""
    return sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True))


def _check_function(f: Any) -> None:
    if not callable(f):
        raise TypeError(
            f"functions are differentiated here, not a {type(f).__name__}; "
            "of a Tensor z use z.backward(), or gradients(z, [x])"
        )


def _check_shapes(primals: Sequence[Any], tangents: Sequence[Any]) -> None:
    if not (isinstance(primals, tuple | list) and isinstance(tangents, tuple | list)):
        raise TypeError("primals and tangents must be tuples, as in jvp(f, (x, y), (v, w))")
    places, directions = [[np.shape(x) for x in xs] for xs in (primals, tangents)]
    if places != directions:
        raise ValueError(f"tangents of shapes {directions} do not fit primals of shapes {places}")
