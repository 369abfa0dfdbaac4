"""Rules of inverses, determinants and decompositions of matrices, and of norms.

Sources: Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation", 2008, unless another is named. Where NumPy reads one triangle of a symmetric
matrix (`cholesky`, `eigh`, `eigvalsh`), so does the gradient: the other triangle's is 0, and an
element off the diagonal has that of both of the places it stands for. Of ``x + xᵀ`` each has its
share. A result with several arrays, such as `eigh`, is made of primitives that have one each.
"""

import numpy as np

from ..arrays import like
from ..registry import primitive, rule
from .reductions import product_of_others


def T(x):
    """Transpose each matrix of a stack."""
    return np.swapaxes(x, -1, -2)


# Inverses and solutions

rule(np.linalg.inv, lambda g, out, x: -T(out) @ g @ T(out), formula=["-outᵀ @ g @ outᵀ"])


def solve_by_right(g, out, a, b):
    if b.ndim == 1:
        return np.linalg.solve(T(a), g[..., np.newaxis])[..., 0]
    return np.linalg.solve(T(a), g)


def solve_by_left(g, out, a, b):
    by_right = solve_by_right(g, out, a, b)
    if b.ndim == 1:
        return -by_right[..., np.newaxis] * out[..., np.newaxis, :]
    return -by_right @ T(out)


rule(np.linalg.solve, solve_by_left, solve_by_right, formula=["-a⁻ᵀ @ g @ outᵀ", "a⁻ᵀ @ g"])


def pinv_rule(g, out, x, rcond=None, hermitian=False, rtol=None):
    """Of the pseudo-inverse, where the rank is constant.

    Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
    problems whose variables separate", SIAM Journal on Numerical Analysis 10 (1973) 413.
    """
    out_of_columns = T(g) - x @ (out @ T(g))
    out_of_rows = T(g) - (T(g) @ out) @ x
    return out_of_columns @ out @ T(out) + T(out) @ out @ out_of_rows - T(out) @ g @ T(out)


rule(np.linalg.pinv, pinv_rule, formula=["-outᵀ @ g @ outᵀ + what lies outside its ranges"])

# Determinants

rule(
    np.linalg.det,
    lambda g, out, x: g[..., np.newaxis, np.newaxis] * cofactors(x),
    formula=["g cofactors(x)"],
)


@primitive
def cofactors(x):
    """The derivative of the determinant, ``det(x) x⁻ᵀ``, exact for singular matrices too.

    With ``x = u s vᵀ`` it is ``det(u vᵀ) u p vᵀ``, each of ``p`` the product of the other ``s``.

    Examples
    --------
    >>> cofactors(np.array([[1.0, 2.0], [2.0, 4.0]])).round(12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    u, s, vt = np.linalg.svd(x)
    sign = np.linalg.det(u @ vt)[..., np.newaxis, np.newaxis]
    return sign * (u * product_of_others(s, -1)[..., np.newaxis, :]) @ vt


@primitive
def second_cofactors(x, y):
    """The derivative of ``sum(y * cofactors(x))`` by ``x``, exact for singular matrices too.

    With ``x = u s vᵀ``, ``h = uᵀ y v`` and ``p[i, j]`` the product of all ``s`` but the i-th and
    the j-th, 0 where these are one, it is ``det(u vᵀ) u (diag(p diag(h)) - p ∘ hᵀ) vᵀ``.

    Examples
    --------
    >>> second_cofactors(np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[ 4., -3.],
           [-2.,  1.]])
    """
    u, s, vt = np.linalg.svd(x)
    diagonal = like(np.eye(s.shape[-1], dtype=s.dtype), s)
    others = np.where(diagonal, 1, s[..., np.newaxis, :])
    p = product_of_others(others, -1) * (1 - diagonal)
    h = T(u) @ y @ T(vt)
    inner = diagonal * (p @ np.linalg.diagonal(h)[..., np.newaxis]) - p * T(h)
    return np.linalg.det(u @ vt)[..., np.newaxis, np.newaxis] * u @ inner @ vt


def third_cofactors(g, out, x, y):
    """By division by the determinant: infinite or not a number where it is 0 to rounding."""
    is_regular = np.linalg.matrix_rank(x) == x.shape[-1]
    determinant = np.where(is_regular, np.linalg.det(x), 0)[..., np.newaxis, np.newaxis]
    inverse = cofactors(x) / determinant  # transposed
    along_y, along_g, both = (
        np.sum(a * b, axis=(-2, -1), keepdims=True)
        for a, b in ((inverse, y), (inverse, g), (out, g))
    )
    products = inverse @ T(g) @ out + out @ T(g) @ inverse
    return inverse * both + out * along_g - second_cofactors(x, g) * along_y - products


rule(cofactors, lambda g, out, x: second_cofactors(x, g), formula=["second_cofactors(x, g)"])

rule(
    second_cofactors,
    third_cofactors,
    lambda g, out, x, y: second_cofactors(x, g),
    formula=["the third derivative of det x, times y and g", "second_cofactors(x, g)"],
)


@primitive
def sign_and_logabsdet(x):
    """What `numpy.linalg.slogdet` gives, in one array: the signs, then the logarithms."""
    return np.stack(np.linalg.slogdet(x))


rule(
    sign_and_logabsdet,
    lambda g, out, x: g[1, ..., np.newaxis, np.newaxis] * T(np.linalg.inv(x)),
    formula=["g x⁻ᵀ, of the logarithm"],
)

# Symmetric matrices


def fold(term, upper):
    """A symmetric derivative, each element off the diagonal on the place that NumPy reads."""
    return np.triu(term) + np.triu(term, 1) if upper else np.tril(term) + np.tril(term, -1)


def cholesky_rule(g, out, x, upper=False):
    """Murray, "Differentiation of the Cholesky decomposition", 2016, in matrix form."""
    lower, g = (T(out), T(g)) if upper else (out, g)
    inner = T(lower) @ g
    inner = np.tril(inner) + T(np.tril(inner, -1))
    term = np.linalg.solve(T(lower), T(np.linalg.solve(T(lower), inner))) / 2
    return fold(term, upper)


rule(np.linalg.cholesky, cholesky_rule, formula=["out⁻ᵀ sym(outᵀ @ g) out⁻¹, folded"])


@primitive
def eigenvectors(x, UPLO="L"):
    """The eigenvectors of symmetric matrices, as `numpy.linalg.eigh` gives them."""
    return np.linalg.eigh(x, UPLO).eigenvectors


def eigenvectors_rule(g, out, x, UPLO="L"):
    """A gap of 0 between eigenvalues gives what NumPy's arithmetic gives: infinities."""
    term = out @ (T(out) @ g * inverse_gaps(np.linalg.eigvalsh(x, UPLO))) @ T(out)
    return fold((term + T(term)) / 2, UPLO in "Uu")


