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
the partial products. In the picture of its backward pass, look for "used in" on the card of z1: one
partial product, paid to w5, w6, h1 and h2. The card of h1 sums two terms, one from each output,
before it pays q1 once. The picture has 20 steps, as it begins at ε and pays ε1 and ε2 first; and
the engine, which records each product and each sum by itself, takes 32.

    python examples/lectures/weight_by_weight.py [--out pictures] [--answers]

After the lecture notes "Back Propagation Explained", which name no author. Their closing remark, on
products that get longer with the depth, has a page of its own: `vanishing_gradient.py`.
"""

from collections import defaultdict
from itertools import pairwise

import handout
import numpy as np
from handout import Exercise
from side_by_side import side_by_side
from small_networks import (
    ONE_LAYER_PATHS,
    SMALL_WEIGHTS,
    TWO_LAYER_PATHS,
    WEIGHTS,
    D,
    X,
    one_layer,
    one_layer_derivatives,
    two_layer_derivatives,
    two_layers,
)

import tinygrad_bp as bp

RATE = 0.5


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
    for step in {**by_hand, **engine}:
        formula, value = by_hand[step]
        yield f"∂{step[0]}/∂{step[1]} = {formula}", value, engine[step]


def rows_forward(kind, x, d, w):
    """The values, with σ written out: rows of (formula, by hand, engine)."""
    engine = {node.name: node.value for node in bp.explain.view(kind[0](x, d, w)[0]).visited()}
    names, inputs = ("x1", "x2"), x
    layers = ["zy"] if kind is ONE_LAYER else ["qh", "zy"]
    for number, (z, y) in enumerate(layers):
        a, b = names
        outputs = []
        for i in (1, 2):
            first = 4 * number + 2 * i - 1
            total = inputs[0] * w[first - 1] + inputs[1] * w[first]
            outputs.append(1 / (1 + np.exp(-total)))
            yield f"{z}{i} = {a} w{first} + {b} w{first + 1}", total, engine[f"{z}{i}"]
            yield f"{y}{i} = 1 / (1 + exp(-{z}{i}))", outputs[-1], engine[f"{y}{i}"]
        names, inputs = (f"{y}1", f"{y}2"), outputs
    for i in (0, 1):
        e = 0.5 * (inputs[i] - d[i]) ** 2
        yield f"ε{i + 1} = ½ (y{i + 1} - d{i + 1})²", e, engine[f"ε{i + 1}"]
    both = 0.5 * sum((y - goal) ** 2 for y, goal in zip(inputs, d, strict=True))
    yield "ε = ε1 + ε2", both, engine["ε"]


def symbols(path):
    """A path as a product of derivatives: ``∂ε1/∂y1 ∂y1/∂z1 ∂z1/∂w5``."""
    return " ".join(f"∂{of}/∂{by}" for of, by in pairwise(path.split()))


def rows_in_symbols(x, d, w):
    """The products of w5 and w1 in symbols, and what is not related: rows as above."""
    by_hand = two_layer_derivatives(x, d, w)
    output, weights = two_layers(x, d, w)
    for number in (5, 1):
        weight = weights[number - 1]
        engine = {route(path): path.product for path in bp.paths(output, weight)}
        for path in TWO_LAYER_PATHS[weight.name]:
            formula = f"∂{path[:2]}/∂{weight.name} = {symbols(path)}"
            yield formula, product_by_hand(path, by_hand)[1], engine[path]
    small, (w1, *_) = one_layer(x, d, w[:4])
    e2 = bp.explain.view(small)["ε2"].tensor
    yield "2-2: ∂ε2/∂w1 = 0, no path leads there", 0.0, float(bp.count_paths(e2, w1))


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


def steps():
    """The steps of the pass over the 2-2-2 network: between named nodes, and between all."""
    output, _ = two_layers(X, D, WEIGHTS)
    return [bp.trace(output, fuse=fuse).graph.edges[-1].step for fuse in (True, False)]


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


# The page


def print_reuse():
    print("\nPartial products that more than one weight of the 2-2-2 network needs:")
    for partial, (value, used) in reused(TWO_LAYERS, X, D, WEIGHTS).items():
        print(f"  {partial}  {value:8.4f}  {len(used)} times: {' '.join(used)}")
    paths, factors, different = count_factors(TWO_LAYERS, X, D, WEIGHTS)
    named, recorded = steps()
    print(
        f"{paths} paths have {factors} factors, {different} of them different, each evaluated once."
    )
    print(
        f"With ε to ε1 and ε2 these are the {named} steps of the picture. The engine, which records"
    )
    print(f"every product and every sum by itself, takes {recorded}.")


def print_descent():
    print(f"\nThe update w <- w - η ∂ε/∂w with η = {RATE}, iterated:")
    arguments = (TWO_LAYERS, X, D, WEIGHTS, RATE, 1000)
    by_hand, engine = descend_by_hand(*arguments), descend(*arguments)
    side_by_side(
        (f"k = {k:4}: ε, w1, w5", by_hand[k, [0, 1, 5]], engine[k, [0, 1, 5]])
        for k in (0, 1, 10, 100, 1000)
    )


def gradients(w=WEIGHTS, d=D):
    """The engine's gradients of the 2-2-2 network: {weight: gradient}."""
    output, weights = two_layers(X, d, w)
    output.backward()
    return {weight.name: float(weight.grad) for weight in weights}


