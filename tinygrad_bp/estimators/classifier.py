"""MLPClassifier: a multilayer perceptron that tells classes apart."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from ..functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    log_softmax,
    sigmoid,
    softmax,
    softplus,
)
from ..train.routing import has_blocks
from . import lazy
from .base import MultilayerPerceptron
from .rows import Rows, outputs_of


class MLPClassifier(ClassifierMixin, MultilayerPerceptron):
    """A multilayer perceptron that tells classes apart.

    Its outputs are the logits of as many classes as it has seen, of two classes the log-odds of
    the second; its loss is the cross-entropy with ``alpha / 2 · Σ W²`` added for each batch. A y
    of shape (n, labels), of 0 and 1, gives each row several labels. The parameters mean what they
    mean to ``sklearn.neural_network.MLPClassifier``, and the same ``random_state`` draws the same.
    An X of float32 makes a network of float32.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        The length of each hidden layer; ``()`` makes a linear model.
    activation : {'identity', 'logistic', 'relu', 'tanh'}
        Or another name that `nn.MLP` knows.
    solver : {'adam', 'lbfgs', 'sgd'}
        L-BFGS takes all rows at once; it needs SciPy.
    alpha : float
        The strength of the L2 penalty on the weights.
    batch_size : int or 'auto'
        The number of rows in a step; 'auto' is 200. If there are no more rows, all of them.
    learning_rate : {'constant', 'invscaling', 'adaptive'}
        For 'sgd' alone: the step size stays, is ``learning_rate_init / t^power_t`` after t rows,
        or is divided by 5 whenever progress stalls, until it is below a millionth.
    learning_rate_init : float
        The step size.
    power_t : float
    max_iter : int
        How many epochs at most, or iterations of 'lbfgs'.
    shuffle : bool
        Whether the rows of a step are chosen at random.
    random_state : int, RandomState or None
        The same integer gives the same network.
    tol : float
        The least progress that counts, of the loss or with ``early_stopping`` of the score; for
        'lbfgs' the largest slope at which it ends.
    verbose : bool
        Whether to print a line for each epoch.
    warm_start : bool
        Whether another `fit` goes on with the network there is.
    momentum : float
    nesterovs_momentum : bool
        Both for 'sgd' alone.
    early_stopping : bool
        Hold rows out, watch the score on them, and keep the network that scored best.
    validation_fraction : float
        The share of the rows to hold out.
    beta_1, beta_2, epsilon : float
        For 'adam' alone: see `optim.Adam`.
    n_iter_no_change : int or inf
        Stop after more epochs than this, one after the other, without enough progress.
    max_fun : int
        How often 'lbfgs' may compute the loss.

    Attributes
    ----------
    best_loss_, best_validation_score_ : float or None
        The lowest loss; the best score, with ``early_stopping``.
    classes_ : array
        The labels, in the order of the columns of `predict_proba`.
    coefs_, intercepts_ : list of arrays
        Weights and biases of each layer, which can be set.
    history_ : History
        Of the last fit, to plot or to save.
    loss_ : float
        The last of ``loss_curve_``.
    loss_curve_ : list of float
        The mean loss of each epoch.
    model_ : nn.MLP
        The network, to draw, to save or to differentiate.
    n_features_in_, n_layers_, n_outputs_, n_iter_, t_ : int
        Columns of X, layers with the input's, columns of the output, epochs of the last fit, rows
        that were learned from so far.
    feature_names_in_ : array
        The names of the columns, if X was a table that has some.
    optimizer_ : Optimizer
    out_activation_ : {'logistic', 'softmax'}
        What makes probabilities of the outputs.
    validation_scores_ : list of float, or None
        With ``early_stopping``, the score after each epoch.

    Examples
    --------
    >>> from tinygrad_bp.data import moons
    >>> X, y = moons(200, seed=0)
    >>> classifier = MLPClassifier((16,), learning_rate_init=0.05, tol=1e-3, random_state=1)
    >>> bool(classifier.fit(X, y).score(X, y) > 0.98)
    True
    >>> classifier.predict_proba(X[:5]).shape
    (5, 2)
    """

    loss = "log_loss"
    _y_options: ClassVar[dict[str, bool]] = {"multi_output": True}

    @available_if(lambda self: self.solver != "lbfgs")
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
        """The likeliest label of each row; of several labels, 1 for each that is likely."""
        return self._labels(self._outputs(X))

    def _labels(self, outputs: Any) -> Any:
        found = self._predictions(outputs)
        if self._several_labels:
            return found.astype(int)
        return (
            lazy.class_labels(found, self.classes_) if has_blocks(found) else self.classes_[found]
        )

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows whose label, or whose every label, is right.

        Of Dask's arrays it is found block by block.
        """
        if not (has_blocks(X) or has_blocks(y)):
            return super().score(X, y, sample_weight)
        X, y = lazy.rows_in_blocks(self, X, y, sample_weight, reset=False)
        return lazy.share_right(self._labels(outputs_of(self.model_, X)), y)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probability of each class, of shape (n, classes)."""
        outputs = self._outputs(X)
        if self.out_activation_ == "softmax":
            return softmax(outputs)
        if self._several_labels:
            return sigmoid(outputs)
        return np.hstack([sigmoid(-outputs), sigmoid(outputs)])

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithm of `predict_proba`, exact where that rounds to 0 or 1."""
        outputs = self._outputs(X)
        if self.out_activation_ == "softmax":
            return log_softmax(outputs)
        if self._several_labels:
            return -softplus(-outputs)
        return -softplus(np.hstack([outputs, -outputs]))

    def _targets(self, y: Any, classes: Any, whole: bool) -> Any:
        """The class numbers; for two classes or several labels columns of truth values."""
        found = lazy.distinct(y) if has_blocks(y) else None
        kinds = y if found is None else lazy.with_columns(found, y)
        check_classification_targets(kinds)
        self._several_labels = type_of_target(kinds).startswith("multilabel")
        if self._several_labels:
            y = y.toarray() if hasattr(y, "toarray") else y
            self.classes_ = np.arange(y.shape[1])
            self.n_outputs_, self.out_activation_ = y.shape[1], "logistic"
            return y.astype(bool)
        if found is None:
            y = column_or_1d(y, warn=True)
            found = np.unique(y)
        elif y.ndim != 1:
            raise ValueError(f"y must have shape (n,), or hold 0 and 1 alone, and has {y.shape}")
        if classes is None:
            classes = found
        elif whole and not np.array_equal(found, classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {classes}, `y` has {found}"
            )
        elif unknown := np.setdiff1d(found, classes).tolist():
            raise ValueError(f"y has labels {unknown} that are not among {classes.tolist()}")
        self.classes_ = classes
        numbers = lazy.class_numbers(y, classes) if has_blocks(y) else np.searchsorted(classes, y)
        if len(classes) <= 2:
            self.n_outputs_, self.out_activation_ = 1, "logistic"
            return numbers[:, np.newaxis].astype(bool)
        self.n_outputs_, self.out_activation_ = len(classes), "softmax"
        return numbers

    def _mean_loss(self, outputs: Any, targets: Any, weights: Any) -> Any:
        """The weighted mean of the rows' losses; weights add up to 1."""
        if self.out_activation_ == "softmax":
            if weights is None:
                return cross_entropy(outputs, targets)
            return weights @ cross_entropy(outputs, targets, reduction="none")
        if weights is None:
            return binary_cross_entropy_with_logits(outputs, targets) * self.n_outputs_
        losses = binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        return weights @ losses.sum(axis=1)

    def _predictions(self, outputs: Any) -> Any:
        """The number of each row's class, or whether it has each of several labels."""
        if self.out_activation_ == "softmax":
            return np.argmax(outputs, axis=1)
        found = outputs > 0
        return found if self._several_labels else found[:, 0].astype(int)

    def _score(self, outputs: Any, data: Rows) -> float:
        targets = data.targets
        if self.out_activation_ == "logistic" and not self._several_labels:
            targets = targets[:, 0]
        found = self._predictions(outputs)
        if has_blocks(found):
            return lazy.share_right(found, targets)
        return float(accuracy_score(targets, found, sample_weight=data.weights))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
