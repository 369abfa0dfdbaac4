"""The 2-2 and the 2-2-2 network of sigmoids: as graphs, and their local derivatives by hand.

* 2-2:   z1 = x1 w1 + x2 w2 and z2 = x1 w3 + x2 w4; y = σ(z).
* 2-2-2: q1 = x1 w1 + x2 w2 and q2 = x1 w3 + x2 w4; h = σ(q);
         z1 = h1 w5 + h2 w6 and z2 = h1 w7 + h2 w8; y = σ(z).

The error of both is ε = ε1 + ε2, with ε_i = ½ (y_i - d_i)².
"""

import numpy as np

import tinygrad_bp as bp
from tinygrad_bp.functional import sigmoid

X, D = (0.6, -0.4), (0.9, 0.2)
SMALL_WEIGHTS = (0.5, -0.3, 0.8, 0.4)
WEIGHTS = (0.5, -0.3, 0.8, 0.4, 1.2, -0.7, 0.6, 0.9)


# The networks, as graphs


def tensors(letter, values, requires_grad=False):
    """Numbers as leaves, named x1, x2, ..."""
    numbered = enumerate(values, start=1)
    return [bp.Tensor(v, requires_grad=requires_grad, name=f"{letter}{n}") for n, v in numbered]


def name(letter, *nodes):
    """Give computed nodes the names x1, x2, ..."""
    for number, node in enumerate(nodes, start=1):
        node.name = f"{letter}{number}"
    return nodes


def error(y, d):
    """ε = ε1 + ε2, from the outputs and what they should be."""
    e1, e2 = name("ε", *(0.5 * np.square(y_i - d_i) for y_i, d_i in zip(y, d, strict=True)))
    total = e1 + e2
    total.name = "ε"
    return total


def one_layer(x, d, w):
    """The 2-2 network: its error, and its four weights."""
    x1, x2 = tensors("x", x)
    w1, w2, w3, w4 = weights = tensors("w", w, requires_grad=True)
    z1, z2 = name("z", x1 * w1 + x2 * w2, x1 * w3 + x2 * w4)
    y = name("y", sigmoid(z1), sigmoid(z2))
    return error(y, tensors("d", d)), weights


def two_layers(x, d, w):
    """The 2-2-2 network: its error, and its eight weights."""
    x1, x2 = tensors("x", x)
    w1, w2, w3, w4, w5, w6, w7, w8 = weights = tensors("w", w, requires_grad=True)
    q1, q2 = name("q", x1 * w1 + x2 * w2, x1 * w3 + x2 * w4)
    h1, h2 = name("h", sigmoid(q1), sigmoid(q2))
    z1, z2 = name("z", h1 * w5 + h2 * w6, h1 * w7 + h2 * w8)
    y = name("y", sigmoid(z1), sigmoid(z2))
    return error(y, tensors("d", d)), weights


# The same by hand: local derivatives, and the paths that they lie on

ONE_LAYER_PATHS = {
    "w1": ["ε1 y1 z1 w1"],
    "w2": ["ε1 y1 z1 w2"],
    "w3": ["ε2 y2 z2 w3"],
    "w4": ["ε2 y2 z2 w4"],
}
TWO_LAYER_PATHS = {
    "w1": ["ε1 y1 z1 h1 q1 w1", "ε2 y2 z2 h1 q1 w1"],
    "w2": ["ε1 y1 z1 h1 q1 w2", "ε2 y2 z2 h1 q1 w2"],
    "w3": ["ε1 y1 z1 h2 q2 w3", "ε2 y2 z2 h2 q2 w3"],
    "w4": ["ε1 y1 z1 h2 q2 w4", "ε2 y2 z2 h2 q2 w4"],
    "w5": ["ε1 y1 z1 w5"],
    "w6": ["ε1 y1 z1 w6"],
    "w7": ["ε2 y2 z2 w7"],
    "w8": ["ε2 y2 z2 w8"],
}


def logistic(z):
    return 1 / (1 + np.exp(-z))


def one_layer_derivatives(x, d, w):
    """The local derivatives of the 2-2 network: {(of, by): (formula, value)}."""
    (x1, x2), (d1, d2), (w1, w2, w3, w4) = x, d, w
    y1, y2 = logistic(x1 * w1 + x2 * w2), logistic(x1 * w3 + x2 * w4)
    return {
        ("ε1", "y1"): ("(y1 - d1)", y1 - d1),
        ("ε2", "y2"): ("(y2 - d2)", y2 - d2),
        ("y1", "z1"): ("y1(1 - y1)", y1 * (1 - y1)),
        ("y2", "z2"): ("y2(1 - y2)", y2 * (1 - y2)),
        ("z1", "w1"): ("x1", x1),
        ("z1", "w2"): ("x2", x2),
        ("z2", "w3"): ("x1", x1),
        ("z2", "w4"): ("x2", x2),
    }


def two_layer_derivatives(x, d, w):
    """The local derivatives of the 2-2-2 network: {(of, by): (formula, value)}."""
    (x1, x2), (d1, d2), (w1, w2, w3, w4, w5, w6, w7, w8) = x, d, w
    h1, h2 = logistic(x1 * w1 + x2 * w2), logistic(x1 * w3 + x2 * w4)
    y1, y2 = logistic(h1 * w5 + h2 * w6), logistic(h1 * w7 + h2 * w8)
    return {
        ("ε1", "y1"): ("(y1 - d1)", y1 - d1),
        ("ε2", "y2"): ("(y2 - d2)", y2 - d2),
        ("y1", "z1"): ("y1(1 - y1)", y1 * (1 - y1)),
        ("y2", "z2"): ("y2(1 - y2)", y2 * (1 - y2)),
        ("z1", "w5"): ("h1", h1),
        ("z1", "w6"): ("h2", h2),
        ("z2", "w7"): ("h1", h1),
        ("z2", "w8"): ("h2", h2),
        ("z1", "h1"): ("w5", w5),
        ("z1", "h2"): ("w6", w6),
        ("z2", "h1"): ("w7", w7),
        ("z2", "h2"): ("w8", w8),
        ("h1", "q1"): ("h1(1 - h1)", h1 * (1 - h1)),
        ("h2", "q2"): ("h2(1 - h2)", h2 * (1 - h2)),
        ("q1", "w1"): ("x1", x1),
        ("q1", "w2"): ("x2", x2),
        ("q2", "w3"): ("x1", x1),
        ("q2", "w4"): ("x2", x2),
    }
