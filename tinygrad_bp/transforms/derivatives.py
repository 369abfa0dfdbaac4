"""Derivatives as functions: gradients, Jacobians and Hessians."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..support.answers import keyword_advice
from ..support.structures import is_container, leaves, rebuild
from .linearizing import Argnums, Function, Linearization, check_function, linearize, restrict


@keyword_advice
def value_and_grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Make the function that returns the value of ``f`` and its gradient.

    Parameters
    ----------
    f : callable
        Gives a scalar.
    argnums : int or tuple of int
        Which of its positional arguments to differentiate by.
    has_aux : bool
        Whether ``f`` gives a pair, a scalar and something to pass on as it is.

    Returns
    -------
    callable
        Takes the arguments of ``f``; returns the value of ``f`` and the gradient, which has the
        form, shape and dtype of the argument. For a tuple of ``argnums`` a tuple of gradients.

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
    >>> def loss(model, x):
    ...     return (model["W"] @ x + model["b"]) ** 2
    >>> value_and_grad(loss)({"W": np.array([1.0, 2.0]), "b": 0.5}, np.array([1.0, 1.0]))
    (np.float64(12.25), {'W': array([7., 7.]), 'b': np.float64(7.0)})
    """
    check_function(f, argnums)

    def value_and_gradient(*arguments: Any, **parameters: Any) -> tuple[Any, Any]:
        of_chosen, chosen = restrict(f, argnums, arguments, parameters)
        at = linearize(of_chosen, chosen, has_aux)
        if is_container(at.form) or at.form.size != 1:
            gave = "containers" if is_container(at.form) else f"an array of shape {at.form.shape}"
            pair = ", or has_aux=True" if isinstance(at.form, tuple) else ""
            raise ValueError(
                f"grad needs a scalar, and the function gave {gave}: sum it, "
                f"or use jacobian or vjp{pair}"
            )
        found = rebuild(at.places, at.pull([np.ones(at.form.shape, at.form.dtype)]))
        value = (at.out, at.aux) if has_aux else at.out
        return value, found if isinstance(argnums, tuple) else found[0]

    return value_and_gradient


@keyword_advice
def grad(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Make the gradient of the scalar function ``f``; arguments as in `value_and_grad`.

    Where ``has_aux``, the function made gives a pair: the gradient, and what ``f`` passes on.

    Examples
    --------
    A third derivative:

    >>> grad(grad(grad(np.tanh)))(0.0)
    np.float64(-2.0)

    Each ``grad`` knows its own variable: here d/dx (x d/dy (x + y)) is d/dx x.

    >>> grad(lambda x: x * grad(lambda y: x + y)(2.0))(1.0)
    np.float64(1.0)
    """
    value_and_gradient = value_and_grad(f, argnums, has_aux)

    def gradient(*arguments: Any, **parameters: Any) -> Any:
        value, found = value_and_gradient(*arguments, **parameters)
        return (found, value[1]) if has_aux else found

    return gradient


@keyword_advice
def elementwise_grad(f: Function, argnums: Argnums = 0) -> Function:
    """Make the derivative of a function that acts on each element alone, element by element.

    It is the gradient of the sum of what ``f`` gives; arguments as in `value_and_grad`.

    Examples
    --------
    >>> elementwise_grad(np.sin)(np.array([0.0, np.pi]))
    array([ 1., -1.])
    """
    check_function(f, argnums)
    return grad(lambda *arguments, **parameters: np.sum(f(*arguments, **parameters)), argnums)


@keyword_advice
def jacobian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Make the Jacobian of ``f``: the derivative of every output by every input.

    Parameters
    ----------
    f : callable
        Gives an array, or several in containers.
    argnums : int or tuple of int
        Which of its positional arguments to differentiate by.
    has_aux : bool
        Whether ``f`` gives a pair, of which the second is passed on as it is.

    Returns
    -------
    callable
        Takes what ``f`` takes; gives an array of the shape of the output followed by the shape of
        the argument. For a tuple of ``argnums`` a tuple of arrays; for containers, those of the
        output with those of the argument in each place. One backward pass a row. Where
        ``has_aux``, a pair of that and the second of what ``f`` gives.

    Examples
    --------
    >>> jacobian(lambda x: x[:2] * x[2])(np.array([1.0, 2.0, 3.0]))
    array([[3., 0., 1.],
           [0., 3., 2.]])
    """
    check_function(f, argnums)

    def jacobian_of_f(*arguments: Any, **parameters: Any) -> Any:
        of_chosen, chosen = restrict(f, argnums, arguments, parameters)
        at = linearize(of_chosen, chosen, has_aux)
        blocks = (rebuild(at.places, _blocks(at, i)) for i in range(len(at.outs)))
        found = rebuild(at.form, (b if isinstance(argnums, tuple) else b[0] for b in blocks))
        return (found, at.aux) if has_aux else found

    return jacobian_of_f


def _blocks(at: Linearization, i: int) -> list[Any]:
    """The Jacobian of the output ``i`` by each primal, one pass a row."""
    out, rest = at.outs[i], len(at.outs) - 1 - i
    units = (unit.reshape(out.shape) for unit in np.eye(out.size, dtype=out.dtype))
    rows = [at.pull([None] * i + [unit] + [None] * rest) for unit in units]
    variables = leaves(at.places)
    if not rows:
        return [np.zeros(out.shape + x.shape, x.dtype) for x in variables]
    columns = map(np.stack, zip(*rows, strict=True))
    return [
        np.reshape(column, out.shape + x.shape)[()]
        for column, x in zip(columns, variables, strict=True)
    ]


@keyword_advice
def hessian(f: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Make the Hessian of the scalar function ``f``: the Jacobian of its gradient.

    Parameters
    ----------
    f : callable
        Gives a scalar.
    argnums : int or tuple of int
        Which of its positional arguments to differentiate by.
    has_aux : bool
        Whether ``f`` gives a pair, a scalar and something to pass on as it is.

    Returns
    -------
    callable
        Takes what ``f`` takes; gives an array whose shape is that of the argument, written twice:
        (n, n) for an argument of shape (n,). For a tuple of
        ``argnums`` a tuple of tuples, one for each pair of arguments; for containers, those of the
        gradient with those of the arguments in each place.

    Examples
    --------
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([2.0, 3.0]))
    array([[6., 4.],
           [4., 0.]])
    """
    return jacobian(grad(f, argnums, has_aux), argnums, has_aux)
