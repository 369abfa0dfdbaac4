"""Samples of the element-wise functions, and of what the methods of ufuncs give."""

from __future__ import annotations

import numpy as np

from tinygrad_bp.engine.rules.bessel import bessel
from tinygrad_bp.engine.rules.piecewise import at_least, at_most

from .sample import Constant, Sample

random = np.random.default_rng(0)


def draw(low, high, *shape):
    """Draw an array from a range, away from 0 and from whole numbers, where formulas change."""
    x = random.uniform(low, high, shape)
    return np.asarray(np.where(np.abs(x - np.round(2 * x) / 2) < 0.04, x + 0.09, x))


def of_one(functions, low, high, holomorphic=False):
    """Sample functions of one array, for each number of axes."""
    return [
        Sample(f, (draw(low, high, *shape),), holomorphic=holomorphic)
        for f in functions
        for shape in ((), (5,), (2, 3), (2, 1, 3))
    ]


BROADCASTING = [
    ((), ()),
    ((3,), (3,)),
    ((), (3,)),
    ((2, 3), ()),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((3,), (4, 2, 3)),
    ((1,), (2, 3)),
    ((4, 1, 3), (2, 1)),
]


def of_two(functions, low, high, low2, high2, holomorphic=False):
    """Sample functions of two arrays, for each way to broadcast, and with a number on one side."""
    arrays = [
        Sample(f, (draw(low, high, *a), draw(low2, high2, *b)), holomorphic=holomorphic)
        for f in functions
        for a, b in BROADCASTING
    ]
    numbers = [
        Sample(f, inputs, holomorphic=holomorphic)
        for f in functions
        for inputs in (
            (draw(low, high, 2, 3), (low2 + high2) / 2 + 0.21),
            ((low + high) / 2 + 0.23, draw(low2, high2, 4)),
            (draw(low, high, 3), [low2 + 0.3, high2 - 0.1, high2 - 0.3]),
        )
    ]
    return arrays + numbers


