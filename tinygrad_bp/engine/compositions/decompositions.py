"""Solutions and decompositions with several results, each made of primitives that have one."""

import math

import numpy as np

from ..registry import compose
from ..rules.decompositions import (
    T,
    eigenvectors,
    halves,
    orthonormal,
    sign_and_logabsdet,
    singular_vectors,
)
from ..rules.types import as_floating, cast, common_dtype


@compose(np.linalg.lstsq)
def lstsq(a, b, rcond=None):
    a, b = as_floating(a), as_floating(b)
    a, b = (cast(x, common_dtype(a, b)) for x in (a, b))
    if rcond is None:
        rcond = np.finfo(a.dtype).eps * max(a.shape)
    x = np.linalg.pinv(a, rcond) @ b
    singular = np.linalg.svdvals(a)
    rank = np.sum(singular > rcond * singular[0], dtype=np.int32)
    residuals = np.sum(np.square(b - a @ x), axis=0, keepdims=np.ndim(b) == 1)
    return x, residuals if rank == a.shape[1] < a.shape[0] else residuals[:0], rank, singular


@compose(np.linalg.tensorinv)
def tensorinv(a, ind=2):
    if ind <= 0:
        raise ValueError(f"np.linalg.tensorinv takes ind > 0 axes together, not {ind}")
    rows = math.prod(a.shape[:ind])
    return np.reshape(np.linalg.inv(np.reshape(a, (rows, -1))), a.shape[ind:] + a.shape[:ind])


@compose(np.linalg.tensorsolve)
def tensorsolve(a, b, axes=None):
    if axes is not None:
        a = np.moveaxis(a, axes, range(-len(axes), 0))
    solution = np.linalg.solve(np.reshape(a, (np.size(b), -1)), np.ravel(b))
    return np.reshape(solution, np.shape(a)[np.ndim(b) :])


SlogdetResult = type(np.linalg.slogdet(np.eye(1)))


@compose(np.linalg.slogdet)
def slogdet(a):
    return SlogdetResult(*sign_and_logabsdet(a))


EighResult = type(np.linalg.eigh(np.eye(1)))


@compose(np.linalg.eigh)
def eigh(a, UPLO="L"):
    return EighResult(np.linalg.eigvalsh(a, UPLO), eigenvectors(a, UPLO=UPLO))


SVDResult = type(np.linalg.svd(np.eye(1)))


@compose(np.linalg.svd)
def svd(a, full_matrices=True, compute_uv=True, hermitian=False):
    if hermitian:
        raise TypeError("np.linalg.svd with hermitian=True has no derivative rule: leave it out")
    if not compute_uv:
        return np.linalg.svdvals(a)
    if full_matrices and a.shape[-2] != a.shape[-1]:
        raise TypeError(
            f"np.linalg.svd of shape {a.shape} with full_matrices=True is not differentiable: "
            "the vectors that it adds are arbitrary; pass full_matrices=False"
        )
    u, v = halves(singular_vectors(a), a)
    return SVDResult(u, np.linalg.svdvals(a), T(v))


QRResult = type(np.linalg.qr(np.eye(1)))


@compose(np.linalg.qr)
def qr(a, mode="reduced"):
    if mode not in {"reduced", "r"} and not (mode == "complete" and a.shape[-2] <= a.shape[-1]):
        raise TypeError(
            f"np.linalg.qr of shape {a.shape} with mode={mode!r} is not differentiable; "
            "use mode='reduced' or mode='r'"
        )
    q = orthonormal(a[..., :, : a.shape[-2]])  # of a wide matrix the first columns decide
    r = np.triu(T(q) @ a)
    return r if mode == "r" else QRResult(q, r)
