"""Samples of indexing, of moving elements, of sorting, and of the functions of signals."""

import numpy as np

from tinygrad_bp.engine.compositions.rearranging import put_along_axis
from tinygrad_bp.engine.rules.differences import differences
from tinygrad_bp.engine.rules.indexing import getitem, scatter_add

from .sample import Constant, Sample
from .shapes import a, b, batch, scalar, square, v, w

signal = np.array([0.9, -1.4, 0.3, 2.2, -0.8])
kernel = np.array([0.6, 1.7, -0.5, 1.2])
ascending = np.array([-1.0, 0.4, 1.1, 2.5])
twice = np.array([[0, 0, 2], [1, 2, 2]])

INDICES = [
    1,
    -1,
    (slice(None, None, -2), 0),
    (..., None, slice(1, None)),
    (0, -1),
    True,
    np.array([0, 1, 0, 0]),
    [1, -1],
    [],
    np.array([[0, 1], [1, 1]]),
    np.array([True, False]),
    np.array([[True, False, True], [False, True, True]]),
    (slice(None), [2, 0, 2]),
    ([0, 1, 0], [2, 2, 2]),
    (np.array([True, True]), [0, 2]),
    (None, [1, 1], slice(1, 3)),
    np.ix_([1, 0, 1], [2, 0]),
]

