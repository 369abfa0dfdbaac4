"""No keyword is taken and ignored: Tensors give NumPy's values, and refuse what NumPy refuses.

Each function that the registry knows is called with each keyword of its signature, and with values
that NumPy takes, and some that it does not, on arrays and on Tensors.
"""

from __future__ import annotations

import inspect
import warnings

import numpy as np
import pytest

from tinygrad_bp import Tensor
from tinygrad_bp.engine.registry import COMPOSITIONS, RULES

from .catalogue import SAMPLES_OF
from .catalogue.checks import flat
from .catalogue.sample import _walk

inf = np.inf
SWITCH, WIDTH = (True, False), (None, np.float16, np.float32, "f8", int, "bogus")
PLACE, ORDER = (0, -1, 1, 7), ("C", "F", "A", "bogus")
NORM = (1, 2, -1, -2, inf, -inf, 0, 3, 2.5, "fro", "nuc", "bogus")
MODES = """raise wrap clip full same valid edge reflect symmetric linear_ramp maximum mean median
minimum constant empty reduced r complete bogus"""
VALUES = {
    "N": (None, 0, 2, 5, -1),
    "UPLO": ("L", "U", "l", "u", "X"),
    "a_max": (None, 0.2),
    "a_min": (None, 0.1),
    "append": (0.0, 2),
    "aweights": (None, [1.0, 2.0, 0.5, 1.0], [1.0, 2.0, 0.5, 1.0, 3.0], [-1.0] * 4, [1.0]),
    "axes": (None, 0, 1, 2, (0, 1), (1, 0), [0, 1]),
    "axis": (0, -1, 1, (0,), (0, 1), 5, "x", None),
    "axis1": PLACE,
    "axis2": PLACE,
    "axisa": (-1, 5),
    "axisb": (0, -1),
    "axisc": (0, -1),
    "base": (2, 10.0),
    "bias": SWITCH,
    "casting": ("no", "equiv", "safe", "same_kind", "unsafe", "bogus"),
    "compute_uv": SWITCH,
    "copy": SWITCH,
    "correction": (0, 1, 0.5, 5),
    "ddof": (0, 1, 0.5, 5, -1),
    "decimals": (0, 1, -1, 2),
    "default": (0, 1.5),
    "deg": SWITCH,
    "device": ("cpu", "gpu"),
    "discont": (None, 0.1, 4.0),
    "dtype": WIDTH,
    "dx": (1.0, 0.5, 2),
    "edge_order": (0, 1, 2, 3),
    "endpoint": SWITCH,
    "full_matrices": SWITCH,
    "fweights": (None, [1, 2, 1, 3], [1, 2, 1, 3, 0], [-1] * 4, [1]),
    "hermitian": SWITCH,
    "include_initial": SWITCH,
    "increasing": SWITCH,
    "ind": (1, 2, 0, -1),
    "indexing": ("xy", "ij", "bogus"),
    "initial": (0, 2.5, -inf),
    "k": (0, 1, -1, 2, 7),
    "keepdims": SWITCH,
    "kind": ("quicksort", "stable", "heapsort", "mergesort", "introselect", "bogus"),
    "left": (None, 1.0),
    "max": (0.3,),
    "mean": (),
    "method": ("linear", "lower", "nearest", "hazen", "bogus"),
    "min": (0.1,),
    "minlength": (0, 5, -1),
    "mode": (*MODES.split(), 0, 1, 2),
    "n": (0, 1, 2, 3, -1),
    "nan": (0.0, 2.5),
    "neginf": (None, -3.0),
    "num": (0, 1, 2, 5, -1),
    "offset": (0, 1, -1, 9),
    "optimize": (True, False, "greedy"),
    "ord": (None, *NORM),
    "order": ORDER,
    "out": (None,),
    "overwrite_input": SWITCH,
    "p": (None, *NORM),
    "period": (3.0, -2.5, 0),
    "posinf": (None, 3.0),
    "prepend": (0.0, 1),
    "rcond": (None, 1e-3, 0.5),
    "retstep": SWITCH,
    "returned": SWITCH,
    "right": (None, 1.0),
    "rowvar": SWITCH,
    "rtol": (None, 1e-3),
    "shape": (None, (2, 2)),
    "sparse": SWITCH,
    "stable": (None, True, False),
    "start": (0, 1),
    "subok": SWITCH,
    "to_begin": (None, 1.0, [1.0, 2.0]),
    "to_end": (None, 1.0),
    "tol": (100, 1),
    "upper": SWITCH,
    "weights": (None,),
    "where": (True, False, np.array([False]), "x"),
    "writeable": SWITCH,
    "x": (),
    "y": (),
}
OF_UFUNCS = ("casting", "order", "dtype", "subok", "where", "axis", "keepdims")
# What NumPy takes and a Tensor refuses, by name: nothing else may be.
REFUSED_EVERYWHERE = {"device", "subok", "writeable"}  # which make no sense of a Tensor
REFUSED = {
    "axis": {"cross", "cumulative_prod", "cumulative_sum"},  # of two elements; tuples
    "copy": {"reshape"},
    "dtype": {"nanmean", "nanstd", "nanvar", "std", "var"},  # of the last two, integers
    "full_matrices": {"svd"},
    "hermitian": {"svd"},
    "method": {"nanpercentile", "nanquantile", "percentile", "quantile"},
    "mode": {"pad", "qr"},
    "weights": {"nanpercentile", "nanquantile", "percentile", "quantile"},
    "where": {"nanmean", "nanstd", "nanvar"},
}
# What NumPy's function refuses and its method takes, which are one here.
ACCEPTED = {name: {"clip"} for name in ("a_min", "a_max", "min", "max")}
CLEAR = (TypeError, ValueError, IndexError, ArithmeticError)


