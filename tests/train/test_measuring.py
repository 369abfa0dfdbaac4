"""What is measured during a training, under which names, and how it is shown."""

import re

import numpy as np
import pytest

from tests.train.training import X, Y, fitted
from tinygrad_bp import metrics, nn, train


@pytest.mark.parametrize("name", ["loss", "seconds"])
def test_a_metric_under_a_name_of_the_historys_own_is_refused(name):
    def metric(outputs, targets):
        return 7.0

    metric.__name__ = name
    with pytest.raises(ValueError, match=f"a metric cannot be called '{name}'"):
        fitted(X, Y, metrics=[metric])


def test_a_history_without_rows_says_that_it_has_no_columns():
    with pytest.raises(ValueError, match="there is no 'loss' yet: no epoch was completed"):
        train.History().loss  # noqa: B018


@pytest.mark.parametrize(
    "name", ["epoch", "loss", "seconds", "validation loss", "error signal of layer 0"]
)
def test_a_metric_takes_no_name_of_the_historys(name):
    def metric(outputs, targets):
        return 0.0

    metric.__name__ = name
    with pytest.raises(ValueError, match=f"a metric cannot be called '{name}'"):
        fitted(X, Y, metrics=[metric])


def test_a_row_of_scores_with_nan_in_it_is_wrong():
    scores = np.array([[np.nan, 0.0], [1.0, 0.0]])
    assert metrics.accuracy(scores, np.array([0, 0])) == 0.5
    assert metrics.accuracy([[1.0, 2.0]], [1]) == 1.0
    with pytest.raises(ValueError, match="accuracy counts classes"):
        metrics.accuracy(np.array([0.5]), np.array([0.5]))


def test_the_bar_has_room_on_a_narrow_line(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    y = (X[:, 0] > 0).astype(int)
    model = nn.MLP([2, 4, 2], seed=0)
    fitted(X, y, model=model, loss="cross_entropy", metrics=["accuracy"], progress=True)
    last = capsys.readouterr().err.split("\r")[-1]
    assert "accuracy" in last
    assert re.search(r"gradient norm \d\S*$", last.strip())