SAMPLES = [
    *[Sample(getitem, (a, index), covers=(scatter_add,)) for index in INDICES],
    *[Sample(scatter_add, (a[index], index, a.shape)) for index in INDICES[:3] + INDICES[6:8]],
    Sample(getitem, (batch, (0, slice(None), [1, 1]))),
    Sample(getitem, (batch, ([0, 1], slice(None), [1, 2]))),
    Sample(getitem, (batch, (slice(None), np.array([[True, False, True, True]] * 3)))),
    Sample(getitem, (scalar, (None, ...))),
    Sample(np.take, (a, [[5, 0], [0, 1]])),
    Sample(np.take, (a, [2, 0, 2]), {"axis": 1}),
    Sample(np.take, (batch, 1, -1)),
    Sample(np.take, (v, [4, -5, 1]), {"mode": "wrap"}),
    Sample(np.take, (v, [4, -5, 1]), {"mode": "clip"}),
    Sample(np.take_along_axis, (a, twice, 1)),
    Sample(np.take_along_axis, (a, twice[:1] // 2, 0)),
    Sample(np.take_along_axis, (a, twice.ravel(), None)),
    Sample(put_along_axis, (a, np.array([[2], [0]]), v[:2, np.newaxis], 1)),
    Sample(put_along_axis, (a, twice, b, 1)),
    Sample(put_along_axis, (a, np.array([4, 0]), scalar, None)),
    Sample(np.bincount, ([0, 2, 2],), {"weights": v}),
    Sample(np.bincount, ([1, 1, 0],), {"weights": v, "minlength": 4}),
    # Moves
    Sample(np.flip, (a,)),
    Sample(np.flip, (batch, (0, -1))),
    Sample(np.fliplr, (a,)),
    Sample(np.flipud, (a,)),
    Sample(np.roll, (a, 2)),
    Sample(np.roll, (v, -1, 0)),
    Sample(np.roll, (batch, (1, -2)), {"axis": (0, 2)}),
    Sample(np.rot90, (a,)),
    Sample(np.rot90, (batch, 3, (2, 0))),
    Sample(np.tile, (a, 2)),
    Sample(np.tile, (v, (2, 1, 3))),
    Sample(np.repeat, (a, 3)),
    Sample(np.repeat, (a, [2, 0, 1]), {"axis": 1}),
    *(Sample(np.repeat, (batch, 2), {"axis": axis}) for axis in (0, 1, -1)),
    Sample(np.repeat, (scalar, 3)),
    Sample(np.repeat, (a, 0)),
    Sample(np.resize, (a, (3, 4))),
    Sample(np.resize, (a, 4)),
    Sample(np.delete, (a, 1, 1)),
    Sample(np.delete, (v, slice(0, 2))),
    Sample(np.insert, (v, 1, scalar)),
    Sample(np.insert, (a, [1, 3], v[:2]), {"axis": 1}),
    Sample(np.compress, ([True, False, True], a), {"axis": 1}),
    Sample(np.extract, (np.array([[True, False, True], [False, True, True]]), a)),
    Sample(np.lib.stride_tricks.sliding_window_view, (signal, 3)),
    Sample(np.lib.stride_tricks.sliding_window_view, (square, (2, 2))),
    Sample(np.pad, (v, 2)),
    Sample(np.pad, (batch, ((0, 1), (2, 0), (1, 1)))),
    Sample(np.pad, (a, (1, 2))),
    Sample(np.pad, (a, 1), {"constant_values": 2.5}),
    Sample(np.pad, (a, ((1, 0), (0, 2))), {"constant_values": scalar}),
    Sample(np.pad, (a, 1), {"constant_values": a[:, :2]}),
    *[
        Sample(np.pad, (x, width), {"mode": mode})
        for mode in ("edge", "reflect", "symmetric", "wrap")
        for x, width in [(v, (1, 4)), (a, 1)]
    ],
    Sample(np.choose, (np.array([1, 0, 1]), [v, w])),
    Sample(np.choose, (np.array([[1], [2]]), [v, w, scalar]), {"mode": "clip"}),
    Sample(np.select, ([Constant(v > 0), Constant(w > 0)], [w, v])),
    Sample(np.select, ([Constant(a > 0), Constant(b > 0)], [v, a]), {"default": scalar}),
    Sample(np.sort, (v,)),
    Sample(np.sort, (batch, 0)),
    Sample(np.sort, (a,), {"axis": None}),
    Sample(np.partition, (signal, 2)),
    Sample(np.partition, (square, 1), {"axis": 0}),
    # Signals
    *(Sample(differences, (x,), {"axis": axis}) for x, axis in ((v, 0), (batch, 1), (a, 1))),
    Sample(np.diff, (v,)),
    Sample(np.diff, (batch, 2), {"axis": 1}),
    Sample(np.diff, (a, 0)),
    Sample(np.diff, (a,), {"prepend": scalar, "append": b[:, :2]}),
    Sample(np.ediff1d, (a,)),
    Sample(np.ediff1d, (v,), {"to_begin": scalar, "to_end": w}),
    Sample(np.gradient, (signal,)),
    Sample(np.gradient, (batch, 0.5), {"axis": (1, -1)}),
    Sample(np.gradient, (square, scalar, ascending[:3]), {"edge_order": 2}),
    Sample(np.gradient, (a,), {"axis": 1, "edge_order": 2}),
    *[
        Sample(function, (x, y), {"mode": mode})
        for function in (np.convolve, np.correlate)
        for mode in ("full", "same", "valid")
        for x, y in [(signal, kernel), (kernel, signal), (v, v)]
    ],
    Sample(np.convolve, (scalar, kernel)),
    Sample(np.convolve, (v, signal)),
    Sample(np.correlate, (signal, v)),
    Sample(np.interp, (np.array([-2.0, -0.3, 0.9, 2.1, 7.0]), ascending, kernel)),
    Sample(np.interp, (a, ascending, kernel), {"left": scalar, "right": 0.0}),
    Sample(np.interp, (scalar, ascending, kernel)),
    Sample(np.interp, (np.array([-2.0, -0.3, 0.9, 2.1, 6.3]), ascending, kernel), {"period": 4}),
    Sample(np.interp, (a, ascending[::-1], kernel), {"period": np.array(5.3)}),
    Sample(np.unwrap, (3 * signal,)),
    Sample(np.unwrap, (7 * batch,), {"axis": 1, "discont": 4.0}),
    Sample(np.unwrap, (3 * signal,), {"period": 2.3}),
    Sample(np.polyval, (signal, a)),
    Sample(np.polyval, (kernel, scalar)),
    Sample(np.polyval, ([1, 0, -2], v)),
]
