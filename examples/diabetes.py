"""Predict the progress of diabetes from ten measurements: a network beside linear regression.

Both see the same 353 patients and are judged on the same 89 others, by R²: the part of the
variance that is predicted. So few patients, so noisy a target: the straight line is hard to beat.
"""

import argparse
import sys

import numpy as np

import tinygrad_bp as bp

try:
    from sklearn.datasets import load_diabetes
except ImportError:
    sys.exit('this example needs scikit-learn: pip install "tinygrad_bp[examples]"')

HELD_OUT = 89  # a fifth


def split(seed):
    """Training and test patients, everything standardised by the training patients."""
    X, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(X))
    test, train = order[:HELD_OUT], order[HELD_OUT:]
    X = (X - X[train].mean(axis=0)) / X[train].std(axis=0)
    y = (y - y[train].mean()) / y[train].std()
    return X[train], y[train, np.newaxis], X[test], y[test, np.newaxis]


def linear_regression(X, y, X_test):
    """Least squares. The data are centred, so the line needs no intercept."""
    return X_test @ np.linalg.lstsq(X, y)[0]


def network(X, y, X_test, seed, epochs=200, batch=32):
    """A small network, held back by weight decay."""
    rng = np.random.default_rng(seed)
    model = bp.nn.MLP([10, 16, 1], activation="tanh", seed=rng)
    optimizer = bp.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=0.03)
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(X)), len(X) // batch):
            optimizer.zero_grad()
            bp.functional.mse_loss(model(X[rows]), y[rows]).backward()
            optimizer.step()
    return model(X_test).data


def r_squared(predicted, y):
    return 1 - np.sum((y - predicted) ** 2) / np.sum((y - y.mean()) ** 2)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on")
    seeds = parser.parse_args().seeds
    if seeds < 1:
        parser.error("--seeds must be at least 1")
    print("test R²   network    linear")
    scores = []
    for seed in range(seeds):
        X, y, X_test, y_test = split(seed)
        predictions = network(X, y, X_test, seed), linear_regression(X, y, X_test)
        scores.append([r_squared(p, y_test) for p in predictions])
        print(f"seed {seed}    {scores[-1][0]:7.3f}   {scores[-1][1]:7.3f}")
    ours, linear = np.mean(scores, axis=0)
    print(f"mean      {ours:7.3f}   {linear:7.3f}")


if __name__ == "__main__":
    main()
