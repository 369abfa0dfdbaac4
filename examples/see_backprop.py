"""Backpropagation as pictures: an expression, a network, and a graph of gradients.

Run ``python examples/see_backprop.py``; the pictures are then in ``examples/pictures``.
"""

import argparse
from pathlib import Path

import numpy as np

import tinygrad_bp as bp


def expression():
    """The expression z = x p + sin p with p = x y, with a name for every step of it.

    Because p is used twice, the pass has to wait for both terms before it goes on from p; and it
    pays to do so, as a pass that walks each path by itself goes over what is below p twice.
    """
    x = bp.Tensor(2.0, requires_grad=True, name="x")
    y = bp.Tensor(3.0, requires_grad=True, name="y")
    p = x * y
    q = x * p
    s = np.sin(p)
    z = q + s
    p.name, q.name, s.name, z.name = "p", "q", "s", "z"
    return x, y, z


def network():
    """A small network, and its loss on a batch of 32 points."""
    random = np.random.default_rng(0)
    X = bp.Tensor(random.normal(size=(32, 2)), name="X")
    target = bp.Tensor(np.sign(X.data[:, :1] * X.data[:, 1:]), name="target")
    prediction = bp.nn.MLP([2, 16, 16, 1], activation="relu", seed=0)(X)
    loss = bp.functional.mse_loss(prediction, target)
    prediction.name, loss.name = "ŷ", "loss"
    return loss


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pictures")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    # The values, and what a backward pass left in .grad; keep_grads keeps those in between, too.
    _, _, z = expression()
    z.backward(keep_grads=True)
    bp.draw(z, out / "expression.svg")
    bp.draw(z, out / "expression_merged.svg", ops="merged")

    # The pass itself: numbered steps, local derivatives on the edges, sums in the cards.
    bp.draw(z, out / "backward.svg", backward=True)
    bp.animate(z, out / "backward.html")
    bp.animate(z, out / "backward.gif")

    # A network: a cluster for each layer, and how large the gradient is in each place.
    loss = network()
    loss.backward(keep_grads=True)
    bp.draw(loss, out / "network.svg")
    bp.draw(loss, out / "network_layers.svg", depth=1)
    bp.draw(loss, out / "network_backward.svg", backward=True)

    # Gradients have a graph of their own, which can be differentiated again.
    x, y, z = expression()
    z.backward(create_graph=True)
    bp.draw([z, x.grad, y.grad], out / "gradients.svg")

    for path in sorted(out.iterdir()):
        print(f"{path.stat().st_size / 1000:8.1f} kB  {path}")


if __name__ == "__main__":
    main()
