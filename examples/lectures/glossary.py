"""One thing, many names: adjoint, gradient, δ, P, γ, sensitivity, cotangent, on a line each.

All of them are the derivative of the output by some node. They differ in the node that is meant,
and in who speaks. The numbers are those of one network of two layers, in the letters of
`vector_and_scalar_form.py`: f_0 = x, h_{k+1} = W_k f_k + b_k, f_{k+1} = tanh(h_{k+1}), and Φ.

`bp.trace`, `bp.draw` and `bp.animate` take the name that a lecture uses: notation="P", "delta",
"sensitivity", "gamma" or "grad", or a mapping of one's own.

    python examples/lectures/glossary.py [--out pictures] [--answers]
"""

from typing import NamedTuple

import handout
import numpy as np
import per_sample_sgd
import relu_steps
import sensitivities
import vector_and_scalar_form
from adjoints import adjoints
from handout import Exercise
from side_by_side import difference

import tinygrad_bp as bp

PROBLEM = vector_and_scalar_form.random_problem([2, 2, 1])


class Entry(NamedTuple):
    """A word, its sign, what it is, the page of its note, and its value by hand and by engine."""

    word: str
    sign: str
    meaning: str
    page: str
    by_hand: np.ndarray
    engine: np.ndarray


def entries():
    """Every word, with its value in the network of this page."""
    _, y, (_, W_1), *_ = PROBLEM
    (_, h_1, h_2), (_, f_1, f_2) = vector_and_scalar_form.forward_values(PROBLEM)
    found = adjoints(vector_and_scalar_form.network(PROBLEM))
    slope_1, slope_2 = 1 - np.tanh(h_1) ** 2, 1 - np.tanh(h_2) ** 2
    delta_2 = (f_2 - y) * slope_2
    P_1 = W_1.T @ delta_2
    delta_1 = P_1 * slope_1

    def above(f):
        return 0.5 * np.sum(np.square(np.tanh(W_1 @ f + PROBLEM.b[1]) - y))

    _, pull = bp.vjp(above, f_1)
    _, tangent = bp.jvp(above, (f_1,), (np.array([1.0, 0.0]),))
    seed, by_W = np.ones(()), np.outer(delta_2, f_1)
    vector, scalar = found["f_1"], found["h_1"]
    both = "vector_and_scalar_form, relu_steps"
    rows = [
        ("seed", "1", "∂Φ/∂Φ: where the pass begins", "every page", seed, found["Φ"]),
        ("adjoint", "f_1.grad", "∂Φ/∂(any node)", "the engine", P_1, vector),
        ("P", "P_1", "∂Φ/∂f_1, by what a layer gives", "vector_and_scalar_form", P_1, vector),
        ("δ", "δ^1, δ^[1]", "∂Φ/∂h_1, by a layer's sums", both, delta_1, scalar),
        ("sensitivity", "δ^(1)", "the same, there called s^(1)", "sensitivities", delta_1, scalar),
        ("γ", "γ_n", "the same, of hidden units alone", "per_sample_sgd", delta_1, scalar),
        ("gradient", "∇_W1 Φ", "∂Φ/∂(a parameter)", "every page", by_W, found["W_1"]),
        ("cotangent", "g", "what a pullback takes and gives", "bp.vjp", P_1, pull(seed)[0]),
        ("tangent", "ḟ", "∂Φ along a step of f_1, forward", "bp.jvp", P_1[0], tangent),
    ]
    return [Entry(*row) for row in rows]


def names():
    """What each notation calls an adjoint: {notation: (node, name)}."""
    graphs = {
        "grad": (vector_and_scalar_form.network(PROBLEM), "f_1"),
        "P": (vector_and_scalar_form.network(PROBLEM), "f_1"),
        "delta": (relu_steps.network(relu_steps.random_problem([2, 2, 1])), "z^[1]"),
        "sensitivity": (
            sensitivities.network(sensitivities.random_problem([2, 2, 1])),
            "s^(1)",
        ),
        "gamma": (per_sample_sgd.network(per_sample_sgd.random_problem([2, 2, 1])), "s"),
    }
    return {
        notation: (node, bp.explain.view(output, notation=notation)[node].adjoint_name)
        for notation, (output, node) in graphs.items()
    }


def print_entries():
    print(f"{'word':12} {'sign':11} {'what it is':33} {'here':15} page")
    for entry in entries():
        values = " ".join(f"{v:.4f}" for v in np.ravel(entry.engine))
        print(f"{entry.word:12} {entry.sign:11} {entry.meaning:33} {values:15} {entry.page}")
    apart = max(difference(entry.by_hand, entry.engine) for entry in entries())
    print(f"By hand and by the engine these differ by {apart:.0e} of their size at most.")


def slopes():
    """δ^1 over P_1, as the engine found them."""
    found = {entry.word: entry.engine for entry in entries()}
    return found["δ"] / found["P"]


EXERCISES = (
    Exercise(
        "What must P_1 be multiplied with to give δ^1, and how large is that here?",
        slopes,
        "With g′(h_1), entry by entry, here {0[0]:.4f} and {0[1]:.4f}.",
    ),
    Exercise(
        "Which of the words name a number that is the same for another loss with the same value?",
        lambda: float(entries()[0].engine),
        "The seed alone, {:g}: all others depend on the slope of the loss.",
    ),
    Exercise(
        "Tangents go forward, cotangents back. How many numbers has each at f_1, and at Φ?",
        lambda: (adjoints(vector_and_scalar_form.network(PROBLEM))["f_1"].size, 1),
        "Both hold {0[0]} at f_1 and {0[1]} at Φ: each has the shape of its node.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print_entries()
    print("\nWhat a picture or a trace calls the adjoint of a node:")
    for notation, (node, name) in names().items():
        print(f"  notation={notation!r:14} {node:6} {name}")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
