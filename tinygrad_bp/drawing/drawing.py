"""`draw`: a computation graph, or its backward pass step by step, as a picture."""

from __future__ import annotations

import functools
import inspect
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import explain
from ..engine.tensor import Tensor
from ..support.answers import keyword_advice
from ..support.arguments import shown, suggestion
from ..support.files import writable_path, write
from .groups import name_gradients
from .neurons import picture_of_neurons
from .picture import Options, Picture
from .presenting import Presentation, present

VIEWS = ("graph", "neurons")
SUFFIXES = (".svg", ".png", ".pdf", ".dot")
WIDE = 1600  # pixels; a wider PNG says how to have it narrower


class Drawing:
    """A picture of a graph. Let a notebook show it, or ``save`` it.

    Attributes
    ----------
    source : str
        The picture in the DOT language: for the same graph the same text, in every process.
    title, description : str
        What it shows, for those who do not see it.
    svg : str
        The picture as an ``<svg>`` element.
    png : bytes
        The picture as a PNG file, on a transparent background.
    """

    def __init__(self, picture: Picture):
        self.source = picture.source
        self.title = picture.title
        self.description = picture.description

    @functools.cached_property
    def svg(self) -> str:  # noqa: D102
        from .render import accessible

        return accessible(self._render("svg").decode(), self.title, self.description)

    @functools.cached_property
    def png(self) -> bytes:  # noqa: D102
        return self._render("png")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file; the suffix chooses SVG, PNG, PDF or DOT.

        Raises
        ------
        ValueError
            If the suffix is none of these.
        OSError
            If the folder does not exist or cannot be written. No part of a file is left.
        RuntimeError
            If nothing that draws this format is installed.
        """
        path = writable_path(path, SUFFIXES)
        form = path.suffix.lower()[1:]
        if form == "dot":
            write(path, self.source.encode())
        elif form == "svg":
            write(path, self.svg.encode())
        else:
            write(path, self.png if form == "png" else self._render(form))

    def _render(self, form: str) -> bytes:
        from .render import render

        return render(self.source, form)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def __repr__(self) -> str:
        pixels = int.from_bytes(self.png[16:20], "big") if "png" in vars(self) else 0
        if pixels <= WIDE:
            return f"<Drawing: {self.title}>"
        return (
            f"<Drawing: {self.title}. The PNG is {pixels} pixels wide: narrower by "
            'direction="TB", fuse=True, depth=1 or a smaller max_nodes>'
        )


@keyword_advice
def draw(
    output: Any,
    *inputs: Any,
    path: str | os.PathLike[str] | None = None,
    values: bool = True,
    grads: bool | str = "auto",
    backward: bool = False,
    ops: str = "auto",
    depth: int | None = None,
    max_nodes: int = 400,
    direction: str | None = None,
    notation: str | Mapping[str, str] = "grad",
    fuse: bool = False,
    view: str = "graph",
    highlight: tuple[int, int, int] | None = None,
    caption: bool = True,
    theme: str = "auto",
    font_size: float | None = None,
    size: str | None = None,
) -> Drawing:
    """Draw a computation graph, or its backward pass step by step.

    Blue is a value and orange a gradient; grey flows forward and orange backward. A leaf has a
    thick border, a constant a dashed one, an output a green one, a closed group a double one.
    A gradient that was not computed is ``-``; one that is zero is ``0``.

    Parameters
    ----------
    output : Tensor, list of Tensor, Module or callable
        What to draw: everything that led to it. A module or function is called with ``inputs``: a
        module in evaluation mode, and it is left as it was. ``draw(model(X))`` draws it in training
        mode. After ``backward(create_graph=True)``, ``[z, x.grad]`` draws both passes.
    *inputs
        For a module or function, its arguments. A function's floats and arrays of floats are
        drawn as leaves that require grad, under the names that the function gives them; an
        integer is passed on as it is, and may be an exponent or an index.
    path : str or path, optional
        Where to write it, too; the suffix chooses SVG, PNG, PDF or DOT. PDF needs Graphviz
        itself: the engine of the extra ``draw`` has none. The path can be given last, without
        ``path=``: ``draw(z, "z.svg")``, ``draw(model, X, "model.png")``.
    values : bool
        Show numbers. Shapes are always shown.
    grads : bool or "auto"
        Show ``.grad``. "auto": only where it is the result of a pass over this graph, not of a pass
        over another graph of the same parameters.
    backward : bool
        Show the backward pass as dynamic programming: its steps numbered, the local derivative
        on every edge, and in every card the terms that were summed. The adjoints are found in
        a pass of their own; no ``.grad`` is read or changed.
    ops : {"auto", "dots", "merged"}
        Operations as dots between the cards, or in the header of their results. "auto": dots
        for up to 20 numbers.
    depth : int, optional
        Draw the groups at this level as one card each: 1 for a model's outermost layers. A
        group is found from the dotted names that a model gives its parameters. By default
        groups are closed only where more than 60 cards would be drawn.
    max_nodes : int
        The largest number of cards. Of a larger graph, those nearest to the output are drawn. A PNG
        has some 360 pixels for each card that flows to the right, and 200 down: for
        one that fits a screen, draw fewer cards, or close groups by ``depth``; an SVG can be
        zoomed into. The repr of a Drawing whose PNG has over 1,600 pixels across says how.
    direction : {"LR", "TB", "RL", "BT"}, optional
        Where the computation flows to: by default to the right for numbers, down for arrays, and
        a chain of more than 24 cards in lines, each of which begins with where the last one ended.
    notation : {"grad", "delta", "sensitivity", "P", "gamma"} or mapping
        What adjoints are called, as for `explain.view`: ``z.grad``, or ``δ^[2]``.
    fuse : bool
        Merge each Tensor without a name into the named one that it leads to, so that every arrow
        stands for a step with a name.
    view : {"graph", "neurons"}
        "neurons" draws a chain of layers of up to 16 units as circles, and each weight as an
        arrow, blue if it is positive and dashed if it is negative, as thick as it is large; with
        ``backward`` as thick as its gradient is, in orange.
    highlight : (int, int, int), optional
        For neurons: a weight, by its layer, unit and input, each from 1, all of whose paths to
        the output are drawn strong.
    caption : bool
        Whether to explain above a backward pass how it is read.
    theme : {"auto", "light", "dark"}
        "auto" draws light cards on a transparent background, which suits both.
    font_size : float, optional
        The size of the numbers on the cards in points, 12 by default; everything else is scaled
        with it.
    size : {"slide"}, optional
        A picture of 16 : 9 in which no text is under 14 points at 1920 x 1080. A backward pass
        that would not fit has fewer words on its cards and edges.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If the output cannot be drawn, an option is none of those above, or the picture is too large
        for a slide.
    OSError
        If ``path`` cannot be written.
    RuntimeError
        If ``backward`` is asked for an output that depends on no Tensor that requires grad, or no
        drawing engine is installed.

    Examples
    --------
    >>> x = Tensor(2.0, requires_grad=True, name="x")
    >>> y = Tensor(3.0, requires_grad=True, name="y")
    >>> z = x * y + np.sin(x)
    >>> drawing = draw(z, backward=True)
    >>> drawing.description
    '3 operations: v1 = x × y; v2 = sin x; v3 = v1 + v2.'
    >>> draw(lambda a, b: a * b, 2.0, 3.0).description
    '1 operation: v1 = a × b.'
    """
    if inputs and isinstance(inputs[-1], str | os.PathLike):
        *inputs, path = inputs  # type: ignore[assignment]
    ops = "merged" if fuse and ops == "auto" else ops
    options = Options(values, grads, backward, ops, depth, max_nodes, direction, caption)
    presentation = Presentation(theme, font_size, size)
    if view not in VIEWS:
        raise ValueError(f"unknown view {view!r}: {suggestion(view, VIEWS)}")
    if path is not None:
        _check_path(path)
    outputs = _outputs_to_draw(output, inputs)
    graph = explain.view(*outputs, backward=backward, notation=notation, fuse=fuse)
    name_gradients(graph)
    if view == "neurons":
        picture = picture_of_neurons(graph, highlight)
        picture.source = presentation.of(picture.source)
    else:
        picture, _ = present(graph, options, presentation)
    if picture.hidden:
        warnings.warn(
            f"the {max_nodes} cards nearest to the output are drawn, and {picture.hidden} values "
            "are not; pass a larger max_nodes to draw more, or depth=1 to close groups",
            stacklevel=3,
        )
    drawing = Drawing(picture)
    if path is not None:
        drawing.save(path)
    return drawing


def _check_path(path: str | os.PathLike[str]) -> None:
    """Say at once if a file of this name cannot be written, or nothing here draws its format."""
    if writable_path(path, SUFFIXES).suffix.lower() == ".pdf":
        from .render import engine_for

        engine_for("pdf")


def _outputs_to_draw(output: Any, inputs: Sequence[Any]) -> Sequence[Tensor]:
    """The Tensors whose graph is to be drawn."""
    if callable(output):
        from ..nn import Module, evaluating  # not needed to draw what was computed before

        if isinstance(output, Module) and not inputs:
            raise TypeError("a model is drawn at work: give it rows, as in draw(model, X)")
        if not inputs and _needs_inputs(output):
            raise TypeError("a function is drawn at work: give it numbers, as in draw(f, 2.0)")
        arguments = _named_inputs(output, inputs)
        with evaluating(output):
            output = output(*arguments)
    elif inputs:
        raise TypeError(
            f"{shown(inputs[0])} is neither a path nor an input, which only functions take: "
            'write draw(z, "z.svg"), or draw([y, z]) of several Tensors'
        )
    outputs = output if isinstance(output, list | tuple) else [output]
    wrong = [type(x).__name__ for x in outputs if not isinstance(x, Tensor)]
    if wrong or not outputs:
        what = wrong[0] if wrong else "nothing"
        raise TypeError(
            f"draw needs Tensors, or a function that returns some, not {what} "
            "(of a function's inputs, floats and arrays of floats are drawn: 2.0, not 2)"
        )
    return outputs


def _needs_inputs(function: Callable[..., Any]) -> bool:
    """Whether a function cannot be called without inputs."""
    try:
        inspect.signature(function).bind()
    except TypeError:
        return True
    except ValueError:  # of NumPy's ufuncs, which say nothing of theirs
        return isinstance(function, np.ufunc)
    return False


def _named_inputs(function: Callable[..., Any], inputs: Sequence[Any]) -> list[Any]:
    """The inputs as Tensors, under the names that the function or module gives them."""
    called = getattr(function, "forward", function)  # a module says there what its inputs are
    places = inspect.signature(called).parameters.values()
    names = [p.name for p in places if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names += [None] * (len(inputs) - len(names))  # type: ignore[list-item]
    return [
        _argument(x, name, requires_grad=called is function)
        for x, name in zip(inputs, names, strict=False)
    ]


def _argument(x: Any, name: str | None, requires_grad: bool) -> Any:
    if isinstance(x, Tensor) or not isinstance(x, float | list | np.ndarray | np.floating):
        return x
    x = np.asarray(x)
    return Tensor(x, requires_grad=requires_grad and x.dtype.kind == "f", name=name)
