"""Toy data, batches, splits, scales and codes."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_bp as bp
from tinygrad_bp import data, nn
from tinygrad_bp.data.rows import finite

CLASSES = {
    "xor": (data.xor, 2),
    "moons": (data.moons, 2),
    "circles": (data.circles, 2),
    "spirals": (data.spirals, 3),
    "blobs": (data.blobs, 3),
    "checkerboard": (data.checkerboard, 2),
}
NUMBERS = {"sine": data.sine, "linear": data.linear}
ALL = {name: make for name, (make, _) in CLASSES.items()} | NUMBERS


@pytest.mark.parametrize("name", CLASSES)
def test_classes(name):
    make, classes = CLASSES[name]
    X, y = make(241, seed=0)
    assert X.shape == (241, 2)
    assert y.shape == (241,)
    assert X.dtype == np.float64
    assert y.dtype.kind == "i"
    counts = np.bincount(y)
    assert len(counts) == classes
    if name != "checkerboard":
        assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name):
    X, y = NUMBERS[name](31, seed=0)
    assert X.shape == y.shape == (31, 1)


@pytest.mark.parametrize("name", ALL)
def test_the_seed_and_nothing_else_decides(name):
    make = ALL[name]
    state = np.random.get_state()[1].copy()
    (X, y), (X_again, y_again), (X_other, _) = make(20, seed=3), make(20, seed=3), make(20, seed=4)
    np.testing.assert_array_equal(X, X_again)
    np.testing.assert_array_equal(y, y_again)
    assert not np.array_equal(X, X_other)
    assert np.array_equal(np.random.get_state()[1], state)
    generator = np.random.default_rng(3)
    np.testing.assert_array_equal(make(20, seed=generator)[0], X)
    assert not np.array_equal(make(20, seed=generator)[0], X)


@pytest.mark.parametrize("name", ALL)
def test_noise_is_what_is_added(name):
    make = ALL[name]
    (X, y), (X_noisy, y_noisy) = make(4000, noise=0, seed=0), make(4000, noise=0.25, seed=0)
    added = y_noisy - y if name in NUMBERS else X_noisy - X
    assert added.std() == pytest.approx(0.25, rel=0.05)
    assert added.mean() == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((0,), {}, ValueError, "n must be at least 1, not 0"),
        ((-3,), {}, ValueError, "n must be at least 1, not -3"),
        ((2.5,), {}, TypeError, "n must be an integer, not 2.5"),
        ((10,), {"noise": -1}, ValueError, "noise must not be negative, but is -1"),
        ((10,), {"noise": "much"}, TypeError, "noise must be a number, not 'much'"),
    ],
)
def test_errors(name, arguments, options, error, message):
    with pytest.raises(error, match=message) as caught:
        ALL[name](*arguments, **options)
    assert "\n" not in str(caught.value)


def test_shapes_of_the_problems():
    X, y = data.circles(100, noise=0, inner=0.3, seed=0)
    np.testing.assert_allclose(np.hypot(*X.T), np.where(y == 0, 1, 0.3))
    X, y = data.moons(100, noise=0, seed=0)
    np.testing.assert_allclose(np.hypot(*X[y == 0].T), 1)
    np.testing.assert_allclose(np.hypot(*(X[y == 1] - [1, 0.5]).T), 1)
    assert (X[y == 0, 1] >= 0).all()
    assert (X[y == 1, 1] <= 0.5).all()
    X, y = data.spirals(99, classes=3, turns=0, noise=0, seed=0)
    np.testing.assert_allclose(np.arctan2(X[:, 1], X[:, 0]) % (2 * np.pi), 2 * np.pi * y / 3)
    X, y = data.checkerboard(200, squares=2, seed=0)
    np.testing.assert_array_equal(y, (X[:, 0] > 0) ^ (X[:, 1] > 0))
    X, y = data.linear(50, features=3, noise=0, seed=0)
    augmented = np.column_stack([X, np.ones(50)])
    np.testing.assert_allclose(augmented @ np.linalg.lstsq(augmented, y)[0], y)
    X, y = data.xor(100, noise=0, seed=0)
    np.testing.assert_array_equal(y, (X[:, 0] != X[:, 1]))
    assert data.blobs(10, features=5)[0].shape == (10, 5)


# Batches and splits


@given(n=st.integers(1, 40), batch_size=st.integers(1, 50), shuffle=st.booleans())
def test_batches_cover_every_row_once(n, batch_size, shuffle):
    X, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    parts = list(data.batches(X, y, batch_size, shuffle=shuffle, seed=0))
    sizes = [len(part) for part, _ in parts]
    assert sizes == [batch_size] * (n // batch_size) + [n % batch_size] * (n % batch_size > 0)
    together = np.concatenate([labels for _, labels in parts])
    assert sorted(together) == list(range(n))
    for rows, labels in parts:
        np.testing.assert_array_equal(rows, X[labels])  # each with its own label
    if not shuffle:
        np.testing.assert_array_equal(together, y)


def test_the_order_of_batches():
    X = y = np.arange(30)

    def order(**options):
        return np.concatenate([b for _, b in data.batches(X, y, 7, **options)]).tolist()

    assert order(seed=0) == order(seed=0) != order(seed=1)
    assert order(seed=0) != y.tolist()
    generator = np.random.default_rng(0)
    assert order(seed=generator) != order(seed=generator)


@given(n=st.integers(2, 60), share=st.floats(0.01, 0.99), seed=st.integers(0, 5))
def test_a_split_parts_the_rows(n, share, seed):
    X, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    if -(-n * share // 1) >= n:
        with pytest.raises(ValueError, match="must leave rows on both sides"):
            data.train_test_split(X, y, share, seed=seed)
        return
    X_train, X_test, y_train, y_test = data.train_test_split(X, y, share, seed=seed)
    assert sorted([*y_train, *y_test]) == list(range(n))
    assert len(y_test) == -(-n * share // 1)
    np.testing.assert_array_equal(X_train, X[y_train])
    np.testing.assert_array_equal(X_test, X[y_test])


def test_a_split_by_number():
    y = np.arange(10)
    assert len(data.train_test_split(y, y, 3, seed=0)[3]) == 3
    first, again, other = (data.train_test_split(y, y, 3, seed=s)[3].tolist() for s in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("test_size", [0, 1.0, 10, 11, -0.5, 2.5, np.nan, np.inf])
def test_a_split_leaves_rows_on_both_sides(test_size):
    y = np.arange(10) if test_size != 1.0 else np.arange(1)
    with pytest.raises(ValueError, match="must leave rows on both sides"):
        data.train_test_split(y, y, test_size)


@pytest.mark.parametrize("use", [lambda X, y: data.batches(X, y, 2), data.train_test_split])
@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (np.ones((3, 2)), np.ones(2), ValueError, "X has 3 rows and y 2"),
        (np.ones((0, 2)), np.ones(0), ValueError, r"X is empty: it has shape \(0, 2\)"),
        (np.full((2, 2), np.nan), np.ones(2), ValueError, r"X must be finite, and X\[0, 0\]"),
        (np.ones((2, 2)), np.array([1, np.inf]), ValueError, r"y must be finite, and y\[1\] is"),
        ([[1.0], [2.0, 3.0]], np.ones(2), ValueError, "X must have rows of one length, not"),
        (np.ones(1), np.float64(1), TypeError, r"y must be an array with rows, not array\(1.\)"),
    ],
)
def test_rows_that_do_not_fit(use, X, y, error, message):
    with pytest.raises(error, match=message):
        use(X, y)


def test_a_batch_has_rows():
    with pytest.raises(ValueError, match="batch_size must be at least 1, not 0"):
        data.batches(np.ones(3), np.ones(3), 0)


# Scales and codes


def test_standardize():
    X = np.random.default_rng(0).normal(3, [1.0, 20.0], (50, 2))
    standardize = data.Standardize(X)
    Z = standardize(X)
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z.std(axis=0), 1)
    np.testing.assert_allclose(standardize.inverse(Z), X)
    other = np.array([[3.0, 4.0]])
    np.testing.assert_allclose(standardize(other), (other - X.mean(axis=0)) / X.std(axis=0))
    assert standardize(X[:0]).shape == (0, 2)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 + 0.1, -1e-30])
def test_a_constant_feature_moves_to_0(value):
    X = np.column_stack([np.full(7, value), np.arange(7)])
    standardize = data.Standardize(X)
    np.testing.assert_allclose(standardize(X)[:, 0], 0, atol=1e-9)
    np.testing.assert_allclose(standardize.inverse(standardize(X)), X)
    moved = X + 1
    np.testing.assert_allclose(standardize(moved)[:, 0], 1)


def test_standardize_keeps_types_and_shapes():
    X = np.random.default_rng(0).normal(size=(9, 3, 2)).astype(np.float32)
    standardize = data.Standardize(X)
    assert standardize(X).dtype == standardize.inverse(X).dtype == np.float32
    assert standardize.mean.shape == (3, 2)
    np.testing.assert_allclose(data.Standardize([[1, 2], [3, 6]])([[2, 4]]), 0)


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.ones((0, 2)), ValueError, r"X must have rows, and it has shape \(0, 2\)"),
        (1.0, ValueError, r"X must have rows, and it has shape \(\)"),
        ([[1.0, np.nan]], ValueError, r"X must be finite, and X\[0, 1\] is nan"),
        ([[1.0], [-np.inf]], ValueError, r"X must be finite, and X\[1, 0\] is -inf"),
        ([["a"]], TypeError, "X must hold real numbers, not <U1"),
        ([[1j]], TypeError, "X must hold real numbers, not complex128"),
    ],
)
def test_standardize_refuses(X, error, message):
    with pytest.raises(error, match=message):
        data.Standardize(X)


def test_standardize_refuses_other_rows():
    standardize = data.Standardize(np.eye(3))
    for use in (standardize, standardize.inverse):
        with pytest.raises(ValueError, match=r"scaled to shape \(3,\) each, .* shape \(3, 2\)"):
            use(np.ones((3, 2)))


@given(st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_one_hot(labels):
    code = data.one_hot(labels, 7)
    assert code.shape == (len(labels), 7)
    np.testing.assert_array_equal(code.argmax(axis=1), labels)
    np.testing.assert_array_equal(code.sum(axis=1), 1)
    assert data.one_hot(labels).shape == (len(labels), max(labels) + 1)


def test_one_hot_of_other_shapes_and_types():
    assert data.one_hot(np.array([[0, 1], [2, 0]]), dtype=np.float32).shape == (2, 2, 3)
    assert data.one_hot([1], dtype=np.float32).dtype == np.float32
    assert data.one_hot(np.uint8(3)).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("labels", "classes", "error", "message"),
    [
        ([], None, ValueError, "there are no labels"),
        ([0.5], None, TypeError, "labels must be integers, not float64"),
        ([0, -1], None, ValueError, "labels must be 0 to 0, and position 1 holds -1"),
        ([0, 3], 3, ValueError, "labels must be 0 to 2, and position 1 holds 3"),
        ([0], 0, ValueError, "classes must be at least 1, not 0"),
        ([[0], [0, 1]], None, ValueError, "labels must have rows of one length"),
    ],
)
def test_one_hot_refuses(labels, classes, error, message):
    with pytest.raises(error, match=message):
        data.one_hot(labels, classes)


@pytest.mark.parametrize("seed", [-1, "first", 0.5])
@pytest.mark.parametrize(
    "entry",
    [
        lambda seed: data.moons(seed=seed),
        lambda seed: data.train_test_split(np.eye(4), np.arange(4), seed=seed),
        lambda seed: data.batches(np.eye(4), np.arange(4), 2, seed=seed),
        lambda seed: nn.MLP([2, 3, 1], seed=seed),
        lambda seed: nn.Dropout(seed=seed),
        lambda seed: nn.Embedding(3, 2, seed=seed),
    ],
)
def test_a_seed_that_is_none(entry, seed):
    with pytest.raises((TypeError, ValueError)) as caught:
        entry(seed)
    wanted = "seed must be an integer from 0 on, a Generator or None, not"
    assert str(caught.value) == f"{wanted} {seed!r}"


# Tables, and the same share of each label


@pytest.mark.parametrize("test_size", [0.25, 10, 0.9])
def test_a_stratified_split_has_the_same_share_of_each_label(test_size):
    y = np.repeat(["a", "b", "c"], [50, 9, 3])
    rows = np.arange(62)
    train, test, y_train, y_test = data.train_test_split(rows, y, test_size, stratify=y, seed=0)
    assert sorted([*train, *test]) == rows.tolist()
    assert (y_train == y[train]).all()
    assert (y_test == y[test]).all()
    counts = np.array([(y_test == label).sum() for label in "abc"])
    exact = np.array([50, 9, 3]) * len(test) / 62
    assert (np.abs(counts - exact) < 1).all()
    assert (counts > 0).all()
    assert not np.array_equal(test, np.sort(test))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(3), "one label for each of 8 rows, and it has shape (3,)"),
        (np.arange(8), "a row of each of 8 labels: 0 has 1, and 2 of 8 rows are to be held out"),
        (np.arange(8) % 3, "a row of each of 3 labels"),
    ],
)
def test_a_stratified_split_that_cannot_be(labels, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        data.train_test_split(np.eye(8), np.zeros(8), stratify=labels, seed=0)


def table():
    pandas = pytest.importorskip("pandas")
    columns = {"age": np.arange(8.0), "height": np.arange(8), "member": np.arange(8) % 2 == 0}
    return pandas.DataFrame(columns, index=range(100, 108))


def test_a_split_of_a_table_gives_tables_that_keep_their_index():
    frame = table()
    before = frame.copy()
    X_train, X_test, y_train, y_test = data.train_test_split(frame, frame["age"], seed=0)
    assert sorted([*X_train.index, *X_test.index]) == list(range(100, 108))
    assert X_train.index.equals(y_train.index)
    assert X_test["age"].equals(y_test)
    expected = data.train_test_split(frame.to_numpy(float), frame["age"].to_numpy(), seed=0)
    np.testing.assert_array_equal(X_train.to_numpy(float), expected[0])
    assert frame.equals(before)


def test_an_error_names_the_column_of_a_table():
    frame = table()
    assert finite(frame, "X").shape == (8, 3)
    with pytest.raises(ValueError, match=r"X\[3, 0\] is nan \(column 'age'\)"):
        finite(frame.assign(age=frame["age"].where(frame["age"] != 3)), "X")
    text = frame.assign(city="Paris", height="tall")
    message = "its column 'height' does not (nor do 'city'): it begins with 'tall'; leave it out"
    with pytest.raises(TypeError, match=re.escape(message)):
        finite(text, "X")
    whole = frame["age"].astype("Int64")
    assert finite(frame.assign(age=whole), "X").dtype == float
    missing = whole.where(whole != 3)
    for empty, place in ((frame.assign(age=missing), r"\[3, 0\]"), (missing, r"\[3\]")):
        with pytest.raises(ValueError, match=f"X must be finite, and X{place} is nan"):
            finite(empty, "X")


def test_a_scale_is_differentiated_through():
    X = np.array([[1.0, 5.0], [3.0, 9.0]])
    scale = data.Standardize(X)
    there = bp.grad(lambda x: (scale(x) ** 2).sum())(X)
    np.testing.assert_allclose(there, 2 * scale(X) / scale.deviation)
    back = bp.grad(lambda z: scale.inverse(z).sum())(X)
    np.testing.assert_allclose(back, np.tile(scale.deviation, (2, 1)))
