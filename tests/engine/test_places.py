"""Indices of every kind of sequence, empty ones, and ones that name a place twice."""

from __future__ import annotations

import array
import collections.abc

import numpy as np
import pytest

import tinygrad_bp as bp


class Sequence(collections.abc.Sequence):
    """No list, no tuple and no array."""

    def __init__(self, *items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


@pytest.mark.parametrize(
    "index",
    [
        ((0, 0), (1, 1)),
        ((0, 0, 1),),
        (Sequence(0, 0),),
        array.array("q", [0, 0]),
        (slice(None), (0, 0, 1)),
        ((True, False),),
        (np.uint8(1), (0, 0)),
    ],
    ids=lambda index: str(index).split(" object at")[0],
)
def test_every_sequence_of_places_may_name_one_twice(index):
    x = bp.Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    given = index if isinstance(index, tuple) else (index,)
    same = tuple(np.array(i) if isinstance(i, tuple | Sequence | array.array) else i for i in given)
    out = x[index]
    np.testing.assert_array_equal(out.data, x.data[same])
    out.sum().backward()
    expected = np.zeros((2, 2))
    np.add.at(expected, same, 1.0)
    np.testing.assert_array_equal(x.grad, expected)


def test_the_hessian_of_what_is_read_twice():
    def f(x):
        return np.sum(x[(0, 0), (1, 1)] ** 2)

    assert bp.hessian(f)(np.eye(2))[0, 1, 0, 1] == 4


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0,)])
def test_an_empty_mask_is_a_mask(shape):
    x = np.zeros(shape)
    found = bp.Tensor(x, requires_grad=True)
    assert found[x > 0].shape == x[x > 0].shape
    with pytest.raises(IndexError, match="arrays used as indices must be of integer"):
        found[np.zeros(0)]
    assert found[[]].shape == x[[]].shape


def test_taking_nothing():
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    assert np.take(x, []).shape == (0,)
