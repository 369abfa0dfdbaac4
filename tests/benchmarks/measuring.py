"""Times of several peers in turn, and of one peer in a process of its own: memory, instructions."""

from __future__ import annotations

import gc
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
Step = Callable[[], Any]
Clock = Callable[[], float]


def one_core(core: int | None = None) -> None:
    """Keep this process, and what it starts, on one core: the last, unless told."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0)) if core is None else core})


def agree(name: str, losses: list[float], expected: list[float]) -> None:
    """Refuse a peer that does something else: another first loss, or another way down from it."""
    np.testing.assert_allclose(losses[0], expected[0], rtol=1e-5, err_msg=f"{name}: first loss")
    np.testing.assert_allclose(losses, expected, rtol=1e-3, err_msg=f"{name}: first losses")


def repeated(step: Step, least: float, clock: Clock = time.perf_counter) -> int:
    """How many steps in a row take at least so many seconds."""
    times = 1
    while timed(step, times, clock) < least:
        times *= 2
    return times


def timed(step: Step, times: int = 1, clock: Clock = time.perf_counter) -> float:
    start = clock()
    for _ in range(times):
        step()
    return clock() - start


def rounds(
    steps: Mapping[str, Step], seconds: float, clock: Clock = time.perf_counter
) -> dict[str, dict[str, float]]:
    """The medians of a step's seconds and of its ratio to the first peer's, over rounds.

    In each round every peer takes a few steps, one peer after the other, each round from another
    one on. So what else the machine does meanwhile falls on all of them.
    """
    names = list(steps)
    least = min(seconds, 1) / 200
    counts = {name: repeated(step, least, clock) for name, step in steps.items()}
    table: list[dict[str, float]] = []
    gc.collect()
    gc.freeze()  # so that collecting between peers looks at what they made alone
    end = time.perf_counter() + seconds * len(names)
    while time.perf_counter() < end or len(table) < 3:
        shift = len(table) % len(names)
        row = {}
        for name in names[shift:] + names[:shift]:
            gc.collect()  # or the cycles of one would be collected in the time of the next
            row[name] = timed(steps[name], counts[name], clock) / counts[name]
        table.append(row)
    gc.unfreeze()
    base = names[0]
    return {
        name: {
            "seconds": statistics.median(row[name] for row in table),
            "ratio": statistics.median(row[name] / row[base] for row in table),
        }
        for name in names
    }


def peak() -> float:
    """The most memory that this process has had, in MB."""
    try:  # what getrusage tells may be of the process that this one was started by
        status = Path("/proc/self/status").read_text()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return int(re.findall(r"^VmHWM:\s*(\d+) kB", status, re.M)[0]) / 1024


def alone(name: str, place: str, steps: int) -> None:
    """Take steps of one peer, and print what memory they took. It is run by the two below."""
    from . import peers, tasks

    make, module = peers.PEERS[name]
    __import__(module)
    imported = peak()
    peer = make(tasks.NETWORKS[int(place)])
    for _ in range(steps):
        peer.step()
    print(json.dumps({"peak": peak(), "beyond_import": peak() - imported}))


def run_alone(name: str, place: int, steps: int, before: tuple[str, ...] = ()) -> str:
    """What a process of its own printed that took steps of one peer, after a command's options."""
    call = f"from tests.benchmarks.measuring import alone; alone({name!r}, '{place}', {steps})"
    environment = os.environ | {"PYTHONHASHSEED": "0"}
    command = [*before, sys.executable, "-c", call]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment
    ).stdout


def memory(name: str, place: int) -> dict[str, float]:
    """MB at most of a process that takes 20 steps, imports included; and what they added."""
    found = json.loads(run_alone(name, place, 20).splitlines()[-1])
    return {f"{key}_mb": value for key, value in found.items()}


def instructions(name: str, place: int, steps: int = 50) -> float | None:
    """Instructions of one step, counted by callgrind; None where it cannot run the peer.

    Counts repeat where times do not. Start and warming up are in both of two counts, and cancel.
    callgrind knows no AVX-512, so BLAS runs there with the kernels of an older machine.
    """
    with tempfile.TemporaryDirectory() as folder:
        counts = []
        for taken in (20, 20 + steps):
            out = Path(folder, str(taken))
            options = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={out}")
            try:
                run_alone(name, place, taken, options)
            except subprocess.CalledProcessError:
                return None
            counts.append(int(re.findall(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[0]))
    return (counts[1] - counts[0]) / steps
