"""Samples of the functions that reduce or scan axes."""

from __future__ import annotations

import numpy as np

from .sample import Constant, Sample

random = np.random.default_rng(1)


def draw(*shape):
    """Draw an array without ties, whose elements and running products are of the size of 1."""
    ranks = random.permutation(int(np.prod(shape)))
    signs = random.choice([-1, 1], shape)
    return signs * np.reshape(0.5 + (ranks + random.uniform(0.2, 0.8, ranks.size)) / 16, shape)


def with_nan(x):
    """Replace a third of the elements by NaN, but none of the first row or column."""
    x = np.array(x)
    for index in list(np.ndindex(x.shape))[::3]:
        if all(index):
            x[index] = np.nan
    return x


AXES = [
    ((), {}),
    ((4,), {}),
    ((4,), {"axis": 0}),
    ((4,), {"axis": -1, "keepdims": True}),
    ((3, 4), {}),
    ((3, 4), {"keepdims": True}),
    ((3, 4), {"axis": 0}),
    ((3, 4), {"axis": -1}),
    ((3, 4), {"axis": 1, "keepdims": True}),
    ((2, 3, 2), {"axis": (0, 2)}),
    ((2, 3, 2), {"axis": (-1, 0), "keepdims": True}),
    ((2, 3, 2), {"axis": (0, 1, 2)}),
    ((2, 3, 2), {"axis": 1}),
    ((1,), {"axis": 0}),
    ((3, 1), {"axis": 1}),
]


def reduced(functions, holomorphic=False, least=1):
    """Sample reductions over every kind of axis that has at least so many elements."""
    return [
        Sample(f, (draw(*shape),), parameters, holomorphic)
        for f in functions
        for shape, parameters in AXES
        if np.prod(shape) // np.size(np.sum(np.zeros(shape), **parameters)) >= least
    ]


OMITTING_NAN = [np.nansum, np.nanprod, np.nanmean, np.nanmax, np.nanmin, np.nanvar]

