"""`animate`: the backward pass one step after the other, as a page or a GIF."""

from __future__ import annotations

import html
import importlib
import io
import json
import os
import string
from pathlib import Path
from typing import Any

from ..engine.tensor import Tensor
from ..explain import Edge, Graph, view
from ..explain.names import number, quantity
from ..support.files import checked, write
from .groups import name_gradients
from .picture import Options, picture_of
from .render import accessible, render
from .style import printable

SUFFIXES = (".html", ".gif")
MOST_STEPS = 500
_DPI = 96
_MILLISECONDS, _AT_THE_END = 1200, 4000
_OPTIONS = Options(backward=True)


def animate(output: Tensor, path: str | os.PathLike[str]) -> None:
    """Show the backward pass from ``output`` step by step: one payment into one adjoint a step.

    Parameters
    ----------
    output : Tensor
        Where the pass starts. It has one element.
    path : str or path
        Where to write. ``.html`` gives a page with a slider, buttons and arrow keys that needs
        no network; ``page.html#step=3`` opens at a step. ``.gif`` gives a looping picture.

    Raises
    ------
    ValueError
        If the suffix is another, or the pass has more than 500 steps.
    OSError
        If ``path`` cannot be written.
    RuntimeError
        If ``output`` does not depend on a Tensor that requires grad, nothing that renders is
        installed, or a GIF is asked for without Pillow.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate(x * x, pathlib.Path(folder) / "square.html")
    """
    path = checked(path, SUFFIXES)
    graph = view(output)
    name_gradients(graph)
    if len(graph.edges) > MOST_STEPS:
        raise ValueError(
            f"the backward pass has {len(graph.edges)} steps, too many to follow one by one: "
            f"animate a graph of at most {MOST_STEPS}, or use draw(output, backward=True)"
        )
    write(path, _page(graph).encode() if path.suffix.lower() == ".html" else _gif(graph))


def _page(graph: Graph) -> str:
    """The picture of the whole pass, and a script that shows as much of it as was asked for."""
    picture = picture_of(graph, _OPTIONS)
    steps = [{"text": _BEFORE, "note": _BEFORE_NOTE}]
    for edge in graph.edges:
        cards = {"receives": f"n{edge.receiver.number}"}
        if edge.consumer is not None:
            cards["pays"] = f"n{edge.consumer.number}"
        steps.append({"text": _told(edge), "note": _note(edge), **cards})
    template = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    svg = accessible(render(picture.source, "svg").decode(), picture.title, picture.description)
    return string.Template(template).substitute(
        title=html.escape(f"Backward pass of {printable(graph.nodes[0].name)}, step by step"),
        last=len(graph.edges) - 1,
        svg=svg,
        steps=json.dumps(steps, ensure_ascii=False).replace("<", "\\u003c"),  # no tag, no comment
    )


def _gif(graph: Graph) -> bytes:
    """One picture a step, all laid out alike."""
    image = _pillow()
    captions = [(-1, _BEFORE), *((edge.step, _told(edge)) for edge in graph.edges)]
    frames = []
    for step, caption in captions:
        source = picture_of(graph, _OPTIONS, step, printable(caption, 90)).source
        frame = image.open(io.BytesIO(render(source, "png", _DPI))).convert("RGBA")
        page = image.new("RGBA", frame.size, "white")
        page.alpha_composite(frame)
        frames.append(page.convert("RGB"))
    palette = frames[-1].quantize(256, image.Quantize.FASTOCTREE, dither=image.Dither.NONE)
    frames = [frame.quantize(palette=palette, dither=image.Dither.NONE) for frame in frames]
    times = [_MILLISECONDS] * (len(frames) - 1) + [_AT_THE_END]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    return written.getvalue()


def _pillow() -> Any:
    try:
        return importlib.import_module("PIL.Image")
    except ImportError:
        raise RuntimeError(
            "a GIF needs Pillow: pip install pillow, or write an .html page instead"
        ) from None


_BEFORE = "Forward pass done: every value is known, and no gradient yet."
_BEFORE_NOTE = "The backward pass starts at the output and goes against the arrows."


def _told(edge: Edge) -> str:
    """What happens in a step, in symbols and numbers."""
    name = printable(edge.receiver.name)
    amount = quantity(edge.term)
    if edge.consumer is None:
        return f"Step {edge.step}: {name}.grad = {amount}, the seed"
    numbers = (
        f"{number(edge.consumer.adjoint)} × {number(edge.local)} = "
        if edge.local is not None
        else ""
    )
    return f"Step {edge.step}: {name}.grad += {printable(edge.product, 60)} = {numbers}{amount}"


def _note(edge: Edge) -> str:
    """What the step means for the node that was paid."""
    name = printable(edge.receiver.name)
    if edge.remaining:
        terms = "term" if edge.remaining == 1 else "terms"
        return f"{name} waits for {edge.remaining} more {terms}."
    paid = len(edge.receiver.pays)
    used = f" It is used {paid} time{'' if paid == 1 else 's'} from here on." if paid else ""
    return f"{name}.grad is final: {quantity(edge.receiver.adjoint)}.{used}"
