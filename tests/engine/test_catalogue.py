"""The generic suite: every registered function, on every sample, by every check."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_bp.engine.registry import COMPOSITIONS, METHODS, RULES, Each
from tinygrad_bp.engine.signatures import full_name

from .catalogue import ALL_SAMPLES, SAMPLES_OF, checks
from .catalogue.sample import Sample

of_every_sample = pytest.mark.parametrize("sample", ALL_SAMPLES, ids=str)


@of_every_sample
def test_first_order(sample):
    checks.first_order(sample)
    checks.tensor_mode(sample)


@of_every_sample
def test_second_order(sample):
    if sample.order >= 2:
        checks.second_order(sample)
        checks.forward_over_forward(sample)


@of_every_sample
def test_third_order(sample):
    if sample.function is np.linalg.det and not np.linalg.det(sample.arrays[0]).all():
        with np.errstate(all="ignore"):  # of a singular matrix only the first two are exact
            assert np.isnan(checks.derivatives_along(sample, sample.arrays, 3)[2])
    elif sample.order >= 2:
        checks.third_order(sample)


@of_every_sample
def test_linearity_and_forward_mode(sample):
    checks.linear(sample)
    checks.forward_mode(sample)


@of_every_sample
def test_single_precision(sample):
    checks.single_precision(sample)


@pytest.mark.parametrize("sample", [s for s in ALL_SAMPLES if s.holomorphic], ids=str)
def test_complex_step(sample):
    checks.complex_step(sample)


def test_every_registered_function_has_a_sample():
    missing = [full_name(f) for f in (*RULES, *COMPOSITIONS) if not SAMPLES_OF[f]]
    methods = {function[1] for function in SAMPLES_OF if isinstance(function, tuple)}
    missing += sorted(METHODS.keys() - methods - {"at", "reduceat"})  # which are refused
    assert not missing, f"add samples to tests/catalogue for {', '.join(sorted(missing))}"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_derivative_has_a_formula(rule):
    if isinstance(rule.derivatives, Each):
        assert len(rule.formulas) == 1
    else:
        differentiable = [i for i, d in enumerate(rule.derivatives) if d is not None]
        assert len(rule.formulas) > max(differentiable)
    assert all(isinstance(formula, str) and formula for formula in rule.formulas)


# Shapes and axes that nobody thought of

drawn = settings(max_examples=60, deadline=None, derandomize=True, database=None)
shapes = hnp.array_shapes(min_dims=0, max_dims=4, max_side=3)


def distinct(shape):
    """An array of distinct positive numbers in no order, far from each other and from integers."""
    numbers = 0.3 + 0.53 * np.random.default_rng(5).permutation(math.prod(shape))
    return numbers.reshape(shape)


def check(function, *inputs, **parameters):
    sample = Sample(function, inputs, parameters)
    checks.first_order(sample)
    checks.second_order(sample)
    checks.forward_over_forward(sample)
    checks.tensor_mode(sample)
    checks.forward_mode(sample)
    checks.single_precision(sample)


@drawn
@given(
    st.sampled_from([np.add, np.multiply, np.divide, np.arctan2, np.hypot, np.maximum, np.power]),
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3),
)
def test_broadcasting(function, shapes):
    x, y = map(distinct, shapes.input_shapes)
    check(function, x / 5, (y + 0.11) / 5)


@drawn
@given(
    st.sampled_from([np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std, np.ptp, np.median]),
    shapes,
    st.booleans(),
    st.data(),
)
def test_reductions(function, shape, keepdims, data):
    axis = data.draw(st.none() | hnp.valid_tuple_axes(len(shape), min_size=1 if shape else 0))
    if axis is not None and len(axis) == 1 and data.draw(st.booleans()):
        axis = axis[0]
    x = distinct(shape) / 3
    over = range(x.ndim) if axis is None else np.atleast_1d(axis).astype(int)
    if function is np.std and math.prod(shape[i] for i in over) == 1:
        return  # a standard deviation of 0 has no derivative
    check(function, x, axis=axis, keepdims=keepdims)


@drawn
@given(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, max_side=3))
def test_matmul(shapes):
    check(np.matmul, *map(distinct, shapes.input_shapes))


@drawn
@given(shapes, st.lists(st.integers(1, 3), max_size=2), st.data())
def test_tensordot(shape, others, data):
    summed = data.draw(st.integers(0, len(shape)))
    axes = data.draw(st.permutations(range(len(shape))))[:summed]
    places = data.draw(st.permutations(range(summed + len(others))))
    sides = [shape[axis] for axis in axes] + others
    y = distinct([sides[place] for place in places])
    check(np.tensordot, distinct(shape), y, axes=(axes, [places.index(i) for i in range(summed)]))


@drawn
@given(shapes, st.data())
def test_reshape_and_transpose(shape, data):
    x = distinct(shape)
    order = data.draw(st.permutations(range(x.ndim)))
    axes = [axis - x.ndim * data.draw(st.booleans()) for axis in order]
    sides = data.draw(st.permutations(shape))
    if sides:
        sides[data.draw(st.integers(0, len(sides) - 1))] = -1

    def moved(x):
        return np.reshape(np.transpose(x, axes), sides) * np.arange(1.0, 1 + x.size).reshape(sides)

    check(moved, x)
