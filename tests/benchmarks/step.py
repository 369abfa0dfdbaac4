"""Time of one training step against the same network written by hand in plain NumPy.

Both sides run in turn in one process on one BLAS thread, and must end with the same parameters.
A long scalar chain is timed against micrograd. Run by hand: python tests/benchmarks/step.py
"""

from __future__ import annotations

import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import cProfile
import gc
import pstats
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import tinygrad_bp as bp
from tinygrad_bp.functional import cross_entropy, mse_loss

LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Task:
    """A network and its batch, the same for both sides."""

    sizes: tuple[int, ...]
    batch: int
    dtype: type
    activation: str
    loss: str
    aim: float

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        X = rng.normal(size=(self.batch, self.sizes[0])).astype(self.dtype)
        if self.loss == "cross-entropy":
            return X, rng.integers(self.sizes[-1], size=self.batch)
        return X, rng.normal(size=(self.batch, self.sizes[-1])).astype(self.dtype)

    def __str__(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        return f"{sizes} {self.activation}, {self.loss}, batch {self.batch} {self.dtype.__name__}"


TASKS = [
    Task((2, 16, 16, 1), 100, np.float64, "tanh", "mse", 1.7),
    Task((2, 16, 16, 1), 100, np.float64, "relu", "mse", 1.7),
    Task((64, 32, 10), 32, np.float32, "relu", "cross-entropy", 1.6),
    Task((784, 256, 128, 10), 128, np.float32, "relu", "cross-entropy", 1.10),
]


class Engine:
    """The network as a user of tinygrad_bp writes it."""

    def __init__(self, task: Task):
        self.X, self.y = task.data()
        self.model = bp.nn.MLP(task.sizes, task.activation, seed=0, dtype=task.dtype)
        self.optimizer = bp.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)
        self.loss = {"mse": mse_loss, "cross-entropy": cross_entropy}[task.loss]

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss(self.model(self.X), self.y).backward()
        self.optimizer.step()

    def parameters(self) -> list[np.ndarray]:
        return [p.data for p in self.model.parameters()]


class ByHand:
    """The same network as a careful person writes it for NumPy, updated in place."""

    def __init__(self, task: Task):
        self.X, self.y = task.data()
        arrays = [p.numpy() for p in Engine(task).model.parameters()]
        self.weights, self.biases = arrays[::2], arrays[1::2]
        self.activation, self.loss = task.activation, task.loss

    def step(self) -> None:
        inputs, h = [self.X], self.X
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = h @ W.T
            z += b
            h = np.tanh(z, out=z) if self.activation == "tanh" else np.maximum(z, 0, out=z)
            inputs.append(h)
        out = h @ self.weights[-1].T
        out += self.biases[-1]
        self.value, g = getattr(self, self.loss.replace("-", "_"))(out)
        for i in reversed(range(len(self.weights))):
            h = inputs[i]
            by_weight, by_bias = g.T @ h, g.sum(axis=0)
            if i > 0:
                g = g @ self.weights[i]
                g *= 1 - h * h if self.activation == "tanh" else h > 0
            by_weight *= LEARNING_RATE
            self.weights[i] -= by_weight
            by_bias *= LEARNING_RATE
            self.biases[i] -= by_bias

    def mse(self, out: np.ndarray) -> tuple[float, np.ndarray]:
        difference = out - self.y
        return np.mean(difference * difference), difference * (2 / difference.size)

    def cross_entropy(self, out: np.ndarray) -> tuple[float, np.ndarray]:
        rows = np.arange(len(self.y))
        out -= out.max(axis=1, keepdims=True)
        p = np.exp(out)
        total = p.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(total[:, 0]) - out[rows, self.y])
        p /= total
        p[rows, self.y] -= 1
        p /= len(self.y)
        return loss, p

    def parameters(self) -> list[np.ndarray]:
        return [a for pair in zip(self.weights, self.biases, strict=True) for a in pair]


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def in_turn(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    seconds: float,
    between: Callable[[], object] = int,
) -> tuple[float, float, float]:
    """The medians of both, and of their ratio, over pairs of runs that follow each other."""
    pairs: list[tuple[float, float]] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(pairs) < 5:
        pairs.append((timed(ours), timed(theirs)))
        between()
    a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
    return a, b, statistics.median(x / y for x, y in pairs)


def compare(task: Task, seconds: float) -> tuple[float, float, float]:
    ours, theirs = Engine(task), ByHand(task)
    for _ in range(20):
        ours.step(), theirs.step()
    tolerance = 1e-10 if task.dtype is np.float64 else 1e-4
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p, q, rtol=tolerance, atol=tolerance)
    return in_turn(ours.step, theirs.step, seconds)


def chain(x: object, y: object, length: int = 10_000) -> object:
    """``z = z y + x`` again and again: a graph of scalars, with two nodes a turn."""
    z = x
    for _ in range(length):
        z = z * y + x
    return z


def compare_chain(seconds: float) -> tuple[float, float, float]:
    from micrograd.engine import Value

    def ours() -> tuple[float, float]:
        x, y = (bp.Tensor(value, requires_grad=True) for value in (0.5, 0.9))
        chain(x, y).backward()
        return float(x.grad), float(y.grad)

    def micrograd() -> tuple[float, float]:
        x, y = Value(0.5), Value(0.9)
        chain(x, y).backward()
        return x.grad, y.grad

    np.testing.assert_allclose(ours(), micrograd(), rtol=1e-9)
    # between runs, or the cycles of the one side would be collected in the time of the other
    return in_turn(ours, micrograd, seconds, between=gc.collect)


def profile(task: Task, steps: int = 2000) -> None:
    """Print where the time of our step goes."""
    engine = Engine(task)
    engine.step()
    with cProfile.Profile() as profiler:
        for _ in range(steps):
            engine.step()
    print(f"\n{task}: {steps} steps")
    pstats.Stats(profiler).sort_stats("tottime").print_stats(18)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row of the table")
    parser.add_argument("--profile", action="store_true", help="show where our time goes")
    arguments = parser.parse_args()
    if arguments.profile:
        for task in TASKS:
            profile(task)
        return
    print(f"{'one step, in microseconds':60} {'ours':>8} {'theirs':>8} {'ratio':>6}  aim")
    for task in TASKS:
        report(str(task), compare(task, arguments.seconds), task.aim)
    report("scalar chain of 20,000 nodes, micrograd", compare_chain(arguments.seconds), 1.0)


def report(name: str, result: tuple[float, float, float], aim: float) -> None:
    ours, theirs, ratio = result
    print(f"{name:60} {ours * 1e6:8.0f} {theirs * 1e6:8.0f} {ratio:6.2f}  {aim:.2f}", flush=True)


if __name__ == "__main__":
    sys.setrecursionlimit(1_000_000)  # micrograd recurses through the whole chain
    threading.stack_size(512 * 2**20)
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