SAMPLES = [
    # Arithmetic
    *of_two((np.add, np.subtract, np.multiply), -3, 3, -3, 3, holomorphic=True),
    *of_two((np.divide,), -3, 3, 0.5, 3, holomorphic=True),
    *of_two((np.power,), 0.3, 3, -2.5, 2.5, holomorphic=True),
    *of_two((np.float_power, np.hypot), 0.3, 3, -2.5, 2.5),
    *of_two((np.remainder, np.fmod, np.floor_divide, np.divmod), 0.2, 0.9, 1.5, 2.4),
    *of_two((np.remainder, np.fmod, np.divmod), -9.45, -9.2, 2.1, 2.2),
    *of_one((np.negative, np.positive, np.square), -3, 3, holomorphic=True),
    *of_one((np.reciprocal, np.sqrt), 0.3, 3, holomorphic=True),
    *of_one((np.cbrt,), 0.3, 3),
    *of_one((np.cbrt,), -3, -0.3),
    *of_one((np.modf,), -3, 3),
    *of_one((np.real, np.imag, np.conjugate, np.real_if_close, np.angle), -3, 3),
    *[
        Sample(np.power, (np.array([-2.0, -0.5, 1.3]), n), holomorphic=True)
        for n in (0, 1, 2, 3, -1, -2, 3.0)
    ],
    Sample(np.power, (np.array([0.0, -2.0, 0.0]), 3), holomorphic=True),
    Sample(np.power, (np.array([-2.0, 0.7, 1.5]), Constant(np.array([2.0, 3.0, -1.0])))),
    Sample(np.power, (np.array([-2.0, 0.7, 1.5]), Constant(np.array([2, 3, 0])))),
    Sample(np.power, (np.array([0.5, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])), holomorphic=True),
    Sample(np.power, (2, draw(-2, 2, 3)), holomorphic=True),
    Sample(np.ldexp, (draw(-2, 2, 3), Constant(np.array([1, -2, 0])))),
    Sample(np.ldexp, (draw(-2, 2, 2, 1), Constant(np.array([1, -2, 5])))),
    # Elementary functions
    *of_one((np.exp, np.exp2, np.expm1, np.sin, np.cos, np.sinh, np.cosh), -2, 2, True),
    *of_one((np.tanh, np.arcsinh, np.arctan), -2, 2, True),
    *of_one((np.tan, np.arcsin, np.arccos, np.arctanh), -0.9, 0.9, True),
    *of_one((np.log, np.log2, np.log10), 0.2, 4, True),
    *of_one((np.log1p,), -0.8, 3, True),
    *of_one((np.arccosh,), 1.2, 4, True),
    *of_one((np.deg2rad, np.radians, np.rad2deg, np.degrees), -90, 90),
    *of_one((np.sinc,), -3, 3, True),
    Sample(np.sinc, (np.array([0.0, 1e-9, -1e-5, 0.01, 0.49, 0.51, 1.0, 20.5]),)),
    Sample(np.sinc, (np.array(0.0),)),
    *of_one((np.i0,), -4, 4),
    *of_one((np.i0,), 20, 25),
    *(Sample(bessel, (x, n)) for x in (draw(-2, 2, 3), draw(8, 9, 2, 2)) for n in (1, 2, 3)),
    *of_two((np.arctan2,), 0.3, 2, -2, 2),
    *of_two((np.arctan2,), -2, 2, -2, -0.3),
    *of_two((np.logaddexp, np.logaddexp2), -3, 3, -3, 3),
    Sample(np.logaddexp, (np.array([300.0, 2.0, -300.0, 1.0]), np.array([2.0, 300.0, 1.0, 1.0]))),
    # Pieces
    *of_two((np.maximum, np.minimum, np.fmax, np.fmin), -2, 0.4, -0.4, 2),
    *of_two((np.maximum, np.minimum, np.fmax, np.fmin), 1, 2, 3, 4),
    *of_two((np.maximum, np.minimum, np.fmax, np.fmin), 3, 4, 1, 2),
    *of_two((np.copysign, np.heaviside), 0.2, 3, -3, -0.2),
    *of_two((np.copysign, np.heaviside), -3, -0.2, -3, 3),
    Sample(np.heaviside, (Constant(np.array([0.0, 1.0, -1.0])), np.array(0.3))),
    *of_one((np.absolute, np.fabs, np.sign, np.floor, np.ceil, np.trunc, np.rint), -3, 3),
    *of_one((np.fix, np.round, np.nan_to_num), -3, 3),
    *[
        Sample(f, (np.array([1.0, np.nan, 3.0]), np.array([np.nan, 2.0, 0.5])))
        for f in (np.fmax, np.fmin)
    ],
    Sample(np.nan_to_num, (np.array([1.0, np.nan, np.inf, -np.inf]),)),
    Sample(np.nan_to_num, (np.array([1.0, np.nan, np.inf]),), {"nan": 2.0, "posinf": 3.0}),
    Sample(np.round, (draw(-3, 3, 3),), {"decimals": 1}),
    Sample(np.angle, (draw(-3, 3, 3),), {"deg": True}),
    *[
        Sample(np.where, (Constant(draw(-2, 2, *condition) > 0), draw(-2, 2, *a), draw(-2, 2, *b)))
        for condition in ((), (3,), (2, 3), (2, 1))
        for a, b in BROADCASTING[:6]
    ],
    Sample(np.where, (Constant([True, False]), draw(-2, 2, 2), 0.0)),
    Sample(np.where, (Constant([True, False]), 1, draw(-2, 2, 3, 1))),
    *[
        Sample(f, (np.array([[-1.2], [0.4], [1.3]]), bound))
        for f in (at_least, at_most)
        for bound in (0.1, np.array([-0.3, 0.8]))
    ],
    *[
        Sample(np.clip, (draw(-2, 2, 4), *bounds))
        for bounds in ((-0.5, 0.5), (None, 0.5), (-0.5, None), (-1, 1), (5.0, 6.0), (1.0, -1.0))
    ],
    *[
        Sample(np.clip, (draw(-2, 2, *a), draw(-0.9, -0.6, *b), draw(0.6, 0.9, *c)))
        for a, b, c in (
            ((), (), ()),
            ((4,), (4,), ()),
            ((3, 4), (4,), (3, 1)),
            ((4,), (3, 1), (2, 1, 1)),
            ((), (4,), ()),
        )
    ],
    Sample(np.clip, (draw(-2, 2, 4),), {"a_min": np.array(-0.5), "a_max": np.array(0.51)}),
    *[
        Sample(np.clip, (draw(-2, 2, 4),), parameters)
        for parameters in (
            {"min": np.array(-0.5), "max": np.array(0.51)},
            {"min": 0.1},
            {"max": draw(-1, 1, 2, 4)},
        )
        if np.lib.NumpyVersion(np.__version__) >= "2.1.0"
    ],
    # Methods of ufuncs
    *[Sample(f.reduce, (draw(-2, 2, 3, 4),)) for f in (np.add, np.multiply)],
    *[Sample(f.reduce, (draw(-2, 2, 3, 4),)) for f in (np.maximum, np.minimum)],
    *[
        Sample(f.accumulate, (draw(-2, 2, 3, 4), *axis))
        for f in (np.add, np.multiply, np.maximum, np.minimum)
        for axis in ((), (1,))
    ],
    Sample(np.add.reduce, (draw(-2, 2, 3, 4),), {"axis": (0, 1), "keepdims": True}),
    Sample(np.multiply.reduce, (draw(-2, 2, 3, 4), None)),
    *[
        Sample(f.outer, (draw(0.3, 0.9, *a), draw(1.1, 1.9, *b)))
        for f in (
            *(np.add, np.subtract, np.multiply, np.divide, np.power, np.float_power, np.hypot),
            *(np.remainder, np.fmod, np.floor_divide, np.arctan2, np.logaddexp, np.logaddexp2),
            *(np.maximum, np.minimum, np.fmax, np.fmin, np.copysign, np.heaviside),
        )
        for a, b in (((2,), (3,)), ((), (2, 2)), ((2, 1), (3,)))
    ],
    Sample(np.ldexp.outer, (draw(0.3, 0.9, 2), Constant(np.array([1, -2, 0])))),
]
