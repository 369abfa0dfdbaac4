"""Backpropagation as plain NumPy: the program that a small network's loss and gradient are.

The 2-2-2 network of the notes, weight matrices W1 and W2, sigmoids and half the squared error:

    z1 = W1 x    h1 = σ(z1)    z2 = W2 h1    y = σ(z2)    loss = ½ Σ (y - d)²

`bp.compile` writes down each call of NumPy that the forward and the backward pass make. The first
program is what was written; hold each line that begins with d_ beside the chain rule: it is the
derivative of the loss by the value after the d_, and its comment names the line that it belongs
to. The second is the same after the passes have shortened it and its results are put into arrays
that are used again: what is run in training.

    python examples/plain_numpy.py
"""

import numpy as np

import tinygrad_bp as bp
from tinygrad_bp.compiling.passes import PASSES
from tinygrad_bp.support.printing import quiet_end

X, D = np.array([0.6, -0.4]), np.array([0.9, 0.2])
W1 = bp.Tensor([[0.5, -0.3], [0.8, 0.4]], requires_grad=True, name="W1")
W2 = bp.Tensor([[1.2, -0.7], [0.6, 0.9]], requires_grad=True, name="W2")


def named(name, tensor):
    """A computed Tensor, with the name that its line in the program gets."""
    tensor.name = name
    return tensor


def network_loss(x, d):
    """Half the squared error of the 2-2-2 network."""
    z1 = named("z1", W1 @ x)
    h1 = named("h1", 1 / (1 + np.exp(-z1)))
    z2 = named("z2", W2 @ h1)
    y = named("y", 1 / (1 + np.exp(-z2)))
    error = named("error", y - d)
    return 0.5 * np.sum(error * error)


def compiled(passes, buffers):
    """The program, once three calls have found the weights and agreed on it."""
    program = bp.compile(network_loss, passes=passes, buffers=buffers)
    for _ in range(3):
        program(X, D)
    return program


@quiet_end()
def main():
    written, short = compiled((), False), compiled(PASSES, True)
    print("As it was written\n")
    print(written.source)
    print("After the passes\n")
    print(short.source)
    for title, program in (("as written", written), ("after the passes", short)):
        module = {}
        exec(program.source, module)  # it imports NumPy alone
        loss, by_w1, _ = module["program"](X, D, W1.data, W2.data)
        print(f"{title}: loss {loss:.6f}, d loss / d w1 = {by_w1[0, 0]:.4f}")
        W1.zero_grad()
        network_loss(X, D).backward()
        assert (by_w1 == W1.grad).all()


if __name__ == "__main__":
    main()