SAMPLES = [
    *reduced((np.sum, np.mean, np.prod), holomorphic=True),
    *reduced((np.max, np.amax, np.min, np.amin, np.ptp, np.average, np.median, np.var)),
    *reduced((np.std,), least=2),
    *reduced((*OMITTING_NAN, np.nanmedian)),
    *reduced((np.nanstd,), least=2),
    # Positional arguments, and the further ones
    Sample(np.sum, (draw(3, 4), 0), holomorphic=True),
    Sample(np.sum, (draw(3, 4),), {"dtype": np.float64}),
    Sample(np.sum, (draw(3, 4),), {"axis": 0, "initial": 2.0}),
    Sample(np.mean, (draw(3, 4), (0, 1)), holomorphic=True),
    Sample(np.max, (draw(3, 4), 1)),
    Sample(np.max, (draw(3, 4),), {"axis": 0, "initial": -9.0}),
    *[
        Sample(f, (draw(3, 4),), {"axis": axis, "where": np.arange(4) > 1, "initial": 0.0})
        for f in (np.sum, np.max, np.min)
        for axis in (None, 0, 1)
    ],
    *[
        Sample(f, (draw(3, 4),), {"axis": axis, "where": np.arange(12).reshape(3, 4) % 3 > 0})
        for f in (np.mean, np.prod, np.var, np.std)
        for axis in (None, 0, 1, (0, 1))
    ],
    *[
        Sample(f, (draw(3, 4),), {"keepdims": True, "axis": 0, "where": [[True], [False], [True]]})
        for f in (np.mean, np.prod, np.var, np.std)
    ],
    Sample(np.var, (draw(3, 4),), {"where": np.eye(3, 4) < 1, "mean": draw(1, 1), "ddof": 1}),
    Sample(np.prod, (np.array([2.0, 0.0, 0.0]),), {"where": [True, True, False]}),
    # Products with zeros, where nothing can be divided by the element
    *[
        Sample(np.prod, (np.array(x),), parameters, holomorphic=True)
        for x in ([2.0, 0.0, 3.0], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0], [[0.0, 2.0], [3.0, 4.0]])
        for parameters in ({}, {"axis": 0}, {"axis": -1, "keepdims": True})
    ],
    Sample(np.prod, (np.where(np.arange(12).reshape(2, 3, 2) % 5, draw(2, 3, 2), 0.0), (0, 2))),
    *[
        Sample(np.prod, (draw(3, 4),), {"axis": axis, "initial": 2.5}, holomorphic=True)
        for axis in (None, 1, (0, 1))
    ],
    Sample(np.nanprod, (with_nan(draw(3, 4)),), {"axis": 0, "initial": -2.0}),
    # Weights
    Sample(np.average, (draw(4),), {"weights": np.array([0.5, 1.0, 2.0, 0.7])}),
    Sample(np.average, (draw(3, 4),), {"weights": 2 + draw(3, 4)}),
    Sample(np.average, (draw(3, 4), 1), {"weights": 2 + draw(4)}),
    Sample(np.average, (draw(3, 4), 0), {"weights": 2 + draw(3), "returned": True}),
    Sample(np.average, (draw(3, 4), -1), {"weights": 2 + draw(3, 4), "keepdims": True}),
    Sample(np.average, (draw(2, 3, 4), (2, 0)), {"weights": 3 + draw(4, 2)}),
    Sample(np.average, (draw(3, 4), 0), {"weights": Constant([1, 2, 3]), "returned": True}),
    Sample(np.average, (draw(3, 4), 0), {"returned": True}),
    Sample(np.average, (Constant(draw(4)),), {"weights": 2 + draw(4)}),
    # Spreads
    *[
        Sample(f, (draw(3, 4),), {**parameters, "axis": axis})
        for f in (np.var, np.std, np.nanvar, np.nanstd)
        for axis in (None, 0, 1, (0, 1))
        for parameters in ({"ddof": 1}, {"correction": 1}, {"ddof": 0.5, "keepdims": True})
    ],
    Sample(np.var, (draw(3, 4), 0, None, None, 1, True)),
    Sample(np.std, (draw(3, 4), 0, None, None, 1, True)),
    Sample(np.var, (draw(3, 4), 0), {"mean": draw(1, 4)}),
    Sample(np.std, (draw(3, 4), 0), {"mean": draw(1, 4), "ddof": 1}),
    Sample(np.nanvar, (draw(3, 4), 0), {"mean": draw(1, 4)}),
    # Of several variables
    *[
        Sample(np.cov, (draw(*shape), *more), parameters)
        for shape, more, parameters in (
            ((5,), (), {}),
            ((3, 4), (), {}),
            ((3, 4), (), {"rowvar": False, "bias": True}),
            ((2, 4), (draw(4),), {"ddof": 0}),
            ((3, 4), (draw(3, 4),), {"rowvar": False}),
            ((3, 4), (), {"fweights": np.array([1, 3, 2, 1])}),
            ((3, 4), (), {"aweights": 2 + draw(4)}),
            ((2, 4), (), {"aweights": 2 + draw(4), "fweights": Constant([1, 1, 2, 3]), "ddof": 1}),
        )
    ],
    *[Sample(np.corrcoef, (draw(*shape),)) for shape in ((3, 4), (2, 5))],
    Sample(np.corrcoef, (draw(5), draw(5))),
    # With NaN in it
    *[
        Sample(f, (with_nan(draw(3, 4)), *more), parameters)
        for f, *more in (
            *((f,) for f in (*OMITTING_NAN, np.nanstd, np.nanmedian)),
            *((np.nanquantile, 0.3), (np.nanpercentile, Constant([30, 80]))),
        )
        for parameters in ({}, {"axis": 0}, {"axis": 1, "keepdims": True}, {"axis": (0, 1)})
    ],
    *[
        Sample(f, (with_nan(draw(3, 4)),), {} if axis is None else {"axis": axis})
        for f in (np.nancumsum, np.nancumprod)
        for axis in (None, 0, 1)
    ],
    # Quantiles
    *[
        Sample(f, (draw(*shape), q), parameters)
        for f in (np.quantile, np.nanquantile)
        for shape, parameters in AXES
        for q in (0.0, 0.3, 1.0)
    ],
    *[
        Sample(f, (draw(3, 4), Constant(q)), {"axis": axis})
        for f in (np.quantile, np.nanquantile)
        for q in ([0.1, 0.5, 0.95], np.array([[0.2, 0.4]]), np.array(0.7))
        for axis in (None, 0, -1)
    ],
    Sample(np.quantile, (draw(5), np.array([0.1, 0.6]))),
    Sample(np.percentile, (draw(3, 4), 30), {"axis": 0}),
    Sample(np.percentile, (draw(3, 4), Constant([10, 20.0])), {"keepdims": True}),
    Sample(np.nanpercentile, (draw(3, 4), 30), {"axis": (0, 1)}),
    Sample(np.nanpercentile, (draw(3, 4), Constant([10, 20.0])), {"axis": 1}),
    # Scans
    *[
        Sample(f, (draw(*shape),), {} if axis is None else {"axis": axis}, holomorphic)
        for f, holomorphic in (
            (np.cumsum, True),
            (np.cumprod, True),
            (np.nancumsum, False),
            (np.nancumprod, False),
        )
        for shape, axis in (
            *(((), None), ((5,), None), ((5,), 0), ((3, 4), None), ((3, 4), 0)),
            *(((3, 4), -1), ((2, 3, 2), 1), ((1,), 0), ((0,), 0)),
        )
    ],
    Sample(np.cumprod, (np.array([2.0, 0.0, 3.0, 0.0, 5.0]),), holomorphic=True),
    *[
        Sample(f, (draw(*shape),), parameters)
        for name in ("cumulative_sum", "cumulative_prod")
        for f in [getattr(np, name, None)]
        if f  # since NumPy 2.1
        for shape, parameters in (
            ((4,), {}),
            ((3, 4), {"axis": 1}),
            ((3, 4), {"axis": 0, "include_initial": True}),
        )
    ],
    # Integrals
    Sample(np.trapezoid, (draw(5),), holomorphic=True),
    Sample(np.trapezoid, (draw(3, 4),), {"dx": 0.5, "axis": 0}, holomorphic=True),
    Sample(np.trapezoid, (draw(5), draw(5)), holomorphic=True),
    Sample(np.trapezoid, (draw(3, 4), draw(4)), holomorphic=True),
    Sample(np.trapezoid, (draw(3, 4), draw(3)), {"axis": 0}, holomorphic=True),
    Sample(np.trapezoid, (draw(3, 4), draw(3, 4)), {"axis": -2}, holomorphic=True),
    Sample(np.trapezoid, (Constant([1.0, 2.0, 4.0]), draw(3)), holomorphic=True),
    Sample(np.trapezoid, (draw(3), Constant([1.0, 2.0, 4.0])), holomorphic=True),
]
