"""Train a network on data that no worker could hold: blocks of rows, on processes of a cluster.

Each block is made where it is needed, and forgotten. The second time a worker is killed in the
middle of the first epoch: its work is done again by others, and the parameters are those of the
undisturbed training, to the last bit. With --scheduler the same runs on a real cluster, where
nobody is killed.
"""

import argparse
import logging
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import tinygrad_bp as bp

try:
    import dask
    import dask.array as da
    from distributed import Client, LocalCluster, get_task_stream
except ImportError:
    sys.exit('this example needs Dask: pip install "tinygrad_bp[dask]"')

MIB = 2**20
FEATURES = 64


def block(number, rows, fatal=None):
    """Points, and in the last column whether each lies outside a circle: made anew each time.

    The first worker that finds no file ``fatal`` makes it, and dies.
    """
    if fatal is not None and not fatal.exists():
        fatal.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    points = np.random.default_rng([7, number]).normal(size=(rows, FEATURES))
    outside = np.sum(points[:, :2] ** 2, axis=1, keepdims=True) > 2 * np.log(2)  # half of them
    return np.concatenate([points, outside], axis=1)


def lazy_data(blocks, rows, fatal=None):
    """All blocks as Dask arrays X and y; the one in the middle may be fatal."""
    make = dask.delayed(block)
    parts = [make(i, rows, fatal if i == blocks // 2 else None) for i in range(blocks)]
    shape = rows, FEATURES + 1
    data = da.concatenate([da.from_delayed(part, shape, float) for part in parts])
    return data[:, :FEATURES], data[:, FEATURES:]


def peak_memory():
    """The most memory that this process has had, in MiB, where the system tells it."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return peak[0] / 1024 if peak else float("nan")


def train(client, arguments, fatal=None):
    """A network trained on the cluster; says what time went into."""
    X, y = lazy_data(arguments.blocks, arguments.rows, fatal)
    layers = [FEATURES, arguments.hidden, arguments.hidden, 1]
    model = bp.nn.MLP(layers, activation="relu", seed=arguments.seed)
    began = time.perf_counter()
    with get_task_stream(client) as stream:
        history = bp.train.fit(
            model,
            X,
            y,
            loss="binary_cross_entropy",
            optimizer=bp.optim.Adam(model.parameters(), lr=0.01),
            epochs=arguments.epochs,
            batch_size=arguments.batch * arguments.rows,
            seed=arguments.seed,
        )
    seconds = time.perf_counter() - began
    workers = len(client.scheduler_info(n_workers=-1)["workers"])
    shares = {
        action: sum(
            part["stop"] - part["start"]
            for task in stream.data
            for part in task["startstops"]
            if part["action"] == action
        )
        / (seconds * max(workers, 1))
        for action in ("compute", "transfer")
    }
    print(
        f"{history}\n{seconds / arguments.epochs:.2f} s an epoch; of the workers' time "
        f"{shares['compute']:.0%} is computing, {shares['transfer']:.1%} fetching from each other"
    )
    return model


def parsed():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--scheduler", help="the address of a cluster; without it, one is started")
    parser.add_argument("--workers", type=int, default=2, help="processes of the cluster")
    parser.add_argument("--memory", type=int, default=384, help="MiB that each worker may have")
    parser.add_argument("--blocks", type=int, default=192, help="blocks of the data")
    parser.add_argument("--rows", type=int, default=16_384, help="rows of each block")
    parser.add_argument("--batch", type=int, default=8, help="blocks of a step")
    parser.add_argument("--epochs", type=int, default=2, help="passes over the data")
    parser.add_argument("--hidden", type=int, default=32, help="units of each hidden layer")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and the order")
    arguments = parser.parse_args()
    counts = ["workers", "memory", "blocks", "rows", "batch", "epochs", "hidden"]
    if any(getattr(arguments, name) < 1 for name in counts) or arguments.seed < 0:
        parser.error(f"--seed must be at least 0, and {', '.join(counts)} at least 1")
    return arguments


def main():
    arguments = parsed()
    size = arguments.blocks * arguments.rows * (FEATURES + 1) * 8 / MIB
    if arguments.scheduler:
        with Client(arguments.scheduler) as client:
            print(f"{size:.0f} MiB of data on {arguments.scheduler}")
            report(client, train(client, arguments), arguments)
        return
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.ERROR}
    limit = f"{arguments.memory}MiB"
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=arguments.workers, memory_limit=limit, **options) as cluster,
        Client(cluster) as client,
    ):
        print(f"{size:.0f} MiB of data, {arguments.workers} workers of {arguments.memory} MiB")
        model = train(client, arguments)
        report(client, model, arguments)
        fatal = Path(folder) / "a worker was killed"
        again = train(client, arguments, fatal)
        pairs = zip(model.parameters(), again.parameters(), strict=True)
        difference = max(np.max(np.abs(p.data - q.data)) for p, q in pairs)
        print(f"{fatal.name}: {fatal.exists()}; parameters differ by {difference:g}")


def report(client, model, arguments):
    """The accuracy on a block that was not learned from, and the peak of each process's memory."""
    new = block(arguments.blocks, arguments.rows)
    outputs = bp.train.predict(model, new[:, :FEATURES])
    print(f"accuracy on new points {np.mean((outputs > 0) == new[:, FEATURES:]):.3f}")
    peaks = sorted(client.run(peak_memory).values())
    workers = " ".join(f"{peak:.0f}" for peak in peaks)
    print(f"peak memory in MiB: client {peak_memory():.0f}, workers {workers}")


if __name__ == "__main__":
    main()
