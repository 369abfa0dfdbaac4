"""Second derivatives: a gradient is computed like anything else, so it can be differentiated again.

With `create_graph=True` the backward pass records what it does. What it finds is a Tensor with a
graph of its own, and a pass over that graph finds second derivatives:

* The Hessian is the Jacobian of the gradient: one backward pass for each of its rows.
* The Hessian times a vector v is the gradient of the number ⟨∇f, v⟩: one pass, whatever the size.
* It is symmetric where f is smooth, so its rows are its columns.
* Newton's step, -H⁻¹ ∇f, goes to the minimum of the quadratic that has this gradient and Hessian;
  `examples/newton.py` descends with it.

The function is f = x² y + sin y at (2, 3).

In the picture, grey leads from x and y to f and from there on to the gradients: they are nodes as
all others are.

    python examples/lectures/second_derivatives.py [--out pictures] [--answers]

Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994) 147.
"""

import handout
import numpy as np
from handout import Exercise
from side_by_side import side_by_side

import tinygrad_bp as bp
from tinygrad_bp.functional import relu

AT = np.array([2.0, 3.0])
ALONG = np.array([1.0, -1.0])


def f(p):
    """x² y + sin y."""
    return p[0] ** 2 * p[1] + np.sin(p[1])


def rows():
    """Rows of (formula, by hand, engine)."""
    x, y = AT
    gradient = np.array([2 * x * y, x**2 + np.cos(y)])
    hessian = np.array([[2 * y, 2 * x], [2 * x, -np.sin(y)]])
    yield "∇f = (2 x y, x² + cos y)", gradient, bp.grad(f)(AT)
    yield "H = (2 y, 2 x; 2 x, -sin y)", hessian, bp.hessian(f)(AT)
    yield "H = the Jacobian of ∇f", hessian, bp.jacobian(bp.grad(f))(AT)
    yield "H v, for v = (1, -1)", hessian @ ALONG, bp.hvp(f, AT, ALONG)
    engine = bp.grad(lambda p: np.sum(bp.grad(f)(p) * ALONG))(AT)
    yield "H v = ∇⟨∇f, v⟩", hessian @ ALONG, engine
    third = bp.grad(bp.grad(bp.grad(np.sin)))(y)
    yield "sin‴ = -cos, at y", -np.cos(y), third
    engine = [bp.grad(bp.grad(g))(1.0) for g in (relu, np.tanh)]
    by_hand = [0.0, -2 * np.tanh(1) * (1 - np.tanh(1) ** 2)]
    yield "relu″(1) = 0, tanh″(1) = -2 tanh tanh′", by_hand, engine


def recorded():
    """The function with its gradients, all in one graph, by x and y as numbers."""
    x, y = (bp.Tensor(v, requires_grad=True, name=n) for n, v in zip("xy", AT, strict=True))
    output = x**2 * y + np.sin(y)
    output.name = "f"
    output.backward(create_graph=True)
    x.grad.name, y.grad.name = "∂f/∂x", "∂f/∂y"
    return output, x, y


def twice():
    """The second derivatives by two backward passes, by hand as in a training loop: f_xx, f_xy."""
    _, x, y = recorded()
    by_x, x.grad, y.grad = x.grad, None, None
    by_x.backward()
    return float(x.grad), float(y.grad)


def one_step():
    """The gradient's length after a step on a quadratic."""
    A, p = np.array([[3.0, 1.0], [1.0, 2.0]]), np.array([5.0, -7.0])

    def quadratic(p):
        return 0.5 * np.sum(p * (A @ p))

    p = p - np.linalg.solve(bp.hessian(quadratic)(p), bp.grad(quadratic)(p))
    return float(np.linalg.norm(bp.grad(quadratic)(p)))


EXERCISES = (
    Exercise(
        "How many backward passes does the Hessian of a function of 5 inputs take, with the one "
        "that makes the gradient?",
        lambda: 1 + len(bp.hessian(lambda p: np.sum(p**3))(np.ones(5))),
        "{}: one for the gradient, and one for each row. In one product H v there are two.",
    ),
    Exercise(
        "What is the second derivative of a network of ReLUs by its input, away from corners, and "
        "of one of tanhs?",
        lambda: [float(bp.grad(bp.grad(g))(1.0)) for g in (relu, np.tanh)],
        "ReLU: {0[0]:g}, as it is made of straight pieces; tanh: {0[1]:.4f} at 1. For a curvature "
        "by the input, as a differential equation needs it, take a smooth activation.",
    ),
    Exercise(
        "How long is the gradient of ½ pᵀ A p after one step of Newton's method, from anywhere?",
        one_step,
        "{:.0e}, but for rounding nothing: for a quadratic, one step is enough.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print("f = x² y + sin y at (2, 3), and two activations:")
    side_by_side(rows())
    print(f"Two calls of backward, the first with create_graph=True: f_xx, f_xy = {twice()}.")
    print()
    output, x, y = recorded()
    path = page.out / "second_derivatives.svg"
    bp.draw([output, x.grad, y.grad], path, fuse=True)
    print(f"  picture: {path}")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
