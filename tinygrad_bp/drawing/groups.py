"""Which module each value belongs to, read off the dotted names of the parameters.

A parameter called ``encoder.0.weight`` belongs to the group ``encoder.0``, and so does what is
computed with it, up to where the next group's parameters come in. What a module of one's own
joins, as a residual block does, belongs to that module: its calls are noted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import takewhile

from ..explain import Graph, Node
from ..nn.ran import modules_of
from ..support.waiting import follow
from .style import one_line

Path = tuple[str, ...]

AFTER: Path = ("",)  # the path of what follows the last parameter; no dotted name gives it
FORWARD: Path = ("forward",)
BACKWARD: Path = ("backward",)

# Functions that a group's description does without: "Linear" tells some, and others only move.
_UNTOLD = {"linear", "matmul", "transpose", "swapaxes", "reshape", "expand_dims", "squeeze"}


def find_paths(graph: Graph) -> dict[Node, Path]:
    """The group of every node, the outermost first; ``()`` for those in none.

    Where gradients of the graph are drawn with it, the outermost are forward and backward.
    """
    paths = _modules(graph)
    differentiated = whose_gradients(graph)
    ends = [n for n in graph.visited() if n.kind == "output" and n not in differentiated]
    if differentiated and ends:
        forward = _ancestors(ends)
        paths = {n: FORWARD + path if n in forward else BACKWARD for n, path in paths.items()}
    return paths


def whose_gradients(graph: Graph) -> dict[Node, Node]:
    """For every output that is the gradient of another node, that node."""
    by_gradient = {id(node.tensor._grad): node for node in graph.visited()}
    outputs = [node for node in graph.visited() if node.kind == "output"]
    return {n: by_gradient[id(n.tensor)] for n in outputs if id(n.tensor) in by_gradient}


def name_gradients(graph: Graph) -> None:
    """Call an unnamed output that is the gradient of ``x`` by its name, ``x.grad``."""
    for node, x in whose_gradients(graph).items():
        if not node.tensor.name:
            node.name = f"{x.name}.grad"


def number_layers(paths: Iterable[Path]) -> dict[Path, int]:
    """The number of each group that has one in place of a name: those of a parent, from 1 on."""
    prefixes = {path[:level] for path in paths for level in range(1, len(path) + 1)}
    siblings: dict[Path, list[Path]] = {}
    for path in prefixes:
        if path[-1].isdigit():
            siblings.setdefault(path[:-1], []).append(path)
    ranked = (sorted(group, key=lambda path: int(path[-1])) for group in siblings.values())
    return {path: n for group in ranked for n, path in enumerate(group, 1)}


def title_of(
    path: Path, nodes: Sequence[Node], outputs: Sequence[Node], numbers: dict[Path, int]
) -> str:
    """What a group is called: ``layer 1: Linear 2→16, relu``."""
    if path in (FORWARD, BACKWARD):
        return path[0]
    about = description_of(nodes)
    title = short_title(path, outputs, numbers)
    return f"{title}: {about}" if about else title


def short_title(path: Path, outputs: Sequence[Node], numbers: dict[Path, int]) -> str:
    """A group's name alone: ``layer 1``."""
    if path[-1:] == AFTER:
        return one_line(next((n.tensor.name for n in outputs if n.tensor.name), "output"))
    return f"layer {numbers[path]}" if path in numbers else one_line(path[-1])


def description_of(nodes: Sequence[Node]) -> str:
    """What a group does: the sizes of its matrices, and the functions that it applies."""
    shapes = [n.value.shape for n in nodes if n.kind == "leaf" and len(n.value.shape) == 2]
    words = [f"Linear {columns}→{rows}" for rows, columns in shapes]
    words += [n.sign for n in nodes if n.sign and n.sign.isidentifier() and n.sign not in _UNTOLD]
    words = list(dict.fromkeys(words))
    return ", ".join(words if len(words) <= 3 else [*words[:3], "..."])


