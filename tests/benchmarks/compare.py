"""One training step of the same network in plain NumPy, in ours, and in other libraries.

``python -m tests.benchmarks.compare --help`` lists what it can do; README.md beside this file says
how to read what it prints.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import cProfile
import json
import pstats
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .epochs import DIGITS, EPOCHS, loops
from .measuring import agree, instructions, memory, one_core, rounds
from .peers import Ours, chosen
from .report import bars, environment, lines, table
from .tasks import NETWORKS, Task, scaled

Makers = Mapping[str, Callable[[Task], Any]]
Rows = dict[str, dict[str, Any]]


def compare(
    task: Task,
    makers: Makers,
    seconds: float,
    *,
    losses: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> Rows:
    """Time the peers on one task, after their first losses were found to agree."""
    peers = {name: make(task) for name, make in makers.items()}
    found = {name: [peer.step() for _ in range(losses)] for name, peer in peers.items()}
    expected = next(iter(found.values()))
    for name in peers:
        agree(name, found[name], expected)
    return rounds({name: peer.step for name, peer in peers.items()}, seconds, clock)


def networks(makers: Makers, arguments: argparse.Namespace) -> dict[str, Rows]:
    """A table for each of the networks."""
    results = {}
    for place, task in enumerate(NETWORKS):
        rows = compare(task, makers, arguments.seconds, clock=arguments.clock)
        for name, row in rows.items():
            row.update(memory(name, place))
            if arguments.instructions:
                row["instructions"] = instructions(name, place)
        results[str(task)] = rows
        print(table(str(task), rows), flush=True)
    rows = compare(DIGITS, loops(), arguments.seconds, losses=2, clock=arguments.clock)
    for row in rows.values():
        row["seconds"] /= EPOCHS
    results[str(DIGITS)] = rows
    print(table(str(DIGITS), rows), flush=True)
    return results


def scaling(makers: Makers, arguments: argparse.Namespace) -> dict[str, dict[int, Rows]]:
    """How the time of a step grows with the batch, the depth and the width."""
    results: dict[str, dict[int, Rows]] = {}
    for what, tasks in scaled().items():
        results[what] = {}
        for n, task in tasks.items():
            results[what][n] = compare(task, makers, arguments.seconds, clock=arguments.clock)
            print(table(f"{what} {n}: {task}", results[what][n]), flush=True)
    return results


def profile(task: Task, steps: int = 2000) -> None:
    """Print where the time of an eager step of ours goes."""
    peer = Ours(task)
    peer.step()
    with cProfile.Profile() as profiler:
        for _ in range(steps):
            peer.step()
    print(f"\n{task}: {steps} steps")
    pstats.Stats(profiler).sort_stats("tottime").print_stats(18)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each peer on each network")
    parser.add_argument("--peers", nargs="+", help="these alone, beside NumPy by hand")
    parser.add_argument("--scaling", action="store_true", help="batch, depth and width instead")
    parser.add_argument("--instructions", action="store_true", help="count them, by valgrind")
    parser.add_argument("--profile", action="store_true", help="where our eager time goes instead")
    parser.add_argument(
        "--busy",
        action="store_const",
        const=time.process_time,
        default=time.perf_counter,
        dest="clock",
        help="the processor's time, in place of the clock's, where the machine does other things",
    )
    parser.add_argument("--core", type=int, help="the one to stay on; else the last")
    parser.add_argument("--output", type=Path, default=Path("build/benchmark"), help="a folder")
    arguments = parser.parse_args()
    one_core(arguments.core)
    if arguments.profile:
        for task in NETWORKS:
            profile(task)
        return
    makers = chosen(arguments.peers)
    arguments.output.mkdir(parents=True, exist_ok=True)
    name, run, draw = ("scaling", scaling, lines) if arguments.scaling else ("step", networks, bars)
    results: Any = run(makers, arguments)
    told = {"environment": environment(), "results": results}
    arguments.output.joinpath(f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")
    draw(results, arguments.output / f"{name}.svg")
    print(f"written: {arguments.output}/{name}.json and .svg")


if __name__ == "__main__":
    main()
