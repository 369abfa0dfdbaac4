"""The estimators over Dask arrays are those over NumPy's, and what they give stays lazy."""

from __future__ import annotations

import numpy as np
import pytest

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
pytest.importorskip("sklearn")
pd = pytest.importorskip("pandas")

from sklearn.exceptions import ConvergenceWarning  # noqa: E402

from tinygrad_bp.estimators import MLPClassifier, MLPRegressor  # noqa: E402
from tinygrad_bp.train.routing import has_blocks  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)

rng = np.random.default_rng(3)
X = rng.normal(size=(60, 3))
CLASSES = (np.sum(X * X, axis=1) > 2.4).astype(int) + (X[:, 0] > 1)
TWO = np.where(X[:, 0] > 0, "yes", "no")
SEVERAL = (X[:, :2] > 0).astype(int)
NUMBERS = X.sum(axis=1)
OPTIONS = {
    "hidden_layer_sizes": (8,),
    "max_iter": 4,
    "random_state": 0,
    "learning_rate_init": 0.05,
}


@pytest.fixture(autouse=True)
def where():
    with dask.config.set(scheduler="synchronous"):
        yield


def lazy(array, rows=10):
    return da.from_array(array, chunks=(rows, *array.shape[1:]))


@pytest.mark.parametrize(
    ("kind", "y", "options"),
    [
        (MLPClassifier, CLASSES, {}),
        (MLPClassifier, TWO, {}),
        (MLPClassifier, SEVERAL, {}),
        (MLPClassifier, CLASSES, {"solver": "sgd", "learning_rate": "invscaling"}),
        (MLPClassifier, CLASSES, {"solver": "lbfgs"}),
        (MLPClassifier, TWO, {"alpha": 1.0, "batch_size": 25}),
        (MLPRegressor, NUMBERS, {"alpha": 1.0, "batch_size": 25}),
        (MLPRegressor, np.stack([NUMBERS, -NUMBERS], axis=1), {}),
        (MLPRegressor, CLASSES, {"loss": "poisson"}),
        (MLPRegressor, NUMBERS, {"solver": "lbfgs", "alpha": 1.0}),
    ],
)
def test_the_fit_is_that_over_numpys_arrays(kind, y, options):
    options = {**OPTIONS, "shuffle": False, "batch_size": 20, **options}
    expected = kind(**options).fit(X, y)
    found = kind(**options).fit(lazy(X), lazy(y, 7))  # y in other blocks than X
    for one, other in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)
    assert found.n_iter_ == expected.n_iter_
    np.testing.assert_allclose(found.loss_curve_, expected.loss_curve_, rtol=1e-9)
    names = ["predict"]
    if kind is MLPClassifier:
        names += ["predict_proba", "predict_log_proba"]
        np.testing.assert_array_equal(found.classes_, expected.classes_)
    for name in names:
        outputs, of_numpy = getattr(found, name)(lazy(X)), getattr(expected, name)(X)
        assert has_blocks(outputs)
        assert outputs.dtype == of_numpy.dtype
        assert outputs.chunks[0] == (10,) * 6
        if of_numpy.dtype.kind == "f":
            np.testing.assert_allclose(outputs.compute(), of_numpy, rtol=1e-6)
        else:
            np.testing.assert_array_equal(outputs.compute(), of_numpy)
    for targets in (lazy(y, 7), y):
        assert found.score(lazy(X), targets) == pytest.approx(expected.score(X, y), rel=1e-9)