def _modules(graph: Graph) -> dict[Node, Path]:
    """The paths that the parameters' names tell, without what all of them share."""
    paths, shared = _parameter_paths(graph)
    parameters = set(paths)  # and what is computed from those of one group alone
    users: set[Node] = set()  # what combines them with something else
    uses = Counter(x for node in graph.visited() for x in node.inputs)
    for node in follow(graph.nodes[::-1], "finding the modules"):  # each after its inputs
        if node in paths:
            continue
        arrays = [x for x in node.inputs if x.kind != "constant" or x.value.shape]
        given = [x for x in arrays if x in parameters]
        flow = [x for x in arrays if x.inputs or uses[x] > 1]  # the rest goes where this goes
        paths[node] = _common_group(given or flow, paths)
        if given and len(given) < len(arrays):
            users.add(node)
        elif given and paths[node] and node.value.shape:
            parameters.add(node)
    paths.update(_what_follows(graph, users))
    paths.update(_companions(graph, paths, parameters))
    nodes = {node.tensor: node for node in graph.visited()}
    for x, ran in modules_of(nodes).items():
        node = nodes[x]
        paths[node] = _where_it_ran(node, ran[shared:], paths, parameters)
    return paths


def _where_it_ran(node: Node, ran: Path, paths: dict[Node, Path], parameters: set[Node]) -> Path:
    """The module that computed a value; or a part of it, from which or by whose parameters."""
    path = paths[node]
    given = [x for x in node.inputs if x.kind != "constant"]
    own = any(paths[x] == path for x in given if x in parameters)
    alone = all(paths[x] == path for x in given)
    return path if (own or alone) and path[: len(ran)] == ran else ran


def _parameter_paths(graph: Graph) -> tuple[dict[Node, Path], int]:
    """The path of every parameter of a dotted name, without the front that all of them share.

    And how long that front is.
    """
    dotted = {x: (x.tensor.name or "").split(".") for x in graph.visited() if x.kind == "leaf"}
    paths = {x: tuple(parts[:-1]) for x, parts in dotted.items() if len(parts) > 1}
    shared = len(_common(paths.values()))
    if any(len(path) == shared for path in paths.values()):
        shared = max(0, shared - 1)
    return {x: path[shared:] for x, path in paths.items()}, shared


def _common_group(inputs: Sequence[Node], paths: dict[Node, Path]) -> Path:
    """Where a value belongs that is computed from these."""
    common = _common(paths[x] for x in inputs)
    if common or not inputs:
        return common
    newest = min(inputs, key=lambda x: x.number)
    level = max(1, min(len(paths[x]) for x in inputs))  # that of a value that skipped a group
    return paths[newest][:level]


def _what_follows(graph: Graph, users: set[Node]) -> dict[Node, Path]:
    """What is computed after the last parameter came in: if it is a scalar, the loss."""
    before = set(users)
    for node in graph.visited():  # each after its consumers
        if node in before:
            before.update(node.inputs)
    after = [node for node in graph.visited() if node.inputs and node not in before]
    scalar = all(not n.value.shape for n in graph.visited() if n.kind == "output")
    if not (users and scalar):
        return {}
    return dict.fromkeys(after, AFTER if len(after) > 1 else ())


def _companions(graph: Graph, paths: dict[Node, Path], parameters: set[Node]) -> dict[Node, Path]:
    """Data that joins a group's own values, such as a loss's targets, belongs to that group."""
    consumers: dict[Node, list[Node]] = {}
    for node in graph.visited():
        for x in node.inputs:
            if not x.inputs and x not in parameters:
                consumers.setdefault(x, []).append(node)
    return {
        x: _common(paths[node] for node in nodes)
        for x, nodes in consumers.items()
        if all(any(y.inputs and y not in parameters for y in node.inputs) for node in nodes)
    }


def _common(paths: Iterable[Path]) -> Path:
    """What all of the paths begin with."""
    levels = zip(*paths, strict=False)
    return tuple(level[0] for level in takewhile(lambda level: len({*level}) == 1, levels))


def _ancestors(outputs: Sequence[Node]) -> set[Node]:
    """The nodes that these depend on, and these."""
    found, waiting = set(outputs), list(outputs)
    while waiting:
        for node in waiting.pop().inputs:
            if node not in found:
                found.add(node)
                waiting.append(node)
    return found