def inverse_gaps(x):
    """The matrices of ``1 / (x[j] - x[i])``, with 0 on the diagonal."""
    diagonal = like(np.eye(x.shape[-1], dtype=x.dtype), x)
    gaps = x[..., np.newaxis, :] - x[..., :, np.newaxis]
    return (1 - diagonal) / (gaps + diagonal)


def eigvalsh_rule(g, out, x, UPLO="L"):
    """Without a division, so that equal eigenvalues do no harm."""
    v = eigenvectors(x, UPLO=UPLO)
    return fold((v * g[..., np.newaxis, :]) @ T(v), UPLO in "Uu")


rule(eigenvectors, eigenvectors_rule, formula=["sym(out ((outᵀ @ g) / (λⱼ - λᵢ)) outᵀ), folded"])

rule(np.linalg.eigvalsh, eigvalsh_rule, formula=["v diag(g) vᵀ, folded"])

# Singular values


@primitive
def singular_vectors(x):
    """The left singular vectors of each matrix, above its right ones, one pair a column."""
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return np.concatenate([u, T(vt)], axis=-2)


def halves(vectors, x):
    """What `singular_vectors` put together: the left ones and the right ones."""
    return vectors[..., : x.shape[-2], :], vectors[..., x.shape[-2] :, :]


def singular_vectors_rule(g, out, x):
    """The rotation within the known vectors, and out of their span where there is a rest."""
    (u, v), (gu, gv) = halves(out, x), halves(g, x)
    s = np.linalg.svdvals(x)
    row, column = s[..., np.newaxis, :], s[..., :, np.newaxis]
    by_u, by_v = T(u) @ gu, T(v) @ gv
    inner = (by_u - T(by_u)) * row + (by_v - T(by_v)) * column
    term = u @ (inner * inverse_gaps(s * s)) @ T(v)
    if x.shape[-2] > s.shape[-1]:
        term = term + (gu - u @ by_u) / row @ T(v)
    if x.shape[-1] > s.shape[-1]:
        term = term + u / row @ T(gv - v @ by_v)
    return term


def svdvals_rule(g, out, x):
    """Without a division, so that equal singular values do no harm."""
    u, v = halves(singular_vectors(x), x)
    g = g * np.sign(out)  # at 0 a singular value has a kink, as |x| has
    return (u * g[..., np.newaxis, :]) @ T(v)


rule(singular_vectors, singular_vectors_rule, formula=["g / (sⱼ² - sᵢ²), between its u and vᵀ"])

rule(np.linalg.svdvals, svdvals_rule, formula=["u diag(g) vᵀ"])

# Orthogonal and triangular


@primitive
def orthonormal(x):
    """The orthonormal columns of the QR decomposition of matrices as tall as wide, or taller."""
    return np.linalg.qr(x).Q


def orthonormal_rule(g, out, x):
    """Walter and Lehmann, "Algorithmic differentiation of linear algebra functions", 2018."""
    r = T(out) @ x
    inner = -T(g) @ out
    term = g + out @ (np.tril(inner) + T(np.tril(inner, -1)))
    return T(np.linalg.solve(np.triu(r), T(term)))


rule(orthonormal, orthonormal_rule, formula=["(g - out sym(gᵀ @ out)) r⁻ᵀ"])
