"""Watch a network learn to tell three spirals apart: the decision boundary, epoch by epoch.

    python examples/decision_boundary.py [--out spirals.gif]

Beside the animation it writes the curves of the training: spirals_history.png.
"""

import argparse
from pathlib import Path

import tinygrad_bp as bp


def learn(out, epochs):
    X, y = bp.data.spirals(450, classes=3, turns=1.0, seed=0)
    X, X_test, y, y_test = bp.data.train_test_split(X, y, test_size=1 / 3, seed=0)
    model = bp.nn.MLP([2, 32, 32, 3], activation="tanh", seed=0)
    animation = bp.plot.BoundaryAnimation(model, X, y)
    history = bp.train.fit(
        model,
        X,
        y,
        loss="cross_entropy",
        optimizer=bp.optim.Adam(model.parameters(), lr=0.01),
        epochs=epochs,
        batch_size=32,
        seed=0,
        validation=(X_test, y_test),
        metrics=["accuracy"],
        callbacks=[animation],
    )
    print(history)
    animation.save(out)
    curves = out.with_name(f"{out.stem}_history.png")
    history.plot(curves)
    print(f"pictures: {out}, {curves}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=200, help="passes over the points")
    parser.add_argument(
        "--out", type=Path, default=Path("spirals.gif"), help="the animation's file"
    )
    arguments = parser.parse_args()
    if arguments.out.suffix != ".gif" or not arguments.out.parent.is_dir():
        parser.error(f"--out {arguments.out} must end in .gif, and be in a folder that exists")
    if arguments.epochs < 1:
        parser.error("--epochs must be at least 1")
    try:
        learn(arguments.out, arguments.epochs)
    except ImportError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
