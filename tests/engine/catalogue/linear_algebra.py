"""Samples of products, diagonals, inverses, determinants, decompositions and norms."""

import functools

import numpy as np

from tinygrad_bp.engine.rules import decompositions
from tinygrad_bp.engine.rules.lengths import root_of_squares
from tinygrad_bp.engine.rules.products import on_diagonal, times_sparse

from .sample import Constant, Sample

random = np.random.default_rng(5)


def array(*shape):
    """Draw numbers away from 0."""
    return random.uniform(0.4, 1.6, shape) * random.choice([-1, 1], shape)


def regular(*shape):
    """Draw matrices whose singular values are apart from each other and from 0."""
    u, _, vt = np.linalg.svd(random.normal(size=shape), full_matrices=False)
    s = np.sort(random.uniform(-0.1, 0.1, u.shape[-1]) + np.arange(1, 1 + u.shape[-1]))
    return u * s @ vt


def pairs(function, *shapes, holomorphic=True, **parameters):
    """List a sample for each pair of shapes."""
    return [Sample(function, (array(*m), array(*n)), parameters, holomorphic) for m, n in shapes]


def singles(function, *inputs, covers=(), holomorphic=False, **parameters):
    """List a sample for each input."""
    return [Sample(function, (x,), parameters, holomorphic, covers=covers) for x in inputs]


def symmetric(function, *inputs, **parameters):
    """List samples of the function of a matrix plus its transpose."""

    @functools.wraps(function)
    def symmetrised(x, **parameters):
        return function(x + np.swapaxes(x, -1, -2), **parameters)

    return singles(
        symmetrised, *inputs, covers=(function, decompositions.eigenvectors), **parameters
    )


def definite(function, *inputs, **parameters):
    """List samples of the function of a positive definite matrix made from any."""

    @functools.wraps(function)
    def made_definite(x, **parameters):
        return function(x @ np.swapaxes(x, -1, -2) + 2 * np.eye(x.shape[-2]), **parameters)

    return singles(made_definite, *inputs, covers=(function,), **parameters)


products = [
    Sample(times_sparse, (array(2, 3), Constant(array(3, 2)))),
    *pairs(np.matmul, ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4))),
    *pairs(np.matmul, ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((2, 3), (4, 3, 2))),
    *pairs(np.matmul, ((4, 2, 3), (3, 2)), ((2, 1, 2, 3), (3, 3, 1)), ((1, 2, 3), (2, 3, 2))),
    *pairs(np.linalg.matmul, ((2, 3), (3, 2))),
    *pairs(np.dot, ((), ()), ((), (2, 3)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,))),
    *pairs(np.dot, ((3,), (3, 2)), ((2, 3), (3, 2)), ((2, 2, 3), (3, 2)), ((2, 3), (4, 3, 2))),
    *pairs(np.dot, ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((2, 2, 3), (2, 3, 2))),
    *pairs(np.inner, ((), ()), ((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,))),
    *pairs(np.inner, ((3,), (2, 3)), ((2, 3), (2, 4, 3))),
    *pairs(np.vdot, ((3,), (3,)), ((2, 3), (6,)), ((), ()), holomorphic=False),
    *pairs(np.outer, ((2,), (3,)), ((2, 2), (3,)), ((), (3,))),
    *pairs(np.linalg.outer, ((2,), (3,))),
    *pairs(np.kron, ((2,), (3,)), ((2, 3), (3, 2)), ((2,), (2, 2)), ((2, 1, 2), (3, 2))),
    *pairs(np.kron, ((), (2, 2))),
    *pairs(np.cross, ((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3))),
    *pairs(np.cross, ((3, 2), (3, 2)), axis=0),
    *pairs(np.cross, ((3, 2), (2, 3)), axisa=0, axisb=1, axisc=0),
    *pairs(np.linalg.cross, ((3, 2), (3, 2)), axis=0),
    *pairs(np.vecdot, ((3,), (3,)), ((2, 1, 3), (4, 3)), holomorphic=False),
    *pairs(np.vecdot, ((3, 2), (3, 1)), holomorphic=False, axis=0, keepdims=True),
    *pairs(np.linalg.vecdot, ((2, 3), (3,)), holomorphic=False),
    *pairs(np.tensordot, ((2, 3, 4), (3, 4, 2)), ((3, 4), (3, 4))),
    *pairs(np.tensordot, ((2, 3), (3, 2)), ((3,), (3, 2)), axes=1),
    *pairs(np.tensordot, ((2,), (3, 2)), ((), (2,)), axes=0),
    *pairs(np.tensordot, ((2, 3, 4), (4, 5, 2)), axes=([0, 2], [2, 0])),
    *pairs(np.tensordot, ((2, 3, 4), (4, 2, 3)), axes=([0, -1, 1], [1, 0, 2])),
    *pairs(np.tensordot, ((3, 2, 4), (2, 5, 3)), axes=((1, 0), (0, -1))),
    *pairs(np.tensordot, ((3, 2), (2, 3)), axes=(0, 1)),
    *pairs(np.linalg.tensordot, ((2, 3, 4), (4, 3)), axes=([1, 2], [1, 0])),
]


