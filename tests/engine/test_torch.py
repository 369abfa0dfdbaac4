"""PyTorch, an independent computation: values, first and second derivatives are the same.

Where the environment says TINYGRAD_BP_REQUIRE_TORCH=1, PyTorch must be there.
"""

import os

import numpy as np
import pytest

from tinygrad_bp import Tensor, functional, gradients

if os.environ.get("TINYGRAD_BP_REQUIRE_TORCH") == "1":
    import torch
else:
    torch = pytest.importorskip("torch")

F = torch.nn.functional
random = np.random.default_rng(7)
draw = random.normal

x = draw(size=(3, 4))  # distinct numbers, none at a kink
y = draw(size=(3, 4))
row = draw(size=4)
column = draw(size=(3, 1))
one = np.array(0.7)
vector = draw(size=5)
inside = random.uniform(-0.9, 0.9, (3, 4))  # the open interval from -1 to 1
positive = random.uniform(0.3, 3.0, (3, 4))
above_1 = 1 + positive
square = draw(size=(3, 3))
batch = draw(size=(2, 3, 3))
tall = draw(size=(4, 2))
wide = draw(size=(2, 4))
definite = square @ square.T + 3 * np.eye(3)
images = draw(size=(2, 3, 4))
labels = np.array([2, 0, 3])
ones_and_zeros = np.array([[1.0, 0, 1, 1], [0, 0, 1, 0], [1, 1, 0, 0]])
index = np.array([2, 0, 2, 1])
mask = x > 0


def symmetric(m):
    return m + np.swapaxes(m, -1, -2)


def symmetric_torch(m):
    return m + m.mT


