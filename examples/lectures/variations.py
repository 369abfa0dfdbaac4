"""Per-sample descent with one thing changed at a time: activation, depth, batch, features, penalty.

The network and the loop are those of `per_sample_sgd.py`; no variation needs a derivation of its
own, as the engine finds the gradients. A penalty of ½ λ times the squared weights keeps them small.
Normalised features have mean 0 and standard deviation 1, so that one step size suits them all.

    python examples/lectures/variations.py [--out pictures] [--answers]

The list of variations is that of Barry Van Veen, "The Backpropagation Algorithm for Training Neural
Networks", 2019.
"""

from functools import partial
from typing import NamedTuple

import handout
import numpy as np
from handout import GRID, Exercise
from per_sample_sgd import gradients_by_engine, moons, outputs, random_weights, sgd

from tinygrad_bp.support import palette


class Variation(NamedTuple):
    """One way to do it; what the notes do is the default."""

    widths: tuple = (3, 8, 1)
    g: str = "sigmoid"
    batch: int = 1
    normalised: bool = False
    penalty: float = 0.0


VARIATIONS = {
    "as in the notes": Variation(),
    "tanh inside": Variation(g="tanh"),
    "ReLU inside": Variation(g="relu"),
    "two hidden layers": Variation(widths=(3, 8, 8, 1)),
    "batches of 10": Variation(batch=10),
    "normalised features": Variation(normalised=True),
    "regularised": Variation(penalty=1e-3),
}


class Result(NamedTuple):
    """What came of a variation."""

    costs: list
    accuracy: float
    length: float  # of all weights together


def train(variation):
    """Train it, and judge it on the points that were held out."""
    widths, g, batch, normalised, penalty = variation
    X, D, X_test, D_test = moons(normalised)
    weights, costs = sgd(
        X,
        D,
        random_weights(widths, np.random.default_rng(0)),
        partial(gradients_by_engine, g=g, penalty=penalty),
        batch=batch,
        g=g,
    )
    wrong = abs(outputs(X_test.T, weights, g) - D_test.T) > 0.5
    return Result(costs, 1 - wrong.mean(), np.linalg.norm(np.concatenate(weights, axis=None)))


# The page


def plot(results, file):
    """The cost of each variation."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    colors = [palette.INK, palette.BLUE, palette.SKY, palette.PINK, palette.AMBER]
    colors += [palette.GREEN, palette.ORANGE]
    styles = ["-", "--", "--", ":", "-", "-", "-."]
    for (name, result), color, style in zip(results.items(), colors, styles, strict=True):
        axes.loglog(result.costs, style, color=color, linewidth=1.4, label=name)
    axes.set(xlabel="passes over the data: steps / N", ylabel="mean f", xlim=(1, None))
    axes.set_title("Two moons: one variation at a time, each until it has converged")
    axes.legend(fontsize=8.5)
    axes.grid(**GRID)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def print_variations(results):
    print("Each descent stops when mean f, averaged over the last ten rounds of N steps, is within")
    print("0.001 of its average over the ten rounds before. One change at a time:")
    print("  variation            steps/N  to f < 0.045  mean f  held out  |weights|")
    for name, (costs, accuracy, length) in results.items():
        soon = next((n for n, f in enumerate(costs) if f < 0.045), "-")
        print(
            f"  {name:20} {len(costs) - 1:7}  {soon:12}  {np.mean(costs[-10:]):6.4f}"
            f"  {accuracy:8.3f}  {length:9.2f}"
        )
    print("Six of them stop on a plateau; with normalised features the descent gets beyond it.")


EXERCISES = (
    Exercise(
        "A penalty of ½ λ Σ w² is added. What does it add to the gradient of a weight of 2, "
        "for λ = 0.001?",
        lambda: penalty_on(2.0, 1e-3),
        "λ w = {:g}: each step takes a small part of each weight away, hence weight decay.",
    ),
    Exercise(
        "By which factor does the noise of the gradient shrink with batches of 10?",
        lambda: noise(1) / noise(10),
        "Its standard deviation shrinks by {:.1f}, about √10: ten times the work for a third of "
        "the noise.",
    ),
    Exercise(
        "The features are x_1 and 100 x_1 for another unit. How do the gradients of their weights "
        "compare?",
        lambda: float(np.divide(*gradients_by_scale())),
        "By a factor of {:g}, as ∂f/∂w = γ x. No step size suits both: that is why features are "
        "normalised.",
    ),
)


def penalty_on(w, strength):
    """What the penalty adds to the gradient of the first layer's only weight."""
    x, d = np.array([1.0]), np.array([0.5])
    weights = [np.array([[w]]), np.array([[1.0]])]
    with_it, without = (
        gradients_by_engine(x, d, weights, penalty=penalty)[0].item() for penalty in (strength, 0.0)
    )
    return with_it - without


def noise(batch, draws=4000):
    """The standard deviation of a gradient over random batches, without a step."""
    X, D, *_ = moons()
    weights = random_weights((3, 8, 1), np.random.default_rng(0))
    every = [gradients_by_engine(x, d, weights)[1][0, 0] for x, d in zip(X, D, strict=True)]
    random = np.random.default_rng(1)
    return float(np.std(np.mean(random.choice(every, size=(draws, batch)), axis=1)))


def gradients_by_scale():
    """The gradients of the weights of 100 x and of x, at the same output."""
    weights = [np.array([[0.002, 0.2]]), np.array([[1.0]])]
    return gradients_by_engine(np.array([100.0, 1.0]), np.array([0.0]), weights)[0][0]


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    results = {name: train(variation) for name, variation in VARIATIONS.items()}
    print_variations(results)
    print()
    page.plot(plot, "variations.png", results)
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