def names_of(function):
    if isinstance(function, np.ufunc):
        return OF_UFUNCS
    arguments = inspect.signature(function).parameters.values()
    return [p.name for p in arguments if p.default is not p.empty or p.kind is p.KEYWORD_ONLY]


def given_by_place(function, sample):
    """How many of the names the sample's inputs stand for already."""
    first = list(inspect.signature(function).parameters)[: len(sample.inputs)]
    return len(set(first) & set(names_of(function)))


def is_numpys(function):
    rooms = (np, np.linalg, np.lib.stride_tricks)
    name = getattr(function, "__name__", "")
    return any(getattr(room, name, None) is function for room in rooms)


def calls():
    for function in (*RULES, *COMPOSITIONS):
        if is_numpys(function):
            samples = [s for s in SAMPLES_OF[function] if s.function is function]
            shapes = {tuple(x.shape for x in s.arrays): s for s in samples}
            yield from ((function, sample) for sample in list(shapes.values())[:3])


def outcome(sample, keywords, wrap):
    """The arrays that a call gives, or its error."""
    inputs, keywords = _walk((sample.inputs, keywords), lambda x: wrap(x.copy()))
    try:
        return [
            y._array if isinstance(y, Tensor) else np.asarray(y)
            for y in flat(sample.function(*inputs, **keywords))
        ]
    except Exception as error:  # whatever it is, NumPy's or ours is looked at
        return error


def may_refuse(function, name, value):
    if isinstance(function, np.ufunc) and name in OF_UFUNCS[:5]:
        return True
    known = function.__name__ in REFUSED.get(name, ()) or name in REFUSED_EVERYWHERE
    return known or (name == "dtype" and value is int)  # which has no derivative


def complaint(function, sample, name, value, wrap):
    keywords = {**sample.parameters, name: value}
    expected = outcome(sample, keywords, lambda x: x)
    found = outcome(sample, keywords, wrap)
    if isinstance(expected, Exception):
        if not isinstance(found, Exception):
            known = function.__name__ in ACCEPTED.get(name, ())
            return None if known else f"NumPy refuses: {expected}"
        return None if isinstance(found, CLEAR) else f"not clear: {found!r}"
    if isinstance(found, Exception):
        refused = isinstance(found, CLEAR) and may_refuse(function, name, value)
        return None if refused else f"{found!r}, but NumPy takes it"
    types = [[(y.shape, y.dtype) for y in ys] for ys in (expected, found)]
    if types[0] != types[1]:
        return f"{types[1]}, where NumPy gives {types[0]}"
    for one, other in zip(found, expected, strict=True):
        computed_in = (
            value if name == "dtype" and value and other.dtype.kind == "f" else other.dtype
        )
        eps = np.finfo(computed_in).eps if np.dtype(computed_in).kind == "f" else 0
        if not np.allclose(one, other, 256 * eps, 256 * eps, equal_nan=True):
            return f"{one}, where NumPy gives {other}"
    return None


def leaf(x):
    return Tensor(x, requires_grad=True)


CALLS = list(calls())


@pytest.mark.parametrize("wrap", [Tensor, leaf])
@pytest.mark.parametrize(("function", "sample"), CALLS, ids=[str(s) for _, s in CALLS])
def test_every_keyword(function, sample, wrap):
    found = {}
    taken = 0 if isinstance(function, np.ufunc) else given_by_place(function, sample)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in names_of(function)[taken:]:
            for value in VALUES[name]:
                if value is None and isinstance(function, np.ufunc):
                    continue  # which stands for what is left out
                what = complaint(function, sample, name, value, wrap)
                if what:
                    found[f"{name}={value!r}"] = what
    assert not found


def test_every_refusal_in_the_list_is_one():
    """What is taken by now is to leave the list."""
    left = {(name, known) for name in REFUSED for known in REFUSED[name]}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for function, sample in calls():
            for name in REFUSED.keys() & set(names_of(function)):
                for value in VALUES[name]:
                    keywords = {**sample.parameters, name: value}
                    if isinstance(outcome(sample, keywords, Tensor), TypeError):
                        left.discard((name, function.__name__))
    assert not {known for name, known in left if hasattr(np, known)}
