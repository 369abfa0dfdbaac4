"""A network as its units: circles, and an arrow for each weight, as lectures draw it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..explain import Graph, Node
from ..explain.names import count_noun, decimal
from ..explain.notation import typeset
from ..support.palette import BLUE, BLUE_PAPER, FREE, GREEN, GREEN_PAPER, INK, LINE, ORANGE, PAPER
from .picture import Picture, graphviz
from .style import CLEAR, FONT

MOST_UNITS = 16  # in a layer
_THIN, _THICK = 0.4, 3.6

Place = tuple[int, int, int]  # a weight: its layer, its unit and its input, all from 1


@dataclass(slots=True)
class Layer:
    """The weights of a layer, of shape (units, inputs), and what follows them."""

    weights: np.ndarray
    gradient: np.ndarray | None
    activation: str


def picture_of_neurons(graph: Graph, highlight: Place | None = None) -> Picture:
    """Draw the layers of a graph unit by unit.

    Parameters
    ----------
    graph : Graph
        A chain of Linear layers, or of products with a matrix of weights.
    highlight : (int, int, int), optional
        A weight, by its layer, unit and input. The paths to it from the output are drawn strong.

    Raises
    ------
    ValueError
        If the graph is no such chain, has too many units, or there is no such weight.
    """
    layers = _layers(graph)
    sizes = [layers[0].weights.shape[1], *(len(layer.weights) for layer in layers)]
    if max(sizes) > MOST_UNITS:
        raise ValueError(
            f"a layer of {max(sizes)} units is too large for view='neurons', which draws up to "
            f"{MOST_UNITS}: use view='graph', with depth=1 for a card a layer"
        )
    strong = _paths_to(highlight, layers)
    page = graphviz().Digraph("G")
    page.attr("graph", rankdir="LR", splines="line", nodesep="0.16", ranksep="1.5", pad="0.2")
    page.attr("graph", bgcolor=CLEAR, fontname=FONT, outputorder="edgesfirst")
    page.attr("node", shape="circle", fixedsize="true", width="0.5", fontname=FONT, fontsize="12")
    page.attr("edge", arrowsize="0.5", fontname=FONT)
    for column, size in enumerate(sizes):
        _draw_column(page, column, size, layers)
    for number, layer in enumerate(layers, 1):
        _draw_weights(page, number, layer, strong)
    text = " → ".join(map(str, sizes))
    units = count_noun(sum(sizes), "unit")
    told = f"{units} in {len(sizes)} columns, {text}; an arrow for each weight."
    return Picture(page.source, f"Neurons of a network {text}", told, 0)


def _layers(graph: Graph) -> list[Layer]:
    """The layers in the order of computing."""
    found: list[Layer] = []
    for node in reversed(list(graph.visited())):
        weights, turned = _weights_of(node)
        if weights is not None:
            gradient = weights.adjoint
            matrices = [weights.value, gradient]
            value, gradient = (x if x is None or not turned else x.T for x in matrices)
            found.append(Layer(value, gradient, "linear"))
        elif found and node.operation in ("relu", "sigmoid", "softmax", "softplus", "tanh"):
            found[-1].activation = node.operation
    for one, other in pairwise(found):
        if len(one.weights) != other.weights.shape[1]:
            raise ValueError(
                f"view='neurons' draws a chain of layers, and {len(one.weights)} units do not go "
                f"into weights of shape {other.weights.shape}: use view='graph'"
            )
    if not found:
        raise ValueError("view='neurons' needs layers with weights, as nn.MLP has: none was found")
    return found


def _weights_of(node: Node) -> tuple[Node | None, bool]:
    """The weights that a node multiplies by, and whether they have shape (inputs, units)."""
    if node.operation == "linear":
        return node.inputs[1], False
    if node.operation != "matmul":
        return None, False
    left, right = node.inputs
    if left.kind == "leaf" and left.value.ndim == 2:
        return left, False
    if right.operation == "transpose" and right.inputs[0].kind == "leaf":
        return right.inputs[0], False
    return (right, True) if right.kind == "leaf" and right.value.ndim == 2 else (None, False)


def _paths_to(highlight: Place | None, layers: Sequence[Layer]) -> set[Place]:
    """A weight, and those between its unit and the output."""
    if highlight is None:
        return set()
    layer, unit, place = highlight
    if not 1 <= layer <= len(layers) or not (
        1 <= unit <= len(layers[layer - 1].weights)
        and 1 <= place <= layers[layer - 1].weights.shape[1]
    ):
        shapes = ", ".join(str(x.weights.shape) for x in layers)
        raise ValueError(
            f"highlight={highlight} is no (layer, unit, input), each from 1, of weights of shapes "
            f"{shapes}"
        )
    found, reached = {highlight}, [unit]
    for number in range(layer + 1, len(layers) + 1):
        units = range(1, len(layers[number - 1].weights) + 1)
        found |= {(number, to, start) for to in units for start in reached}
        reached = list(units)
    return found


def _draw_column(page: Any, column: int, size: int, layers: Sequence[Layer]) -> None:
    """The units of a layer from top to bottom, and its title over them."""
    last = column == len(layers)
    letter = "x" if column == 0 else "ŷ" if last else "h"
    raised = "" if column == 0 or last or len(layers) == 2 else f"^({column})"
    fill, line = (BLUE_PAPER, BLUE) if column == 0 else (GREEN_PAPER, GREEN) if last else ("", "")
    keys = [f"t{column}", *(f"u{column}_{unit}" for unit in range(1, size + 1))]
    title = "input" if column == 0 else f"layer {column}\\n{layers[column - 1].activation}"
    page.node(keys[0], title, shape="plaintext", fixedsize="false", fontcolor=FREE, width="0")
    for unit, key in enumerate(keys[1:], 1):
        label = typeset(f"{letter}_{unit}{raised}")
        look = {"style": "filled", "fillcolor": fill or PAPER, "color": line or LINE}
        page.node(key, label, **look, fontcolor=INK, id=key, tooltip=f"{letter} {unit}")
    chain = " -> ".join(keys)
    page.body.append(f"\t{{ rank=same; {chain} [style=invis] }}\n")


def _draw_weights(page: Any, number: int, layer: Layer, strong: set[Place]) -> None:
    """An arrow for each weight: as thick as it is large; dashed where it is negative."""
    by_gradient = layer.gradient is not None
    numbers = layer.gradient if layer.gradient is not None else layer.weights
    largest = float(np.abs(numbers).max()) or 1.0
    for (unit, start), value in np.ndenumerate(numbers):
        place = (number, int(unit) + 1, int(start) + 1)
        color = ORANGE if by_gradient or place in strong else BLUE if value >= 0 else LINE
        faint = "40" if strong and place not in strong else ""
        size = _THIN + (_THICK - _THIN) * abs(float(value)) / largest
        weight = decimal(layer.weights[unit, start])
        told = f"weight {weight}" + (f", gradient {decimal(value)}" if by_gradient else "")
        page.edge(
            f"u{number - 1}_{place[2]}",
            f"u{number}_{place[1]}",
            color=color + faint,
            penwidth=f"{size:.2f}",
            style="solid" if value >= 0 else "dashed",
            tooltip=html.escape(f"layer {number}, unit {place[1]}, input {place[2]}: {told}"),
        )
