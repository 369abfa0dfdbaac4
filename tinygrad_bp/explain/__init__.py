"""See the backward pass for what it is: dynamic programming over a recorded graph.

`trace` shows it as a table, `paths` writes out the sum that it computes, `propagate` runs it over
other semirings; `naive_backward`, `eager_backward` and `overwriting_backward` do it wrong; `nudge`
goes back to the definition of the derivative. `view` gives all of it as plain data. None of them
changes a ``grad``.
"""

from .elements import Edge, Graph, Node
from .enumeration import Path, Paths, paths
from .graph import view
from .nudging import Difference, Nudge, nudge
from .semirings import (
    COUNTING,
    GRADIENT,
    LONGEST_PATH,
    STRONGEST,
    Influence,
    Semiring,
    Values,
    count_paths,
    local_derivative,
    propagate,
)
from .tracing import Row, Trace, trace
from .wrong import Attempt, eager_backward, naive_backward, overwriting_backward

__all__ = [
    "COUNTING",
    "GRADIENT",
    "LONGEST_PATH",
    "STRONGEST",
    "Attempt",
    "Difference",
    "Edge",
    "Graph",
    "Influence",
    "Node",
    "Nudge",
    "Path",
    "Paths",
    "Row",
    "Semiring",
    "Trace",
    "Values",
    "count_paths",
    "eager_backward",
    "local_derivative",
    "naive_backward",
    "nudge",
    "overwriting_backward",
    "paths",
    "propagate",
    "trace",
    "view",
]


def __dir__() -> list[str]:
    return __all__
