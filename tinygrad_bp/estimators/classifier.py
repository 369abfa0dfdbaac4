"""A multilayer perceptron that tells classes apart, in scikit-learn's interface."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.multiclass import check_classification_targets

from ..functional import cross_entropy, log_softmax, softmax
from .base import MultilayerPerceptron, Rows


class MLPClassifier(ClassifierMixin, MultilayerPerceptron):
    """A multilayer perceptron that tells classes apart.

    Its outputs are the logits of as many classes as it has seen, its loss the cross-entropy with
    ``alpha / 2 · Σ W²`` added for each batch. The parameters mean what they mean to
    ``sklearn.neural_network.MLPClassifier``. An X of float32 makes a network of float32.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        The length of each hidden layer; ``()`` makes a linear model.
    activation : {'identity', 'logistic', 'relu', 'tanh'}
        Or another name that `nn.MLP` knows.
    solver : {'adam', 'sgd'}
    alpha : float
        The strength of the L2 penalty on the weights.
    batch_size : int or 'auto'
        Rows to a step; 'auto' is 200. All rows, if there are no more.
    learning_rate_init : float
        The step size.
    max_iter : int
        How many epochs at most.
    random_state : int, RandomState or None
        The same integer gives the same network.
    tol : float
        What is too little progress of the loss, or with ``early_stopping`` of the score.
    verbose : bool
        Whether to show a bar.
    warm_start : bool
        Whether another `fit` goes on with the network there is.
    momentum : float
    nesterovs_momentum : bool
        Both for 'sgd' alone.
    early_stopping : bool
        Hold rows out, watch the score on them, and keep the network that scored best.
    validation_fraction : float
        Which share of the rows to hold out.
    n_iter_no_change : int
        Stop after more epochs than this, one after the other, without enough progress.

    Attributes
    ----------
    classes_ : array
        The labels, in the order of the columns of `predict_proba`.
    coefs_, intercepts_ : list of arrays
        Weights and biases of each layer.
    history_ : History
        Of the last fit, to plot or to save.
    loss_curve_ : list of float
        The mean loss of each epoch.
    model_ : nn.MLP
        The network, to draw, to save or to differentiate.
    n_features_in_, n_outputs_, n_iter_ : int
        Columns of X, columns of the output, epochs of the last fit.
    feature_names_in_ : array
        The names of the columns, if X was a table that has some.
    optimizer_ : Optimizer
    validation_scores_ : list of float, or None
        With ``early_stopping``, the score after each epoch.

    Examples
    --------
    >>> from tinygrad_bp.data import moons
    >>> X, y = moons(200, seed=0)
    >>> classifier = MLPClassifier((16,), learning_rate_init=0.05, tol=1e-3, random_state=0)
    >>> bool(classifier.fit(X, y).score(X, y) > 0.98)
    True
    >>> classifier.predict_proba(X[:5]).shape
    (5, 2)
    """

    _y_options: ClassVar[dict[str, bool]] = {}

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one epoch on these rows, going on where the last call stopped.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array, optional
            All labels that there will ever be: needed in the first call.

        Returns
        -------
        self
        """
        known = getattr(self, "classes_", None)
        classes = known if classes is None else np.unique(classes)
        if classes is None:
            raise ValueError("the first partial_fit needs classes=, all labels there will ever be")
        if known is not None and not np.array_equal(known, classes):
            raise ValueError(f"classes={classes.tolist()} are not the first's, {known.tolist()}")
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest label of each row."""
        numbers = np.argmax(self._outputs(X), axis=1)
        return self.classes_[numbers]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, of shape (n, classes)."""
        return softmax(self._outputs(X))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`, exact where that rounds to 0 or 1."""
        return log_softmax(self._outputs(X))

    def _targets(self, y: Any, classes: Any) -> Any:
        """The class numbers."""
        check_classification_targets(y)
        if classes is None:
            classes, targets = np.unique(y, return_inverse=True)
        elif unknown := np.setdiff1d(y, classes).tolist():
            raise ValueError(f"y has labels {unknown} that are not among {classes.tolist()}")
        else:
            targets = np.searchsorted(classes, y)
        self.classes_, self.n_outputs_ = classes, len(classes)
        return targets

    @staticmethod
    def _losses(outputs: Any, targets: Any) -> Any:
        return cross_entropy(outputs, targets, reduction="none")

    @staticmethod
    def _score(outputs: Any, data: Rows) -> float:
        found = np.argmax(outputs, axis=1)
        return accuracy_score(data.targets, found, sample_weight=data.weights)
