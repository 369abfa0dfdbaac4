"""Losses and activations of narrow integers, other byte orders and other things than numbers."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import data, metrics


@pytest.mark.parametrize("dtype", [">i2", "<i2", ">u2", ">i8"])
def test_labels_in_either_order_of_bytes(dtype):
    logits, labels = np.zeros((2, 2)), np.array([1, 0]).astype(dtype)
    assert bp.functional.cross_entropy(logits, labels) == pytest.approx(np.log(2))
    with pytest.raises(ValueError, match="position 0 holds 256"):
        bp.functional.cross_entropy(logits, 256 * labels)


def test_one_logit_is_not_for_two_classes():
    with pytest.raises(ValueError, match="one logit is for binary_cross_entropy_with_logits"):
        bp.functional.cross_entropy(np.zeros((2, 1)), np.array([0, 1]))


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda f: f.mse_loss(np.int8([-100]), np.int8([100])), 40000.0),
        (lambda f: f.cross_entropy(np.uint8([[0, 5]]), np.array([0])), 5.006715348489118),
        (lambda f: f.softmax(np.uint8([0, 5]))[1], 0.9933071490757153),
        (lambda f: f.log_softmax(np.uint8([0, 5]))[0], -5.006715348489118),
        (lambda f: f.logsumexp(np.int8([-100, 100])), 100.0),
        (lambda f: f.sigmoid(np.int8([-128]))[0], np.exp(-128.0)),
        (lambda f: f.softplus(np.uint8([200]))[0], 200.0),
        (lambda f: f.binary_cross_entropy_with_logits(np.uint8([5]), [1]), np.log1p(np.exp(-5.0))),
        (lambda f: metrics.mae(np.uint8([255]), np.uint8([0])), 255.0),
        (lambda f: metrics.r2(np.uint8([1, 2]), np.uint8([0, 2])), 0.5),
        (lambda f: data.Standardize(np.int8([[-128], [-128]]))([[-128.0]])[0, 0], 0.0),
    ],
)
def test_narrow_integers_do_not_wrap(call, expected):
    assert call(bp.functional) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("x", [np.ones((2, 2)) * 1j, np.full((2, 2), "a"), [[None, None]] * 2])
@pytest.mark.parametrize("name", ["cross_entropy", "mse_loss", "softmax", "log_softmax", "sigmoid"])
def test_functions_of_real_numbers_take_no_others(name, x):
    function = getattr(bp.functional, name)
    targets = {"cross_entropy": [np.array([0, 1])], "mse_loss": [np.ones((2, 2))]}.get(name, [])
    with pytest.raises(TypeError, match="must be real numbers, not "):
        function(x, *targets)
