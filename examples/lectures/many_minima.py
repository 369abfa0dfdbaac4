"""A cost that is not convex: different starts of one network end in different minima.

A network of 2 hidden units on the four points of XOR is started a dozen times. Where it ends, the
slope is 0 and the Hessian has positive eigenvalues alone: these are minima, and not plateaus. The
cost includes a penalty of ½ λ times the squared weights, with λ = 3e-4: without it the lowest
points would lie at infinity, where no descent arrives.

    python examples/lectures/many_minima.py [--out pictures] [--answers]

`descent.py` shows the same as a picture of two weights.
"""

import math

import handout
import numpy as np
from handout import COLORS, GRID, Exercise
from per_sample_sgd import cost, outputs

import tinygrad_bp as bp

PENALTY = 3e-4
XOR, XOR_D = bp.data.xor(4, noise=0)
XOR, XOR_D = np.insert((XOR + 1) / 2, 0, 1.0, axis=1), XOR_D[:, np.newaxis].astype(float)


def many_starts(count=12, steps=3000, seed=0):
    """Descend on XOR from ``count`` starts: the weights at the end, and all costs on the way.

    The networks lie side by side along a first axis, so one graph holds them all. Without the
    penalty the lowest points would lie at infinity, where no descent arrives.
    """
    random = np.random.default_rng(seed)
    w = bp.Tensor(2 * random.normal(size=(count, 2, 3)), requires_grad=True)
    v = bp.Tensor(2 * random.normal(size=(count, 1, 2)), requires_grad=True)
    optimizer = bp.optim.SGD([w, v], lr=0.3, momentum=0.97)
    history = []
    for t in range(steps):
        optimizer.zero_grad()
        cost(XOR.T, XOR_D.T, [w, v], penalty=PENALTY).backward()
        optimizer.step()
        if t % 20 == 0:
            history.append([xor_cost(*pair) for pair in zip(w.data, v.data, strict=True)])
    return w.data, v.data, np.array(history)


def xor_cost(w, v):
    return cost(XOR.T, XOR_D.T, [w, v], penalty=PENALTY)


def slope_and_curvature(w, v):
    """The length of the gradient, and the least curvature: at a minimum 0, and positive."""

    def f(theta):
        w_, v_ = np.reshape(theta[: w.size], w.shape), np.reshape(theta[w.size :], v.shape)
        return xor_cost(w_, v_)

    theta = np.concatenate([w, v], axis=None)
    return np.linalg.norm(bp.grad(f)(theta)), np.linalg.eigvalsh(bp.hessian(f)(theta))[0]


def minima(w, v):
    """The different ends: {cost: [how many starts, steepest slope, least curvature, outputs]}."""
    found = {}
    for pair in zip(w, v, strict=True):
        slope, curvature = slope_and_curvature(*pair)
        end = found.setdefault(round(float(xor_cost(*pair)), 5), [0, slope, curvature, []])
        end[:3] = end[0] + 1, max(end[1], slope), min(end[2], curvature)
        end[3] = outputs(XOR.T, pair)[0]
    return dict(sorted(found.items()))


# The page


def plot(history, file):
    """The cost from each start."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    solved = history[-1] < 0.055
    for costs, good in zip(history.T, solved, strict=True):
        color, style = (COLORS["value"], "-") if good else (COLORS["gradient"], "--")
        axes.plot(20 * np.arange(1, len(costs) + 1), costs, style, color=color, linewidth=1.1)
    axes.plot([], "-", color=COLORS["value"], label="solves XOR")
    axes.plot([], "--", color=COLORS["gradient"], label="stuck in a worse minimum")
    axes.set(xlabel="steps of gradient descent", ylabel="mean f + penalty", xscale="log")
    axes.set_title(f"XOR: {len(solved)} starts of the same network")
    axes.legend()
    axes.grid(**GRID)
    figure.savefig(file, dpi=120)
    plt.close(figure)


def print_minima(w, v):
    print(f"f is not convex: {len(w)} starts on XOR, 2 hidden units, end in different minima.")
    print(f"The cost is mean f plus the penalty ½ λ Σ w², with λ = {PENALTY:g}.")
    print("  starts   cost      slope   least curvature   outputs, for targets 0 1 1 0")
    for level, (count, slope, curvature, reached) in minima(w, v).items():
        shown = "  ".join(f"{value:.2f}" for value in reached)
        print(f"  {count:6}   {level:.5f}   {slope:.0e}   {curvature:15.1e}   {shown}")
    print("All are minima: no slope is left, and the cost curves up in every direction.")


def swapped():
    """By how much the cost changes when units are swapped; and the orders of eight."""
    random = np.random.default_rng(0)
    w, v = random.normal(size=(2, 3)), random.normal(size=(1, 2))
    return abs(xor_cost(w[::-1], v[:, ::-1]) - xor_cost(w, v)), math.factorial(8)


def at_zero():
    """Slope and curvatures of ½ (v w - 1)² where both weights are 0."""

    def f(weights):
        return 0.5 * np.square(weights[0] * weights[1] - 1)

    zero = np.zeros(2)
    return np.linalg.norm(bp.grad(f)(zero)), *np.linalg.eigvalsh(bp.hessian(f)(zero))


EXERCISES = (
    Exercise(
        "What is mean f for a network that always answers ½?",
        lambda: float(0.5 * np.mean((0.5 - XOR_D) ** 2)),
        "{:g}: half of ¼. A minimum near that cost has learned next to nothing.",
    ),
    Exercise(
        "Two hidden units are swapped, with their weights. What happens to the cost, and how many "
        "equal minima has a network of 8 hidden units at least?",
        swapped,
        "The cost changes by {0[0]:g}. There are 8! = {0[1]:,} orders of the units, all alike.",
    ),
    Exercise(
        "Two weights in a row, with the cost ½ (v w - 1)². What are slope and curvatures where "
        "both are 0, and what is that point?",
        at_zero,
        "The slope is {0[0]:g} and the curvatures are {0[1]:g} and {0[2]:g}: a saddle. A descent "
        "that starts there stays; one from beside it leaves, slowly at first.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    w, v, history = many_starts()
    print_minima(w, v)
    print()
    page.plot(plot, "many_minima.png", history)
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
