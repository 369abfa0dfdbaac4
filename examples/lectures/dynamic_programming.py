"""Why backpropagation is dynamic programming: one graph, differentiated four ways, and counted.

The chain rule says that a derivative is a sum over all paths from the input to the output, each the
product of the local derivatives along it. Four ways to compute this sum:

1. Write out every path.
2. Recursion: a node sends whatever reaches it on to its inputs, at once and by itself. A node on a
   thousand paths does the same work a thousand times, because nothing is remembered.
3. Remember, but do not wait: every node sends on once, when the first term has come. As fast as the
   real pass, and wrong, because the terms that come later never get further.
4. The real pass: a node waits until all its consumers have paid in, and then sends on their sum.

The last is dynamic programming. The subproblem of a node is "what is the derivative of the output
by this node?", its adjoint. The answers of its consumers are enough to answer it, and the
topological order answers those first. Each subproblem is solved once and reused by each edge that
leaves it, so the work is that of the edges. The paths may be 2 to the power of the depth.

Nothing in the pass needs numbers: it only adds what comes together, and multiplies along an edge.
Any other "plus" and "times" in which times distributes over plus, a semiring, may take their place.
Then the same order and the same single visit to each edge answer other questions about all paths.

The picture of the backward pass shows a ladder of 4 steps: 16 paths from x4 to x0, and 12 orange
arrows, one to an edge. Each x_k below x4 has two terms in its card, and a sum: of all the paths
that lead there, only this one number goes on. "used in" says in which steps an adjoint is paid on;
x_3 is used twice, and yet found once.

    python examples/lectures/dynamic_programming.py [--out pictures] [--answers]

The sum over paths: Bauer, "Computational graphs and rounding error", SIAM Journal on Numerical
Analysis 11 (1974) 87. Semirings: Mohri, Journal of Automata, Languages and Combinatorics 7 (2002)
321.
"""

import math
import operator
from textwrap import indent

import handout
import numpy as np
from adjoints import compare
from handout import COLORS, GRID, Exercise
from side_by_side import side_by_side

import tinygrad_bp as bp
from tinygrad_bp import explain

DEPTHS = (1, 2, 3, 4, 6, 8, 10, 12)

# A semiring in one line: the fewest edges on any path.
SHORTEST_PATH = explain.Semiring(min, operator.add, math.inf, 0, edge=lambda edge: 1)


# The graphs


def doublings(depth):
    """A chain x_k = x_{k-1} + x_{k-1}: 2 edges a step, and 2^depth paths. Gives x_0 and the end."""
    x = start = bp.Tensor(1.0, requires_grad=True, name="x0")
    for k in range(1, depth + 1):
        x = x + x
        x.name = f"x{k}"
    return start, x


def ladder(depth, at=2.0):
    """A chain x_k = x_{k-1} sin(x_{k-1}): two ways, of different length, lead through each step."""
    x = start = bp.Tensor(at, requires_grad=True, name="x0")
    for k in range(1, depth + 1):
        s = np.sin(x)
        x = x * s
        s.name, x.name = f"s{k}", f"x{k}"
    return start, x


def by_hand(depth, at=2.0):
    """The pass over the ladder in plain numbers: rows of (formula, node, adjoint)."""
    x, s = [at], [None]
    for k in range(1, depth + 1):
        s.append(math.sin(x[k - 1]))
        x.append(x[k - 1] * s[k])
    by_x, by_s = [0.0] * depth + [1.0], [0.0] * (depth + 1)
    yield f"x{depth}.grad = 1", f"x{depth}", by_x[depth]
    for k in range(depth, 0, -1):
        by_s[k] = by_x[k] * x[k - 1]
        by_x[k - 1] = by_x[k] * s[k] + by_s[k] * math.cos(x[k - 1])
        yield f"s{k}.grad = x{k}.grad x{k - 1}", f"s{k}", by_s[k]
        formula = f"x{k - 1}.grad = x{k}.grad s{k} + s{k}.grad cos x{k - 1}"
        yield formula, f"x{k - 1}", by_x[k - 1]


# The four ways


def evaluations(output):
    """How many local derivatives the real pass evaluates: the steps of its trace after the seed."""
    return len(bp.trace(output).graph.edges) - 1


def four_ways(start, output):
    """Each way's derivative of the output by the start, and how many factors it evaluated."""
    every_path = bp.paths(output, start, limit=100_000)
    naive, eager = explain.naive_backward(output), explain.eager_backward(output)
    return {
        "every path": (every_path.total, sum(len(path.edges) for path in every_path)),
        "recursion that forgets": (naive.gradients[start], naive.evaluations),
        "no waiting": (eager.gradients[start], eager.evaluations),
        "the real pass": (bp.gradients(output, [start])[0], evaluations(output)),
    }


def other_semirings(output):
    """The same pass with other pluses and times: what each finds for every node."""
    semirings = {
        "gradient": explain.GRADIENT,
        "paths": explain.COUNTING,
        "longest": explain.LONGEST_PATH,
        "shortest": SHORTEST_PATH,
        "strongest path": explain.STRONGEST,
    }
    return {name: bp.propagate(output, semiring) for name, semiring in semirings.items()}


