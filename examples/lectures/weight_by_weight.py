"""Backpropagation weight by weight, through a 2-2 and a 2-2-2 network of sigmoids.

The small networks, with every number a node of the graph:

* 2-2:   z1 = x1 w1 + x2 w2 and z2 = x1 w3 + x2 w4; y = σ(z).
* 2-2-2: q1 = x1 w1 + x2 w2 and q2 = x1 w3 + x2 w4; h = σ(q);
         z1 = h1 w5 + h2 w6 and z2 = h1 w7 + h2 w8; y = σ(z).

The error of both is ε = ε1 + ε2, with ε_i = ½ (y_i - d_i)². A weight's gradient is a sum over the
paths from the weight to ε; each path contributes the product of its local derivatives. One path
leads from w5 and two from w1, because h1 feeds both outputs.

Paths that begin alike share the beginning of their products. Written out one by one, the paths of
the 2-2-2 network take 52 factors; the pass finds each of its 18 local derivatives once, and reuses
the partial products. In the picture of its backward pass, look for "used in": an adjoint that is
used more than once is a partial product that was not computed again. The card of h1 sums two terms,
one from each output, before it pays q1 once.

Each layer puts a factor σ′ = y (1 - y), at most ¼, into every product, and usual weights do not
make up for it. So the gradient of the first layers vanishes with the depth. The last part measures
this, and shows that ReLU, whose factor is 1 or 0, keeps the gradient if the weights have the right
spread.

    python examples/lectures/weight_by_weight.py [--out pictures] [--answers]

After the lecture notes "Back Propagation Explained", which name no author. The initialisation for
ReLU: He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015.
"""

from collections import defaultdict
from itertools import pairwise

import handout
import numpy as np
from side_by_side import side_by_side

import tinygrad_bp as bp
from tinygrad_bp.functional import relu, sigmoid

X, D = (0.6, -0.4), (0.9, 0.2)
SMALL_WEIGHTS = (0.5, -0.3, 0.8, 0.4)
WEIGHTS = (0.5, -0.3, 0.8, 0.4, 1.2, -0.7, 0.6, 0.9)
RATE = 0.5


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


def product_by_hand(path, derivatives):
    """A path's product, as (formula, value)."""
    factors = [derivatives[step] for step in pairwise(path.split())]
    return " ".join(formula for formula, _ in factors), np.prod([value for _, value in factors])


def gradients_by_hand(paths, derivatives):
    """For every weight, the sum of its paths."""
    return [sum(product_by_hand(p, derivatives)[1] for p in found) for found in paths.values()]


def error_by_hand(derivatives):
    """ε, from its derivatives by y1 and y2."""
    return 0.5 * (derivatives["ε1", "y1"][1] ** 2 + derivatives["ε2", "y2"][1] ** 2)


# What belongs together: a network as a graph, its paths, its local derivatives

ONE_LAYER = (one_layer, ONE_LAYER_PATHS, one_layer_derivatives)
TWO_LAYERS = (two_layers, TWO_LAYER_PATHS, two_layer_derivatives)


def letters(path):
    """A path of the engine in the letters of the notes: {(of, by): local derivative}.

    Between two letters there can be more nodes, such as the product h1 w5 before the sum z1: their
    local derivatives are multiplied up.
    """
    found, local, above = {}, 1.0, None
    for edge in path.edges:
        local = local * edge.local
        letter = edge.receiver.tensor.name
        if letter:
            if above:  # the notes start at ε1 or ε2, not at their sum
                found[above, letter] = local
            local, above = 1.0, letter
    return found


def route(path):
    """The letters of a path in a line: ``ε1 y1 z1 w5``."""
    steps = list(letters(path))
    return " ".join([steps[0][0], *(by for _, by in steps)])


def compare_local_derivatives(kind, *sample):
    """Rows of (formula, by hand, engine) for the derivative on every edge."""
    network, _, derivatives = kind
    output, weights = network(*sample)
    by_hand = derivatives(*sample)
    engine = {}
    for weight in weights:
        for path in bp.paths(output, weight):
            engine |= letters(path)
    for step in by_hand.keys() | engine.keys():
        formula, value = by_hand[step]
        yield f"∂{step[0]}/∂{step[1]} = {formula}", value, engine[step]


def compare_gradients(kind, *sample):
    """Rows of (formula, by hand, engine): a weight's paths if it has several, and their sum."""
    network, paths, derivatives = kind
    output, weights = network(*sample)
    output.backward()
    by_hand = derivatives(*sample)
    for weight in weights:
        engine = {route(path): path.product for path in bp.paths(output, weight)}
        products = {path: product_by_hand(path, by_hand) for path in paths[weight.name]}
        terms = [f"∂{path[:2]}/∂{weight.name}" for path in products]
        for term, (path, (formula, product)) in zip(terms, products.items(), strict=True):
            if len(terms) > 1:
                yield f"{term} = {formula}", product, engine[path]
        total = sum(product for _, product in products.values())
        written = " + ".join(terms) if len(terms) > 1 else f"{terms[0]} = {formula}"
        yield f"∂ε/∂{weight.name} = {written}", total, weight.grad


def reused(kind, *sample):
    """The partial products that several weights need: {name: (value, weights)}."""
    output, weights = kind[0](*sample)
    values, users = {}, defaultdict(list)
    for weight in weights:
        for path in bp.paths(output, weight):
            (start, _), *_ = steps = list(letters(path).items())
            product = 1.0
            for number, ((_, by), local) in enumerate(steps[:-1]):
                product = product * local
                if number > 0:  # a product has two factors or more
                    partial = f"∂{start[0]}/∂{by}"
                    values[partial] = product
                    users[partial].append(weight.name)
    return {p: (values[p], used) for p, used in users.items() if len(used) > 1}


