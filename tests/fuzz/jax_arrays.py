"""JAX as another opinion, to third order: its arrays behind NumPy's protocols."""

from __future__ import annotations

from typing import Any

import numpy as np

from .programs import HELPERS, Program
from .torch_arrays import UnsupportedError

try:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_jit", True)  # no program is run twice
except ImportError:
    jax = None

# Functions that mean something else in JAX, or round where it does not.
OTHER = {"fix", "rint", "nan_to_num", "ediff1d", "float_power", "copy", "interp", "insert"}
ERRORS = (UnsupportedError, NameError, AttributeError, TypeError, ValueError, IndexError)


class JaxArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of JAX, or one that it traces, that NumPy's functions take."""

    def __init__(self, array: Any):
        self.array = array

    shape = property(lambda self: self.array.shape)
    ndim = property(lambda self: self.array.ndim)
    T = property(lambda self: JaxArray(self.array.T))

    def reshape(self, *shape: Any) -> JaxArray:
        return JaxArray(self.array.reshape(*shape))

    def __getattr__(self, name: str) -> Any:
        raise UnsupportedError(name)

    def __getitem__(self, index: Any) -> JaxArray:
        return JaxArray(self.array[as_index(index)])

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__":
            raise UnsupportedError(method)
        return called(ufunc.__name__, inputs, {})

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: Any) -> Any:
        room = function.__module__.rpartition(".")[2]
        return called(function.__name__, inputs, options, room if room == "linalg" else "")


def as_index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(as_index, index))
    if isinstance(index, JaxArray):
        return np.asarray(index.array)
    return np.array(index) if isinstance(index, list) else index


def called(name: str, inputs: Any, options: dict[str, Any], room: str = "") -> JaxArray:
    library = getattr(jnp, room) if room else jnp
    if name in OTHER or not hasattr(library, name):
        raise UnsupportedError(name)
    given = {key: bare(value) for key, value in options.items()}
    found = getattr(library, name)(*map(bare, inputs), **given)
    if isinstance(found, tuple | list):
        return [JaxArray(part) for part in found]  # type: ignore[return-value]
    return JaxArray(found)


def bare(x: Any) -> Any:
    """The array; of a constant, which may be written to later, a copy as wide as the rest."""
    if isinstance(x, JaxArray):
        return x.array
    if isinstance(x, list | tuple) and any(isinstance(part, JaxArray) for part in x):
        return type(x)(map(bare, x))
    if isinstance(x, np.ndarray | np.generic) and x.dtype.kind != "b":
        return np.array(x, float)
    return x


def supported(program: Program) -> Program:
    """The steps of a program that JAX can run."""
    names = started(program, [jnp.asarray(x) for x in program.leaves.values()])
    steps = []
    for step in program.steps:
        try:
            exec("\n".join(step.plain), names)
            steps.append(step)
        except ERRORS:
            names.pop(step.name, None)
    return Program(program.leaves, steps)


def started(program: Program, arrays: Any) -> dict[str, Any]:
    frozen = lambda x: JaxArray(jax.lax.stop_gradient(bare(x)))  # noqa: E731
    names: dict[str, Any] = {"frozen": frozen}
    exec(HELPERS, names)
    return names | dict(zip(program.leaves, map(JaxArray, arrays), strict=True))


def by_jax(program: Program, *along: Any) -> tuple[Program, list[Any], list[float]]:
    """Differentiate what JAX can run of a program: that part, its gradients, and higher ones.

    The second and the third derivative are those along the first two and all three directions.
    """
    part = supported(program)
    arrays = [jnp.asarray(x, float) for x in program.leaves.values()]

    def f(*leaves: Any) -> Any:
        names = started(part, leaves)
        for step in part.steps:
            exec("\n".join(step.plain), names)
        values = [names[s.name].array for s in part.steps if s.name.startswith("v")]
        return sum(jnp.sum(jnp.sin(v)) for v in values or leaves)

    def along_one(g: Any, direction: Any) -> Any:
        return lambda *leaves: jax.jvp(g, leaves, tuple(map(jnp.asarray, direction)))[1]

    gradients = jax.grad(f, tuple(range(len(arrays))))(*arrays)
    higher, g = [], f
    for direction in along:
        g = along_one(g, direction)
        higher.append(float(g(*arrays)))
    return part, [np.asarray(x) for x in gradients], higher
