"""Whose kind an array is of, and how the terms of gradients get theirs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tinygrad_bp import Tensor
from tinygrad_bp.engine.arrays import (
    as_array,
    asks,
    copied,
    like,
    of_kind,
    overridable,
    unbroadcast,
)

from .foreign import Stranger


def test_what_becomes_an_array():
    assert type(as_array(2.0)) is np.float64
    assert type(as_array(None)) is np.ndarray
    assert as_array([1.0]).base is None
    for kept in (np.float32(1), np.ones(2), Stranger([1.0]), Tensor(1.0)):
        assert as_array(kept) is kept


def test_an_array_like_another():
    eye = np.eye(2)
    for plain in (np.zeros(3), np.float64(1), 2.0, Tensor([1.0])):
        assert like(eye, plain) is eye
    foreign = Stranger([1.0])
    assert like(foreign, foreign) is foreign
    for other in (foreign, Tensor(foreign)):
        assert type(like(eye, other)) is Stranger


def test_another_librarys_array_may_take_a_function_over():
    @overridable
    def shifted(x, by):
        return x + by

    class Own:
        def __array_function__(self, function, types, inputs, keywords):
            return function, types, inputs, keywords

    assert shifted(np.ones(2), 1).tolist() == [2, 2]
    assert shifted(np.float64(1), 1) == 2
    own = Own()
    assert shifted(own, 1) == (shifted, (Own,), (own, 1), {})


def test_only_what_says_so_answers_questions():
    assert not asks(np.zeros(3))
    assert not asks(2.0)


def test_a_copy_keeps_its_type_unless_it_is_given_one():
    for kind in (np.asarray, Stranger):
        array = kind(np.ones(2, np.float32))
        assert copied(array) is not array
        assert copied(array).dtype == np.float32
        assert copied(array, np.float64).dtype == np.float64


@pytest.mark.parametrize("number", [1, 2, 3])
def test_gradients_over_lazy_data_are_computed_together(number):
    dask = pytest.importorskip("dask")
    da = pytest.importorskip("dask.array")
    computed = []

    def counting(graph, keys, **options):
        computed.append(keys)
        return dask.get(graph, keys, **options)

    leaves = [np.zeros((2, i + 1)) for i in range(number)]
    lazy = [da.full(x.shape, i + 0.5) for i, x in enumerate(leaves)]
    with dask.config.set(scheduler=counting):
        found = of_kind(lazy, leaves)
    assert len(computed) == 1
    for i, (g, x) in enumerate(zip(found, leaves, strict=True)):
        assert type(g) is np.ndarray
        assert g.tolist() == np.full(x.shape, i + 0.5).tolist()


SHAPES = [(), (1,), (3,), (2, 1), (1, 3), (2, 3), (1, 1), (4, 1, 3), (4, 2, 1), (1, 2, 3)]


@pytest.mark.parametrize(("given", "other"), [*itertools.product(SHAPES, SHAPES)])
def test_a_term_is_summed_over_all_the_places_that_an_element_went_to(given, other):
    term = np.random.default_rng(0).normal(size=np.broadcast_shapes(given, other))
    value = np.zeros(given, np.float32)
    came_from = np.broadcast_to(np.arange(value.size).reshape(given), term.shape)
    sums = np.bincount(came_from.ravel(), term.ravel(), value.size).reshape(given)
    found = unbroadcast(term, value)
    assert (np.shape(found), found.dtype) == (given, np.float32)
    np.testing.assert_allclose(found, sums, 1e-6, 1e-6)


def test_a_term_that_fits_nothing_is_named():
    with pytest.raises(TypeError, match=r"gave shape \(4,\): .* array of shape \(3,\)"):
        unbroadcast(np.zeros(4), np.zeros(3))
    with pytest.raises(TypeError, match=r"gave 'no array': .* array of shape \(3,\)"):
        unbroadcast("no array", np.zeros(3))
