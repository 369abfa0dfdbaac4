"""The table of what runs over Dask arrays, made by running every function of the catalogue.

python -m tests.cluster.dask_table       # writes it into the page beside the example
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import dask.array as da
import numpy as np

from tinygrad_bp.engine.registry import COMPOSITIONS, RULES
from tinygrad_bp.engine.signatures import full_name

from ..engine.catalogue import SAMPLES_OF
from ..engine.foreign import RIGHT, WRONG, outcome

PAGE = Path(__file__).parents[2] / "examples" / "dask_cluster.md"
START, END = "<!-- python -m tests.cluster.dask_table -->\n", "<!-- end of the table -->\n"
MOST = 6  # samples of one function: more of them, with other axes, tell nothing new


def lazy(array: Any) -> Any:
    """A Dask array of up to two blocks along each axis."""
    return da.from_array(array, chunks=tuple(-(-n // 2) or -1 for n in np.shape(array)))


def in_one_block(array: Any) -> Any:
    """A Dask array of one block."""
    return da.from_array(array, chunks=-1)


def outcomes(function: Any, wrap: Callable[[Any], Any] = lazy) -> set[str]:
    """What became of some samples of a function: right, wrong, or who refused."""
    samples = SAMPLES_OF[function]
    chosen = samples[:: -(-len(samples) // MOST)]
    with dask.config.set(scheduler="synchronous"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Dask's, of chunks that grow
        return {outcome(sample, wrap, np.asarray) for sample in chosen}


def rows() -> dict[str, list[str]]:
    """The functions of each kind of outcome."""
    found: dict[str, list[str]] = {}
    for function in (*RULES, *COMPOSITIONS):
        kinds = outcomes(function)
        refused = " and ".join(sorted(kind for kind in kinds if kind not in (RIGHT, WRONG)))
        if WRONG in kinds:
            kind = WRONG
        elif RIGHT in kinds and refused:
            kind = f"right, and for some arguments {refused}"
        elif refused and RIGHT in outcomes(function, in_one_block):
            kind = f"right for a matrix in one block, x.rechunk(-1), else {refused}"
        else:
            kind = refused or RIGHT
        found.setdefault(kind, []).append(full_name(function))
    return {kind: sorted(set(names)) for kind, names in sorted(found.items())}


def table() -> str:
    lines = ["| over Dask arrays | value and gradient of |", "|---|---|"]
    for kind, names in rows().items():
        lines.append(f"| {kind} ({len(names)}) | {' '.join(f'`{name}`' for name in names)} |")
    return "\n".join(lines) + "\n"


def right_on_the_page() -> set[str]:
    """The names that the page says are right."""
    text = PAGE.read_text(encoding="utf-8").split(START)[1].split(END)[0]
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {RIGHT} (")]
    return {word.strip("`") for word in line.split("|")[2].split()}


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(START)
    _, after = rest.split(END)
    PAGE.write_text(before + START + table() + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
