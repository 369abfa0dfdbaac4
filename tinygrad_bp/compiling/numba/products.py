"""Products of matrices: by the library, or as sums of products that loops can take in."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ..program import Line
from .lowering import Lowering, Opening, arguments_of, is_real

_FEW = 4  # products over so many columns are written out
_MOST_SUMMED = (1024, 64)  # along each axis in a loop: the library is faster on more
_MOST_MULTIPLIED = 4096  # in a product of each matrix of many


def _inner_product(work: Lowering, line: Line) -> bool:
    """The sum of all products of two arrays of the same shape."""
    x, y = line.operands
    shape = work.kind(x)[0]
    if work.kind(y)[0] != shape or not is_real(line):
        return False
    products = work.step(line, np.multiply, x, y, shape=shape)
    return work.last(line, np.add.reduce, products, axis=None)


def _product(work: Lowering, line: Line) -> bool:
    """A product over few columns, or with one row or column, as a sum that loops can take in."""
    a, b = line.operands
    shapes = work.kind(a)[0], work.kind(b)[0]
    if line.keywords or not all(shapes):
        return False
    if max(map(len, shapes)) > 2:
        return line.function is np.matmul and _products_of_many(work, line)
    if len(shapes[0]) + len(shapes[1]) < 4:
        return _product_with_vector(work, line, *shapes)
    if shapes[0][1] <= _FEW:
        return _outer_products(work, line, shapes[0][1])
    if 1 in line.shape and _thin_product(work, line, shapes[0][1]):
        return True
    few = line.shape[1] <= _FEW and shapes[0][1] <= _MOST_SUMMED[0]
    if few and work.turned(a) is not None:
        return _few_columns(work, line, work.turned(a), shapes[0][1])
    return work.last(line, np.dot, work.dense(a, turned=True), work.dense(b, turned=True))


def _product_with_vector(work: Lowering, line: Line, left: Any, right: Any) -> bool:
    """A product with an array of one axis."""
    a, b = line.operands
    if len(right) == 1:
        products = work.step(line, np.multiply, a, b, shape=left)
        return work.last(line, np.add.reduce, products, axis=-1)
    column = work.step(line, np.reshape, a, (*left, 1), shape=(*left, 1))
    products = work.step(line, np.multiply, column, b, shape=right)
    return work.last(line, np.add.reduce, products, axis=0)


def _outer_products(work: Lowering, line: Line, k: int) -> bool:
    """The sum of the products of each column with its row."""
    a, b = line.operands
    m, n = line.shape
    products = []
    for i in range(k):
        here = slice(i, i + 1)
        column = work.step(line, operator.getitem, a, (slice(None), here), shape=(m, 1))
        row = work.step(line, operator.getitem, b, (here, slice(None)), shape=(1, n))
        if k == 1:
            return work.last(line, np.multiply, column, row)
        products.append(work.step(line, np.multiply, column, row, shape=(m, n)))
    total, *others, final = products
    for product in others:
        total = work.step(line, np.add, total, product, shape=(m, n))
    return work.last(line, np.add, total, final)


def _thin_product(work: Lowering, line: Line, k: int) -> bool:
    """A matrix and a vector, multiplied and summed along the matrix as it lies in memory."""
    a, b = line.operands
    matrix, vector = (b, a) if line.shape[0] == 1 else (a, b)
    turned = work.turned(matrix)
    flipped = turned is not None
    matrix = turned or matrix
    shape = work.kind(matrix)[0]
    axis = int((line.shape[0] != 1) != flipped)  # of the matrix, over which is summed
    if k > _MOST_SUMMED[axis]:
        return False
    along = (1, k) if axis == 1 else (k, 1)
    if work.kind(vector)[0] != along:
        vector = work.step(line, np.transpose, vector, shape=along)
    products = work.step(line, np.multiply, matrix, vector, shape=shape)
    return work.last(line, np.add.reduce, products, axis=axis)


def _few_columns(work: Lowering, line: Line, matrix: Any, k: int) -> bool:
    """Sums over the rows of a matrix, each times a number, for every column."""
    m, n = line.shape
    total: Any = None
    for i in reversed(range(n)):
        part = (slice(None), slice(i, i + 1))
        column = work.step(line, operator.getitem, line.operands[1], part, shape=(k, 1))
        products = work.step(line, np.multiply, matrix, column, shape=(k, m))
        sums = work.step(line, np.add.reduce, products, shape=(m, 1), axis=0)
        here = np.arange(n) == i
        if i == 0:
            return work.last(line, np.where, here, sums, total)
        total = (
            sums if total is None else work.step(line, np.where, here, sums, total, shape=(m, n))
        )
    return False


def _outer(work: Lowering, line: Line) -> bool:
    """All products of an element of one with an element of the other."""
    a, b = (x for x in line.operands)
    (m, n) = line.shape
    column = work.step(line, np.reshape, work.dense(a), (m, 1), shape=(m, 1))
    row = work.step(line, np.reshape, work.dense(b), (1, n), shape=(1, n))
    return work.last(line, np.multiply, column, row)


def _contracted(work: Lowering, line: Line) -> bool:
    """A sum over axes of two arrays as a product of two matrices."""
    found = arguments_of(line, "a", "b", "axes")
    if found is None:
        return False
    a, b, axes = found[0], found[1], 2 if found[2] is None else found[2]
    shapes = work.kind(a)[0], work.kind(b)[0]
    if isinstance(axes, int):
        axes = range(-axes, 0), range(axes)
    pairs = [np.atleast_1d(np.array(x, int)) % len(s) for x, s in zip(axes, shapes, strict=True)]
    rest = [
        [i for i in range(len(s)) if i not in gone] for s, gone in zip(shapes, pairs, strict=True)
    ]
    k = math.prod(shapes[0][i] for i in pairs[0])
    left = _matrix(work, line, a, [*rest[0], *pairs[0].tolist()], k, last=True)
    right = _matrix(work, line, b, [*pairs[1].tolist(), *rest[1]], k, last=False)
    return _multiplied(work, line, left, right)


def _multiplied(work: Lowering, line: Line, left: Any, right: Any) -> bool:
    """The product of two matrices, in the shape of a line."""
    shape = (work.kind(left)[0][0], work.kind(right)[0][1])
    product = work.step(line, np.dot, left, right, shape=shape)
    return work.last(line, np.reshape, product, line.shape)


def _matrix(work: Lowering, line: Line, x: Any, order: list[int], k: int, last: bool) -> Any:
    """An array with its axes in an order, those that are summed over made one."""
    shape = work.kind(x)[0]
    moved = tuple(shape[i] for i in order)
    n = math.prod(shape) // max(k, 1)
    if order != sorted(order):
        keywords = {} if order == [1, 0] else {"axes": tuple(order)}
        x = work.step(line, np.transpose, x, shape=moved, **keywords)
    wanted = (n, k) if last else (k, n)
    return x if moved == wanted else work.step(line, np.reshape, x, wanted, shape=wanted)


def _products_of_many(work: Lowering, line: Line) -> bool:
    """Products of matrices along further axes."""
    a, b = line.operands
    shapes = work.kind(a)[0], work.kind(b)[0]
    if len(shapes[1]) == 2 and len(shapes[0]) > 2:
        rows = math.prod(shapes[0][:-1])
        left = work.step(line, np.reshape, a, (rows, shapes[0][-1]), shape=(rows, shapes[0][-1]))
        return _multiplied(work, line, left, b)
    if min(map(len, shapes)) < 2:
        return False
    m, k = shapes[0][-2:]
    n = shapes[1][-1]
    if m * k * n > _MOST_MULTIPLIED:
        return False
    column, row = (*shapes[0], 1), (*shapes[1][:-2], 1, k, n)
    left = work.step(line, np.expand_dims, a, -1, shape=column)
    right = work.step(line, np.expand_dims, b, -3, shape=row)
    shape = (*line.shape[:-2], m, k, n)
    products = work.step(line, np.multiply, left, right, shape=shape)
    return work.last(line, np.add.reduce, products, axis=len(shape) - 2)


def _einsum(work: Lowering, line: Line) -> bool:
    """A sum of products of two arrays by letters: a product of matrices where it is one."""
    letters, *arrays = line.operands
    if len(arrays) != 2 or line.keywords.keys() - {"optimize"} or not isinstance(letters, str):
        return False
    given, arrow, result = letters.replace(" ", "").partition("->")
    parts = given.split(",")
    if not arrow or "." in given or any(len(set(x)) < len(x) for x in (*parts, result)):
        return False
    gone = [x for x in parts[0] if x in parts[1] and x not in result]
    single = set(parts[0]) ^ set(parts[1])
    if set(result) != single or single | set(gone) != {*parts[0], *parts[1]}:
        return _sum_of_products(work, line, parts, result)
    axes = [[part.index(x) for x in gone] for part in parts]
    natural = "".join(x for x in (*parts[0], *parts[1]) if x not in gone)
    sizes = dict(zip("".join(parts), (n for x in arrays for n in work.kind(x)[0]), strict=True))
    shape = tuple(sizes[x] for x in natural)
    product = work.step(line, np.tensordot, *arrays, axes, shape=shape)
    order = tuple(natural.index(x) for x in result)
    return work.last(line, np.transpose, product, **({} if order == (1, 0) else {"axes": order}))


def _sum_of_products(work: Lowering, line: Line, parts: list[str], result: str) -> bool:
    """By loops over all letters, those that are summed over last."""
    both = dict.fromkeys("".join(parts))
    order = [*result, *(x for x in both if x not in result)]
    sizes: dict[str, int] = {}
    operands = []
    for x, part in zip(line.operands[1:], parts, strict=True):
        shape = work.kind(x)[0]
        sizes |= dict(zip(part, shape, strict=True))
        axes = tuple(sorted(range(len(part)), key=lambda i: order.index(part[i])))
        x = work.step(line, np.transpose, x, shape=[shape[i] for i in axes], axes=axes)
        wide = tuple(sizes[i] if i in part else 1 for i in order)
        operands.append(work.step(line, np.reshape, x, wide, shape=wide))
    whole = tuple(sizes[i] for i in order)
    products = work.step(line, np.multiply, *operands, shape=whole)
    return work.last(line, np.add.reduce, products, axis=tuple(range(len(result), len(order))))


PRODUCTS: dict[Any, Opening] = {
    np.dot: _product,
    np.matmul: _product,
    np.vdot: _inner_product,
    np.outer: _outer,
    np.tensordot: _contracted,
    np.einsum: _einsum,
}
