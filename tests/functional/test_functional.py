"""Losses and fused functions: their values, their extremes, and what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    linear,
    log_softmax,
    logsumexp,
    mse_loss,
    sigmoid,
    softmax,
    tanh,
)

LOSSES = (mse_loss, binary_cross_entropy_with_logits)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def leaf(values, **options):
    return bp.Tensor(values, requires_grad=True, **options)


# Values, against the definition written out


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
@pytest.mark.parametrize("bias", [None, np.array(0.5), np.array([1.0, -2.0])])
def test_linear_is_x_times_transposed_weight_plus_bias(shape, bias, rng):
    x, weight = rng.normal(size=shape), rng.normal(size=(2, 3))
    expected = np.einsum("...n,mn->...m", x, weight) + (0 if bias is None else bias)
    np.testing.assert_allclose(linear(x, weight, bias), expected, rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(linear(leaf(x), weight, bias).data, linear(x, weight, bias))


def test_linear_takes_its_arguments_by_name_and_without_bias(rng):
    x, weight, bias = rng.normal(size=(5, 3)), leaf(rng.normal(size=(2, 3))), leaf([1.0, 2.0])
    np.testing.assert_array_equal(linear(x, weight).data, x @ weight.data.T)
    named = linear(x=x, weight=weight, bias=bias)
    np.testing.assert_array_equal(named.data, linear(x, weight, bias).data)
    assert named.rule.name == "linear"


def test_linear_widens_to_the_bias_and_writes_to_no_input():
    x, weight = np.ones((2, 3), np.float32), np.ones((4, 3), np.float32)
    bias = np.ones(4)
    assert linear(x, weight, bias).dtype == np.float64
    assert linear(x, weight, bias.astype(np.float32)).dtype == np.float32
    assert linear(x, weight, 0.5).dtype == np.float32
    assert (x == 1).all()
    assert (bias == 1).all()


def test_softmax_family_by_definition(rng):
    x = rng.normal(size=(4, 3))
    exponentials = np.exp(x)
    total = exponentials.sum(axis=0, keepdims=True)
    np.testing.assert_allclose(softmax(x, axis=0), exponentials / total, rtol=1e-13)
    np.testing.assert_allclose(log_softmax(x, axis=0), np.log(exponentials / total), rtol=1e-12)
    np.testing.assert_allclose(logsumexp(x, axis=0), np.log(total[0]), rtol=1e-13)
    assert logsumexp(x, axis=0, keepdims=True).shape == (1, 3)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_by_definition(reduction, rng):
    def reduced(losses):
        return {"mean": np.mean, "sum": np.sum, "none": np.copy}[reduction](losses)

    x, t = rng.normal(size=(6, 4)), rng.uniform(size=(6, 4))
    labels = rng.integers(4, size=6)
    p = 1 / (1 + np.exp(-x))
    q = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    for found, losses in (
        (mse_loss(x, t, reduction), (x - t) ** 2),
        (
            binary_cross_entropy_with_logits(x, t, reduction),
            -t * np.log(p) - (1 - t) * np.log(1 - p),
        ),
        (cross_entropy(x, labels, reduction), [-np.log(q[i, k]) for i, k in enumerate(labels)]),
    ):
        np.testing.assert_allclose(found, reduced(losses), rtol=1e-12)


def test_activations_are_the_same_on_arrays_and_tensors(rng):
    x = rng.normal(size=5)
    for f in (bp.functional.relu, sigmoid, tanh, bp.functional.softplus):
        np.testing.assert_array_equal(f(leaf(x)).data, f(x))


# Derivatives, to second order


def test_gradients_of_the_losses_by_hand():
    x, labels = leaf([[1.0, 2.0], [0.5, -1.0]]), np.array([0, 1])
    cross_entropy(x, labels).backward()
    expected = (softmax(x.data) - np.eye(2)[labels]) / 2
    np.testing.assert_allclose(x.grad, expected, rtol=1e-14)

    x, t = leaf([1.0, 2.0, 4.0]), leaf([0.0, 0.0, 1.0])
    mse_loss(x, t).backward()
    np.testing.assert_allclose(x.grad, [2 / 3, 4 / 3, 2], rtol=1e-14)
    np.testing.assert_array_equal(t.grad, -x.grad)


def test_hessian_of_cross_entropy_is_the_covariance_of_the_classes(rng):
    z = rng.normal(size=4)
    p = softmax(z)
    hessian = bp.hessian(lambda z: cross_entropy(z, 2))(z)
    np.testing.assert_allclose(hessian, np.diag(p) - np.outer(p, p), rtol=1e-10, atol=1e-15)


def test_hessian_of_binary_cross_entropy(rng):
    z, t = rng.normal(size=3), np.array([0, 1, 0])
    hessian = bp.hessian(lambda z: binary_cross_entropy_with_logits(z, t, "sum"))(z)
    np.testing.assert_allclose(hessian, np.diag(sigmoid(z) * (1 - sigmoid(z))), rtol=1e-12)


def test_labels_may_be_a_tensor_even_when_differentiated_twice(rng):
    z, labels = leaf(rng.normal(size=(3, 4))), bp.Tensor(np.array([0, 3, 1]))
    cross_entropy(z, labels).backward(create_graph=True)
    (z.grad**2).sum().backward()
    assert np.isfinite(z.grad.data).all()


# Extremes


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_cross_entropy_of_far_logits(dtype):
    for logits, label in (([[1000.0, 0.0]], [1]), ([1000.0, 0.0], 1)):
        x = leaf(logits, dtype=dtype)
        with np.errstate(all="raise"):
            loss = cross_entropy(x, label)
            loss.backward()
        assert loss.item() == 1000
        assert loss.dtype == x.grad.dtype == dtype
        np.testing.assert_array_equal(x.grad.ravel(), [1, -1])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_binary_cross_entropy_of_far_logits(dtype):
    x = leaf([1000.0, 1000.0, -1000.0, -1000.0], dtype=dtype)
    with np.errstate(all="raise"):
        losses = binary_cross_entropy_with_logits(x, [0, 1, 0, 1], "none")
        losses.sum().backward()
    assert losses.dtype == x.grad.dtype == dtype
    np.testing.assert_allclose(losses.data, [1000, 0, 0, 1000], atol=1e-30)
    np.testing.assert_allclose(x.grad, [1, 0, 0, -1], atol=1e-30)


def test_softmax_family_with_infinities():
    x = np.array([0.0, -np.inf, 0.0])
    np.testing.assert_array_equal(softmax(x), [0.5, 0, 0.5])
    assert logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    assert logsumexp(np.array([np.inf, 0.0])) == np.inf
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(softmax(np.array([1000.0, 0.0])), [1, 0])
        assert logsumexp(np.array([1000.0, 0.0])) == 1000


def test_a_confident_right_answer_keeps_its_digits():
    """Off by a shift of 30, the loss is exp(-30): nothing is lost to the size of the logits."""
    loss = cross_entropy(np.array([1000.0, 970.0]), 0)
    np.testing.assert_allclose(loss, 0.0, atol=1e-13)
    loss = binary_cross_entropy_with_logits(np.array([30.0]), np.array([1.0]))
    np.testing.assert_allclose(loss, np.log1p(np.exp(-30)), rtol=1e-12)


def test_predictions_that_are_not_finite_are_not_the_targets_fault():
    assert np.isnan(mse_loss(np.array([np.nan]), np.array([0.0])))


# What they refuse, each in one line


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        (np.zeros((3, 1)), np.zeros(3), r"shape \(3, 1\) and targets \(3,\)"),
        (np.zeros(3), np.zeros((3, 1)), r"shape \(3,\) and targets \(3, 1\)"),
        (np.zeros(3), 0.0, r"shape \(3,\) and targets \(\)"),
        (np.zeros((0, 2)), np.zeros((0, 2)), "the batch is empty"),
        (np.zeros(3), [0.0, 1.0, np.nan], "finite, and position 2 holds nan"),
        (np.zeros((2, 2)), [[0.0, 1.0], [np.nan, 0.0]], r"position \(1, 0\) holds nan"),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, leaf])
def test_losses_refuse(loss, predictions, targets, message, kind):
    for reduction in ("mean", "none"):
        with pytest.raises(ValueError, match=message) as caught:
            loss(kind(predictions), targets, reduction)
        assert "\n" not in str(caught.value)


def test_mse_refuses_an_infinite_target():
    with pytest.raises(ValueError, match="position 1 holds -inf"):
        mse_loss(np.zeros(2), [0.0, -np.inf])


@pytest.mark.parametrize("target", [-1, 1.5])
def test_binary_cross_entropy_refuses_what_is_not_a_probability(target):
    with pytest.raises(ValueError, match=f"0 to 1, and position 1 holds {target}"):
        binary_cross_entropy_with_logits(np.zeros(2), [0, target])


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((3, 4)), np.zeros(2, int), r"shape \(3, 4\) and labels \(2,\)"),
        (np.zeros((3, 4)), np.zeros((3, 1), int), r"shape \(3, 4\) and labels \(3, 1\)"),
        (np.zeros((3, 4)), np.zeros((3, 4), int), r"labels \(3, 4\)"),
        (np.zeros(()), 0, r"logits have shape \(\)"),
        (np.zeros((2, 3, 4)), np.zeros((2, 3), int), r"logits have shape \(2, 3, 4\)"),
        (np.zeros((0, 4)), np.zeros(0, int), "the batch is empty"),
        (np.zeros((3, 4)), [0, 4, 1], "4 classes must be 0 to 3, and position 1 holds 4"),
        (np.zeros((3, 4)), [0, 1, -1], "position 2 holds -1"),
        (np.zeros((3, 4)), np.array([0, 1, -1], np.int8), "position 2 holds -1"),
        (np.zeros(4), 4, "holds 4"),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, leaf])
def test_cross_entropy_refuses(logits, labels, message, kind):
    with pytest.raises(ValueError, match=message) as caught:
        cross_entropy(kind(logits), labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [float, bool, object])
def test_cross_entropy_refuses_labels_that_are_not_integers(dtype):
    with pytest.raises(TypeError, match=f"must be integers, not {np.dtype(dtype)}"):
        cross_entropy(np.zeros((2, 3)), np.ones(2, dtype))


def test_an_unknown_reduction_is_named():
    for loss in LOSSES:
        with pytest.raises(ValueError, match="unknown reduction 'average': known are mean"):
            loss(leaf([1.0]), [1.0], reduction="average")


@pytest.mark.parametrize(
    ("x", "weight", "bias"),
    [
        (np.zeros((5, 3)), np.zeros((2, 4)), None),
        (np.zeros(()), np.zeros((2, 3)), None),
        (np.zeros((5, 3)), np.zeros(3), None),
        (np.zeros((5, 3)), np.zeros((2, 3)), np.zeros(3)),
        (np.zeros((5, 3)), np.zeros((2, 3)), np.zeros((5, 2))),
    ],
)
def test_linear_refuses_shapes_that_do_not_fit(x, weight, bias):
    with pytest.raises(ValueError, match="weight of shape"):
        linear(x, weight, bias)


def test_an_error_names_the_tensors():
    logits = leaf(np.zeros((2, 3)), name="scores")
    with pytest.raises(ValueError, match=r"cross_entropy of scores \(2, 3\)"):
        cross_entropy(logits, np.array([0, 3]))


# Halves, unsigned integers, infinities


@pytest.mark.parametrize("count", [70_000, 1_000_000])
def test_a_mean_over_more_elements_than_a_half_can_count(count):
    x, t = leaf(np.full(count, 2.0, np.float16)), np.zeros(count, np.float16)
    loss = mse_loss(x, t)
    loss.backward()
    assert loss.dtype == x.grad.dtype == np.float16
    assert loss.item() == 4
    np.testing.assert_allclose(x.grad[:3], np.float16(4 / count))
    logits, labels = leaf(np.zeros((count, 2), np.float16)), np.zeros(count, int)
    loss = cross_entropy(logits, labels)
    loss.backward()
    np.testing.assert_allclose(loss.item(), np.log(2), rtol=1e-3)
    np.testing.assert_allclose(logits.grad[0], np.float16([-0.5 / count, 0.5 / count]))


def test_weights_of_classes_in_halves():
    x, labels = leaf(np.zeros((70_000, 2), np.float16)), np.zeros(70_000, int)
    loss = cross_entropy(x, labels, weight=[2, 1])
    loss.backward()
    assert loss.dtype == x.grad.dtype == np.float16
    np.testing.assert_allclose(loss.item(), np.log(2), rtol=1e-3)
    np.testing.assert_allclose(x.grad[0, 1], np.float16(0.5 / 70_000))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint64, bool])
def test_targets_learn_from_integer_logits(dtype):
    logits, t = np.array([1, 0, 1], dtype), leaf([0.2, 0.5, 1.0])
    binary_cross_entropy_with_logits(logits, t, "sum").backward()
    np.testing.assert_array_equal(t.grad, [-1, 0, -1])
    t.zero_grad()
    mse_loss(logits, t, "sum").backward()
    np.testing.assert_allclose(t.grad, [-1.6, 1, 0], rtol=1e-15)


@pytest.mark.parametrize(
    ("x", "y"),
    [(-np.inf, -np.inf), (np.inf, np.inf), (np.inf, 0.0), (-np.inf, 0.0), (np.inf, -np.inf)],
)
def test_logsumexp_at_infinities_is_logaddexp(x, y):
    pair, one, other = leaf([x, y]), leaf(x), leaf(y)
    total, expected = logsumexp(pair), np.logaddexp(one, other)
    total.backward()
    expected.backward()
    assert total.item() == expected.item()
    np.testing.assert_allclose(pair.grad, [one.grad, other.grad], atol=1e-200)


def test_logsumexp_is_of_all_elements_unless_an_axis_is_named(rng):
    x = rng.normal(size=(3, 4))
    np.testing.assert_allclose(logsumexp(x), np.log(np.exp(x).sum()), rtol=1e-14)
    assert logsumexp(x, keepdims=True).shape == (1, 1)
    assert logsumexp(x, axis=1).shape == (3,)


# The further losses and activations


def test_weights_of_classes_count_each_row_by_its_class(rng):
    x, labels, weight = rng.normal(size=(6, 3)), np.array([0, 1, 1, 2, 0, 2]), [1.0, 0.0, 3.0]
    losses = cross_entropy(x, labels, "none")
    w = np.array(weight)[labels]
    for reduction, expected in (
        ("none", w * losses),
        ("sum", np.sum(w * losses)),
        ("mean", np.sum(w * losses) / np.sum(w)),
    ):
        np.testing.assert_allclose(cross_entropy(x, labels, reduction, weight), expected)
    even = cross_entropy(x, labels, weight=np.full(3, 7.0))
    np.testing.assert_allclose(even, cross_entropy(x, labels), rtol=1e-14)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0, 2.0], r"each of 3 classes, and it has shape \(2,\)"),
        ([1.0, -1.0, 1.0], "0 or more, and position 1 holds -1"),
        ([1.0, np.nan, 1.0], "position 1 holds nan"),
    ],
)
def test_cross_entropy_refuses_weights(weight, message):
    with pytest.raises(ValueError, match=message):
        cross_entropy(np.zeros((2, 3)), np.array([0, 1]), weight=weight)


def test_huber_is_half_the_square_and_then_a_line():
    x = leaf([-3.0, -0.5, 0.0, 0.5, 3.0])
    losses = bp.functional.huber_loss(x, np.zeros(5), "none", delta=2.0)
    np.testing.assert_allclose(losses.data, [4, 0.125, 0, 0.125, 4])
    losses.sum().backward()
    np.testing.assert_allclose(x.grad, [-2, -0.5, 0, 0.5, 2])
    with pytest.raises(ValueError, match="delta must be positive, not 0"):
        bp.functional.huber_loss([1.0], [0.0], delta=0)


def test_binary_cross_entropy_takes_probabilities(rng):
    logits, t = rng.normal(size=8), rng.uniform(size=8)
    x, z = leaf(sigmoid(logits)), leaf(logits)
    loss, expected = bp.functional.binary_cross_entropy(x, t), None
    expected = binary_cross_entropy_with_logits(z, t)
    np.testing.assert_allclose(loss.data, expected.data, rtol=1e-13)
    loss.backward()
    expected.backward()
    slope = sigmoid(logits) * (1 - sigmoid(logits))
    np.testing.assert_allclose(x.grad * slope, z.grad, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_binary_cross_entropy_of_sure_predictions(dtype):
    p = leaf(np.array([0, 1, 0, 1], dtype))
    losses = bp.functional.binary_cross_entropy(p, np.array([0, 1, 1, 0]), "none")
    np.testing.assert_array_equal(losses.data, [0, 0, 100, 100])
    losses.sum().backward()
    assert np.isfinite(p.grad).all()
    np.testing.assert_array_equal(p.grad[:2], [1, -1])
    for wrong in (-0.1, 1.5):
        with pytest.raises(ValueError, match="predictions must be probabilities, 0 to 1"):
            bp.functional.binary_cross_entropy([0.5, wrong], [0, 1])


def test_activations_by_definition(rng):
    x = rng.normal(size=9) * 3
    np.testing.assert_allclose(bp.functional.silu(x), x / (1 + np.exp(-x)), rtol=1e-13)
    leaky = bp.functional.leaky_relu(x, 0.2)
    np.testing.assert_allclose(leaky, np.where(x > 0, x, 0.2 * x), rtol=1e-15)
    erf = np.array([math.erf(value / math.sqrt(2)) for value in x])
    np.testing.assert_allclose(bp.functional.gelu(x), x * (1 + erf) / 2, atol=1e-3)


def test_leaky_relu_at_the_kink_has_the_slope_of_least_size():
    assert bp.grad(bp.functional.leaky_relu)(0.0) == 0.01


def test_l1_penalty_goes_through_structures():
    a, b = leaf([1.0, -2.0]), leaf(3.0)
    total = bp.functional.l1_penalty({"layers": [(a, None), {"bias": b}]})
    total.backward()
    assert total.item() == 6
    np.testing.assert_array_equal(a.grad, [1, -1])
    assert b.grad == 1
    for nothing in ([], [None], {"a": []}):
        with pytest.raises(ValueError, match="no parameters"):
            bp.functional.l1_penalty(nothing)


@pytest.mark.parametrize(
    ("labels", "cure"),
    [
        (np.zeros((2, 1), int), r"use labels\[:, 0\]"),
        (np.zeros((2, 3), int), r"use np.argmax\(labels, axis=-1\)"),
        (np.zeros(2), r"use labels.astype\(int\)"),
    ],
)
def test_labels_of_a_usual_other_form_are_told_the_cure(labels, cure):
    with pytest.raises((TypeError, ValueError), match=cure):
        cross_entropy(np.zeros((2, 3)), labels)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_weights_of_two_classes_are_those_of_cross_entropy(reduction):
    rng = np.random.default_rng(0)
    x, t, weight = rng.normal(size=9), rng.integers(0, 2, 9), [0.5, 3.0]
    expected = bp.functional.cross_entropy(np.stack([0 * x, x], axis=1), t, reduction, weight)
    of_logits = bp.functional.binary_cross_entropy_with_logits(x, t, reduction, weight)
    np.testing.assert_allclose(of_logits, expected, rtol=1e-12)
    p = bp.functional.sigmoid(x)
    found = bp.functional.binary_cross_entropy(p, t, reduction, weight)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("weight", "message"),
    [([1, 2, 3], r"for each of 2 classes, .* shape \(3,\)"), ([1, -1], "position 1 holds -1.0")],
)
def test_weights_of_two_classes_that_cannot_be(weight, message):
    with pytest.raises(ValueError, match=message):
        bp.functional.binary_cross_entropy_with_logits(np.ones(2), np.ones(2), weight=weight)


def test_absolute_errors():
    x = bp.Tensor([1.0, 5.0, 2.0], requires_grad=True)
    loss = bp.functional.mae_loss(x, np.array([3.0, 5.0, 1.0]))
    loss.backward()
    assert loss.item() == 1.0
    np.testing.assert_array_equal(x.grad, np.array([-1, 0, 1]) / 3)
