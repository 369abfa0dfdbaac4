"""Rows are taken by their numbers, and labels are counted exactly."""

import numpy as np
import pytest

from tests.train.training import Table, X, Y
from tinygrad_bp import data


@pytest.mark.parametrize(
    "function",
    [
        lambda X, y: [data.train_test_split(X, y, seed=0)],
        lambda X, y: data.batches(X, y, 2, seed=0),
    ],
)
def test_splits_and_batches_take_rows_by_their_numbers_too(function):
    parts = [np.concatenate([np.ravel(a) for a in part]) for part in function(Table(X), Table(Y))]
    expected = [np.concatenate([np.ravel(a) for a in part]) for part in function(X, Y)]
    np.testing.assert_array_equal(np.concatenate(parts), np.concatenate(expected))


def test_negative_labels_are_told_the_range():
    with pytest.raises(ValueError, match="labels must be 0 to 0, and position 0 holds -1"):
        data.one_hot([-1])


def test_one_hot_takes_no_more_room_than_it_needs():
    rows = data.one_hot([0, 10**6], dtype=np.int8)
    assert rows.shape == (2, 10**6 + 1)
    assert rows.sum(axis=1).tolist() == [1, 1]
    assert rows[1, -1] == 1