def test_partial_fit_goes_on():
    options = {**OPTIONS, "shuffle": False, "batch_size": 20}
    found, expected = MLPClassifier(**options), MLPClassifier(**options)
    for _ in range(3):
        found.partial_fit(lazy(X), lazy(CLASSES), classes=[0, 1, 2])
        expected.partial_fit(X, CLASSES, classes=[0, 1, 2])
    for one, other in zip(found.coefs_, expected.coefs_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_nothing_is_computed_by_prediction_and_each_block_once_for_the_classes():
    made = []

    def labels(i):
        made.append(i)
        return CLASSES[10 * i : 10 * i + 10]

    parts = [da.from_delayed(dask.delayed(labels)(i), (10,), int) for i in range(6)]
    y = da.concatenate(parts)
    classifier = MLPClassifier(**{**OPTIONS, "max_iter": 1}).fit(lazy(X), y)
    assert sorted(made) == sorted(3 * [*range(6)])  # the classes, the epoch, the loss after it
    assert classifier.optimizer_.steps == 6  # by itself, a batch is a block
    made.clear()
    classifier.predict(lazy(X))
    assert not made


def test_early_stopping_holds_out_a_share_of_each_block():
    options = {**OPTIONS, "early_stopping": True, "max_iter": 8}
    once, again = (MLPClassifier(**options).fit(lazy(X), lazy(TWO, 7)) for _ in range(2))
    assert once.validation_scores_ == again.validation_scores_
    assert len(once.validation_scores_) == once.n_iter_
    assert once.best_validation_score_ == max(once.validation_scores_) >= 5 / 6
    regressor = MLPRegressor(**options).fit(lazy(X), lazy(NUMBERS, 7))
    assert regressor.best_validation_score_ == max(regressor.validation_scores_)
    with pytest.raises(ValueError, match="leaves fewer than 2"):
        MLPClassifier(**{**options, "validation_fraction": 0.01}).fit(lazy(X), lazy(TWO))


class Table:
    """A table of Dask's, of which pyarrow is not needed."""

    def __init__(self, array):
        self.array, self.columns = array, list("abc")
        self._meta = pd.DataFrame(np.empty((0, 3)), columns=self.columns)

    def __dask_graph__(self):
        return self.array.__dask_graph__()

    def to_dask_array(self, lengths):
        return self.array


def frame(array):
    frames = pytest.importorskip("dask.dataframe")
    return frames.from_pandas(pd.DataFrame(np.asarray(array), columns=list("abc")), npartitions=4)


@pytest.mark.parametrize("make", [Table, frame])
def test_tables_give_the_names_of_their_columns(make):
    options = {**OPTIONS, "shuffle": False, "batch_size": 20}
    rows = pd.DataFrame(X, columns=list("abc"))
    expected, table = MLPClassifier(**options).fit(rows, TWO), make(lazy(X))
    found = MLPClassifier(**options).fit(table, lazy(TWO, 7))
    assert found.feature_names_in_.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(found.predict(table).compute(), expected.predict(rows))
    assert found.score(table, TWO) == pytest.approx(expected.score(rows, TWO))
    regressor = MLPRegressor(**options).fit(table, NUMBERS)
    expected = MLPRegressor(**options).fit(rows, NUMBERS)
    assert regressor.score(table, NUMBERS) == pytest.approx(expected.score(rows, NUMBERS))
    with pytest.raises(ValueError, match="feature names"):
        found.predict(pd.DataFrame(X, columns=list("abd")))


@pytest.mark.parametrize(
    ("fit", "kind", "message"),
    [
        (lambda c: c.fit(lazy(X), lazy(CLASSES), np.ones(60)), TypeError, "sample_weight is for"),
        (lambda c: c.fit(lazy(X), lazy(CLASSES[:50])), ValueError, "X has 60 rows and y 50"),
        (lambda c: c.fit(lazy(CLASSES), lazy(CLASSES)), ValueError, "X must have shape"),
        (lambda c: c.fit(lazy(X), lazy(NUMBERS)), ValueError, "Unknown label type: continuous"),
        (lambda c: c.fit(lazy(X), lazy(X.astype(int))), ValueError, r"y must have shape \(n,\)"),
        (lambda c: c.fit(lazy(X / 0), lazy(CLASSES)), ValueError, "rows 0 to 9: X must be finite"),
        (
            lambda c: c.partial_fit(lazy(X), lazy(CLASSES), classes=[0, 1]),
            ValueError,
            r"labels \[2\] that are not among \[0, 1\]",
        ),
        (
            lambda c: c.fit(lazy(X), lazy(CLASSES)).predict(lazy(X[:, :2])),
            ValueError,
            "2 features, but MLPClassifier is expecting 3",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning")
def test_what_does_not_fit_is_refused(fit, kind, message):
    with pytest.raises(kind, match=message):
        fit(MLPClassifier(**OPTIONS, shuffle=False))
