"""Read handwritten digits: a network trained on 1,797 images of 8 by 8 pixels, for five seeds.

The seed chooses the split, the weights and the order of the batches. Prints the accuracy on the
images that were held out, and draws which digits are taken for which.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

import tinygrad_bp as bp

try:
    from sklearn.datasets import load_digits
except ImportError:
    sys.exit('this example needs scikit-learn: pip install "tinygrad_bp[examples]"')

HELD_OUT = 360  # a fifth


def split(seed):
    """Training and test images, standardised by the mean and deviation of the training pixels."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(X))
    test, train = order[:HELD_OUT], order[HELD_OUT:]
    X = (X - X[train].mean(axis=0)) / X[train].std()  # one scale: some pixels are almost constant
    X = X.astype(np.float32)
    return X[train], y[train], X[test], y[test]


def train(X, y, seed, epochs):
    """Fit a network by stochastic gradient descent with momentum."""
    model = bp.nn.MLP([64, 128, 10], activation="relu", seed=seed, dtype=np.float32)
    optimizer = bp.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    bp.train.fit(
        model,
        X,
        y,
        loss="cross_entropy",
        optimizer=optimizer,
        epochs=epochs,
        batch_size=32,
        seed=seed,
        metrics=["accuracy"],
    )
    return model


def draw_confusion(confusion, path):
    """Save the table of true digits against predicted ones as a picture."""
    try:
        from matplotlib.colors import LogNorm
        from matplotlib.figure import Figure
    except ImportError:
        print('no picture without matplotlib: pip install "tinygrad_bp[examples]"')
        return
    figure = Figure(figsize=(7, 5.6), layout="constrained")
    axes = figure.subplots()
    counted = np.ma.masked_equal(confusion, 0)  # which a logarithm has no place for
    drawn = axes.imshow(counted, cmap="Blues", norm=LogNorm(1, max(confusion.max(), 2)))
    for (row, column), count in np.ndenumerate(confusion):
        if count:
            color = "white" if row == column else "black"
            axes.text(column, row, count, ha="center", va="center", color=color)
    axes.set(xlabel="predicted", ylabel="true", xticks=range(10), yticks=range(10))
    axes.set_title(f"{confusion.sum():,} held-out digits of all seeds")
    bar = figure.colorbar(drawn, format="%d", label="images, on a logarithmic scale; white: none")
    bar.minorticks_off()
    figure.savefig(path, dpi=120)
    print(f"confusion matrix: {path}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5, help="how many seeds, from 0 on")
    parser.add_argument("--epochs", type=int, default=30, help="passes over the images")
    parser.add_argument("--out", default="digits.png", help="the picture of the confusions")
    arguments = parser.parse_args()
    if not Path(arguments.out).parent.is_dir():
        parser.error(f"there is no folder for --out {arguments.out}")
    if min(arguments.seeds, arguments.epochs) < 1:
        parser.error("--seeds and --epochs must be at least 1")

    accuracies, confusion = [], np.zeros((10, 10), dtype=int)
    for seed in range(arguments.seeds):
        X, y, X_test, y_test = split(seed)
        model = train(X, y, seed, arguments.epochs)
        predicted = bp.train.predict(model, X_test).argmax(axis=1)
        accuracies.append(np.mean(predicted == y_test))
        print(f"seed {seed}: {accuracies[-1]:.2%} of the images held out are read right")
        np.add.at(confusion, (y_test, predicted), 1)
    print("test accuracy:", *(f"{a:.4f}" for a in accuracies), f"  mean {np.mean(accuracies):.4f}")
    draw_confusion(confusion, arguments.out)


if __name__ == "__main__":
    main()