def contracted(subscripts, *shapes, **parameters):
    """A sample of einsum."""
    inputs = (subscripts, *(array(*shape) for shape in shapes))
    return Sample(np.einsum, inputs, parameters, holomorphic=True)


x = array(3, 3)
contractions = [
    contracted("ij,jk->ik", (2, 3), (3, 4)),
    contracted("ij, jk", (2, 3), (3, 4)),
    contracted("ba", (2, 3)),
    contracted("ii", (3, 3)),
    contracted("ii->i", (3, 3)),
    contracted("iij->ji", (2, 2, 3)),
    contracted("iii", (2, 2, 2)),
    contracted("iji,j", (2, 3, 2), (3,)),
    contracted("ij->", (2, 3)),
    contracted("ij->j", (2, 3)),
    contracted("i,j->ij", (2,), (3,)),
    contracted("ij,k->i", (2, 3), (2,)),
    contracted(",i->i", (), (3,)),
    contracted("...ij,...jk->...ik", (2, 2, 3), (3, 4)),
    contracted("...ij,...jk", (2, 1, 2, 3), (3, 3, 1)),
    contracted("...i->...", (2, 3)),
    contracted("i...,i...->...", (3, 2), (3, 4, 1)),
    contracted("...ii->...i", (2, 3, 3)),
    contracted("i...j,j->...", (2, 3, 2), (2,)),
    contracted("ij,jk", (2, 1), (3, 2)),
    contracted("ij,ij->ij", (1, 3), (2, 1)),
    contracted("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    contracted("ij,jk,kl->il", (2, 3), (3, 2), (2, 4), optimize=True),
    contracted("b,bi,bij,bj->b", (2,), (2, 3), (2, 3, 2), (2, 2), optimize="optimal"),
    Sample(lambda x: np.einsum("ij,kj,ki->", x, x, x), (x,), holomorphic=True),
]

chains = [
    *(
        Sample(np.linalg.multi_dot, ([array(*shape) for shape in shapes],), holomorphic=True)
        for shapes in [
            [(2, 3), (3, 2)],
            [(3, 2), (2, 4), (4, 1), (1, 2)],
            [(3,), (3, 2), (2, 4), (4,)],
            [(1, 3), (3, 4), (4,)],
        ]
    ),
    *(
        Sample(np.linalg.matrix_power, (regular(*shape), n), holomorphic=True)
        for shape, n in [((3, 3), 5), ((2, 2, 2), 2), ((3, 3), 1), ((3, 3), 0), ((2, 3, 3), -3)]
    ),
]

diagonals = [
    *singles(np.diagonal, x, array(2, 3), array(2, 3, 2), holomorphic=True),
    *singles(np.diagonal, array(3, 4), offset=1, covers=(on_diagonal,)),
    *singles(np.diagonal, array(2, 3, 4), offset=-1, axis1=-1, axis2=1),
    *singles(np.linalg.diagonal, array(2, 3, 4), offset=-1),
    *singles(np.trace, x, array(2, 3), array(2, 3, 2), holomorphic=True),
    *singles(np.trace, array(2, 4, 3), offset=1, axis1=2, axis2=1),
    *singles(np.linalg.trace, array(2, 3, 3), array(2, 4, 3), offset=-1),
    *singles(np.trace, array(2, 3), dtype=float),
    *singles(np.diag, array(3), array(2, 3), holomorphic=True),
    *singles(np.diag, array(2), array(3, 3), k=1),
    *singles(np.diag, array(2), array(3, 3), k=-2),
    *singles(np.diagflat, array(2, 2), array(3), k=-1),
    *singles(on_diagonal, array(2, 2), shape=(3, 2, 3), offset=1, axis1=0, axis2=2),
    *singles(np.linalg.matrix_transpose, array(2, 3, 2), holomorphic=True),
]

square, stack = regular(3, 3), regular(2, 3, 3)
tall, wide, tall_stack, wide_stack = (
    regular(4, 2),
    regular(2, 4),
    regular(2, 3, 2),
    regular(2, 2, 3),
)
rank_one = np.outer([1.0, 2.0, -1.0], [0.5, 1.0, 1.5])


def of_rank_two(function):
    """The function of a matrix of rank two, as a product: its rank does not change."""

    @functools.wraps(function)
    def factored(left, right, *rest, **parameters):
        return function(left @ right, *rest, **parameters)

    return factored


def solution(a, b, rcond):
    """The first of what lstsq gives; of a matrix without full rank the last has no derivative."""
    return np.linalg.lstsq(a, b, rcond)[0]


inverses = [
    *singles(np.linalg.inv, square, stack, holomorphic=True),
    *(
        Sample(np.linalg.solve, (a, array(*shape)), holomorphic=True)
        for a, shape in [
            (square, (3,)),
            (square, (3, 2)),
            (stack, (3,)),
            (stack, (2, 3, 2)),
            (square, (2, 3, 1)),
            (stack, (1, 3, 2)),
        ]
    ),
    *singles(np.linalg.tensorinv, regular(6, 6).reshape(3, 2, 1, 6)),
    *singles(np.linalg.tensorinv, regular(6, 6).reshape(6, 2, 3), ind=1),
    Sample(np.linalg.tensorsolve, (regular(6, 6).reshape(3, 2, 6), array(3, 2))),
    Sample(np.linalg.tensorsolve, (regular(6, 6).reshape(2, 6, 3), array(6)), {"axes": (0, 2)}),
    *singles(np.linalg.pinv, square, tall, wide, tall_stack, wide_stack),
    *singles(np.linalg.pinv, tall, rtol=1e-9),
    Sample(of_rank_two(np.linalg.pinv), (array(4, 2), array(2, 3)), {"rcond": 1e-4}),
    *(
        Sample(np.linalg.lstsq, (a, array(*shape)))
        for a, shape in [(tall, (4,)), (tall, (4, 2)), (wide, (2, 2)), (square, (3,))]
    ),
    Sample(np.linalg.lstsq, (tall, array(4)), {"rcond": 1e-4}),
    Sample(of_rank_two(solution), (array(4, 2), array(2, 3), array(4)), {"rcond": 1e-4}),
]

determinants = [
    *singles(np.linalg.det, square, stack, -square, holomorphic=True),
    *singles(np.linalg.det, stack, covers=(decompositions.cofactors,)),
    *singles(np.linalg.det, rank_one, np.array([[1.0, 2.0], [2.0, 4.0]]), holomorphic=True),
    *singles(np.linalg.det, *(np.zeros((n, n)) for n in (1, 2, 3)), holomorphic=True),
    *singles(
        np.linalg.det, np.stack([np.outer([1, 2, 3, 4], [2, 0, 1, 1]), np.diag([0, 3.0, 2, 1])])
    ),
    *singles(decompositions.cofactors, square, stack, array(2, 2)),
    *pairs(decompositions.second_cofactors, ((3, 3), (3, 3)), holomorphic=False),
    Sample(decompositions.second_cofactors, (stack, array(2, 3, 3))),
    *singles(
        np.linalg.slogdet, square, stack, -square, covers=(decompositions.sign_and_logabsdet,)
    ),
]

decomposed = [
    *definite(np.linalg.cholesky, array(3, 3), array(2, 2, 2), array(1, 1), array(2, 3)),
    *definite(np.linalg.cholesky, array(2, 2, 2), upper=True),
    *singles(np.linalg.cholesky, np.array([[2.0, 9.0], [0.5, 3.0]])),  # the 9.0 is not read
    *singles(np.linalg.cholesky, np.array([[2.0, 0.5], [9.0, 3.0]]), upper=True),
    *singles(np.linalg.cholesky, stack @ np.swapaxes(stack, -1, -2)),
    *singles(np.linalg.eigvalsh, square, stack, covers=(decompositions.eigenvectors,)),
    *singles(np.linalg.eigh, square, stack, covers=(decompositions.eigenvectors,)),
    *singles(np.linalg.eigvalsh, square, stack, UPLO="U"),
    *singles(np.linalg.eigh, square, UPLO="u"),
    *symmetric(np.linalg.eigvalsh, square, stack),
    *symmetric(np.linalg.eigvalsh, square, UPLO="U"),
    *symmetric(np.linalg.eigh, square, stack),
    *symmetric(np.linalg.eigh, stack, UPLO="U"),
    Sample(lambda x: np.sum(np.linalg.eigvalsh(x + x.T)), (np.eye(3),), order=1),  # all equal
    Sample(lambda x: np.sum(np.linalg.eigh(x + x.T).eigenvalues ** 2), (np.eye(3),), order=1),
    Sample(lambda x: np.sum(np.linalg.svd(x)[1] ** 2), (np.eye(3),), order=1),
    *singles(np.linalg.svdvals, square, tall, wide_stack),
    *singles(np.linalg.svd, tall, wide, compute_uv=False),
    *singles(np.linalg.svd, square, stack, covers=(decompositions.singular_vectors,)),
    *singles(np.linalg.svd, tall, wide, tall_stack, wide_stack, full_matrices=False),
    *singles(np.linalg.qr, square, tall, tall_stack, covers=(decompositions.orthonormal,)),
    *singles(np.linalg.qr, wide, wide_stack, mode="reduced"),
    *singles(np.linalg.qr, square, tall, wide, mode="r"),
    *singles(np.linalg.qr, square, wide, mode="complete"),
]

inf = np.inf
norms = [
    *singles(root_of_squares, array(3), array(2, 3)),
    *(Sample(root_of_squares, (array(2, 3),), {"axis": axis}) for axis in (0, 1, (0, 1))),
    Sample(root_of_squares, (array(2, 3),), {"axis": 0, "keepdims": True}),
    *singles(np.linalg.norm, array(3), array(2, 3), array(2, 3, 2), np.array([2.0])),
    *(Sample(np.linalg.norm, (array(4),), {"ord": p}) for p in (2, 1, inf, -inf, 0, 3, -1, 2.5)),
    *(Sample(np.linalg.norm, (array(3, 2), p, 0)) for p in (None, 2, 1, inf, -inf, 0, 3, 0.5, -2)),
    *(
        Sample(np.linalg.norm, (x, p))
        for x in (square, tall, wide)
        for p in ("fro", "nuc", 2, -2, 1, -1, inf, -inf)
    ),
    *(
        Sample(np.linalg.norm, (np.moveaxis(tall_stack, 0, 1), p), {"axis": (2, 0)})
        for p in (None, "fro", "nuc", 2, -2, 1, -1, inf, -inf)
    ),
    *singles(np.linalg.norm, array(2, 3), keepdims=True),
    *singles(np.linalg.norm, array(2, 3), axis=-1, keepdims=True),
    *singles(np.linalg.norm, array(2, 3), axis=(1,), ord=1),
    *(
        Sample(np.linalg.norm, (tall_stack, p), {"axis": (0, 2), "keepdims": True})
        for p in (None, "nuc", -1, inf)
    ),
    *singles(np.linalg.vector_norm, array(3), array(2, 3), ord=3),
    *singles(np.linalg.vector_norm, array(2, 3, 2), axis=(0, 2), keepdims=True),
    *singles(np.linalg.matrix_norm, array(2, 3, 2)),
    *singles(np.linalg.matrix_norm, tall_stack, ord="nuc", keepdims=True),
    *(Sample(np.linalg.cond, (square, p)) for p in (None, 2, -2, 1, -inf, "fro")),
    Sample(np.linalg.cond, (tall_stack,)),
]

SAMPLES = [
    *products,
    *contractions,
    *chains,
    *diagonals,
    *inverses,
    *determinants,
    *decomposed,
    *norms,
]

if hasattr(np, "matvec"):  # NumPy 2.2
    SAMPLES += pairs(np.matvec, ((2, 3), (3,)), ((2, 3), (4, 3)), ((2, 1, 2, 3), (3, 3)))
    SAMPLES += pairs(np.vecmat, ((2,), (2, 3)), ((3, 2), (2, 1, 2, 3)), holomorphic=False)
