"""A real regression, trained by the six steps of `relu_steps.py` until it has converged.

The steps are taken one patient after the other, in a new random order in every pass. The rate
shrinks with the passes, α = 0.01 / (1 + pass / 2), or one patient would undo what the others have
done. Converged means that the slope ‖∇ mean J‖ is 1 % of what it was at the start.

    python examples/lectures/relu_regression.py [--out pictures] [--answers]

The data are those of Efron, Hastie, Johnstone, Tibshirani, "Least angle regression", Annals of
Statistics 32 (2004) 407.
"""

import sys

import handout
import numpy as np
from handout import COLORS, GRID, Exercise
from relu_steps import engine_steps, forward, he, one_pass, six_steps
from side_by_side import difference

try:
    from sklearn.datasets import load_diabetes
except ImportError:
    sys.exit('this page needs scikit-learn: pip install "tinygrad_bp[examples]"')

HELD_OUT = 89  # a fifth of the patients
WIDTHS = [10, 8, 8, 1]


def slope(X, Y, W, b):
    """The length of the gradient of the mean J, by steps 1 to 5 for every sample."""
    found = [
        np.concatenate([*by_W[1:], *by_b[1:]], axis=None)
        for by_W, by_b in (six_steps(x, y, W, b) for x, y in zip(X, Y, strict=True))
    ]
    return np.linalg.norm(np.mean(found, axis=0))


def predicted(X, W, b):
    return np.array([forward(x, W, b)[1][-1] for x in X])


def mean_J(X, Y, W, b):
    return 0.5 * np.mean((predicted(X, W, b) - Y) ** 2)


def train(X, Y, W, b, rate=0.01, tolerance=0.01, limit=200, seed=0):
    """Loop over steps 2 to 6 until the slope is ``tolerance`` of what it was at the start.

    The step is smaller in every pass, or one sample would undo what the others have done.
    Yields (passes, mean J, slope, W, b) before the first pass and after each.
    """
    random = np.random.default_rng(seed)
    first = slope(X, Y, W, b)
    steepness = first
    for number in range(limit + 1):
        yield number, mean_J(X, Y, W, b), steepness, W, b
        if steepness <= tolerance * first:
            return
        order = random.permutation(len(X))
        W, b = one_pass(X, Y, W, b, six_steps, rate / (1 + number / 2), order)
        steepness = slope(X, Y, W, b)


def patients(seed=0):
    """The diabetes data, standardised by the training patients: X, Y to train, X, Y held out."""
    X, y = load_diabetes(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(X))
    test, training = order[:HELD_OUT], order[HELD_OUT:]
    X = (X - X[training].mean(axis=0)) / X[training].std(axis=0)
    Y = ((y - y[training].mean()) / y[training].std())[:, np.newaxis]
    return X[training], Y[training], X[test], Y[test]


def r_squared(prediction, Y):
    """The part of the variance that is predicted."""
    return 1 - np.mean((Y - prediction) ** 2) / np.mean((Y - Y.mean()) ** 2)


def print_one_pass(X, Y, W, b):
    print(f"Real data: diabetes in {len(X)} patients, widths {'-'.join(map(str, WIDTHS))}.")
    by_hand, engine = (
        one_pass(X, Y, W, b, steps, 0.01, range(len(X))) for steps in (six_steps, engine_steps)
    )
    apart = max(
        difference(*pair)
        for lists in zip(by_hand, engine, strict=True)
        for pair in list(zip(*lists, strict=True))[1:]
    )
    print(
        f"After one pass, {len(X)} gradient steps by hand and by the engine, the weights differ by"
    )
    print(f"{apart:.1g} of the largest.")


def plot_convergence(history, file):
    """The mean J and the slope, pass by pass."""
    import matplotlib.pyplot as plt

    passes, costs, slopes, *_ = zip(*history, strict=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    left.plot(passes, costs, ".-", color=COLORS["value"])
    left.set(xlabel="passes over the data", ylabel="mean J", title="What is minimised")
    right.semilogy(passes, slopes, ".-", color=COLORS["gradient"])
    right.axhline(0.01 * slopes[0], color=COLORS["quiet"], linestyle="--")
    right.text(
        0, 0.0108 * slopes[0], "1 % of the first: converged", color=COLORS["quiet"], va="bottom"
    )
    right.set(xlabel="passes over the data", ylabel="‖∇ mean J‖", title="How far from a minimum")
    for axes in (left, right):
        axes.grid(**GRID)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def print_training(X, Y, W, b):
    print("\nThe six steps until the slope ‖∇ mean J‖ is 1 % of what it was:")
    print("  passes  mean J   slope")
    *history, end = every = list(train(X, Y, W, b))
    for number, J, steepness, *_ in [*(history[n] for n in (0, 1, 2, 5, 10, 20)), end]:
        print(f"  {number:6}  {J:6.4f}  {steepness:6.4f}")
    return every


def print_fit(X, Y, X_test, Y_test, W, b):
    line = np.linalg.lstsq(X, Y)[0]
    fits = {"network": lambda X: predicted(X, W, b), "straight line": lambda X: X @ line}
    print("\n  R²              training  held out")
    for name, fit in fits.items():
        print(f"  {name:14} {r_squared(fit(X), Y):9.3f} {r_squared(fit(X_test), Y_test):9.3f}")
    print("So few patients, so noisy a target: what the network gains in training it loses again.")


EXERCISES = (
    Exercise(
        "What is mean J of a network that always answers with the mean?",
        lambda: float(mean_J(*patients()[:2], *nothing())),
        "{:.4f}: the targets have mean 0 and variance 1, and J is half a square. Everything below "
        "that has been learned.",
    ),
    Exercise(
        "How many numbers does a network of widths 10-8-8-1 learn, from 353 patients?",
        lambda: sum(v.size for part in nothing() for v in part[1:]),
        "{}. About two patients for each number: no wonder that it fits the training better than "
        "what was held out.",
    ),
    Exercise(
        "The held-out features are scaled by mean and spread of the training patients. How far "
        "from 0 is their own mean at most?",
        lambda: float(np.max(np.abs(patients()[2].mean(axis=0)))),
        "{:.3f} standard deviations. To scale them by themselves would be to look at what the "
        "network shall not know.",
    ),
)


def nothing():
    """Weights and biases of 0: the answer is 0, which is the mean."""
    W, b = he(WIDTHS, np.random.default_rng(0))
    return [None, *(0 * w for w in W[1:])], b


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    X, Y, X_test, Y_test = patients()
    start = he(WIDTHS, np.random.default_rng(0))
    print_one_pass(X, Y, *start)
    history = print_training(X, Y, *start)
    print_fit(X, Y, X_test, Y_test, *history[-1][-2:])
    print()
    page.plot(plot_convergence, "relu_regression_convergence.png", history)
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