def count_factors(kind, *sample):
    """How many paths there are, how many factors they have in all, and how many different ones."""
    output, weights = kind[0](*sample)
    found = [letters(path) for weight in weights for path in bp.paths(output, weight)]
    return len(found), sum(map(len, found)), len(set().union(*found))


# The update w <- w - η ∂ε/∂w, iterated


def descend_by_hand(kind, x, d, w, rate, steps):
    """ε and the weights, after each step: a row for k = 0, 1, ..."""
    _, paths, derivatives = kind
    w, rows = np.array(w), []
    for _ in range(steps + 1):
        local = derivatives(x, d, w)
        rows.append([error_by_hand(local), *w])
        w = w - rate * np.array(gradients_by_hand(paths, local))
    return np.array(rows)


def descend(kind, x, d, w, rate, steps):
    """The same by the engine."""
    w, rows = np.array(w), []
    for _ in range(steps + 1):
        output, weights = kind[0](x, d, w)
        output.backward()
        rows.append([output.item(), *w])
        w = w - rate * np.array([weight.grad for weight in weights])
    return np.array(rows)


# The vanishing gradient

DEPTHS = range(2, 21)
# name: (activation, standard deviation of a weight times the square root of its layer's inputs)
RECIPES = {"sigmoid": (sigmoid, 1.0), "ReLU, He": (relu, np.sqrt(2.0))}


def mean_deltas(depth, recipe, width=64, samples=64, seed=0):
    """Mean |δ| of every layer of a random network, from the first layer to the last.

    δ is the derivative of half the mean squared error by the layer's sums z, before the activation.
    """
    activation, spread = RECIPES[recipe]
    random = np.random.default_rng(seed)
    a, target = random.normal(size=(2, samples, width))
    layers = []
    for _ in range(depth):
        W = random.normal(size=(width, width)) * spread / np.sqrt(width)
        z = a @ bp.Tensor(W, requires_grad=True).T
        a = activation(z)
        layers.append(z)
    loss = np.sum(np.square(a - target)) / (2 * samples)
    loss.backward(keep_grads=True)
    return np.array([np.mean(np.abs(z.grad)) for z in layers])


def factor_per_layer(deltas):
    """By which factor δ changes from a layer to the one before it, on average."""
    return (deltas[0] / deltas[-1]) ** (1 / (len(deltas) - 1))


def plot_deltas(file):
    """Mean |δ| by layer for some depths, and in the first layer for all depths."""
    import matplotlib.pyplot as plt

    styles = {"sigmoid": ("#D55E00", "o", 0.1), "ReLU, He": ("#0072B2", "s", 4)}
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
        axes.grid(color="#D5DCE3", linewidth=0.6)
    by_depth.legend()
    figure.savefig(file, dpi=120)
    plt.close(figure)


# The page


def print_reuse():
    print("\nPartial products that more than one weight of the 2-2-2 network needs:")
    for partial, (value, used) in reused(TWO_LAYERS, X, D, WEIGHTS).items():
        print(f"  {partial}  {value:8.4f}  {len(used)} times: {' '.join(used)}")
    paths, factors, different = count_factors(TWO_LAYERS, X, D, WEIGHTS)
    print(
        f"{paths} paths have {factors} factors. Only {different} are different: the pass", end=" "
    )
    print("evaluates each of those once.")


def print_descent():
    print(f"\nThe update w <- w - η ∂ε/∂w with η = {RATE}, iterated:")
    arguments = (TWO_LAYERS, X, D, WEIGHTS, RATE, 1000)
    by_hand, engine = descend_by_hand(*arguments), descend(*arguments)
    side_by_side(
        (f"k = {k:4}: ε, w1, w5", by_hand[k, [0, 1, 5]], engine[k, [0, 1, 5]])
        for k in (0, 1, 10, 100, 1000)
    )


def print_deltas():
    print("\nThe vanishing gradient: mean |δ| in the first layer, and its factor per layer.")
    print(f"  depth  {'sigmoid':>9}  factor  {'ReLU, He':>9}  factor")
    for depth in DEPTHS[::2]:
        cells = [mean_deltas(depth, recipe) for recipe in RECIPES]
        row = "  ".join(f"{deltas[0]:9.1e}  {factor_per_layer(deltas):6.3f}" for deltas in cells)
        print(f"  {depth:5}  {row}")


def main():
    page = handout.begin(__doc__)
    print("The 2-2 network, every weight:")
    side_by_side(compare_gradients(ONE_LAYER, X, D, SMALL_WEIGHTS))
    print("\nThe 2-2-2 network, every weight, path by path:")
    side_by_side(compare_gradients(TWO_LAYERS, X, D, WEIGHTS))
    print_reuse()
    print_descent()
    print_deltas()
    print("\nBoth networks with their values and local derivatives, and the vanishing gradient:")
    for kind, weights, file in ((ONE_LAYER, SMALL_WEIGHTS, "2-2"), (TWO_LAYERS, WEIGHTS, "2-2-2")):
        output, _ = kind[0](X, D, weights)
        output.backward(keep_grads=True)
        page.draw(output, f"weight_by_weight_{file}", notation={})
    page.plot(plot_deltas, "vanishing_gradient.png")


if __name__ == "__main__":
    main()
