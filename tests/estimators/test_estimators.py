"""The estimators pass scikit-learn's own checks, work in its tools, and train as its own do."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import tinygrad_bp as bp

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.neural_network import MLPRegressor as TheirRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.examples.test_examples import ROOT, line_with, numbers, run
from tinygrad_bp.estimators import MLPClassifier, MLPRegressor
from tinygrad_bp.train import DivergenceError

unsettled = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@unsettled
@parametrize_with_checks(
    [
        MLPClassifier((20, 10), "tanh", solver="sgd", learning_rate_init=0.1, batch_size=32),
        MLPRegressor((20,), "logistic", learning_rate_init=0.05, alpha=0),
    ]
)
def test_passes_scikit_learns_checks(estimator, check):
    check(estimator)


def test_passes_every_check_as_made_without_arguments_and_skips_none():
    """In a process of its own: SciPy decides whether it takes other arrays when it is imported."""
    pytest.importorskip("pandas")
    done = subprocess.run(
        [sys.executable, "-c", ALL_CHECKS],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"SCIPY_ARRAY_API": "1", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    checked, failed = done.stdout.splitlines()
    assert int(checked) > 100
    (skipped,) = eval(failed)  # which scikit-learn's own has not either
    assert skipped[1] == "MLPClassifier does not have a decision_function method."


ALL_CHECKS = """
import warnings
from sklearn.utils.estimator_checks import check_estimator
from tinygrad_bp.estimators import MLPClassifier, MLPRegressor
warnings.simplefilter("ignore")
results = [result for estimator in (MLPClassifier(), MLPRegressor())
           for result in check_estimator(estimator, on_skip=None, on_fail=None)]
