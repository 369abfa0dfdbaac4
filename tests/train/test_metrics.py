"""Metrics against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.train.metrics import accuracy, mae, mse, r2

random = np.random.default_rng(0)


def test_accuracy_of_scores():
    scores, labels = random.normal(size=(50, 3)), random.integers(0, 3, 50)
    right = sum(
        max(range(3), key=lambda c: row[c]) == y for row, y in zip(scores, labels, strict=True)
    )
    assert accuracy(scores, labels) == right / 50


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_accuracy_of_log_odds(shape):
    logits = np.array([3.0, -1.0, 0.5, -2.0, 1.0, -0.1]).reshape(shape)
    targets = np.array([1, 0, 0, 0, 1, 1]).reshape(shape)
    assert accuracy(logits, targets) == accuracy(logits, targets.astype(float)) == 4 / 6


def test_r2_and_mae():
    sklearn = pytest.importorskip("sklearn.metrics")
    outputs, targets = random.normal(size=(20, 2)), random.normal(size=(20, 2))
    assert r2(outputs, targets) == pytest.approx(sklearn.r2_score(targets, outputs))
    assert mae(outputs, targets) == pytest.approx(np.abs(outputs - targets).sum() / 40)
    assert r2(targets, targets) == 1
    assert r2(np.broadcast_to(targets.mean(axis=0), (20, 2)), targets) == pytest.approx(0)


@pytest.mark.parametrize("metric", [accuracy, r2, mae])
def test_columns_are_not_compared_with_rows(metric):
    with pytest.raises(ValueError, match=rf"{metric.__name__} .* \(4, 1\), .* have \(4,\)"):
        metric(np.ones((4, 1)), np.ones(4))


@pytest.mark.parametrize(
    "outputs", [[[1.0, 2.0], [1, 3], [1, 4]], [[1.0, 2.0], [1.5, 3], [1, 4]], [[1.0, 2.5]] * 3]
)
def test_r2_of_equal_targets_is_scikit_learns(outputs):
    sklearn = pytest.importorskip("sklearn.metrics")
    outputs, targets = np.array(outputs), np.array([[1.0, 2], [1, 3], [1, 4.5]])
    for columns in (slice(None), 0):
        expected = sklearn.r2_score(targets[:, columns], outputs[:, columns])
        assert r2(outputs[:, columns], targets[:, columns]) == pytest.approx(expected)
    assert np.isnan(r2(np.array([np.nan, 1.0]), np.ones(2)))


@pytest.mark.parametrize(
    ("targets", "cure"),
    [(np.eye(3), r"use np\.argmax\(targets, axis=1\)"), (np.ones((3, 1)), r"use targets\[:, 0\]")],
)
def test_labels_of_a_usual_other_shape_are_told_the_cure(targets, cure):
    with pytest.raises(ValueError, match=cure):
        accuracy(np.eye(3), targets)


def test_tensors_that_require_grad_are_measured_as_their_values():
    outputs = bp.Tensor([1.0, 3.0, 2.0], requires_grad=True)
    targets = np.array([1.0, 2.0, 4.0])
    for metric in (mae, mse, r2):
        value = metric(outputs * 1.0, targets)
        assert type(value) is float
        assert value == metric(outputs.data, targets)
    assert accuracy(bp.Tensor([[0.0, 1.0]], requires_grad=True) * 2.0, np.array([1])) == 1.0
