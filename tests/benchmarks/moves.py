"""Forward and backward of what only moves elements, against autograd; of scalars, micrograd.

Run by hand: ``python -m tests.benchmarks.moves``. A ratio is of our time to theirs.
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import gc
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tinygrad_bp as bp

from .measuring import one_core, rounds

Function = Callable[[Any, Any], Any]  # of NumPy, whoever's, and an array

MOVES: dict[str, tuple[Function, tuple[int, ...]]] = {  # each with the shape that it is given
    "pad": (lambda xp, x: xp.pad(x, 2, "constant"), (100, 100)),
    "roll": (lambda xp, x: xp.roll(x, 3, 1), (100, 100)),
    "fliplr": (lambda xp, x: xp.fliplr(x), (100, 100)),
    "flipud": (lambda xp, x: xp.flipud(x), (100, 100)),
    "rot90": (lambda xp, x: xp.rot90(x), (100, 100)),
    "repeat": (lambda xp, x: xp.repeat(x, 3, 1), (100, 100)),
    "tile": (lambda xp, x: xp.tile(x, (2, 3)), (100, 100)),
    "twenty slices": (
        lambda xp, x: sum(x[50_000 * i : 50_000 * (i + 1)] * (i + 1.0) for i in range(20)),
        (1_000_000,),
    ),
    "twenty long slices": (lambda xp, x: sum(x[i : i + 900_000] for i in range(20)), (1_000_000,)),
    "twenty rows": (lambda xp, x: sum(x[i] * (i + 1.0) for i in range(20)), (20, 50_000)),
}


def of_a_move(function: Function, shape: tuple[int, ...]) -> dict[str, Callable[[], Any]]:
    """Value and gradient of ``Σ f(x)²``, by autograd and by ours; the two agree."""
    import autograd
    import autograd.numpy as anp

    x = np.random.default_rng(0).normal(size=shape)
    theirs = autograd.grad(lambda x: anp.sum(function(anp, x) ** 2))
    t = bp.Tensor(x, requires_grad=True)

    def ours() -> Any:
        t.zero_grad()
        (function(np, t) ** 2).sum().backward()
        return t.grad

    np.testing.assert_allclose(ours(), theirs(x), rtol=1e-12)
    return {"autograd": lambda: theirs(x), "ours": ours}


def chain(x: Any, y: Any, length: int) -> Any:
    """``z = z y + x`` again and again: a graph of scalars, with two nodes a turn."""
    z = x
    for _ in range(length):
        z = z * y + x
    return z


def of_scalars(length: int = 10_000) -> dict[str, Callable[[], Any]]:
    """Both gradients of the chain, by micrograd and by ours; the two agree."""
    from micrograd.engine import Value

    def ours() -> tuple[float, float]:
        x, y = (bp.Tensor(value, requires_grad=True) for value in (0.5, 0.9))
        chain(x, y, length).backward()
        return float(x.grad), float(y.grad)

    def micrograd() -> tuple[float, float]:
        x, y = Value(0.5), Value(0.9)
        chain(x, y, length).backward()
        return x.grad, y.grad

    np.testing.assert_allclose(ours(), micrograd(), rtol=1e-9)
    return {"micrograd": micrograd, "ours": ours}


def report(name: str, rows: dict[str, dict[str, float]], aim: float) -> None:
    theirs, ours = (row["seconds"] * 1e6 for row in rows.values())
    ratio = rows["ours"]["ratio"]
    print(f"{name:24} {ours:10,.0f} {theirs:10,.0f} {ratio:6.2f}  {aim:.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each side of each row")
    parser.add_argument("--busy", action="store_true", help="the processor's time, not the clock's")
    arguments = parser.parse_args()
    one_core()
    clock = time.process_time if arguments.busy else time.perf_counter
    print(f"{'microseconds':24} {'ours':>10} {'theirs':>10} {'ratio':>6}  aim")
    for name, (function, shape) in MOVES.items():
        report(name, rounds(of_a_move(function, shape), arguments.seconds, clock), 1.0)
    gc.disable()  # `rounds` collects between the two
    report("20,000 scalar nodes", rounds(of_scalars(), 5 * arguments.seconds, clock), 1.5)


if __name__ == "__main__":
    sys.setrecursionlimit(1_000_000)  # micrograd recurses through the whole chain
    threading.stack_size(512 * 2**20)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
