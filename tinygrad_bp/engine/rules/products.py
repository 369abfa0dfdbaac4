"""Rules of products of vectors, matrices and larger arrays, of convolutions, and of diagonals."""

import string

import numpy as np

from ..arrays import like
from ..registry import primitive, rule
from .indexing import scatter_add

# Products of two


def matmul_by_left(g, out, x, y):
    """``g @ yᵀ``, where an operand without a row or column axis is lent one."""
    if y.ndim == 1:
        return g[..., np.newaxis] * y
    if x.ndim == 1:
        return np.squeeze(y @ g[..., np.newaxis], -1)
    return g @ np.swapaxes(y, -1, -2)


def matmul_by_right(g, out, x, y):
    """``xᵀ @ g``, where an operand without a row or column axis is lent one."""
    if x.ndim == 1:
        return x[:, np.newaxis] * np.expand_dims(g, -2) if y.ndim > 1 else g * x
    if y.ndim == 1:
        return np.squeeze(np.swapaxes(x, -1, -2) @ g[..., np.newaxis], -1)
    return np.swapaxes(x, -1, -2) @ g


rule(np.matmul, matmul_by_left, matmul_by_right, formula=["g @ yᵀ", "xᵀ @ g"])


@primitive
def times_sparse(x, matrix):
    """``x @ matrix`` for a sparse matrix of SciPy's, which is a constant.

    Examples
    --------
    >>> times_sparse(np.array([1.0, 2.0]), np.array([[0.0, 3.0], [4.0, 0.0]]))
    array([8., 3.])
    """
    return np.asarray(x @ matrix)


rule(
    times_sparse,
    lambda g, out, x, matrix: times_sparse(g, matrix.T),
    None,
    formula=["g @ matrixᵀ"],
)


def tensordot_by_left(g, out, x, y, axes=2):
    (x_summed, y_summed), (x_kept, y_kept) = pair_axes(axes, x, y)
    term = np.tensordot(g, y, (range(len(x_kept), g.ndim), y_kept))
    return in_order(term, x_kept + [i for _, i in sorted(zip(y_summed, x_summed, strict=True))])


def tensordot_by_right(g, out, x, y, axes=2):
    (x_summed, y_summed), (x_kept, y_kept) = pair_axes(axes, x, y)
    term = np.tensordot(x, g, (x_kept, range(len(x_kept))))
    return in_order(term, [i for _, i in sorted(zip(x_summed, y_summed, strict=True))] + y_kept)


def pair_axes(axes, x, y):
    """The axes of x and of y that `numpy.tensordot` sums over, and those that it keeps."""
    if not np.iterable(axes):
        axes = range(x.ndim - axes, x.ndim), range(axes)
    pairs = list(zip((x, y), axes, strict=True))
    summed = [[i % z.ndim for i in (each if np.iterable(each) else [each])] for z, each in pairs]
    kept = [[i for i in range(z.ndim) if i not in s] for z, s in zip((x, y), summed, strict=True)]
    return summed, kept


def in_order(x, axes):
    """Move axis ``i`` of x to the place ``axes[i]``."""
    return np.transpose(x, sorted(range(len(axes)), key=axes.__getitem__))


rule(
    np.tensordot,
    tensordot_by_left,
    tensordot_by_right,
    formula=["g · y over the axes of y that are kept", "x · g over the axes of x that are kept"],
)


def dot_by_left(g, out, x, y):
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return g * y
    if np.ndim(y) <= 2:
        return matmul_by_left(g, out, x, y)
    return tensordot_by_left(g, out, x, y, (-1, -2))


def dot_by_right(g, out, x, y):
    if np.ndim(x) == 0 or np.ndim(y) == 0:
        return g * x
    if np.ndim(y) <= 2:
        return matmul_by_right(g, out, x, y)
    return tensordot_by_right(g, out, x, y, (-1, -2))


def inner_by_left(g, out, x, y):
    if np.ndim(g) == 0 or np.ndim(x) == 0 or np.ndim(y) == 0:
        return g * y
    return tensordot_by_left(g, out, x, y, (-1, -1))


def inner_by_right(g, out, x, y):
    if np.ndim(g) == 0 or np.ndim(x) == 0 or np.ndim(y) == 0:
        return g * x
    return tensordot_by_right(g, out, x, y, (-1, -1))


rule(np.dot, dot_by_left, dot_by_right, formula=["g @ yᵀ", "xᵀ @ g"])

rule(np.inner, inner_by_left, inner_by_right, formula=["g @ y", "gᵀ @ x"])

rule(
    np.vdot,
    lambda g, out, x, y: g * np.reshape(y, x.shape),
    lambda g, out, x, y: g * np.reshape(x, y.shape),
    formula=["y", "x"],
)

rule(
    np.outer,
    lambda g, out, x, y: np.reshape(g @ np.ravel(y), x.shape),
    lambda g, out, x, y: np.reshape(np.ravel(x) @ g, y.shape),
    formula=["g @ y", "gᵀ @ x"],
)

# Products of many


