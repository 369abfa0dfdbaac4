"""The digits again, by two perceptrons in one interface: scikit-learn's and this library's.

Both get the same splits, architecture and parameters, and each split is fitted by the one, then
by the other. Prints how many held-out digits each reads right, and how long its fits took.
"""

import argparse
import sys
import time
import warnings

import numpy as np

import tinygrad_bp as bp

try:
    from sklearn.datasets import load_digits
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier
except ImportError:
    sys.exit('this example needs scikit-learn: pip install "tinygrad_bp[examples]"')


def fitted(estimator, seed, epochs, X_train, X_test, y_train, y_test):
    """The accuracy on the test rows, and the seconds of the fit."""
    model = estimator((100,), learning_rate_init=0.005, max_iter=epochs, random_state=seed)
    began = time.perf_counter()
    model.fit(X_train, y_train)
    return model.score(X_test, y_test), time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on")
    parser.add_argument("--epochs", type=int, default=100, help="passes over the images")
    arguments = parser.parse_args()
    if min(arguments.seeds, arguments.epochs) < 1:
        parser.error("--seeds and --epochs must be at least 1")
    warnings.simplefilter("ignore", ConvergenceWarning)  # the epochs are meant to be few

    X, y = load_digits(return_X_y=True)
    estimators = {"scikit-learn": MLPClassifier, "tinygrad_bp": bp.estimators.MLPClassifier}
    results = {name: [] for name in estimators}
    print("64-100-10 relu, Adam, 200 rows to a step")
    for seed in range(arguments.seeds):
        parts = train_test_split(X / 16, y, random_state=seed, stratify=y)
        for name, estimator in estimators.items():
            results[name].append(fitted(estimator, seed, arguments.epochs, *parts))
        shown = (f"{name} {results[name][-1][0]:.4f}" for name in estimators)
        print(f"seed {seed}: ", ", ".join(shown), flush=True)
    for name, pairs in results.items():
        accuracies, seconds = np.transpose(pairs)
        print(
            f"{name:12}  mean accuracy {accuracies.mean():.4f}, "
            f"a fit took {np.median(seconds):.2f} s (median)"
        )


if __name__ == "__main__":
    main()
