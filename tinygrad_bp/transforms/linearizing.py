"""A function at a point, evaluated and ready for cotangents: what every transformation begins with.

Containers are taken apart on the way in and put together on the way out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..engine.backprop import gradients, topological_order
from ..engine.recording import is_recording, recording, transforming
from ..engine.tensor import Tensor
from ..support.arguments import kind_of
from ..support.structures import leaves, leaves_like, named_leaves, rebuild
from ..support.warning import warn

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


class Linearization(NamedTuple):
    """A function at a point: its value, and how cotangents are pulled back, leaf by leaf."""

    form: Any  # the function's own containers, with the Tensors that it gave
    outs: list[Any]  # what it gave, leaf by leaf, as the caller gets it
    aux: Any
    places: tuple[Any, ...]  # the containers of the primals, with the Tensors that it took
    pull: Callable[[Sequence[Any]], list[Any]]  # of a cotangent for each out; None is zeros

    @property
    def out(self) -> Any:
        """What the function gave, in its own containers."""
        return rebuild(self.form, self.outs)


def linearize(f: Function, primals: tuple[Any, ...], has_aux: bool) -> Linearization:
    """Evaluate ``f``, of variables of our own, and keep how its results were made."""
    check_function(f)
    was_recording, taken = is_recording(), set[str]()
    with recording(True), transforming(taken):
        variables = [_variable(x, i, primals) for i, x in enumerate(leaves(primals))]
        if not variables and None in primals:
            raise TypeError("cannot differentiate by an argument that is None")
        out = f(*rebuild(primals, variables))
        out, aux = _check_auxiliary(out) if has_aux else (out, None)
        nodes = [_one_array(x) for x in leaves(out)] or [_one_array(out)]
    if taken and not set(variables).intersection(topological_order(*nodes)):
        warn(
            "the derivative is 0, for the function's result does not depend on what it is "
            f"differentiated by: it used plain numbers, {' and '.join(sorted(taken))} or what "
            "train.predict and metrics give; use t itself, model(t) and a loss",
            RuntimeWarning,
        )
    for x in variables:
        if x.is_leaf:
            x.requires_grad = False  # it is ours: nothing recorded from here on may follow it
    outside = any(map(_follows_a_leaf, nodes))

    def pull(cotangents: Sequence[Any]) -> list[Any]:
        follows = any(isinstance(g, Tensor) and g.requires_grad for g in cotangents)
        kept = is_recording() and (outside or follows)
        node, seed = _join(nodes, cotangents)
        found = gradients(node, variables, seed, create_graph=kept)
        return [as_result(x, kept) for x in found]

    outs = [as_result(x, was_recording and outside) for x in nodes]
    auxiliary = [
        as_result(x, was_recording and _follows_a_leaf(x)) if isinstance(x, Tensor) else x
        for x in leaves(aux)
    ]
    places = rebuild(primals, variables)
    return Linearization(rebuild(out, nodes), outs, rebuild(aux, auxiliary), places, pull)


def _variable(x: Any, i: int, primals: tuple[Any, ...]) -> Tensor:
    """A node of our own to differentiate by, tied to what is outside if that is recording."""
    if isinstance(x, Tensor) and x.requires_grad:
        return +x
    try:
        return Tensor(x, requires_grad=True)
    except TypeError:
        kind = getattr(x, "dtype", type(x).__name__)
        path = [path for path, _ in named_leaves(primals)][i]
        inner = path[path.index("]") + 1 :]  # what comes after the argument's own number
        where = f" at {inner}" if inner else ""
        raise TypeError(
            f"cannot differentiate by an argument of {kind}{where}: "
            "make it real and floating, x.astype(float)"
        ) from None


def _one_array(out: Any) -> Tensor:
    """What a function gave as a node of our own; a constant has no history."""
    if type(out) in (int, float):  # and not bool
        out = np.float64(out)
    elif isinstance(out, list):
        out = np.array(out)
    kind = getattr(out, "dtype", type(out).__name__)
    if getattr(kind, "kind", "") not in {"f", "i", "u"}:
        raise TypeError(f"the function gave {kind}; to be differentiated it must give real arrays")
    return +out if isinstance(out, Tensor) else Tensor(out)


def _check_auxiliary(out: Any) -> tuple[Any, Any]:
    if not (isinstance(out, tuple) and len(out) == 2):
        gave = f"a tuple of {len(out)}" if isinstance(out, tuple) else type(out).__name__
        raise TypeError(f"with has_aux=True the function must give a pair (value, aux), not {gave}")
    return out


def _join(nodes: list[Tensor], cotangents: Sequence[Any]) -> tuple[Tensor, Any]:
    """One node to start a pass from and its seed: the pass of several is that of ``Σ <out, g>``."""
    pairs = [(x, g) for x, g in zip(nodes, cotangents, strict=True) if g is not None]
    if len(pairs) == 1:
        return pairs[0]
    for x, g in pairs:
        if np.shape(g) != x.shape:
            raise ValueError(f"an output of shape {x.shape} has a cotangent of shape {np.shape(g)}")
    with recording(True):
        return inner(*zip(*pairs, strict=True)), None


def _follows_a_leaf(out: Tensor) -> bool:
    """Whether it was computed from a leaf that requires grad: one of somebody else's."""
    return any(node.is_leaf and node.requires_grad for node in topological_order(out))


