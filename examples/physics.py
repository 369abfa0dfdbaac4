"""A small network that solves a differential equation: u'' + u = 0, u(0) = 0, u'(0) = 1.

Nobody shows it the solution. Its loss asks only that its own second derivative cancel its value;
training then differentiates that loss by the weights, which makes three derivatives in all. The
true solution, sin x, serves only to check the result.

    python examples/physics.py [--out physics.png]

Lagaris, Likas and Fotiadis, "Artificial neural networks for solving ordinary and partial
differential equations", IEEE Transactions on Neural Networks 9 (1998) 987-1000.
"""

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tinygrad_bp as bp

HIDDEN = 12
POINTS = np.linspace(0, 2 * np.pi, 40)


def network(weights, x):
    """One hidden layer of tanh units, from a number to a number, for many x at once."""
    slopes, offsets, heights = np.reshape(weights, (3, HIDDEN, 1))
    return np.sum(heights * np.tanh(slopes * x + offsets), axis=0)


def trial(weights):
    """A function of x that meets both conditions at 0 whatever the weights: x + x² network(x)."""
    return lambda x: x + x**2 * network(weights, x)


def derivative(f):
    """The derivative of an element-wise function: its vector-Jacobian product with ones."""
    return lambda x: bp.vjp(f, x)[1](np.ones(x.shape))[0]


def loss(weights):
    """The mean square of u'' + u, which is 0 for a solution and for nothing else."""
    u = trial(weights)
    return np.mean((derivative(derivative(u))(POINTS) + u(POINTS)) ** 2)


def solve(seed=0):
    """The weights that L-BFGS finds, given the loss and its gradient; and every loss on the way."""
    from scipy.optimize import minimize

    losses = []
    with tqdm(desc="L-BFGS", unit=" steps") as bar:

        def note(intermediate_result):
            losses.append(intermediate_result.fun)
            bar.set_postfix(loss=f"{losses[-1]:.1e}", refresh=False)
            bar.update()

        start = np.random.default_rng(seed).normal(0, 0.5, 3 * HIDDEN)
        options = {"maxiter": 3000, "maxfun": 6000, "ftol": 0, "gtol": 1e-7}
        found = minimize(
            bp.value_and_grad(loss),
            start,
            jac=True,
            method="L-BFGS-B",
            callback=note,
            options=options,
        )
    return found.x, losses


def draw(weights, losses, file):
    """The solution beside the truth, their difference, and the loss."""
    import matplotlib.pyplot as plt

    x = np.linspace(0, 2 * np.pi, 400)
    u = trial(weights)(x)
    figure, (solution, error, descent) = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    solution.plot(x, np.sin(x), color="#8292A2", linewidth=5, alpha=0.5, label="sin x")
    solution.plot(x, u, color="#0072B2", label="network")
    solution.set(title="u'' + u = 0, u(0) = 0, u'(0) = 1", xlabel="x")
    solution.legend()
    error.semilogy(x[1:], np.abs(u - np.sin(x))[1:], color="#D55E00")
    error.set(title="|network − sin x|", xlabel="x")
    descent.semilogy(losses, color="#009E73")
    descent.set(title="mean square of u'' + u", xlabel="step")
    figure.savefig(file, dpi=150)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("physics.png"), help="the picture's file")
    file = parser.parse_args().out
    try:
        weights, losses = solve()
        x = np.linspace(0, 2 * np.pi, 1000)  # most of these were never trained on
        print(f"loss {losses[-1]:.1e} after {len(losses)} steps")
        print(f"largest error against sin x: {np.max(np.abs(trial(weights)(x) - np.sin(x))):.1e}")
        draw(weights, losses, file)
        print(f"picture: {file}")
    except ImportError as missing:
        print(f'{missing.name.partition(".")[0]} is missing: pip install "tinygrad_bp[examples]"')


if __name__ == "__main__":
    main()
