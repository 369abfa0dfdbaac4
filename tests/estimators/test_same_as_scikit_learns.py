"""The estimators train as scikit-learn's own do: the same draws, solvers, schedules and words."""

from __future__ import annotations

import signal
from inspect import signature

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import __version__ as sklearn_version
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor

from tests.estimators.test_estimators import diabetes, fast, iris, unsettled
from tinygrad_bp.estimators import MLPClassifier, MLPRegressor
from tinygrad_bp.train import DivergenceError

# The same draws as scikit-learn's


@unsettled
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 20, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-5},
        {"batch_size": 1, "max_iter": 3},
        {"shuffle": False, "batch_size": 32, "activation": "logistic"},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3, "batch_size": 20},
        {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 1e-3},
        {"solver": "lbfgs", "tol": 1e-3},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["three classes", "two classes", "numbers"])
def test_the_same_random_state_gives_the_same_network(kind, options):
    """Drawn weights, shuffled rows, steps and their sizes, and when to stop."""
    X, y = diabetes() if kind == "numbers" else iris()
    y = y > 0 if kind == "two classes" else y
    ours, theirs = (
        (MLPRegressor, TheirRegressor) if kind == "numbers" else (MLPClassifier, TheirClassifier)
    )
    options = {"hidden_layer_sizes": (10, 7), "max_iter": 60, "random_state": 3, **options}
    ours, theirs = ours(**options).fit(X, y), theirs(**options).fit(X, y)
    assert ours.n_iter_ == theirs.n_iter_
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(ours, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)
    if options.get("solver") != "lbfgs":
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)
        assert ours.best_loss_ == pytest.approx(theirs.best_loss_, rel=1e-10)
        assert ours.t_ == theirs.t_


@unsettled
def test_early_stopping_as_theirs():
    """Of numbers, of two classes and of more: the same rows are held out."""
    X, y = diabetes()
    for kinds, targets in (
        ((MLPRegressor, TheirRegressor), y),
        ((MLPClassifier, TheirClassifier), y > 0),
        ((MLPClassifier, TheirClassifier), np.digitize(y, [-0.5, 0.5])),
    ):
        ours, theirs = (
            kind(hidden_layer_sizes=(8,), early_stopping=True, batch_size=40, random_state=1).fit(
                X, targets
            )
            for kind in kinds
        )
        np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, rtol=1e-9)
        assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_)
        assert ours.best_loss_ is theirs.best_loss_ is None


@unsettled
def test_poisson_as_theirs_with_weights():
    X, y = diabetes()
    counts, weights = np.round(np.exp(y)), np.arange(len(y)) % 3
    options = {"loss": "poisson", "hidden_layer_sizes": (6,), "max_iter": 30, "random_state": 0}
    ours, theirs = MLPRegressor(**options), TheirRegressor(**options)
    rows = weights > 0  # of no weight: to ours they are not there
    for model in (ours, theirs):
        model.fit(X[rows], counts[rows], sample_weight=weights[rows])
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-8)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    assert ours.predict(X).min() > 0
    with pytest.raises(ValueError, match=r"loss='poisson' is of counts, and y has the number -"):
        ours.fit(X, y)


# Sparse rows and several labels


@unsettled
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_sparse_rows_are_learned_from_as_dense_ones_are(solver, monkeypatch):
    scipy = pytest.importorskip("scipy.sparse")
    monkeypatch.setattr("tinygrad_bp.estimators.solvers.CHUNK", 64)  # in parts
    X, y = load_digits(return_X_y=True)
    X, y = X[:300], y[:300]
    options = {"solver": solver, "max_iter": 5, "batch_size": 50, "random_state": 0}
    dense, sparse = MLPClassifier((9,), **options), MLPClassifier((9,), **options)
    dense.fit(X, y)
    largest = []
    real = scipy.csr_matrix.toarray
    monkeypatch.setattr(
        scipy.csr_matrix, "toarray", lambda self: largest.append(self.shape[0]) or real(self)
    )
    sparse.fit(scipy.csr_matrix(X), y)
    assert max(largest[1:]) <= 300  # a look at all rows, before any step, goes by thousands
    for a, b in zip(dense.coefs_, sparse.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sparse.predict_proba(scipy.csc_matrix(X)), dense.predict_proba(X))
    assert sparse.model_[0].weight.name == "0.weight"


@unsettled
def test_several_labels_to_a_row():
    X, y = iris()
    labels = np.stack([y == 0, y > 0, X[:, 0] > 0], axis=1).astype(int)
    for weights in (None, 2 * np.ones(len(X))):
        model = fast().fit(X, labels, sample_weight=weights)
        assert model.score(X, labels) > 0.9
        assert model.predict(X).dtype == int
        assert (model.classes_.tolist(), model.n_outputs_) == ([0, 1, 2], 3)
        p = model.predict_proba(X)
        assert p.shape == labels.shape
        np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p)
    theirs = TheirClassifier(**fast().get_params()).fit(X, labels)
    np.testing.assert_allclose(fast().fit(X, labels).loss_curve_, theirs.loss_curve_, rtol=1e-9)


# What can be set, and what is said


