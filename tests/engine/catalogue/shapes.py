"""Samples of the functions of shapes, of assembly and of grids."""

import numpy as np

from tinygrad_bp.engine.rules.joining import concatenate, stack
from tinygrad_bp.engine.rules.types import astype

from .sample import Sample

scalar = np.array(0.7)
v = np.array([0.4, -1.3, 2.2])
w = np.array([1.9, 0.8, -0.6])
a = np.array([[0.3, -1.2, 2.1], [1.4, 0.6, -0.9]])
b = np.array([[-0.7, 1.1, 0.2], [0.9, -1.6, 2.4]])
square = np.array([[0.5, -1.1, 0.8], [1.3, 2.0, -0.4], [-0.2, 0.9, 1.7]])
batch = np.linspace(-2.0, 1.7, 24).reshape(2, 3, 4) ** 3

SAMPLES = [
    # Shapes
    Sample(np.reshape, (a, (3, 2))),
    Sample(np.reshape, (a, -1)),
    Sample(np.reshape, (batch, (4, -1)), {"order": "F"}),
    Sample(np.reshape, (scalar, (1, 1))),
    Sample(np.reshape, (a, [3, 2])),
    Sample(np.ravel, (a,)),
    Sample(np.ravel, (a, "F")),
    Sample(np.transpose, (a,)),
    Sample(np.transpose, (batch, (2, 0, 1))),
    Sample(np.transpose, (batch,), {"axes": (-1, 0, -2)}),
    Sample(np.swapaxes, (batch, 0, -1)),
    Sample(np.moveaxis, (batch, 0, -1)),
    Sample(np.moveaxis, (batch, (0, 1), (-1, 0))),
    Sample(np.rollaxis, (batch, 2)),
    Sample(np.rollaxis, (batch, 0, 3)),
    Sample(np.matrix_transpose, (batch,)),
    Sample(np.linalg.matrix_transpose, (a,)),
    Sample(np.expand_dims, (v, 0)),
    Sample(np.expand_dims, (a,), {"axis": (0, -1)}),
    Sample(np.squeeze, (a[:, np.newaxis, :1],)),
    Sample(np.squeeze, (a[np.newaxis, :, :1],), {"axis": -1}),
    Sample(np.broadcast_to, (v, (2, 3))),
    Sample(np.broadcast_to, (a[:, :1], (4, 2, 3))),
    Sample(np.broadcast_to, (scalar, (2, 2))),
    Sample(np.broadcast_arrays, (a, v, scalar)),
    Sample(np.atleast_1d, (scalar,)),
    Sample(np.atleast_1d, (scalar, a)),
    Sample(np.atleast_2d, (v,)),
    Sample(np.atleast_2d, (scalar, v, batch)),
    Sample(np.atleast_3d, (v,)),
    Sample(np.atleast_3d, (a, scalar)),
    Sample(np.copy, (a,)),
    Sample(np.full_like, (a, scalar)),
    Sample(np.full_like, (a, v), {"shape": (4, 3)}),
    Sample(astype, (a, np.float64)),
    Sample(np.astype, (a, np.float64)),
    # Assembly
    Sample(np.concatenate, ([v, w],), covers=(concatenate,)),
    Sample(np.concatenate, ([a, b, a[:1]],), covers=(concatenate,)),
    Sample(np.concatenate, ((batch, batch[:, :, :2], batch[:, :, 1:]), -1), covers=(concatenate,)),
    Sample(np.concatenate, ([a, v],), {"axis": None}, covers=(concatenate,)),
    Sample(np.concatenate, ([v, [1, 2]],), covers=(concatenate,)),
    Sample(np.stack, ([v, w],), covers=(stack,)),
    Sample(np.stack, ((a, b, a), -1), covers=(stack,)),
    Sample(np.stack, ([scalar, scalar],), covers=(stack,)),
    Sample(np.vstack, ([a, v],)),
    Sample(np.hstack, ([v, w],)),
    Sample(np.hstack, ([a, b[:, :1]],)),
    Sample(np.dstack, ([a, b],)),
    Sample(np.column_stack, ([v, square],)),
    Sample(np.append, (a, scalar)),
    Sample(np.append, (a, b, 1)),
    Sample(np.block, ([[a, v[:2, np.newaxis]], [np.ones((1, 4))]],)),
    Sample(np.block, ([v, scalar],)),
    Sample(np.split, (a, 3), {"axis": 1}),
    Sample(np.split, (v, [1])),
    Sample(np.array_split, (batch, 3, -1)),
    Sample(np.hsplit, (a, 3)),
    Sample(np.vsplit, (a, [1])),
    Sample(np.dsplit, (batch, 2)),
    # Grids
    Sample(np.linspace, (scalar, np.array(2.9), 5)),
    Sample(np.linspace, (v, w), {"num": 4, "axis": 1}),
    Sample(np.linspace, (v, 2.0), {"num": 3, "endpoint": False, "retstep": True}),
    Sample(np.logspace, (v, w, 3)),
    Sample(np.logspace, (scalar, 1.3, 4), {"base": np.array(2.5), "endpoint": False}),
    Sample(np.geomspace, (np.exp(v), np.exp(w), 4), {"axis": -1}),
    Sample(np.meshgrid, (v, w[:2])),
    Sample(np.meshgrid, (v, w[:2], a[0]), {"indexing": "ij"}),
    Sample(np.meshgrid, (v, w[:2]), {"sparse": True}),
    Sample(np.tril, (square,)),
    Sample(np.tril, (batch, -1)),
    Sample(np.triu, (square, 1)),
    Sample(np.triu, (v,)),
    Sample(np.vander, (v,)),
    Sample(np.vander, (v, 5), {"increasing": True}),
]

if hasattr(np, "unstack"):  # from NumPy 2.1 on
    SAMPLES += [
        Sample(np.unstack, (a,)),
        Sample(np.unstack, (batch,), {"axis": 1}),
    ]
