"""What the methods of ufuncs, such as ``np.add.reduce`` and ``np.multiply.outer``, are made of."""

import functools

import numpy as np

from ..registry import RULES, compose, refuse
from .scans import doubled

REDUCTIONS = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
SCANS = {
    np.add: np.cumsum,
    np.multiply: np.cumprod,
    np.maximum: functools.partial(doubled, np.maximum),
    np.minimum: functools.partial(doubled, np.minimum),
}


def compose_reduce(ufunc, reduction):
    @compose((ufunc, "reduce"))
    def reduce(array, axis=0, **others):
        return reduction(array, axis=axis, **others)


def compose_accumulate(ufunc, scan):
    @compose((ufunc, "accumulate"))
    def accumulate(array, axis=0):
        return scan(array, axis=axis)


def compose_outer(ufunc):
    @compose((ufunc, "outer"))
    def outer(x, y):
        return ufunc(np.reshape(x, np.shape(x) + np.ndim(y) * (1,)), y)

    refuse((ufunc, "reduceat"), "reduce the slices one by one, such as np.sum(t[2:5])")


def refuse_at(ufunc):
    refuse((ufunc, "at"), "it writes in place; use np.where or np.bincount")


for ufunc, reduction in REDUCTIONS.items():
    compose_reduce(ufunc, reduction)
for ufunc, scan in SCANS.items():
    compose_accumulate(ufunc, scan)
for elementwise in (f for f in RULES if isinstance(f, np.ufunc) and not f.signature):
    refuse_at(elementwise)
    if elementwise.nin == 2:
        compose_outer(elementwise)
