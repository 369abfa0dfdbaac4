"""What the engine finds for the named nodes of a graph, put beside what was found by hand."""

from tinygrad_bp.engine.backprop import topological_order


def adjoints(output):
    """Run the backward pass, and read the adjoint of every node off by the node's name."""
    output.backward(keep_grads=True)
    return {node.name: node.grad for node in topological_order(output)}


def compare(output, by_hand):
    """From rows of (formula, name of a node, its adjoint by hand): (formula, by hand, engine)."""
    engine = adjoints(output)
    return [(formula, value, engine[name]) for formula, name, value in by_hand]
