"""Samples of the catalogue over arrays of another library, beside NumPy's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygrad_bp import Tensor, gradients

from .catalogue import checks
from .catalogue.sample import Constant, Sample

RIGHT, WRONG = "right", "wrong"


class RefusedError(TypeError):
    """What a stand-in raises when its values are asked for."""


def _refused(self: Stranger, *inputs: Any, **keywords: Any) -> Any:
    raise RefusedError("the values of this array are elsewhere")


class Stranger(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of another library, which speaks NumPy's protocols and gives no value away.

    As CuPy's, it is never turned into a NumPy array unasked, and computes with none of NumPy's:
    they are in another memory. Stricter than CuPy's, which wait for the GPU, it is no number and
    no truth value either.
    """

    __array__ = __float__ = __int__ = __index__ = __bool__ = __iter__ = _refused

    def __init__(self, array: Any):
        self.array = np.asarray(array)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method != "__call__" or "out" in keywords:
            raise RefusedError(f"np.{ufunc.__name__} with out=, or its method {method}")
        if any(hasattr(x, "__array_ufunc__") and not isinstance(x, KNOWN) for x in inputs):
            return NotImplemented  # a Tensor knows what to do
        refuse_numpys((inputs, keywords), ufunc)
        return wrapped(ufunc(*map(bare, inputs), **bare(keywords)))

    def __array_function__(self, function: Any, types: Any, inputs: Any, keywords: Any) -> Any:
        if "out" in keywords:
            raise RefusedError(f"np.{function.__name__} with out=")
        if not all(issubclass(kind, KNOWN) for kind in types):
            return NotImplemented
        if function is not np.asarray:  # which brings one here, if it is asked like=
            refuse_numpys((inputs, keywords), function)
        return wrapped(function(*bare(inputs), **bare(keywords)))

    # An augmented assignment makes a new one.
    __iadd__ = np.lib.mixins.NDArrayOperatorsMixin.__add__
    __isub__ = np.lib.mixins.NDArrayOperatorsMixin.__sub__
    __imul__ = np.lib.mixins.NDArrayOperatorsMixin.__mul__
    __itruediv__ = np.lib.mixins.NDArrayOperatorsMixin.__truediv__

    def __getitem__(self, index: Any) -> Any:
        return wrapped(self.array[bare(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        refuse_numpys(value, np.copyto)
        self.array[bare(index)] = bare(value)

    def __len__(self) -> int:
        return len(self.array)

    @property
    def T(self) -> Any:
        return wrapped(self.array.T)

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "ndim", "size", "dtype"):
            return getattr(self.array, name)
        if name in ("sum", "reshape", "astype", "copy", "any", "all", "ravel"):
            method = getattr(self.array, name)
            return lambda *inputs, **keywords: wrapped(method(*bare(inputs), **bare(keywords)))
        raise AttributeError(name)


KNOWN = (Stranger, np.ndarray, np.generic)


def refuse_numpys(x: Any, function: Any) -> None:
    """Refuse NumPy's arrays, in lists and dictionaries too; NumPy's numbers are taken."""
    if isinstance(x, np.ndarray):
        raise RefusedError(f"np.{function.__name__} of a NumPy array of shape {x.shape}, and ours")
    if isinstance(x, list | tuple | dict):
        for part in x.values() if isinstance(x, dict) else x:
            refuse_numpys(part, function)


def bare(x: Any) -> Any:
    """The NumPy arrays within strangers, in lists and dictionaries too."""
    if isinstance(x, Stranger):
        return x.array
    if isinstance(x, list | tuple):
        items = map(bare, x)
        return type(x)._make(items) if hasattr(x, "_make") else type(x)(items)
    return {key: bare(value) for key, value in x.items()} if isinstance(x, dict) else x


def wrapped(x: Any) -> Any:
    """Strangers of what NumPy gave, and what is no array as it is."""
    if isinstance(x, np.ndarray | np.generic):
        return Stranger(x)
    if not isinstance(x, list | tuple):
        return x
    items = map(wrapped, x)
    return type(x)._make(items) if hasattr(x, "_make") else type(x)(items)  # or a named tuple


def outcome(sample: Sample, wrap: Callable[[Any], Any], values: Callable[[Any], Any]) -> str:
    """Whether the sample's value and gradient over wrapped arrays are NumPy's, or who refused."""
    expected, gradient = checks.pulled_back(sample, sample.arrays)
    try:
        found, terms = _computed(sample, wrap, values)
    except Exception as error:  # whatever the library raises is a refusal
        return f"refused by {_who(error)}"
    for one, other in zip(found, expected, strict=True):
        other = other.data if isinstance(other, Tensor) else other
        if np.shape(one) != np.shape(other) or not close(one, other):
            return WRONG
    same = all(g.shape == e.shape and close(g, e) for g, e in zip(terms, gradient, strict=True))
    return RIGHT if same else WRONG


def _who(error: BaseException) -> str:
    """The package that raised it first."""
    while error.__context__ is not None:  # the engine puts the operands' names in front
        error = error.__context__
    frames = error.__traceback__
    while frames.tb_next:
        frames = frames.tb_next
    name = frames.tb_frame.f_globals["__name__"].split(".")[0]
    return {"tinygrad_bp": "the engine", "numpy": "NumPy", "dask": "Dask"}.get(name, name)


def close(one: Any, other: Any) -> bool:
    scale = 1 + np.max(np.abs(other), where=np.isfinite(other), initial=0)
    return bool(np.allclose(one, other, 1e-9, 1e-9 * scale, equal_nan=True))


def _constants(x: Any, wrap: Callable[[Any], Any]) -> Any:
    """The same inputs, with arrays that are not differentiated of the other library too."""
    x = x.value if (constant := isinstance(x, Constant)) else x
    if isinstance(x, np.ndarray):
        return wrap(x) if constant or x.dtype.kind in "biu" else x
    if isinstance(x, dict):
        return {name: _constants(value, wrap) for name, value in x.items()}
    return type(x)(_constants(item, wrap) for item in x) if type(x) in (list, tuple) else x


def _computed(sample: Sample, wrap: Any, values: Any) -> tuple[list[Any], list[Any]]:
    xs = [Tensor(wrap(x), requires_grad=True) for x in sample.arrays]
    inputs, parameters = _constants((sample.inputs, sample.parameters), wrap)
    if isinstance(sample.function, np.ufunc):  # of which a list is an operand, and no axes
        inputs = tuple(wrap(np.asarray(x)) if isinstance(x, list) else x for x in inputs)
    wrapped = dataclasses.replace(sample, inputs=inputs, parameters=parameters)
    outputs = checks.flat(wrapped.call(*xs))
    total = [np.zeros_like(x) for x in sample.arrays]
    for y, w in zip(outputs, checks.cotangents(sample), strict=True):
        if isinstance(y, Tensor):
            found = [values(g) for g in gradients(y, xs, wrap(w))]
            total = [a + g for a, g in zip(total, found, strict=True)]
    return [values(y._array if isinstance(y, Tensor) else y) for y in outputs], total