def einsum_by(position, g, out, inputs, optimize=False):
    """``g`` contracted with the other operands; what they do not say, constants say.

    Along a letter that no other has, the gradient is the same everywhere: ones.
    Where a letter came twice, the gradient lies on a diagonal: the identity matrix.
    """
    subscripts, operands = in_letters(inputs)
    position = position - 1 if isinstance(inputs[0], str) else position // 2  # among the operands
    *terms, output = spell_out(subscripts, operands)
    own = terms[position]
    length_of = dict(zip(own, np.shape(operands[position]), strict=True))
    terms[position], factors = output, [*operands[:position], g, *operands[position + 1 :]]
    known = {
        letter
        for term, x in zip(terms, factors, strict=True)
        for letter, length in zip(term, np.shape(x), strict=True)
        if length >= length_of.get(letter, 0)
    }
    unused = iter(sorted(set(string.ascii_letters) - set("".join([own, *terms]))))
    wanted = ""
    for letter in own:
        place = next(unused) if letter in wanted else letter
        wanted += place
        if place != letter:
            terms.append(letter + place)
            factors.append(like(np.eye(length_of[letter], dtype=g.dtype), g))
        elif letter not in known:
            terms.append(letter)
            factors.append(like(np.ones(length_of[letter], g.dtype), g))
    return np.einsum(f"{','.join(terms)}->{wanted}", *factors, optimize=bool(optimize))


def spell_out(subscripts, operands):
    """The terms of an einsum, its output last, with a letter for each axis of an ellipsis."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    counts = [
        np.ndim(x) + 3 - len(term) if "..." in term else 0
        for term, x in zip(terms, operands, strict=True)
    ]
    if not arrow:
        letters = inputs.replace(",", "").replace(".", "")
        output = "..." + "".join(sorted(i for i in letters if letters.count(i) == 1))
    dots = "".join(sorted(set(string.ascii_letters) - set(subscripts)))[: max(counts)]
    terms = [t.replace("...", dots[len(dots) - n :]) for t, n in zip(terms, counts, strict=True)]
    return [*terms, output.replace("...", dots)]


def in_letters(inputs):
    """The subscripts of an einsum and its operands; a list of axes after each becomes letters."""
    if isinstance(inputs[0], str):
        return inputs[0], inputs[1:]
    letters = string.ascii_uppercase + string.ascii_lowercase
    pairs = len(inputs) // 2

    def term(axes):
        return "".join("..." if i is Ellipsis else letters[i] for i in axes)

    subscripts = ",".join(map(term, inputs[1 : 2 * pairs : 2]))
    output = "->" + term(inputs[-1]) if len(inputs) % 2 else ""
    return subscripts + output, inputs[: 2 * pairs : 2]


rule(np.einsum, each=einsum_by, formula=["g · the other operands"])

# Diagonals


@primitive
def on_diagonal(g, shape, offset=0, axis1=0, axis2=1):
    """Zeros of ``shape`` with ``g`` on a diagonal: the adjoint of `numpy.diagonal`.

    Examples
    --------
    >>> on_diagonal(np.array([1.0, 2.0]), (2, 3), offset=1)
    array([[0., 1., 0.],
           [0., 0., 2.]])
    """
    rows, columns = shape[axis1], shape[axis2]
    before = min(max(-offset, 0), rows)  # a diagonal below the last row is empty
    around = (len(shape) - 2) * [(0, 0)] + [(before, rows - before - g.shape[-1])]
    on_rows = np.expand_dims(np.pad(g, around), -1)
    diagonal = like(np.eye(rows, columns, offset, dtype=bool), g)
    total = np.where(diagonal, on_rows, 0)
    return np.moveaxis(total, (-2, -1), (axis1, axis2))


rule(
    np.diagonal,
    lambda g, out, x, offset=0, axis1=0, axis2=1: on_diagonal(
        g, shape=x.shape, offset=offset, axis1=axis1, axis2=axis2
    ),
    formula=["g on the diagonal"],
)

rule(
    on_diagonal,
    lambda g, out, x, shape, offset=0, axis1=0, axis2=1: np.diagonal(g, offset, axis1, axis2),
    formula=["the diagonal of g"],
)


def pad_gradient(g, a, v, mode):
    """``g``, which may be of a part of the convolution, with zeros for the rest of it."""
    least = min(np.size(a), np.size(v))
    start = {"full": 0, "same": (least - 1) // 2, "valid": least - 1}[mode]
    return scatter_add(g, slice(start, start + g.size), (np.size(a) + np.size(v) - 1,))


def convolve_by(other, g, a, v, mode):
    """``g`` convolved with the other operand, the other way round."""
    return np.convolve(pad_gradient(g, a, v, mode), np.flip(np.atleast_1d(other)), "valid")


rule(
    np.convolve,
    lambda g, out, a, v, mode="full": convolve_by(v, g, a, v, mode),
    lambda g, out, a, v, mode="full": convolve_by(a, g, a, v, mode),
    formula=["g ∗ flipped y", "g ∗ flipped x"],
)