CASES = {
    # Element-wise, of two arrays that broadcast
    "add": (np.add, torch.add, x, row),
    "subtract": (np.subtract, torch.subtract, column, row),
    "multiply": (np.multiply, torch.multiply, x, column),
    "divide": (np.divide, torch.divide, x, positive),
    "divide scalars": (np.divide, torch.divide, one, positive),
    "power": (np.power, torch.pow, positive, x),
    "power of a vector": (np.power, torch.pow, positive, row),
    "float_power": (np.float_power, torch.float_power, positive, column),
    "square by **": (lambda x: x**2, lambda x: x**2, x),
    "cube by **": (lambda x: x**3, lambda x: x**3, x),
    "number to the power": (lambda x: 2**x, lambda x: 2**x, x),
    "remainder": (np.remainder, torch.remainder, 3 * x, positive),
    "fmod by a number": (lambda x: np.fmod(x, 0.8), lambda x: torch.fmod(x, 0.8), 3 * x),
    "maximum": (np.maximum, torch.maximum, x, y),
    "minimum": (np.minimum, torch.minimum, x, row),
    "fmax": (np.fmax, torch.fmax, x, y),
    "fmin": (np.fmin, torch.fmin, x, y),
    "arctan2": (np.arctan2, torch.atan2, x, row),
    "hypot": (np.hypot, torch.hypot, x, column),
    "logaddexp": (np.logaddexp, torch.logaddexp, x, y),
    "logaddexp2": (np.logaddexp2, torch.logaddexp2, x, row),
    "copysign": (np.copysign, torch.copysign, x, y),
    "where": (lambda x, y: np.where(mask, x, y), lambda x, y: x.where(torch.tensor(mask), y), x, y),
    # Element-wise, of one array
    "negative": (np.negative, torch.neg, x),
    "absolute": (np.absolute, torch.abs, x),
    "sign": (np.sign, torch.sign, x),
    "square": (np.square, torch.square, x),
    "sqrt": (np.sqrt, torch.sqrt, positive),
    "cbrt": (np.cbrt, lambda x: x.pow(1 / 3), positive),
    "reciprocal": (np.reciprocal, torch.reciprocal, x),
    "exp": (np.exp, torch.exp, x),
    "exp2": (np.exp2, torch.exp2, x),
    "expm1": (np.expm1, torch.expm1, x),
    "log": (np.log, torch.log, positive),
    "log2": (np.log2, torch.log2, positive),
    "log10": (np.log10, torch.log10, positive),
    "log1p": (np.log1p, torch.log1p, positive),
    "sin": (np.sin, torch.sin, x),
    "cos": (np.cos, torch.cos, x),
    "tan": (np.tan, torch.tan, inside),
    "arcsin": (np.arcsin, torch.arcsin, inside),
    "arccos": (np.arccos, torch.arccos, inside),
    "arctan": (np.arctan, torch.arctan, x),
    "sinh": (np.sinh, torch.sinh, x),
    "cosh": (np.cosh, torch.cosh, x),
    "tanh": (np.tanh, torch.tanh, x),
    "arcsinh": (np.arcsinh, torch.arcsinh, x),
    "arccosh": (np.arccosh, torch.arccosh, above_1),
    "arctanh": (np.arctanh, torch.arctanh, inside),
    "sinc": (np.sinc, torch.sinc, x),
    "deg2rad": (np.deg2rad, torch.deg2rad, x),
    "rad2deg": (np.rad2deg, torch.rad2deg, x),
    "floor": (np.floor, torch.floor, x),
    "clip": (lambda x: np.clip(x, -0.5, 0.8), lambda x: torch.clip(x, -0.5, 0.8), x),
    "nan_to_num": (np.nan_to_num, torch.nan_to_num, x),
    "relu": (functional.relu, torch.relu, x),
    "sigmoid": (functional.sigmoid, torch.sigmoid, x),
    "sigmoid far out": (functional.sigmoid, torch.sigmoid, 20 * x),
    "softplus": (functional.softplus, F.softplus, x),
    # Reductions and scans
    "sum": (np.sum, torch.sum, x),
    "sum over axes": (lambda x: np.sum(x, axis=(0, -1)), lambda x: x.sum((0, -1)), images),
    "sum keeping": (lambda x: x.sum(axis=1, keepdims=True), lambda x: x.sum(1, True), images),
    "mean": (lambda x: np.mean(x, axis=0), lambda x: x.mean(0), x),
    "prod": (np.prod, torch.prod, x),
    "prod over an axis": (lambda x: np.prod(x, axis=1), lambda x: x.prod(1), images),
    "prod with a zero": (np.prod, torch.prod, np.array([2.0, 0.0, 3.0])),
    "prod with two zeros": (np.prod, torch.prod, np.array([2.0, 0.0, 3.0, 0.0])),
    "max": (lambda x: np.max(x, axis=1), lambda x: x.amax(1), x),
    "min": (np.min, torch.amin, x),
    "max with ties": (np.max, torch.amax, np.array([1.0, 3.0, 3.0])),
    "var": (lambda x: np.var(x, axis=0), lambda x: x.var(0, correction=0), x),
    "var with ddof": (lambda x: np.var(x, ddof=1), lambda x: x.var(correction=1), x),
    "std": (lambda x: np.std(x, axis=1), lambda x: x.std(1, correction=0), x),
    "median": (np.median, torch.median, vector),
    "quantile": (lambda x: np.quantile(x, 0.3), lambda x: x.quantile(0.3), vector),
    "cumsum": (lambda x: np.cumsum(x, axis=1), lambda x: x.cumsum(1), x),
    "cumprod": (lambda x: np.cumprod(x, axis=0), lambda x: x.cumprod(0), x),
    "trapezoid": (np.trapezoid, torch.trapezoid, x),
    "logsumexp": (lambda x: functional.logsumexp(x, -1), lambda x: x.logsumexp(-1), x),
    "norm": (np.linalg.norm, torch.linalg.norm, x),
    "norm of order 1": (lambda v: np.linalg.norm(v, 1), lambda v: v.norm(1), vector),
    "norm of order 3": (lambda v: np.linalg.norm(v, 3), lambda v: v.norm(3), vector),
    "norm of rows": (lambda x: np.linalg.norm(x, axis=1), lambda x: x.norm(dim=1), x),
    "nuclear norm": (lambda m: np.linalg.norm(m, "nuc"), lambda m: m.norm("nuc"), tall),
    # Linear algebra
    "dot": (np.dot, torch.dot, vector, draw(size=5)),
    "vdot": (np.vdot, torch.vdot, vector, draw(size=5)),
    "inner": (np.inner, torch.inner, x, row),
    "outer": (np.outer, torch.outer, vector, row),
    "matmul": (np.matmul, torch.matmul, tall, wide),
    "matmul of a vector": (np.matmul, torch.matmul, x, row),
    "matmul of batches": (np.matmul, torch.matmul, batch, square),
    "tensordot": (
        lambda x, y: np.tensordot(x, y, ([0, 2], [1, 0])),
        lambda x, y: torch.tensordot(x, y, ([0, 2], [1, 0])),
        images,
        draw(size=(4, 2)),
    ),
    "einsum": (
        lambda x, y: np.einsum("bij,jk->bik", x, y),
        lambda x, y: torch.einsum("bij,jk->bik", x, y),
        images,
        tall,
    ),
    "einsum of a diagonal": (
        lambda m: np.einsum("bii->b", m),
        lambda m: torch.einsum("bii->b", m),
        batch,
    ),
    "kron": (np.kron, torch.kron, tall, wide),
    "cross": (np.cross, torch.linalg.cross, square, batch[0]),
    "trace": (np.trace, torch.trace, square),
    "diag": (np.diag, torch.diag, vector),
    "diagonal": (lambda m: np.diagonal(m, 1), lambda m: m.diagonal(1), square),
    "inv": (np.linalg.inv, torch.linalg.inv, batch + 3 * np.eye(3)),
    "solve": (np.linalg.solve, torch.linalg.solve, definite, square),
    "det": (np.linalg.det, torch.linalg.det, batch),
    "slogdet": (lambda m: np.linalg.slogdet(m)[1], lambda m: torch.slogdet(m)[1], batch),
    "cholesky": (
        lambda m: np.linalg.cholesky(symmetric(m)),
        lambda m: torch.linalg.cholesky(symmetric_torch(m)),
        definite,
    ),
    "eigvalsh": (
        lambda m: np.linalg.eigvalsh(symmetric(m)),
        lambda m: torch.linalg.eigvalsh(symmetric_torch(m)),
        batch,
    ),
    "eigh, its projectors": (
        lambda m: np.linalg.eigh(symmetric(m))[1] ** 2,
        lambda m: torch.linalg.eigh(symmetric_torch(m))[1] ** 2,
        definite,
    ),
    "singular values": (
        lambda m: np.linalg.svd(m, compute_uv=False),
        torch.linalg.svdvals,
        tall,
    ),
    "pinv": (np.linalg.pinv, torch.linalg.pinv, tall),
    "qr": (
        lambda m: np.abs(np.linalg.qr(m)[0]),
        lambda m: torch.linalg.qr(m)[0].abs(),
        square,
    ),
    "matrix_power": (
        lambda m: np.linalg.matrix_power(m, 3),
        lambda m: torch.linalg.matrix_power(m, 3),
        square,
    ),
    # Shape, assembly and indexing
    "reshape": (lambda x: x.reshape(2, -1), lambda x: x.reshape(2, -1), x),
    "transpose": (lambda x: x.transpose(2, 0, 1), lambda x: x.permute(2, 0, 1), images),
    "broadcast_to": (
        lambda x: np.broadcast_to(x, (2, 3, 4)),
        lambda x: x.broadcast_to(2, 3, 4),
        row,
    ),
    "concatenate": (
        lambda x, y: np.concatenate([x, y, x]),
        lambda x, y: torch.cat([x, y, x]),
        x,
        y,
    ),
    "stack": (lambda x, y: np.stack([x, y], 1), lambda x, y: torch.stack([x, y], 1), x, y),
    "tile": (lambda x: np.tile(x, (2, 3)), lambda x: x.tile(2, 3), x),
    "repeat": (lambda x: np.repeat(x, 2, 1), lambda x: x.repeat_interleave(2, 1), x),
    "roll": (lambda x: np.roll(x, 2, 1), lambda x: x.roll(2, 1), x),
    "flip": (lambda x: np.flip(x, 1), lambda x: x.flip(1), x),
    "rot90": (np.rot90, torch.rot90, x),
    "triu": (np.triu, torch.triu, square),
    "diff": (lambda x: np.diff(x, 2), lambda x: x.diff(2), x),
    "sort": (lambda x: np.sort(x, axis=0), lambda x: x.sort(0).values, x),
    "take": (lambda x: x[index], lambda x: x[index], x),
    "mask": (lambda x: x[mask], lambda x: x[mask], x),
    "mixed index": (lambda x: x[None, 1:, index], lambda x: x[None, 1:, index], x),
    "take_along_axis": (
        lambda x: np.take_along_axis(x, x.data.argsort(1), 1),
        lambda x: x.gather(1, x.argsort(1)),
        x,
    ),
    "pad": (lambda x: np.pad(x, 1), lambda x: F.pad(x, (1, 1, 1, 1)), x),
    "pad by reflection": (
        lambda x: np.pad(x, (2, 1), mode="reflect"),
        lambda x: F.pad(x[None], (2, 1), mode="reflect")[0],
        vector,
    ),
    "convolve": (
        lambda x, y: np.correlate(x, y, "valid"),
        lambda x, y: F.conv1d(x[None, None], y[None, None])[0, 0],
        vector,
        np.array([0.5, -1.0, 2.0]),
    ),
    # Networks and losses
    "linear": (functional.linear, F.linear, x, draw(size=(2, 4)), draw(size=2)),
    "softmax": (functional.softmax, lambda x: x.softmax(-1), x),
    "log_softmax": (functional.log_softmax, lambda x: x.log_softmax(-1), x),
    "cross_entropy": (
        lambda z: functional.cross_entropy(z, labels),
        lambda z: F.cross_entropy(z, torch.tensor(labels)),
        x,
    ),
    "cross_entropy, summed": (
        lambda z: functional.cross_entropy(z, labels, reduction="sum"),
        lambda z: F.cross_entropy(z, torch.tensor(labels), reduction="sum"),
        10 * x,
    ),
    "mse_loss": (functional.mse_loss, F.mse_loss, x, y),
    "mse_loss of each": (
        lambda x, y: functional.mse_loss(x, y, reduction="none"),
        lambda x, y: F.mse_loss(x, y, reduction="none"),
        x,
        y,
    ),
    "binary_cross_entropy_with_logits": (
        lambda z: functional.binary_cross_entropy_with_logits(z, ones_and_zeros),
        lambda z: F.binary_cross_entropy_with_logits(z, torch.tensor(ones_and_zeros)),
        5 * x,
    ),
    "a perceptron and its loss": (
        lambda W, V: functional.cross_entropy(np.tanh(x @ W) @ V, labels),
        lambda W, V: F.cross_entropy(torch.tanh(torch.tensor(x) @ W) @ V, torch.tensor(labels)),
        draw(size=(4, 2)),
        draw(size=(2, 4)),
    ),
    "attention": (
        lambda q, k, v: functional.softmax(q @ np.swapaxes(k, -1, -2) / 2) @ v,
        F.scaled_dot_product_attention,
        *draw(size=(3, 2, 3, 4)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_same_as_torch(name):
    ours, theirs, *arrays = CASES[name]
    xs = [Tensor(a, requires_grad=True) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, expected = ours(*xs), theirs(*ts)
    same(out, expected)
    w = np.random.default_rng(0).normal(size=out.shape)
    first = gradients(out, xs, w, create_graph=True)
    expected_first = torch.autograd.grad(
        expected, ts, torch.tensor(w), create_graph=True, materialize_grads=True
    )
    same(first, expected_first)
    vs = [np.random.default_rng(i).normal(size=a.shape) for i, a in enumerate(arrays, 1)]
    same(second_by_us(first, xs, vs), second_by_torch(expected_first, ts, vs))


def second_by_us(first, xs, vs):
    along = sum(np.sum(v * g) for v, g in zip(vs, first, strict=True))
    return gradients(along + 0 * np.sum(xs[0]), xs)  # even where the gradient is a constant


def second_by_torch(first, ts, vs):
    along = sum((torch.tensor(v) * g).sum() for v, g in zip(vs, first, strict=True))
    return torch.autograd.grad(along + 0 * ts[0].sum(), ts, materialize_grads=True)


def same(ours, theirs):
    if isinstance(ours, list):
        for one_of_ours, one_of_theirs in zip(ours, theirs, strict=True):
            same(one_of_ours, one_of_theirs)
        return
    found = np.asarray(ours.data if isinstance(ours, Tensor) else ours)
    expected = theirs.detach().numpy()
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    scale = max(1.0, np.max(np.abs(expected), initial=0))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * scale)


def test_about_a_hundred_functions_are_compared():
    assert len(CASES) >= 100
