"""`animate`: the backward pass one step after the other, as a page or a GIF."""

from __future__ import annotations

import html
import io
import json
import os
import string
from collections.abc import Mapping
from pathlib import Path

from ..engine.tensor import Tensor
from ..explain import Edge, Graph, view
from ..explain.names import count, decimal, quantity
from ..support.files import checked, write
from ..support.gif import looping, pillow
from ..support.palette import PAPER
from .groups import name_gradients
from .picture import Options, picture_of
from .render import accessible, render
from .style import one_line

SUFFIXES = (".html", ".gif")
MOST_STEPS = 500
_DPI = 96
_MILLISECONDS, _AT_THE_END = 1200, 4000
_OPTIONS = Options(backward=True)


def animate(
    output: Tensor,
    path: str | os.PathLike[str],
    *,
    notation: str | Mapping[str, str] = "grad",
    fuse: bool = False,
) -> None:
    """Show the backward pass from ``output`` step by step: one payment into one adjoint a step.

    Parameters
    ----------
    output : Tensor
        Where the pass starts. It has one element.
    path : str or path
        Where to write. ``.html`` gives a page with a slider, buttons and arrow keys that needs
        no network; ``page.html#step=3`` opens at a step. ``.gif`` gives a looping picture.
    notation : {"grad", "delta", "sensitivity", "P", "gamma"} or mapping
        What adjoints are called, as for `explain.view`: ``z.grad``, or ``δ^[2]``.
    fuse : bool
        Make a Tensor without a name part of the named one that it leads to.

    Raises
    ------
    ValueError
        If the suffix is another, or the pass has more than 500 steps.
    OSError
        If ``path`` cannot be written.
    RuntimeError
        If ``output`` does not depend on a Tensor that requires grad, or nothing that renders is
        installed.
    ImportError
        If a GIF is asked for without Pillow.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate(x * x, pathlib.Path(folder) / "square.html")
    """
    path = checked(path, SUFFIXES)
    graph = view(output, notation=notation, fuse=fuse)
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
        title=html.escape(f"Backward pass of {one_line(graph.nodes[0].name)}, step by step"),
        last=len(graph.edges) - 1,
        svg=svg,
        steps=json.dumps(steps, ensure_ascii=False).replace("<", "\\u003c"),  # no tag, no comment
    )


def _gif(graph: Graph) -> bytes:
    """One picture a step, all laid out alike."""
    image = pillow()
    frames = []
    for step, caption in [(-1, _BEFORE), *((edge.step, _told(edge)) for edge in graph.edges)]:
        source = picture_of(graph, _OPTIONS, step, one_line(caption, 90)).source
        frame = image.open(io.BytesIO(render(source, "png", _DPI))).convert("RGBA")
        page = image.new("RGBA", frame.size, PAPER)
        page.alpha_composite(frame)
        frames.append(page)
    return looping(frames, _MILLISECONDS, _AT_THE_END)


_BEFORE = "Forward pass done: every value is known, and no gradient yet."
_BEFORE_NOTE = "The backward pass starts at the output and goes against the arrows."


def _told(edge: Edge) -> str:
    """What happens in a step, in symbols and numbers."""
    name, amount = one_line(edge.receiver.adjoint_name), quantity(edge.term)
    if edge.consumer is None:
        return f"Step {edge.step}: {name} = {amount}, the seed"
    local = edge.local
    numbers = "" if local is None else f"{decimal(edge.consumer.adjoint)} × {decimal(local)} = "
    return f"Step {edge.step}: {name} += {one_line(edge.product, 60)} = {numbers}{amount}"


def _note(edge: Edge) -> str:
    """What the step means for the node that was paid."""
    name = one_line(edge.receiver.name)
    if edge.remaining:
        return f"{name} waits for {count(edge.remaining, 'more term')}."
    adjoint = edge.receiver
    final = f"{one_line(adjoint.adjoint_name)} is final: {quantity(adjoint.adjoint)}."
    if not adjoint.pays:
        return final
    steps = [str(step) for step in adjoint.pays]
    shown = steps if len(steps) <= 8 else [*steps[:7], "..."]
    return f"{final} It is used in {'step' if len(steps) == 1 else 'steps'} {', '.join(shown)}."
