"""Newton's method against gradient descent on Rosenbrock's banana valley.

Both see the same function. Gradient descent sees its slope alone; Newton's method also sees its
curvature, the Hessian, and so knows how far to go: x <- x - H(x)^-1 grad(x).

    python examples/newton.py [--out newton.png]

Rosenbrock, "An automatic method for finding the greatest or least value of a function",
The Computer Journal 3 (1960) 175-184.
"""

import argparse
from pathlib import Path

import numpy as np

import tinygrad_bp as bp

START = np.array([-1.2, 1.0])


def rosenbrock(point):
    """(1 - x)² + 100 (y - x²)²: a curved valley whose lowest point is (1, 1)."""
    x, y = point
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


gradient = bp.grad(rosenbrock)
hessian = bp.hessian(rosenbrock)


def newton_step(point):
    """To the lowest point of the parabola that has this slope and this curvature."""
    return point - np.linalg.solve(hessian(point), gradient(point))


def descent_step(point, rate=0.001):
    """A little way downhill. A larger rate than this overshoots the valley's walls."""
    return point - rate * gradient(point)


def minimise(step, tolerance=1e-8, limit=10_000):
    """All points from START until the slope is less than ``tolerance``, or patience runs out."""
    points = [START]
    while np.linalg.norm(gradient(points[-1])) > tolerance and len(points) <= limit:
        points.append(step(points[-1]))
    return np.array(points)


def draw(paths, file):
    """Contours of the valley, and both ways through it."""
    import matplotlib.pyplot as plt

    x, y = np.meshgrid(np.linspace(-1.9, 1.6, 300), np.linspace(-3.5, 2, 300))
    figure, axes = plt.subplots(figsize=(7.5, 5.6), layout="constrained")
    height = np.log10(rosenbrock((x, y)))
    filled = axes.contourf(
        x, y, height, levels=np.arange(-2, 4, 0.5), cmap="Greys", extend="both", alpha=0.5
    )
    figure.colorbar(filled, label="log₁₀ f(x, y)")
    styles = {"gradient descent": ("#D55E00", ".", 1.5), "Newton": ("#0072B2", "o", 5)}
    for name, points in paths.items():
        color, marker, size = styles[name]
        label = f"{name}: {len(points) - 1:,} steps"
        axes.plot(
            *points.T, color=color, marker=marker, markersize=size, linewidth=1.3, label=label
        )
    axes.plot(1, 1, "*", color="#009E73", markersize=14, label="minimum (1, 1)")
    axes.set(xlabel="x", ylabel="y")
    axes.set_title("Rosenbrock: (1 − x)² + 100 (y − x²)²")
    axes.legend(loc="lower left")
    figure.savefig(file, dpi=150)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("newton.png"), help="the picture's file")
    file = parser.parse_args().out
    paths = {"gradient descent": minimise(descent_step), "Newton": minimise(newton_step)}
    print(f"{'':16} {'steps':>7}  {'reached':26} {'f there':>10}")
    for name, points in paths.items():
        x, y = points[-1]
        print(f"{name:16} {len(points) - 1:7,}  ({x:.9f}, {y:.9f}) {rosenbrock(points[-1]):10.2e}")
    try:
        draw(paths, file)
        print(f"picture: {file}")
    except ImportError:
        print('no picture: pip install "tinygrad_bp[examples]" brings matplotlib')


if __name__ == "__main__":
    main()
