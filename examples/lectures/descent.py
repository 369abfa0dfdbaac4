"""Descent you can see: a loss of two weights, and the paths that lead down it.

The loss is the mean of f_n = ½ (w_1 x_1 + w_2 x_2 - d)² over 60 samples, a valley that curves
about nine times as much across as along. A step knows one sample, or all. One thing is changed at a
time:

* Constant α: quickly there, and then to and fro for ever, as the samples disagree.
* Decreasing α_t: the noise averages out, if α_t decreases neither too slowly nor too fast:

      Σ α_t = ∞, or the path ends before it arrives;   Σ α_t² < ∞, or the noise never ends.

* All samples in each step: no noise, but the narrow valley still makes it slow.
* Momentum: steps along the valley add up, steps across it cancel.
* L2 penalty: a minimum nearer to 0, at the price of a larger loss.
* Normalised features: round contours, so that downhill points to the minimum.

The last picture is a loss with many minima: mean ½ (v sin(w x) - sin(2 x))². Which one is found
depends on the start alone.

    python examples/lectures/descent.py [--out pictures] [--answers]

The conditions: Robbins, Monro, Annals of Mathematical Statistics 22 (1951) 400.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import handout
import numpy as np
from handout import COLORS, GRID, Exercise

import tinygrad_bp as bp

N = 60
START = (-1.0, 1.0)
STEPS = 150


class Way(NamedTuple):
    """How to descend."""

    alpha: Callable
    batch: int = 1
    momentum: float = 0.0
    penalty: float = 0.0
    normalised: bool = False


CONSTANT = bp.schedules.constant(0.15)
DECREASING = bp.schedules.inverse_time(0.15, decay=1 / 50)
WAYS = {
    "constant α": Way(CONSTANT),
    "decreasing α_t": Way(DECREASING),
    "all samples in each step": Way(CONSTANT, batch=N),
    "momentum 0.8": Way(CONSTANT, batch=N, momentum=0.8),
    "L2 penalty": Way(CONSTANT, batch=N, penalty=0.3),
    "normalised features": Way(CONSTANT, batch=N, normalised=True),
}


def samples(normalised=False):
    """Features of different spread, and targets with noise: X, d."""
    random = np.random.default_rng(3)
    X = random.normal(size=(N, 2)) * [0.5, 1.5]
    d = X @ [1.5, -0.5] + random.normal(size=N)
    return (X / X.std(axis=0) if normalised else X), d


def loss(X, d, w):
    """The mean of f_n; w holds two weights, or a row of two for each of several walkers."""
    return 0.5 * np.mean(np.square(np.sum(X * w, axis=-1) - d), axis=-1)


def minimum(way):
    """Where the loss, with its penalty, is least: the normal equations."""
    X, d = samples(way.normalised)
    return np.linalg.solve(X.T @ X / N + way.penalty * np.eye(2), X.T @ d / N)


def picks(way, steps, walkers, seed):
    """Which samples each walker takes in each step."""
    if way.batch == N:
        return np.broadcast_to(np.arange(N), (steps, walkers, N))
    return np.random.default_rng(seed).integers(N, size=(steps, walkers, way.batch))


@cache
def path(way, steps=STEPS, walkers=1, seed=0):
    """The weights before and after each step, as (steps + 1, walkers, 2), by the engine.

    All walkers are in one graph: their losses are added, and none has a part in another's gradient.
    """
    X, d = samples(way.normalised)
    w = bp.Tensor(np.tile(START, (walkers, 1)), requires_grad=True)
    optimizer = bp.optim.SGD([w], way.alpha, way.momentum, way.penalty)
    found = [w.data]
    for chosen in picks(way, steps, walkers, seed):
        optimizer.zero_grad()
        np.sum(loss(X[chosen], d[chosen], w[:, np.newaxis])).backward()
        optimizer.step()
        found.append(w.data)
    return np.array(found)


def distance(way, weights):
    """How far from the minimum: the root of the mean square over walkers."""
    return np.sqrt(np.mean(np.sum((weights - minimum(way)) ** 2, axis=-1), axis=-1))


# The conditions on α_t, each kept and each violated

SCHEDULES = {
    "α / (1 + t / 50)": (DECREASING, "both kept"),
    "α, constant": (CONSTANT, "Σ α_t² = ∞: noise stays"),
    "α 0.8^t": (bp.schedules.exponential(0.15, 0.8), "Σ α_t < ∞: stops on the way"),
}
MOMENTS = (10, 100, 1000)


def sums(alpha, steps):
    """Σ α_t and Σ α_t² over so many steps."""
    values = np.array([alpha(t) for t in range(steps)])
    return values.sum(), np.sum(values**2)


def distances(name, steps=MOMENTS[-1], walkers=40):
    """How far some walkers are from the minimum, step by step."""
    way = Way(SCHEDULES[name][0])
    return distance(way, path(way, steps, walkers, seed=1))


# Many minima

POINTS = np.linspace(-2.0, 2.0, 41)
STARTS = [(0.8, 0.6), (-0.7, 3.1), (0.5, 4.2), (1.2, 5.0), (-0.9, -0.9), (0.3, -4.6), (-1.3, -3.4)]


def bumpy(v, w):
    """The loss with many minima: for numbers, or for columns of them."""
    return 0.5 * np.mean(np.square(v * np.sin(w * POINTS) - np.sin(2 * POINTS)), axis=-1)


@cache
def ends(steps=400, alpha=0.6):
    """Gradient descent from each start: all positions as (steps + 1, starts, 2)."""
    weights = bp.Tensor(np.array(STARTS), requires_grad=True)
    optimizer = bp.optim.SGD([weights], alpha)
    found = [weights.data]
    for _ in range(steps):
        optimizer.zero_grad()
        np.sum(bumpy(weights[:, :1], weights[:, 1:])).backward()
        optimizer.step()
        found.append(weights.data)
    return np.array(found)


def judged(point):
    """Cost, length of the gradient and least curvature at an end."""

    def f(p):
        return bumpy(p[0], p[1])

    slope = np.linalg.norm(bp.grad(f)(point))
    return float(f(point)), float(slope), float(np.linalg.eigvalsh(bp.hessian(f)(point))[0])


@cache
def curvatures(normalised=False):
    """The curvatures of the loss, from the least to the largest, by the engine's Hessian."""
    X, d = samples(normalised)
    return np.linalg.eigvalsh(bp.hessian(lambda w: loss(X, d, w))(np.zeros(2)))


