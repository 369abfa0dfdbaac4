"""The vanishing gradient: what becomes of δ and of the weight change, the deeper a network is.

In the product of local derivatives along a path, each layer of sigmoids puts in a weight and a
factor σ′ = y (1 - y), at most ¼. Usual weights do not make up for it, so δ falls geometrically from
the last layer to the first; and the change of a weight, Δw = -η δ x, falls with it. The first
layers hardly learn.

ReLU's factor is 1 or 0. With it the product keeps its size, if the weights have the right spread:
about half of the units are off, so a variance of 2 / inputs makes up for them.

    python examples/lectures/vanishing_gradient.py [--out pictures] [--answers]

The remark is from the notes of `weight_by_weight.py`. The initialisation for ReLU: He, Zhang, Ren,
Sun, "Delving deep into rectifiers", ICCV 2015.
"""

import handout
import numpy as np
from handout import COLORS, GRID, Exercise

import tinygrad_bp as bp
from tinygrad_bp.functional import relu, sigmoid

RATE = 0.5
DEPTHS = range(2, 21)
# name: (activation, standard deviation of a weight times the square root of its layer's inputs)
RECIPES = {"sigmoid": (sigmoid, 1.0), "ReLU, He": (relu, np.sqrt(2.0))}


def measured(depth, recipe, width=64, samples=64, seed=0):
    """Mean |δ| and mean |Δw| of every layer of a random network, from the first layer to the last.

    δ is the derivative of half the mean squared error by the layer's sums z, before the activation;
    Δw is the step -η ∂ε/∂w of one gradient descent.
    """
    activation, spread = RECIPES[recipe]
    random = np.random.default_rng(seed)
    a, target = random.normal(size=(2, samples, width))
    layers = []
    for _ in range(depth):
        W = random.normal(size=(width, width)) * spread / np.sqrt(width)
        W = bp.Tensor(W, requires_grad=True)
        z = a @ W.T
        a = activation(z)
        layers.append((z, W))
    loss = np.sum(np.square(a - target)) / (2 * samples)
    loss.backward(keep_grads=True)
    deltas, changes = (
        np.array([scale * np.mean(np.abs(layer[place].grad)) for layer in layers])
        for place, scale in ((0, 1.0), (1, RATE))
    )
    return deltas, changes


def mean_deltas(depth, recipe, **sizes):
    """Mean |δ| of every layer."""
    return measured(depth, recipe, **sizes)[0]


def factor_per_layer(deltas):
    """By which factor δ changes from a layer to the one before it, on average."""
    return (deltas[0] / deltas[-1]) ** (1 / (len(deltas) - 1))


def plot_deltas(file):
    """Mean |δ| by layer for some depths, and in the first layer for all depths."""
    import matplotlib.pyplot as plt

    styles = {"sigmoid": (COLORS["gradient"], "o", 0.1), "ReLU, He": (COLORS["value"], "s", 4)}
    figure, (by_layer, by_depth) = plt.subplots(
        1, 2, figsize=(10, 4.2), sharey=True, layout="constrained"
    )
    for recipe, (color, marker, shift) in styles.items():
        look = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.4}
        for depth in (5, 10, 20):
            deltas = mean_deltas(depth, recipe)
            by_layer.semilogy(range(1, depth + 1), deltas, **look)
        label = f"× {factor_per_layer(deltas):.2f} a layer"
        by_layer.text(12.5, shift * deltas[11], label, color=color)
        first = [mean_deltas(depth, recipe)[0] for depth in DEPTHS]
        by_depth.semilogy(DEPTHS, first, label=recipe, **look)
    by_layer.set(xlabel="layer (1 is next to the input)", ylabel="mean |δ|", ylim=(1e-16, 2))
    by_layer.set_title("Networks of 5, 10 and 20 layers")
    by_depth.set(xlabel="depth of the network")
    by_depth.set_title("The first layer, by depth")
    for axes in (by_layer, by_depth):
        axes.set_xticks([1, 5, 10, 15, 20])
        axes.grid(**GRID)
    by_depth.legend()
    figure.savefig(file, dpi=120)
    plt.close(figure)


# The page


def print_deltas():
    print(f"Mean |δ| and mean |Δw| in the first layer, with η = {RATE}, and the factor per layer:")
    print(f"         {'sigmoid':31}  ReLU, He")
    print("  depth  " + "  ".join(2 * [f"{'|δ|':>8}  {'|Δw|':>8}  factor of δ"]))
    for depth in DEPTHS[::2]:
        cells = [measured(depth, recipe) for recipe in RECIPES]
        row = "  ".join(
            f"{deltas[0]:8.1e}  {changes[0]:8.1e}  {factor_per_layer(deltas):11.3f}"
            for deltas, changes in cells
        )
        print(f"  {depth:5}  {row}")
    print("With sigmoids each layer leaves a quarter or less, of δ and of the step of its weights.")


def spread_of(scale):
    """The factor per layer for 20 layers of ReLU with weights of this spread."""
    RECIPES["asked"] = (relu, scale)
    try:
        return float(factor_per_layer(mean_deltas(20, "asked")))
    finally:
        del RECIPES["asked"]


EXERCISES = (
    Exercise(
        "What is the largest factor that a sigmoid can put in, and at which z?",
        lambda: float(bp.grad(sigmoid)(0.0)),
        "σ′(0) = {}: with ten layers at best 1e-6 of δ is left of it, if the weights are about 1.",
    ),
    Exercise(
        "ReLU with weights of variance 1 / inputs, as for the sigmoid: by which factor does δ "
        "change in a layer?",
        lambda: spread_of(1.0),
        "By {:.2f}, about 1 / √2: half of the units let nothing through, and nothing makes up for "
        "it. With twice the variance it is about 1.",
    ),
    Exercise(
        "How often would the first of 20 layers of sigmoids have to step, to move as far as the "
        "last does in one step?",
        lambda: float(np.divide(*measured(20, "sigmoid")[1][[-1, 0]])),
        "About {:.0e} times. It is as good as not trained.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print_deltas()
    print()
    page.plot(plot_deltas, "vanishing_gradient.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
