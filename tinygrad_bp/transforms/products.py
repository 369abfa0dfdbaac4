"""Products with a derivative that is never written out: vjp, jvp and hvp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..support.answers import keyword_advice
from ..support.structures import leaves_like, rebuild
from .derivatives import grad
from .linearizing import Function, check_tangents, inner, linearize

Pullback = Callable[[Any], tuple[Any, ...]]


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Evaluate ``f`` and prepare its vector-Jacobian product, ``g -> gᵀ J``.

    Parameters
    ----------
    f : callable
        Takes the primals, gives an array, or several in containers.
    *primals : array_like, or containers of them
        Where it is evaluated; real and floating.
    has_aux : bool
        Whether ``f`` gives a pair, of which the second is passed on as it is.

    Returns
    -------
    out : array, or containers of them
        ``f(*primals)``.
    pullback : callable
        Takes a cotangent of the form and shapes of ``out``; gives a tuple with one cotangent for
        each primal, of its form, shape and dtype. It can be called many times.
    aux
        Where ``has_aux``: the second of what ``f`` gives.

    Raises
    ------
    TypeError
        If a primal is not real and floating, or ``f`` gives something other than arrays.

    Examples
    --------
    >>> out, pullback = vjp(np.multiply, 3.0, np.array([1.0, 2.0]))
    >>> pullback(np.array([1.0, 10.0]))
    (np.float64(21.0), array([ 3., 30.]))
    """
    if not primals:
        raise TypeError(
            "vjp needs what the function takes: out, pullback = vjp(f, x), then pullback(g)"
        )
    at = linearize(f, primals, has_aux)

    def pullback(g: Any) -> tuple[Any, ...]:
        return rebuild(at.places, at.pull(leaves_like(g, at.form, "the cotangent")))

    return (at.out, pullback, at.aux) if has_aux else (at.out, pullback)


@keyword_advice
def jvp(f: Function, primals: Any, tangents: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """Evaluate ``f`` and its Jacobian-vector product, ``J v``, the derivative along ``v``.

    ``<Jᵀ u, v>`` is linear in ``u``, and its gradient by ``u`` is ``J v``: a vjp of a vjp.

    Parameters
    ----------
    f : callable
        Takes the primals, gives an array, or several in containers.
    primals, tangents : array_like or containers of them
        Where, and along what, it is differentiated; of the same form and shapes. A tuple holds
        one of each for every argument; anything else is the one argument.
    has_aux : bool
        Whether ``f`` gives a pair, of which the second is passed on as it is.

    Returns
    -------
    out, tangent : array, or containers of them
        ``f(*primals)`` and ``J v``, of the same form and shapes. Where ``has_aux``, the second
        of what ``f`` gives comes after them.

    Raises
    ------
    ValueError
        If the form or shapes of the tangents are not those of the primals.

    Examples
    --------
    >>> jvp(np.multiply, (3.0, np.array([1.0, 2.0])), (1.0, np.array([0.0, 1.0])))
    (array([3., 6.]), array([1., 5.]))
    >>> jvp(lambda p: p["slope"] * 2.0, {"slope": 3.0}, {"slope": 1.0})
    (np.float64(6.0), np.float64(2.0))
    """
    primals, directions = check_tangents(primals, tangents)
    at = linearize(f, primals, has_aux)
    every = tuple(range(len(at.outs)))
    along = grad(lambda *u: inner(at.pull(u), directions), every)
    tangent = rebuild(at.form, along(*(np.ones(x.shape, x.dtype) for x in at.outs)))
    return (at.out, tangent, at.aux) if has_aux else (at.out, tangent)


@keyword_advice
def hvp(f: Function, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Evaluate the Hessian of the scalar function ``f`` times a vector, without the Hessian.

    The gradient of ``<grad f, v>``: about the cost of two gradients, whatever the size.
    Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994) 147.

    Parameters
    ----------
    f : callable
        Gives a scalar.
    primals : array_like or containers of them
        Where it is differentiated: a tuple holds its arguments; anything else is the one argument.
    tangents : array_like or containers of them
        What the Hessian is multiplied by, of the same form and shapes.
    has_aux : bool
        Whether ``f`` gives a pair, a scalar and something to pass on as it is.

    Returns
    -------
    array, or containers of them
        As ``primals``. Where ``has_aux``, a pair of that and the second of what ``f`` gives.

    Examples
    --------
    >>> hvp(lambda x: np.sum(x ** 3), np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 6., 12.])
    """
    arguments, directions = check_tangents(primals, tangents)
    every = tuple(range(len(arguments)))

    def slope(*x: Any) -> Any:
        found = grad(f, every, has_aux)(*x)
        found, aux = found if has_aux else (found, None)
        return inner(leaves_like(found, x, "the gradient"), directions), aux

    found, aux = grad(slope, every, has_aux=True)(*arguments)
    found = found if type(primals) is tuple else found[0]
    return (found, aux) if has_aux else found