# The page


def print_ways():
    print(
        f"From w = (-1, 1), {STEPS} steps: the minimum, the end of one walker (as in the picture),"
    )
    print("how far apart they are, and that distance for 40 walkers.")
    print(f"  {'way':25} {'the minimum':20} {'the end':20} {'apart':>7} {'40 walkers':>11}")
    for name, way in WAYS.items():
        end = path(way)[-1]
        apart = [distance(way, end), distance(way, path(way, walkers=40, seed=1)[-1])]
        points = " ".join(f"({a:7.4f}, {b:7.4f}) " for a, b in (minimum(way), end[0]))
        print(f"  {name:25} {points} {apart[0]:7.4f} {apart[1]:11.4f}")


def print_conditions():
    print("\nThe conditions on α_t, with α = 0.15: the distance of 40 walkers from the minimum.")
    heads = "".join(f"{f't = {t}':>10}" for t in MOMENTS)
    print(f"  α_t              {'Σ α_t':>8} {'Σ α_t²':>8}{heads}")
    for name, (alpha, verdict) in SCHEDULES.items():
        total, squares = sums(alpha, MOMENTS[-1])
        apart = distances(name)
        cells = "".join(f"{apart[t]:10.4f}" for t in MOMENTS)
        print(f"  {name:16} {total:8.2f} {squares:8.3f}{cells}   {verdict}")


def print_minima():
    print("\nmean ½ (v sin(w x) - sin(2 x))², from different starts, by the same gradient descent:")
    print("  start (v, w)     end (v, w)            f       slope   least curvature")
    for start, end in zip(STARTS, ends()[-1], strict=True):
        cost, slope, curvature = judged(end)
        print(
            f"  ({start[0]:4.1f}, {start[1]:4.1f})     ({end[0]:7.4f}, {end[1]:7.4f})  {cost:8.4f}"
            f"   {slope:.0e}   {curvature:15.4f}"
        )


def contours(axes, way):
    """The mean loss, with the penalty, as contours around its minimum."""
    X, d = samples(way.normalised)
    grid = np.stack(np.meshgrid(np.linspace(-1.6, 3.4, 90), np.linspace(-2.4, 1.6, 90)), axis=-1)
    heights = loss(X, d, grid[..., np.newaxis, :])
    heights = heights + 0.5 * way.penalty * np.sum(grid**2, axis=-1)
    least = heights.min()
    levels = least + (heights.max() - least) * np.linspace(0.03, 1, 12) ** 2
    axes.contour(*np.moveaxis(grid, -1, 0), heights, levels, colors=COLORS["quiet"], linewidths=0.7)
    goal = minimum(way)
    axes.plot(*goal, "*", color=COLORS["good"], markersize=13, zorder=4, label="minimum")
    axes.set(xlim=(-1.6, 3.4), ylim=(-2.4, 1.6), xlabel="w₁", ylabel="w₂")