print(len(results))
print([(r["check_name"], str(r["exception"])) for r in results if r["status"] != "passed"])
"""


def iris():
    X, y = load_iris(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return StandardScaler().fit_transform(X), (y - y.mean()) / y.std()


# The same training as scikit-learn's


def beside_theirs(ours, theirs, X, y, epochs):
    """Train both from the same weights, all rows to a step; the curves of the loss."""
    options = {"solver": "sgd", "batch_size": len(X), "warm_start": True, "tol": 0, "max_iter": 1}
    ours.set_params(**options).fit(X, y)
    theirs.set_params(**options, shuffle=False).fit(X, y)
    for into, start in zip(
        [*theirs.coefs_, *theirs.intercepts_], [*ours.coefs_, *ours.intercepts_], strict=True
    ):
        assert into.shape == start.shape
        into[:] = start
    more = {"max_iter": epochs, "n_iter_no_change": epochs}
    ours.set_params(**more).fit(X, y)
    theirs.set_params(**more).fit(X, y)
    return ours.loss_curve_[1:], theirs.loss_curve_[1:]


@unsettled
@pytest.mark.parametrize("activation", ["identity", "logistic", "relu", "tanh"])
@pytest.mark.parametrize(
    "options",
    [
        {"alpha": 0.0, "momentum": 0.0},
        {"alpha": 3.0, "momentum": 0.9, "nesterovs_momentum": False},
        {"alpha": 0.5, "momentum": 0.8, "hidden_layer_sizes": (7, 5)},
    ],
)
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_gradient_descent_takes_the_steps_of_scikit_learns(kind, activation, options):
    options = {"hidden_layer_sizes": (6,), "learning_rate_init": 0.05, **options}
    options |= {"activation": activation, "random_state": 0}
    ours, theirs, data = {
        "classifier": (MLPClassifier, TheirClassifier, iris()),
        "regressor": (MLPRegressor, TheirRegressor, diabetes()),
    }[kind]
    ours, theirs = ours(**options), theirs(**options)
    found, expected = beside_theirs(ours, theirs, *data, epochs=30)
    assert len(found) == 30
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    for a, b in zip(ours.coefs_, theirs.coefs_, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10)
    X = data[0][::7]
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-7)
    if kind == "classifier":
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-7)


@unsettled
def test_digits_are_read_at_least_as_well_as_by_scikit_learns():
    """The same five splits, and the same architecture."""
    X, y = load_digits(return_X_y=True)
    right = {MLPClassifier: 0, TheirClassifier: 0}
    for seed in range(5):
        X_train, X_test, y_train, y_test = train_test_split(X / 16, y, random_state=seed)
        for kind in right:
            model = kind((50,), learning_rate_init=0.005, max_iter=60, random_state=seed)
            right[kind] += np.sum(model.fit(X_train, y_train).predict(X_test) == y_test)
    assert right[MLPClassifier] >= right[TheirClassifier] > 0.96 * 5 * len(y_test)


# In scikit-learn's tools


def fast(**options):
    return MLPClassifier(
        (10,), solver="sgd", learning_rate_init=0.2, max_iter=40, tol=0, random_state=0, **options
    )


@unsettled
def test_in_a_pipeline():
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), fast()).fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) > 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


@unsettled
def test_in_a_grid_search():
    X, y = iris()
    grid = {"hidden_layer_sizes": [(2,), (16,)], "learning_rate_init": [1e-6, 0.2]}
    search = GridSearchCV(fast(), grid, cv=3).fit(X, y)
    assert search.best_params_["learning_rate_init"] == 0.2
    assert search.best_score_ > 0.9
    assert search.best_estimator_.coefs_[0].shape[0] == 4


@unsettled
def test_in_cross_validation():
    assert cross_val_score(fast(), *iris(), cv=3).min() > 0.9
    X, y = diabetes()
    regressor = MLPRegressor((8,), learning_rate_init=0.01, max_iter=60, random_state=0)
    assert cross_val_score(regressor, X, y, cv=3).mean() > 0.3


# What a fit leaves


@unsettled
def test_labels_of_any_kind():
    X, y = iris()
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = fast().fit(X, names)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert np.mean(model.predict(X) == names) > 0.95
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))


@unsettled
def test_several_outputs():
    X, y = diabetes()
    both = np.stack([y, -2 * y], axis=1)
    model = MLPRegressor((16,), learning_rate_init=0.01, max_iter=60, random_state=0).fit(X, both)
    assert model.predict(X).shape == both.shape
    assert model.n_outputs_ == 2
    assert model.score(X, both) > 0.4


@unsettled
def test_float32_stays_float32():
    X, y = iris()
    model = fast().fit(X.astype(np.float32), y)
    assert {W.dtype for W in (*model.coefs_, *model.intercepts_)} == {np.dtype(np.float32)}
    assert model.predict_proba(X.astype(np.float32)).dtype == np.float32


@unsettled
def test_the_attributes_of_a_fit():
    X, y = iris()
    model = fast().fit(X, y)
    assert (model.n_features_in_, model.n_outputs_, model.n_iter_) == (4, 3, 40)
    assert [W.shape for W in model.coefs_] == [(4, 10), (10, 3)]
    assert model.loss_curve_ == model.history_.loss.tolist()
    assert model.validation_scores_ is None
    assert isinstance(model.model_, bp.nn.MLP)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))


def test_unfitted():
    for model in (MLPClassifier(), MLPRegressor()):
        with pytest.raises(NotFittedError):
            model.predict(np.ones((2, 3)))


# When it stops


def test_it_warns_when_it_did_not_settle_and_else_not():
    X, y = iris()
    with pytest.warns(ConvergenceWarning, match="max_iter=40 epochs"):
        fast().fit(X, y)
    model = fast().set_params(tol=1e-2, max_iter=400, n_iter_no_change=5).fit(X, y)
    assert model.n_iter_ < 400
    loss = np.array(model.loss_curve_)
    gains = np.minimum.accumulate(loss)[:-1] - loss[1:]  # of each epoch over the best before
    assert (gains[-6:] < 1e-2).all()
    assert gains[-7] >= 1e-2


@unsettled
def test_early_stopping_keeps_the_network_that_scored_best(monkeypatch):
    X, y = load_digits(return_X_y=True)
    options = {"learning_rate_init": 0.05, "n_iter_no_change": 4, "random_state": 3}
    model = MLPClassifier((16,), early_stopping=True, validation_fraction=0.3, **options)
    judged = []
    monkeypatch.setattr(
        MLPClassifier,
        "_score",
        lambda self, outputs, data, real=MLPClassifier._score: (
            judged.append(data) or real(self, outputs, data)
        ),
    )
    model.fit(X, y)
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ == np.argmax(scores) + 1 + 5
    held_out = judged[0]
    assert len(held_out.X) == np.ceil(0.3 * len(X))
    assert np.bincount(held_out.targets).min() > 40  # of each class its share
    assert np.mean(model.predict(held_out.X) == held_out.targets) == max(scores)
    assert scores[-1] <= max(scores)


@unsettled
def test_early_stopping_of_a_regressor_watches_r2():
    X, y = diabetes()
    model = MLPRegressor((16,), learning_rate_init=0.02, early_stopping=True, random_state=0)
    model.fit(X, y)
    assert 0.3 < max(model.validation_scores_) < 0.8
    assert model.n_iter_ == len(model.validation_scores_) < 200


# One epoch at a time


def test_partial_fit_goes_on_where_it_stopped():
    X, y = iris()
    model = MLPClassifier((8,), learning_rate_init=0.01, random_state=0)
    for _ in range(30):
        assert model.partial_fit(X[:100], y[:100], classes=[2, 1, 0]) is model
    assert model.classes_.tolist() == [0, 1, 2]
    assert len(model.loss_curve_) == 30
    assert model.loss_curve_[-1] < model.loss_curve_[0] / 2
    assert model.optimizer_.steps == 30
    assert set(model.predict(X)) <= {0, 1}  # of the third it saw none
    for _ in range(60):
        model.partial_fit(X[100:], y[100:])
    assert 2 in model.predict(X)


@unsettled
def test_partial_fit_of_a_full_batch_is_fit_epoch_by_epoch():
    X, y = diabetes()
    options = {"hidden_layer_sizes": (8,), "batch_size": len(X), "random_state": 0, "tol": 0}
    parts, whole = MLPRegressor(**options), MLPRegressor(**options, max_iter=5).fit(X, y)
    for _ in range(5):
        parts.partial_fit(X, y)
    np.testing.assert_allclose(parts.loss_curve_, whole.loss_curve_, rtol=1e-12)
    np.testing.assert_allclose(parts.predict(X), whole.predict(X), rtol=1e-9)


@unsettled
def test_warm_start_goes_on_and_a_plain_fit_starts_anew():
    X, y = iris()
    warm, cold = fast(warm_start=True), fast()
    for model in (warm, cold):
        model.fit(X, y).fit(X, y)
    assert len(warm.loss_curve_) == 80
    assert len(cold.loss_curve_) == 40
    assert warm.loss_curve_[40] < warm.loss_curve_[0] / 2
    assert cold.loss_curve_ == warm.loss_curve_[:40]


@unsettled
def test_weights_make_rows_count_in_mini_batches():
    """Where labels contradict each other, those with the weight are learned."""
    X = np.repeat(iris()[0], 2, axis=0)
    y = np.tile([0, 1], 150)
    weights = np.tile([1.0, 9.0], 150)
    model = fast(batch_size=30).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1].mean(), 0.9, atol=0.03)
    tenfold = fast(batch_size=30, alpha=0).fit(X, y, sample_weight=10 * weights)
    np.testing.assert_allclose(tenfold.predict_proba(X), model.predict_proba(X), atol=1e-3)


@unsettled
def test_rows_of_no_weight_are_as_if_they_were_not_there():
    X, y = iris()
    weights = (y != 2).astype(float)
    model = fast().fit(X, y, sample_weight=weights)
    assert model.classes_.tolist() == [0, 1]
    without = fast().fit(X[y != 2], y[y != 2])
    np.testing.assert_array_equal(model.predict_proba(X), without.predict_proba(X))


# Bad input


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_layer_sizes": (5, 0)}, "each of hidden_layer_sizes must be at least 1, not 0"),
        ({"hidden_layer_sizes": -3}, "each of hidden_layer_sizes must be at least 1, not -3"),
        ({"hidden_layer_sizes": 2.5}, "each of hidden_layer_sizes must be an integer, not 2.5"),
        ({"activation": "rellu"}, "unknown activation 'rellu': did you mean 'relu'?"),
        ({"solver": "adm"}, "unknown solver 'adm': did you mean 'adam'?"),
        ({"alpha": -1}, "alpha must not be negative, but is -1"),
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"batch_size": "all"}, "batch_size must be an integer, not 'all'"),
        ({"learning_rate_init": 0}, "learning_rate_init must be positive, not 0"),
        ({"max_iter": 0}, "max_iter must be at least 1, not 0"),
        ({"momentum": 1}, "momentum must be from 0 to less than 1, not 1"),
        ({"tol": "small"}, "tol must be a number, not 'small'"),
        ({"n_iter_no_change": 0}, "n_iter_no_change must be at least 1, not 0"),
        ({"early_stopping": True, "validation_fraction": 2.5}, "between 0 and 1, not 2.5"),
        ({"early_stopping": True, "validation_fraction": 0.001}, "fewer than 2 to validate on"),
    ],
)
def test_wrong_parameters_are_refused_and_what_was_fitted_stays(options, message):
    X, y = iris()
    model = fast(early_stopping=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises((ValueError, TypeError)) as error:
        clone(model).set_params(**options).fit(X, y)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises((ValueError, TypeError)):
        model.set_params(**options).fit(X, y[::-1])
    np.testing.assert_array_equal(model.predict_proba(X), before)


@unsettled
@pytest.mark.parametrize("how", ["fit", "warm", "partial_fit", "columns"])
def test_a_fit_that_fails_leaves_the_fit_before_it(how):
    X, y = diabetes()
    model = MLPRegressor((8,), solver="sgd", max_iter=20, batch_size=50, random_state=0).fit(X, y)
    before, curve = model.predict(X), list(model.loss_curve_)
    state = model.optimizer_.state_dict()
    model.set_params(warm_start=how == "warm", learning_rate_init=1e6)
    if how == "columns":
        with pytest.raises(ValueError, match="weight"):
            model.fit(X[:, :3], y, sample_weight=np.zeros(len(y)))
    elif how == "partial_fit":
        model.optimizer_.lr = 1e6
        with pytest.raises(DivergenceError, match="diverged in epoch 1"):
            model.partial_fit(X, y)
    else:
        with pytest.raises(DivergenceError, match="diverged in epoch"):
            model.fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.loss_curve_ == curve
    assert model.optimizer_.state_dict().keys() == state.keys()
    for name, array in model.optimizer_.state_dict().items():
        np.testing.assert_array_equal(array, state[name])


@unsettled
def test_sizes_that_can_be_read_once_are_refused():
    with pytest.raises(TypeError, match="each of hidden_layer_sizes must be an integer"):
        MLPRegressor(n for n in (3, 4)).fit(*diabetes())


@unsettled
def test_wrong_labels_and_weights():
    X, y = iris()
    with pytest.raises(ValueError, match=r"the first partial_fit needs classes="):
        fast().partial_fit(X, y)
    model = fast().partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"classes=\[0, 1\] are not the first's, \[0, 1, 2\]"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"y has labels \[3, 4\] that are not among \[0, 1, 2\]"):
        model.partial_fit(X, np.where(y == 1, 3, y + 2))
    with pytest.raises(ValueError, match="early_stopping"):
        fast(early_stopping=True).partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"validation_fraction=0\.001 of 150 rows leaves fewer"):
        MLPRegressor(early_stopping=True, validation_fraction=0.001).fit(X, y)
    for weights in (-np.ones(150), np.zeros(150)):
        with pytest.raises(ValueError, match=r"[Ww]eight"):
            fast().fit(X, y, sample_weight=weights)


def test_importing_loads_no_scikit_learn_and_using_it_without_is_one_line():
    program = (
        "import sys, tinygrad_bp as bp; assert 'sklearn' not in sys.modules; "
        "assert not hasattr(bp, 'estimator'); "
        "sys.modules['sklearn.base'] = None; bp.estimators"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: the estimators need scikit-learn")
    assert 'pip install "tinygrad_bp[sklearn]"' in last


# The example


def test_digits_side_by_side():
    code, output = run("digits_sklearn.py", "--seeds", 2)
    assert code == 0, output
    assert len([line for line in output.splitlines() if line.startswith("seed")]) == 2
    ours, theirs = (
        numbers(line_with(f"{name:12}  mean accuracy", output))[0]
        for name in ("tinygrad_bp", "scikit-learn")
    )
    assert ours >= theirs > 0.96


def test_digits_side_by_side_without_scikit_learn_says_what_to_install():
    code, output = run("digits_sklearn.py", blocked="sklearn sklearn.datasets")
    assert code == 1
    line = 'this example needs scikit-learn: pip install "tinygrad_bp[examples]"'
    assert output.strip() == line
