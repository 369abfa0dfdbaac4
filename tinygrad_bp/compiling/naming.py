"""Names that a reader knows, in place of numbers: W1, z1, h1, d_W1, after Tensors and modules."""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..engine.backprop import topological_order
from ..engine.tensor import Tensor
from .numpy_code import text_of
from .program import Name, Program, renamed
from .transcript import Written

_RESERVED = frozenset(
    {"np", "program", "step", "views", "batch", "counts", "held", "now", "new", "lr"}
    | {"scipy", "numba", "before", *"ijklmn"}
)
# What the text of a program calls its own: flat arrays, buffers, constants, and their parts.
_OWN = re.compile(
    r"(new_|flat_)?p\d+(_\w+)?|(flat|memory|length|numpy)_\w+|(held|buffer|constant|v|s|row)_?\d*"
)


class Labels:
    """The names that a reader would give to the results of a recording's lines.

    Attributes
    ----------
    names : dict of Name to str
        What a reader would call a value.
    adjoints : dict of Name to Name
        The value by which each gradient is the derivative of the loss.
    """

    def __init__(self) -> None:
        self.names: dict[Name, str] = {}
        self.adjoints: dict[Name, Name] = {}
        self._numbers: dict[str, int] = {}
        self._taken: Counter[str] = Counter()

    def name(self, name: Any, wanted: str) -> None:
        """Call a value by a name; a second of that name gets a number."""
        if name in self.names or not isinstance(name, Name):
            return
        wanted = re.sub(r"\W+", "_", wanted).strip("_") or "value"
        own = wanted in _RESERVED or _OWN.fullmatch(wanted)
        if own or keyword.iskeyword(wanted) or hasattr(builtins, wanted):
            wanted = f"{wanted}_"
        wanted = f"_{wanted}" if wanted[0].isdigit() else wanted
        self._taken[wanted] += 1
        count = self._taken[wanted]
        self.names[name] = wanted if count == 1 else f"{wanted}_{count}"

    def name_tensor(self, name: Name, tensor: Tensor) -> None:
        """A parameter by its layer's number: W1 for the first weight, b1 for its bias."""
        path, _, part = (tensor.name or "parameter").rpartition(".")
        letter = {"weight": "W" if tensor.ndim == 2 else "scale", "bias": "b"}.get(part)
        if letter is None:
            self.name(name, tensor.name or "parameter")
        else:
            number = self._numbers.setdefault(path, len(self._numbers) + 1)
            self.name(name, f"{letter}{number}")

    def name_nodes(self, loss: Tensor, leaves: Mapping[Tensor, Name]) -> None:
        """Name the forward pass's results: z after a layer's weights, h after its activation."""
        numbers: dict[Any, str] = {}
        self.name(_written(loss), "loss")
        for node in reversed(topological_order(loss)):
            if node.rule is None:
                continue
            number = ""
            for x in node.inputs:
                weight = self.names.get(leaves.get(x, Name()), "") if isinstance(x, Tensor) else ""
                if re.fullmatch(r"W\d+", weight):
                    number = weight[1:]
            before = [numbers[x] for x in node.inputs if isinstance(x, Tensor) and x in numbers]
            if node.name:
                wanted = node.name
            elif number:
                wanted, numbers[node] = f"z{number}", number
            elif before and len(node.inputs) == 1:
                wanted = f"h{before[0]}"
            else:
                wanted = node.rule.name
            self.name(_written(node), wanted)

    def name_adjoint(self, node: Any, adjoint: Any, leaf: Name | None) -> None:
        """A gradient, by what it is the derivative by."""
        by = leaf or _written(node)
        if isinstance(adjoint, Written) and isinstance(by, Name):
            self.adjoints.setdefault(adjoint.name, by)


def _written(node: Any) -> Any:
    return getattr(node._array, "name", None)


def named(program: Program, labels: Labels) -> Program:
    """A program with its values called by their labels, and its gradient lines explained."""
    for gradient, node in labels.adjoints.items():
        if node in labels.names:
            labels.name(gradient, f"d_{labels.names[node]}")
    for line in program.lines:
        if line.answer is None:
            labels.name(line.target, "t" if line.dtype is not None else "number")

    names = {name: Name(called) for name, called in labels.names.items()}
    lines = [
        replace(line.renamed(names), target=names.get(line.target, line.target))
        for line in program.lines
    ]
    primal = {
        old.target: text_of(replace(line, comment=""))
        for old, line in zip(program.lines, lines, strict=True)
    }
    for i, line in enumerate(program.lines):
        by: Any = labels.adjoints.get(line.target)
        made = primal.get(by or Name(), primal.get(Name(line.comment), ""))
        words = [f"d loss / d {names.get(by, by)}"] if by else []
        words += [f"from: {made}"] if made else []
        lines[i] = replace(lines[i], comment=", ".join(words) if line.comment or by else "")
    values = {names.get(name, name): value for name, value in program.values.items()}
    inputs, outputs = renamed(program.inputs, names), renamed(program.outputs, names)
    return Program(inputs, tuple(lines), outputs, values)