def plot_ways(file):
    """A path for each way."""
    import matplotlib.pyplot as plt

    figure, all_axes = plt.subplots(2, 3, figsize=(13, 7.6), layout="constrained")
    for axes, (name, way) in zip(all_axes.flat, WAYS.items(), strict=True):
        contours(axes, way)
        steps = path(way)[:, 0]
        axes.plot(*steps.T, ".-", color=COLORS["gradient"], linewidth=1, markersize=4)
        axes.plot(*steps[0], "o", color=COLORS["value"], label="start")
        axes.set_title(name.replace("α_t", "αₜ"))
    figure.legend(*all_axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(file, dpi=100)
    plt.close(figure)


def animate_ways(file):
    """The four ways on the same loss, one frame for every five steps."""
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation

    racing = list(WAYS.items())[:4]
    figure, axes = plt.subplots(figsize=(7, 4.8))
    contours(axes, racing[0][1])
    paths = [path(way)[:, 0] for _, way in racing]
    colors = (COLORS["gradient"], COLORS["value"], COLORS["quiet"], COLORS["ink"])
    lines = [
        axes.plot(
            [], [], style, color=color, linewidth=1.2, markersize=4, label=name.replace("α_t", "αₜ")
        )[0]
        for (name, _), color, style in zip(racing, colors, (".:", ".-", "s-", "^-"), strict=True)
    ]
    axes.legend(loc="lower left")
    axes.set_xlim(-1.6, 2.2)

    def show(frame):
        for line, steps in zip(lines, paths, strict=True):
            line.set_data(*steps[: 5 * frame + 1].T)
        axes.set_title(f"step {5 * frame}")
        return lines

    frames = STEPS // 5 + 1
    FuncAnimation(figure, show, frames=frames).save(file, writer="pillow", fps=4, dpi=80)
    plt.close(figure)


def plot_conditions(file):
    """The distance from the minimum against time, for each schedule."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7.6, 4.6), layout="constrained")
    looks = [(COLORS["value"], "-"), (COLORS["gradient"], "--"), (COLORS["quiet"], "-.")]
    for (name, (_, verdict)), (color, style) in zip(SCHEDULES.items(), looks, strict=True):
        apart = distances(name)
        label = f"{name}: {verdict}".replace("0.8^t", "0.8ᵗ").replace("α_t", "αₜ")
        axes.loglog(range(1, len(apart) + 1), apart, style, color=color, label=label)
    axes.set(xlabel="steps", ylabel="distance from the minimum", ylim=(0.02, 5))
    axes.set_title("The conditions on αₜ: kept, and each violated")
    axes.grid(**GRID)
    axes.legend(loc="lower left")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def plot_minima(file):
    """The contours of the loss with many minima, and the path from each start."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5.4), layout="constrained")
    w, v = np.meshgrid(np.linspace(-6.5, 6.5, 200), np.linspace(-1.7, 1.7, 120))
    heights = bumpy(v[..., np.newaxis], w[..., np.newaxis])
    axes.contour(w, v, heights, np.linspace(0, 1, 26), colors=COLORS["quiet"], linewidths=0.6)
    every = ends()
    for number in range(len(STARTS)):
        steps = every[:, number]
        good = judged(steps[-1])[0] < 1e-6
        color = COLORS["value" if good else "gradient"]
        axes.plot(steps[:, 1], steps[:, 0], "-" if good else "--", color=color, linewidth=1.8)
        axes.plot(steps[0, 1], steps[0, 0], "o", color=color)
        axes.plot(steps[-1, 1], steps[-1, 0], "*", color=color, markersize=13)
    axes.plot([], [], "-", color=COLORS["value"], label="to a minimum with f = 0")
    axes.plot([], [], "--", color=COLORS["gradient"], label="to a worse minimum")
    axes.set(xlabel="w", ylabel="v", title="One loss, different starts (●), different ends (★)")
    figure.legend(loc="outside lower center", ncols=2)  # not on the contours
    figure.savefig(file, dpi=110)
    plt.close(figure)


EXERCISES = (
    Exercise(
        "Which constant α is the largest with which gradient descent on all samples does not "
        "diverge here?",
        lambda: 2 / float(curvatures()[-1]),
        "{:.3f}, which is 2 / λ, for the largest curvature λ: from there on a step across the "
        "valley lands higher up on the other side.",
    ),
    Exercise(
        "α_t = 0.15 · 0.8^t takes steps of 0.75 in all, Σ α_t. How much of the way along the "
        "valley is left when it stops, at the least curvature?",
        lambda: float(np.prod([1 - 0.15 * 0.8**t * curvatures()[0] for t in range(100)])),
        "{:.0%} of it: each step leaves 1 - α_t λ, and the product does not go to 0.",
    ),
    Exercise(
        "How much steeper is the valley across than along, before and after the features are "
        "normalised?",
        lambda: [float(np.divide(*curvatures(way)[::-1])) for way in (False, True)],
        "{0[0]:.1f} times, and {0[1]:.1f} times: round contours, so one α suits both weights.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print_ways()
    print_conditions()
    print_minima()
    print()
    page.plot(plot_ways, "descent.png")
    page.plot(animate_ways, "descent.gif")
    page.plot(plot_conditions, "descent_conditions.png")
    page.plot(plot_minima, "descent_minima.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