def as_result(x: Any, kept: bool) -> Any:
    """A result as the caller gets it: a Tensor if its history is kept, else an array of its own."""
    if kept:
        return x if isinstance(x, Tensor) else Tensor(x)
    return +(x._array if isinstance(x, Tensor) else x)  # t.data would tell that values were taken


def restrict(
    f: Function, argnums: Argnums, arguments: tuple, parameters: dict[str, Any]
) -> tuple[Function, tuple[Any, ...]]:
    """``f`` as a function of the chosen arguments alone, and these."""
    places = argnums if isinstance(argnums, tuple) else (argnums,)
    count = len(arguments)
    if parameters and not arguments:
        name = next(iter(parameters))
        raise TypeError(
            "what is differentiated by is given by its place: write grad(f)(x), "
            f"not grad(f)({name}=x)"
        )
    found = {place % count for place in places if place in range(-count, count)}
    if not places or len(found) < len(places):
        raise ValueError(
            f"argnums={argnums!r} must be an int, or a tuple of ints, that name different ones "
            f"of the {count} positional arguments"
        )

    def of_chosen(*chosen: Any) -> Any:
        rebuild = list(arguments)
        for place, x in zip(places, chosen, strict=True):
            rebuild[place] = x
        return f(*rebuild, **parameters)

    return of_chosen, tuple(arguments[place] for place in places)


def inner(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """The inner product of two lists of arrays."""
    return sum(np.sum(x * y) for x, y in zip(xs, ys, strict=True))


def check_function(f: Any, argnums: Any = 0) -> None:
    """Refuse what cannot be called, and what numbers no arguments."""
    if not callable(f):
        raise TypeError(
            f"functions are differentiated here, not {kind_of(f)}; "
            "of a Tensor z use z.backward(), or gradients(z, [x])"
        )
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not all(isinstance(n, int | np.integer) and not isinstance(n, bool) for n in numbers):
        raise TypeError(
            f"argnums={argnums!r} must be an int, or a tuple of ints: which arguments to "
            "differentiate by; where is told afterwards, grad(f)(x)"
        )


def check_tangents(primals: Any, tangents: Any) -> tuple[tuple[Any, ...], list[Any]]:
    """The arguments, and the tangents leaf by leaf: a tuple holds them, else there is one."""
    if type(primals) is not tuple:
        primals, tangents = (primals,), (tangents,)
    directions = leaves_like(tangents, primals, "the tangents")
    places, found = [[np.shape(x) for x in xs] for xs in (leaves(primals), directions)]
    if places != found:
        raise ValueError(f"tangents of shapes {found} do not fit primals of shapes {places}")
    return primals, directions