def reached():
    """y1 and what d2 is: targets of which the first is met."""
    return D[0] + two_layer_derivatives(X, D, WEIGHTS)["ε1", "y1"][1], D[1]


EXERCISES = (
    Exercise(
        "w7 is set to 0. Which of the gradients of w1 to w4 change, and what is ∂ε/∂w1 then?",
        lambda: gradients([*WEIGHTS[:6], 0.0, WEIGHTS[7]])["w1"],
        "All. ∂ε/∂w1 is {:.4f}, its term ∂ε1/∂w1 alone, as ε2 no longer depends on h1; and y2 is "
        "another, which changes what ε2 pays h2.",
    ),
    Exercise(
        "d1 is set to y1. How many gradients are 0 then, and which?",
        lambda: sum(abs(g) < 1e-15 for g in gradients(d=reached()).values()),
        "{}, those of w5 and w6: all their paths begin with y1 - d1. ε2 still pays w1 to w4.",
    ),
    Exercise(
        "All weights are equal. What do the gradients have in common, and can training undo it?",
        lambda: [gradients([0.5] * 8)[name] for name in ("w1", "w3")],
        "h1 and h2 are one unit twice: ∂ε/∂w1 = {0[0]:.4f} = ∂ε/∂w3 = {0[1]:.4f}, and so they stay "
        "after each step. That is why weights start at random.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print("The 2-2 network: values, the factor on every edge, and the gradient of every weight:")
    sample = (X, D, SMALL_WEIGHTS)
    parts = (rows_forward, compare_local_derivatives, compare_gradients)
    side_by_side(row for part in parts for row in part(ONE_LAYER, *sample))
    print("\nThe 2-2-2 network: values, and products of five factors in symbols:")
    sample = (X, D, WEIGHTS)
    side_by_side([*rows_forward(TWO_LAYERS, *sample), *rows_in_symbols(*sample)])
    print("\nEvery weight, path by path:")
    side_by_side(compare_gradients(TWO_LAYERS, X, D, WEIGHTS))
    print_reuse()
    print_descent()
    print("\nBoth networks with their values and local derivatives:")
    for kind, weights, file in ((ONE_LAYER, SMALL_WEIGHTS, "2-2"), (TWO_LAYERS, WEIGHTS, "2-2-2")):
        output, _ = kind[0](X, D, weights)
        output.backward(keep_grads=True)
        page.draw(output, f"weight_by_weight_{file}", notation={})
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
