"""`animate`: the backward pass one step after the other, as a page or a GIF."""

from __future__ import annotations

import functools
import html
import io
import json
import os
import string
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..engine.tensor import Tensor
from ..explain import Edge, Graph, Node, Trace, view
from ..explain.names import count_noun, quantity
from ..explain.notation import markup
from ..support.answers import keyword_advice
from ..support.files import writable_path, write
from ..support.gif import looping_gif, pillow
from ..support.palette import PAPER
from .cards import derivative_texts
from .groups import name_gradients
from .picture import Options, picture_of
from .presenting import Presentation, present
from .program import SCRIPT, program_of
from .render import accessible, render, size_of
from .style import one_line

SUFFIXES = (".html", ".gif", ".svg", ".png")
MOST_STEPS = 500
_MILLISECONDS, _AT_THE_END = 1200, 4000


class Animation:
    """A backward pass step by step. Let a notebook show it, or ``save`` it.

    Attributes
    ----------
    graph : Graph
        The pass, as plain nodes and edges.
    page : str
        The page with a slider, buttons and arrow keys, as HTML that needs no network.
    """

    def __init__(self, graph: Graph, options: Options, presentation: Presentation):
        self.graph, self._presentation = graph, presentation
        self._picture, self._options = present(graph, options, presentation)

    @functools.cached_property
    def page(self) -> str:  # noqa: D102
        graph, (svg, _) = self.graph, self._whole
        trace = Trace(graph)
        try:
            program = program_of(graph)
            note = "Write another value: both passes are computed anew, in this page."
            if program["held"]:
                note += f" The condition of {', '.join(program['held'])} stays as it was found."
        except Exception as error:  # a function of a user's may raise anything
            program, note = None, f"The values cannot be changed here: {error}."
        template = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
        return string.Template(template).substitute(
            title=html.escape(f"Backward pass of {one_line(graph.nodes[0].name)}, step by step"),
            theme=self._presentation.theme,
            last=len(graph.edges) - 1,
            svg=svg,
            table=trace.table(limit=len(graph.edges) + len(graph.nodes)).html(),
            fields="".join(map(_field, reversed(graph.nodes))) if program else "",
            note=html.escape(note),
            script=SCRIPT,
            steps=_json(_step_texts(graph)),
            live=_json(program and {**program, **_places_of_numbers(graph, trace)}),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the animation; `animate` says which paths it takes.

        Raises
        ------
        ValueError, OSError, RuntimeError, ImportError
            As `animate` does.
        """
        if str(path).endswith(("/", os.sep)):
            path = Path(path)
            path.mkdir(exist_ok=True)
            path = path / "step.png"
        path = writable_path(path, SUFFIXES)
        form = path.suffix.lower()
        if form == ".html":
            write(path, self.page.encode())
        elif form == ".gif":
            write(path, self._gif())
        else:
            digits = len(str(len(self.graph.edges)))
            for number, frame in enumerate(self._frames(form[1:])):
                write(path.with_stem(f"{path.stem}-{number:0{digits}}"), frame)

    def _frames(self, form: str) -> Iterator[bytes]:
        """One picture a step, all laid out alike: first that before the pass."""
        told = [(-1, _BEFORE), *((edge.step, _step_sentence(edge)) for edge in self.graph.edges)]
        for step, caption in told:
            picture = picture_of(self.graph, self._options, step, one_line(caption, 90))
            frame = render(self._presentation.of(picture.source), form, self._presentation.dpi)
            if form == "svg":
                frame = accessible(frame.decode(), caption, picture.description).encode()
            yield frame

    def _gif(self) -> bytes:
        image = pillow()
        pages = []
        for content in self._frames("png"):
            frame = image.open(io.BytesIO(content)).convert("RGBA")
            page = image.new("RGBA", frame.size, PAPER)
            page.alpha_composite(frame)
            pages.append(page)
        return looping_gif(pages, _MILLISECONDS, _AT_THE_END)

    @functools.cached_property
    def _whole(self) -> tuple[str, float]:
        """The picture of the whole pass, and its height beside its width."""
        picture = self._picture
        svg = render(picture.source, "svg").decode()
        width, height = size_of(svg)
        return accessible(svg, picture.title, picture.description), height / width

    def _repr_html_(self) -> str:
        """A frame of its own, so that neither the page nor the notebook disturbs the other."""
        room = "padding-bottom: 13rem; height: 0; position: relative"  # for words and buttons
        fills = "position: absolute; width: 100%; height: 100%; border: 0"
        return (
            f'<div style="padding-top: {100 * self._whole[1]:.0f}%; {room}">'
            f'<iframe style="{fills}; top: 0" srcdoc="{html.escape(self.page)}"></iframe></div>'
        )

    def __repr__(self) -> str:
        return f"<Animation: {count_noun(len(self.graph.edges), 'step')}>"


@keyword_advice
def animate(
    output: Tensor,
    path: str | os.PathLike[str] | None = None,
    *,
    notation: str | Mapping[str, str] = "grad",
    fuse: bool = False,
    theme: str = "auto",
    font_size: float | None = None,
    size: str | None = None,
    caption: bool = True,
) -> Animation:
    """Show the backward pass from ``output`` step by step: one payment into one adjoint a step.

    Parameters
    ----------
    output : Tensor
        Where the pass starts. It has one element.
    path : str or path, optional
        Where to write it, too. ``.html`` gives a page with a slider, buttons and arrow keys that
        needs no network; ``page.html#step=3`` opens at a step. ``.gif`` gives a looping picture.
        ``.svg`` and ``.png`` give a numbered picture for each step, ``z-0.svg``, ``z-1.svg``, ...;
        a folder, ``steps/``, gets ``step-0.png``, ``step-1.png``, ...
    notation : {"grad", "delta", "sensitivity", "P", "gamma"} or mapping
        What adjoints are called, as for `explain.view`: ``z.grad``, or ``δ^[2]``.
    fuse : bool
        Merge each Tensor without a name into the named one that it leads to.
    theme, font_size, size
        As for `draw`. Frames of a slide have 1920 x 1080 pixels.
    caption : bool
        Whether to explain above the picture how it is read.

    Returns
    -------
    Animation
        A notebook shows it.

    Raises
    ------
    ValueError
        If the suffix is none of these, the pass has more than 500 steps, or it does not fit on a
        slide.
    OSError
        If ``path`` cannot be written.
    RuntimeError
        If ``output`` does not depend on a Tensor that requires grad, or no drawing engine is
        installed.
    ImportError
        If a GIF is asked for without Pillow.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> x = Tensor(3.0, requires_grad=True, name="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animate(x * x, pathlib.Path(folder) / "square.html")
    <Animation: 3 steps>
    """
    graph = view(output, notation=notation, fuse=fuse)
    name_gradients(graph)
    if len(graph.edges) > MOST_STEPS:
        raise ValueError(
            f"the backward pass has {len(graph.edges)} steps, too many to follow one by one: "
            f"animate a graph of at most {MOST_STEPS}, or use draw(output, backward=True)"
        )
    presentation = Presentation(theme, font_size, size)
    animation = Animation(graph, Options(backward=True, caption=caption), presentation)
    if path is not None:
        animation.save(path)
    return animation


Show = Callable[[str, Any], str]


def _number_text(kind: str, of: Node | Edge) -> str:
    """An adjoint, a local derivative or a term as a number."""
    return quantity(getattr(of, {"a": "adjoint", "l": "local", "t": "term"}[kind]))


def _number_place(kind: str, of: Node | Edge) -> str:
    """The place of such a number, for the page to fill in."""
    return f"\ufffc{kind}{of.number if isinstance(of, Node) else of.step};"


_BEFORE = "Forward pass done: every value is known, and no gradient yet."
_BEFORE_NOTE = "The backward pass starts at the output and goes against the arrows."


def _step_sentence(edge: Edge, number: Show = _number_text) -> str:
    """What happens in a step, in symbols and numbers."""
    name, amount = one_line(edge.receiver.adjoint_name), number("t", edge)
    if edge.consumer is None:
        return f"Step {edge.step}: {name} = {amount}, the seed"
    one_number = edge.local is not None
    numbers = f"{number('a', edge.consumer)} × {number('l', edge)} = " if one_number else ""
    return f"Step {edge.step}: {name} += {one_line(edge.product, 60)} = {numbers}{amount}"


def _note(edge: Edge, number: Show = _number_text) -> str:
    """What the step means for the node that was paid."""
    name = one_line(edge.receiver.name)
    if edge.remaining:
        return f"{name} waits for {count_noun(edge.remaining, 'more term')}."
    adjoint = edge.receiver
    final = f"{one_line(adjoint.adjoint_name)} is final: {number('a', adjoint)}."
    if not adjoint.pays:
        return final
    steps = [str(step) for step in adjoint.pays]
    shown = steps if len(steps) <= 8 else [*steps[:7], "..."]
    return f"{final} It is used in {'step' if len(steps) == 1 else 'steps'} {', '.join(shown)}."


def _step_texts(graph: Graph) -> list[dict[str, str]]:
    """What the page says of each step, and of the time before: with its numbers, and where to."""
    steps = [{"text": _BEFORE, "note": _BEFORE_NOTE}]
    for edge in graph.edges:
        cards = {"receives": f"n{edge.receiver.number}"}
        if edge.consumer is not None:
            cards["pays"] = f"n{edge.consumer.number}"
        steps.append({"text": markup(_step_sentence(edge)), "note": markup(_note(edge)), **cards})
    return steps


def _places_of_numbers(graph: Graph, trace: Trace) -> dict[str, Any]:
    """Where in the page the numbers of a pass are, for when they change."""
    texts = [
        [markup(told(edge, _number_place)) for told in (_step_sentence, _note)]
        for edge in graph.edges
    ]
    unpaid = [node.number for node in graph.visited() if not node.pays]
    return {
        "texts": [(_BEFORE, _BEFORE_NOTE), *texts],
        "made": [one_line(node.made, 300) for node in graph.nodes],
        "rows": [*(e.consumer and e.consumer.number for e in graph.edges), *unpaid],
        "to": [edge.receiver.number for edge in graph.edges],
        "first": [edge.step == edge.receiver.terms[0] for edge in graph.edges],
        "chips": [len(derivative_texts(edge)) == 3 for edge in graph.edges],
    }


def _field(node: Node) -> str:
    """Where a reader writes another value of a leaf, or of data that has a name."""
    if node.kind not in ("leaf", "constant") or not isinstance(node.tensor, Tensor):
        return ""
    value = f'type="number" step="any" data-node="{node.number}" value="{float(node.value)!r}"'
    return f"<label>{markup(one_line(node.name))} <input {value}></label>"


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")  # no tag
