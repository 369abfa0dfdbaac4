"""Where a page puts its pictures, and the two that every page draws."""

import argparse
from pathlib import Path

import tinygrad_bp as bp


def folder(about):
    """The folder that the command line names with ``--out``; made if it is missing."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("pictures"), help="where pictures go (default: pictures)"
    )
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    return out


def draw(output, out, name):
    """Draw a graph, and its backward pass step by step."""
    for path, backward in ((out / f"{name}.svg", False), (out / f"{name}_backward.svg", True)):
        bp.draw(output, path, backward=backward)
        print(f"  picture: {path}")