# The page


def print_four_ways():
    start, output = ladder(3)
    print(f"x_k = x_(k-1) sin x_(k-1), three times: {bp.count_paths(output, start)} paths.\n")
    print("  way                      dx3/dx0  evaluations")
    for way, (gradient, count) in four_ways(start, output).items():
        print(f"  {way:22} {gradient:9.6f}  {count:11}")
    print("\nThe real pass by hand, beside the engine's:")
    side_by_side(compare(output, by_hand(3)))


def print_no_waiting():
    _, output = doublings(2)
    print("\nNo waiting, on x1 = x0 + x0, x2 = x1 + x1. The derivative is 4:")
    print(indent(str(explain.eager_backward(output)), "  "))
    print("x1 sent on what the first edge had brought, and never what the second brought.")


def print_growth():
    print("\nThe chain of doublings: 2^k paths, 2k edges. Evaluations of a local derivative:")
    print("  depth k   paths   every path   recursion   real pass")
    for depth in DEPTHS:
        start, output = doublings(depth)
        every_path, recursion, _, real = (count for _, count in four_ways(start, output).values())
        paths = bp.count_paths(output, start)
        print(f"  {depth:7}  {paths:6}  {every_path:11}  {recursion:10}  {real:10}")
    start, output = doublings(60)
    print(f"  At depth 60 there are {bp.count_paths(output, start):,} paths. The real pass takes")
    print(
        f"  {evaluations(output)} evaluations, and finds {bp.gradients(output, [start])[0]:,.0f}."
    )


def print_semirings():
    _, output = ladder(3)
    found = other_semirings(output)
    print("\nThe same pass over other semirings. For each node, of all paths from it to x3:")
    print(f"  node  {'gradient':>8}  paths  longest  shortest  strongest path, |its product|")
    for node in found["gradient"]:
        gradient, *whole, strongest = (values[node] for values in found.values())
        paths, longest, shortest = whole
        path = " ← ".join(strongest.path) or node.name
        print(
            f"  {node.name:4}  {gradient:8.4f}  {paths:5}  {longest:7}  {shortest:8}"
            f"  {strongest.strength:.4f}  {path}"
        )


def plot(file):
    """Evaluations against depth for the doublings, on a logarithmic axis."""
    import matplotlib.pyplot as plt

    counts = {depth: four_ways(*doublings(depth)) for depth in DEPTHS}
    figure, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
    styles = {
        "every path": (COLORS["quiet"], "^:", "every path: k 2ᵏ"),
        "recursion that forgets": (COLORS["gradient"], "o--", "recursion: 2ᵏ⁺¹ − 2"),
        "the real pass": (COLORS["value"], "s-", "the real pass: 2k"),
    }
    for way, (color, style, label) in styles.items():
        evaluated = [counts[depth][way][1] for depth in DEPTHS]
        axes.semilogy(DEPTHS, evaluated, style, color=color, markersize=5, label=label)
    axes.set(xlabel="depth k", ylabel="local derivatives evaluated")
    axes.set_title("x ← x + x, k times: 2ᵏ paths, 2k edges")
    axes.grid(**GRID)
    axes.legend()
    figure.savefig(file, dpi=120)
    plt.close(figure)


def of_a_tree(terms):
    """Evaluations of the naive and of the real pass where nothing is used twice: a sum of sines."""
    leaves = [bp.Tensor(float(n), requires_grad=True) for n in range(terms)]
    output = sum(np.sin(x) for x in leaves[1:]) + np.sin(leaves[0])
    return explain.naive_backward(output).evaluations, evaluations(output)


EXERCISES = (
    Exercise(
        "How many paths and how many edges has the ladder of depth 10?",
        lambda: (bp.count_paths(*ladder(10)[::-1]), evaluations(ladder(10)[1])),
        "{0[0]} paths, 2 to the power of 10, and {0[1]} edges, 3 a step.",
    ),
    Exercise(
        "For which graphs does the pass that forgets cost no more than the real one?",
        lambda: of_a_tree(8),
        "For trees, where no intermediate value is used twice: for a sum of 8 sines it takes "
        "{0[0]} evaluations and the real pass {0[1]}.",
    ),
    Exercise(
        "Which plus and which times answer the question how long the longest path is, and what do "
        "they find for the ladder of depth 4?",
        lambda: bp.propagate(ladder(4)[1], explain.LONGEST_PATH)["x0"],
        "max for plus and + for times, with 1 for each edge: {}. Nothing else of the pass changes.",
    ),
)


@handout.quiet_end()
def main():
    page = handout.begin(__doc__)
    print_four_ways()
    print_no_waiting()
    print_growth()
    print_semirings()
    print("\n16 paths, and one orange arrow to each of 12 edges; then the counts:")
    _, output = ladder(4)
    page.draw(output, "dynamic_programming", direction="TB")
    page.plot(plot, "dynamic_programming_counts.png")
    page.ask(EXERCISES)


if __name__ == "__main__":
    main()