@unsettled
def test_weights_that_are_set_are_those_of_the_network():
    X, y = iris()
    model = fast().fit(X, y)
    other = fast().set_params(random_state=1).fit(X, y)
    model.coefs_, model.intercepts_ = other.coefs_, other.intercepts_
    np.testing.assert_array_equal(model.predict_proba(X), other.predict_proba(X))
    model.coefs_[1] = np.zeros((10, 3))
    model.intercepts_[1] = np.log([0.5, 0.25, 0.25])
    np.testing.assert_allclose(model.predict_proba(X), np.tile([0.5, 0.25, 0.25], (len(X), 1)))
    with pytest.raises(ValueError, match=r"2.weight has shape \(10, 3\) .* \(3, 10\) does not fit"):
        model.coefs_[1] = np.zeros((3, 10))
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="does not fit"):  # and the first, which fits, stays
        model.coefs_ = [np.ones((4, 10)), np.ones((3, 10))]
    np.testing.assert_array_equal(model.predict_proba(X), before)


@unsettled
def test_weights_that_are_set_before_the_first_fit_are_where_it_starts():
    X, y = iris()
    whole = MLPClassifier(
        (5,), max_iter=8, random_state=0, solver="sgd", momentum=0, batch_size=150
    )
    start = clone(whole).set_params(max_iter=1, learning_rate_init=1e-12).fit(X, y)
    given = clone(whole).set_params(warm_start=True)
    given.coefs_ = [np.array(W) for W in start.coefs_]
    given.intercepts_ = [np.array(b) for b in start.intercepts_]
    np.testing.assert_allclose(
        given.fit(X, y).predict_proba(X), whole.fit(X, y).predict_proba(X), atol=1e-9
    )


@unsettled
@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({"tol": 1e9}, ["Training loss did not improve", "consecutive epochs. Stopping."]),
        ({"tol": 1e9, "early_stopping": True}, ["Validation score: ", "Validation score did not"]),
        (
            {"tol": 1e9, "learning_rate": "adaptive", "max_iter": 100},
            ["Setting learning rate to 0.04", "Learning rate too small. Stopping."],
        ),
        ({"solver": "lbfgs", "max_iter": 4}, []),
    ],
    ids=str,
)
def test_what_verbose_says(options, lines, capsys):
    X, y = iris()
    model = fast(verbose=True, n_iter_no_change=2).set_params(**options).fit(X, y)
    said = capsys.readouterr().out
    expected = [f"Iteration 1, loss = {model.loss_curve_[0]:.8f}", f"Iteration {model.n_iter_}, "]
    for line in [*expected, *lines]:
        assert line in said
    model.set_params(verbose=False).fit(X, y)
    assert capsys.readouterr().out == ""


def test_lbfgs_that_does_not_end_by_itself_says_so():
    X, y = iris()
    model = MLPClassifier((5,), solver="lbfgs", random_state=0)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 3 iterations"):
        model.set_params(max_iter=3).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="increase max_iter or max_fun"):
        model.set_params(max_iter=200, max_fun=3).fit(X, y)
    assert not hasattr(model, "partial_fit")
    settled = model.set_params(max_fun=15000, tol=1e-2).fit(X, y)
    assert settled.history_.loss.tolist() == settled.loss_curve_
    assert settled.score(X, y) > 0.95


@pytest.mark.parametrize("solver", ["sgd", "lbfgs"])
def test_a_training_that_diverges_is_a_value_error_too(solver):
    X, y = diabetes()
    model = MLPRegressor((5,), "identity", solver=solver, learning_rate_init=1e6, random_state=0)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights") as caught:
        model.fit(1e200 * X, y)
    assert isinstance(caught.value, DivergenceError)
    assert not hasattr(model, "coefs_")


@unsettled
def test_ctrl_c_is_told(monkeypatch):
    """In the first epoch too, of which nothing is left."""
    X, y = iris()
    for epochs in (0, 3):
        calls = []

        def loss(self, *arrays, real=MLPClassifier._mean_loss, last=epochs + 2, calls=calls):
            calls.append(None)
            if len(calls) == last:  # the first is a look at the data
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
            return real(self, *arrays)

        with monkeypatch.context() as patch:
            patch.setattr(MLPClassifier, "_mean_loss", loss)
            with pytest.warns(UserWarning, match="Training interrupted by user"):
                model = fast().fit(X, y)
        assert model.n_iter_ == len(model.loss_curve_) == epochs
        assert model.predict(X).shape == y.shape


# What can be given


def test_the_parameters_are_theirs_in_their_order():
    if tuple(map(int, sklearn_version.split(".")[:2])) < (1, 7):
        pytest.skip("an earlier scikit-learn's regressor has no loss")
    for ours, theirs in ((MLPClassifier, TheirClassifier), (MLPRegressor, TheirRegressor)):
        assert ours().get_params() == theirs().get_params()
        assert list(signature(ours).parameters) == list(signature(theirs).parameters)
    new, old = MLPRegressor("poisson", (5,), "tanh"), MLPRegressor((5,), "tanh", loss="poisson")
    assert new.get_params() == old.get_params() == clone(old).get_params()
    assert (old.loss, old.hidden_layer_sizes, old.activation) == ("poisson", (5,), "tanh")
    assert MLPRegressor((5,)).loss == "squared_error"
    with pytest.raises(TypeError, match="MLPRegressor has no epochs=: write max_iter="):
        MLPRegressor((5,), epochs=3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alpha": -1},
        {"shuffle": "no"},
        {"batch_size": "large"},
        {"solver": "rmsprop"},
        {"verbose": "yes"},
        {"verbose": -1},
        {"validation_fraction": 1},
        {"n_iter_no_change": 0},
    ],
    ids=str,
)
def test_a_wrong_parameter_is_an_error_of_both_kinds_as_theirs(wrong):
    X, y = iris()
    for kind in (MLPClassifier, TheirClassifier):
        with pytest.raises(ValueError, match=next(iter(wrong))) as caught:
            kind(**wrong).fit(X, y)
        assert isinstance(caught.value, TypeError)
