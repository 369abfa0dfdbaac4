"""Graphs as pictures: reading a graph, laying out cards, rendering."""

from .drawing import Drawing, draw

__all__ = ["Drawing", "draw"]


def __dir__() -> list[str]:
    return __all__
