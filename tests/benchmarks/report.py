"""What was measured, as a table, as a picture, and with what it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinygrad_bp.support.palette import AMBER, BLUE, BROWN, GREEN, INK, ORANGE, PINK, QUIET, SKY

Rows = Mapping[str, Mapping[str, Any]]
COLUMNS = {  # each with its heading, its factor and its format
    "seconds": ("µs", 1e6, ",.0f"),
    "ratio": ("ratio", 1, ".2f"),
    "peak_mb": ("peak MB", 1, ".0f"),
    "beyond_import_mb": ("of it, not imports", 1, ".0f"),
    "instructions": ("instructions", 1, ",.0f"),
}


def table(title: str, rows: Rows) -> str:
    """A line for each peer."""
    shown = [key for key in COLUMNS if any(key in row for row in rows.values())]
    heads = [COLUMNS[key][0] for key in shown]
    lines = [f"\n{title:34}" + "".join(f"{head:>{len(head) + 8}}" for head in heads)]
    for name, row in rows.items():
        cells = [_cell(row.get(key), *COLUMNS[key]) for key in shown]
        lines.append(f"{name:34}" + "".join(cells))
    return "\n".join(lines)


def _cell(value: float | None, head: str, factor: float, form: str) -> str:
    text = "-" if value is None else format(value * factor, form)
    return f"{text:>{len(head) + 8}}"


def environment() -> dict[str, Any]:
    """The machine, the versions, and the kernels that BLAS chose."""
    from importlib.metadata import PackageNotFoundError, version

    packages = ("numpy", "numba", "torch", "jax", "autograd", "mygrad", "scikit-learn")
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "processor": _processor(),
        "core": sorted(os.sched_getaffinity(0)),
        "blas": blas(),
        "versions": found,
    }


def blas() -> list[dict[str, Any]]:
    """The BLAS that was loaded, with its kernels: ``OPENBLAS_CORETYPE`` chooses others."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return [np.show_config(mode="dicts")["Build Dependencies"]["blas"]]
    return threadpool_info()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.partition(": ")[2] for x in lines if x.startswith("model name")), "")


COLOURS = (QUIET, BLUE, SKY, GREEN, PINK, ORANGE, AMBER, BROWN)


def _colours(names: list[str]) -> dict[str, tuple[str, str]]:
    """A colour and, where they run out, a hatching for each name."""
    marks = [(colour, hatch) for hatch in ("", "///") for colour in COLOURS]
    return dict(zip(names, marks, strict=False))


def bars(results: Mapping[str, Rows], path: Path) -> None:
    """The ratios of each task as bars, on a logarithmic scale, with the numbers beside them."""
    from matplotlib.figure import Figure

    heights = [len(rows) for rows in results.values()]
    figure = Figure(figsize=(8, 0.24 * sum(heights) + 0.8 * len(heights)), layout="constrained")
    axes = figure.subplots(len(results), 1, sharex=True, height_ratios=heights, squeeze=False)
    colours = _colours(list(dict.fromkeys(name for rows in results.values() for name in rows)))
    for ax, (title, rows) in zip(axes[:, 0], results.items(), strict=True):
        for y, (name, row) in enumerate(rows.items()):
            colour, hatch = colours[name]
            ax.barh(y, row["ratio"], color=colour, hatch=hatch, edgecolor="white", linewidth=0)
            label = f" {row['ratio']:.2f}  ({row['seconds'] * 1e6:,.0f} µs)"
            ax.text(row["ratio"], y, label, va="center", fontsize=8, color=INK)
        ax.set_yticks(range(len(rows)), list(rows), fontsize=8)
        ax.invert_yaxis()
        ax.set_xscale("log")
        ax.axvline(1, color=INK, linewidth=0.8)
        ax.set_title(title, loc="left", fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
    largest = max(row["ratio"] for rows in results.values() for row in rows.values())
    axes[-1, 0].set_xlim(0.1, largest * 4)
    axes[-1, 0].set_xlabel("time of one step, as a multiple of NumPy by hand")
    figure.savefig(path)


def lines(results: Mapping[str, Mapping[int, Rows]], path: Path) -> None:
    """The time of a step against what grows, both on logarithmic scales."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * len(results), 4), layout="constrained")
    axes = figure.subplots(1, len(results), sharey=True, squeeze=False)[0]
    for ax, (what, by_size) in zip(axes, results.items(), strict=True):
        names = list(next(iter(by_size.values())))
        for name, (colour, hatch) in _colours(names).items():
            times = [rows[name]["seconds"] * 1e6 for rows in by_size.values()]
            ax.plot(list(by_size), times, "--" if hatch else "-", color=colour, label=name)
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_xlabel(what)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("one step, µs")
    axes[0].legend(fontsize=7, frameon=False)
    figure.savefig(path)
