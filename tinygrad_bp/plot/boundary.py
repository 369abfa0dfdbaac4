"""The decision boundary of a classifier of the plane, at once or while it is being learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..functional import softmax
from ..support.arguments import shown
from ..support.files import writable_path, write
from ..support.gif import looping_gif, pillow
from ..support.palette import AMBER, BROWN, GREEN, INK, ORANGE, PINK, SKY
from .figure import (
    VALUE,
    Model,
    PathLike,
    callable_model,
    canvas,
    column,
    finite_numbers,
    legend_below,
    outputs,
    own_style,
    pixels,
    save_figure,
)
from .presenting import picture

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLASSES = (VALUE, AMBER, GREEN, PINK, SKY, ORANGE, BROWN, INK)
MARKERS = "os^DvPX*"
MOST_NAMED = 20
MOST_FRAMES = 50
_MILLISECONDS, _AT_THE_END = 100, 2500
_Frame = tuple[int, np.ndarray, float]  # the epoch, the logits of the cells, the accuracy
_CERTAIN = 10.0  # the logit of a class that was given as a label
_HUGE = 1e30  # a difference of logits that leaves no doubt, and whose steps do not overflow
_TEXT = "OSU"  # the kinds of arrays that hold texts


@picture
def decision_boundary(model: Model, X: Any, y: Any, *, path: PathLike | None = None) -> Figure:
    """Draw the class that a model gives to each point of the plane, and the labelled points.

    The stronger a colour, the surer the model; on the line two classes are equally likely. From the
    ninth class on the colours repeat with other markers: 64 classes can be told apart. Up to 20 are
    named below the picture.

    Parameters
    ----------
    model : Module or callable
        Called with rows of two features. For n rows it gives logits of shape (n, classes); for
        two classes also of shape (n,) or (n, 1); or n labels, as a classifier's ``predict``.
        Logits are floats, which may be infinite; labels are anything else.
    X : array of shape (n, 2)
    y : array of shape (n,) or (n, 1)
        Labels: numbers or texts. For k > 2 columns of logits they are 0 to k - 1.

    Raises
    ------
    TypeError
        If the model cannot be called.
    ValueError
        If a shape does not fit, labels are not of one kind, or a number of X is not finite.

    Examples
    --------
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> figure = decision_boundary(lambda X: X[:, 0] + X[:, 1] - 1.5, X, [0, 0, 0, 1])
    >>> figure.axes[0].get_title(loc="left")
    'accuracy 1.000 on 4 points'
    """
    figure, axes = canvas(5.6, 5.2, path)
    callable_model(model)  # first: X and y in its place would be refused for their shapes
    plane = Plane(X, y)
    scores, accuracy = plane.look(model)
    axes = axes.item()
    plane.draw_points(axes)
    plane.draw_regions(axes, scores)
    axes.set_title(f"accuracy {accuracy:.3f} on {len(plane.y):,} points", loc="left", color=INK)
    return save_figure(figure, path)


class BoundaryAnimation:
    """The decision boundary while it is being learned: a callback for `fit`.

    Give it to ``fit(..., callbacks=[animation])``, then `save` what it has seen. It looks at the
    model after every epoch; in a long training after every second one, or fourth, and so on.

    Parameters
    ----------
    model, X, y
        As for `decision_boundary`.

    Raises
    ------
    TypeError, ValueError
        As `decision_boundary` does, before the training: it looks at the model when it is made.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from tinygrad_bp import nn
    >>> model = nn.Linear(2, 1, seed=0)
    >>> animation = BoundaryAnimation(model, [[0.0, 0.0], [1.0, 1.0]], [0, 1])
    >>> for angle in (0.0, 0.5, 1.0):
    ...     model.weight.data = [[np.cos(angle), np.sin(angle)]]
    ...     animation()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     animation.save(pathlib.Path(folder) / "turning.gif")
    """

    def __init__(self, model: Model, X: Any, y: Any):
        self._model, self._plane = model, Plane(X, y, cells=100)
        self._epoch, self._every = 0, 1
        self._frames: list[_Frame] = []
        self._frame()  # what cannot be drawn is told before the training, not after an epoch

    def __call__(self, *told: Any) -> None:
        """Look at the model; the arguments of a callback are not needed."""
        self._epoch += 1
        if self._epoch % self._every == 0:
            self._frames.append(self._frame())
        if len(self._frames) == 2 * MOST_FRAMES:  # every second one will do from here on
            self._frames, self._every = self._frames[1::2], 2 * self._every

    @own_style()
    def save(self, path: PathLike) -> None:
        """Write a looping GIF, which rests where it ends: at the model as it is now.

        Raises
        ------
        ValueError
            If nothing was seen yet, or ``path`` does not end in .gif.
        OSError
            If ``path`` cannot be written.
        """
        path = writable_path(path, (".gif",))
        if not self._frames:
            raise ValueError("nothing was seen yet: train with fit(..., callbacks=[animation])")
        step = -(-len(self._frames) // MOST_FRAMES)
        frames = [*self._frames[:-1:step], self._frame()]
        pages = [pillow().fromarray(page) for page in self._pages(frames)]
        write(path, looping_gif(pages, _MILLISECONDS, _AT_THE_END))

    def _frame(self) -> _Frame:
        scores, accuracy = self._plane.look(self._model)
        return self._epoch, scores.astype(np.float32), accuracy

    def _pages(self, frames: list[_Frame]) -> Iterator[np.ndarray]:
        """One picture a frame, in which the points stay where they are."""
        figure, axes = canvas(4.4, 4.2)
        axes = axes.item()
        self._plane.draw_points(axes)
        for epoch, scores, accuracy in frames:
            regions = self._plane.draw_regions(axes, scores)
            title = f"epoch {epoch:,}: accuracy {accuracy:.3f}"
            axes.set_title(title, loc="left", color=INK)
            yield pixels(figure)
            figure.set_layout_engine("none")  # once is enough, and slow
            for region in regions:
                region.remove()


class Plane:
    """Labelled points of the plane, and a grid of cells around them."""

    def __init__(self, X: Any, y: Any, cells: int = 200):
        self.X = finite_numbers(X, "X").astype(float)
        if self.X.ndim != 2 or self.X.shape[1] != 2:
            raise ValueError(f"X must have shape (n, 2) to be drawn, not {self.X.shape}")
        self.y = column(y, "y", rows=len(self.X))
        low, high = self.X.min(axis=0), self.X.max(axis=0)
        margin = 0.08 * np.where(high > low, high - low, 1.0)
        self.low, self.high = low - margin, high + margin
        self.grid = np.meshgrid(*np.linspace(self.low, self.high, cells).T)
        self.labels = _distinct(self.y, "y")

    def look(self, model: Model) -> tuple[np.ndarray, float]:
        """For each cell and class its logit, and the share of the points that are right."""
        cells = np.stack([x.ravel() for x in self.grid], axis=1)
        scores = self._logits(outputs(model, np.concatenate([cells, self.X])))
        right = self.labels[scores[len(cells) :].argmax(axis=1)] == self.y
        return scores[: len(cells)], float(np.mean(right))

    def _logits(self, out: np.ndarray) -> np.ndarray:
        """One column for each class, whatever form the model gives its answer in; at most 0."""
        if out.ndim == 2 and out.shape[1] == 1:
            out = out[:, 0]
        if out.ndim > 2:
            raise ValueError(f"the model must give one row of logits a point, not {out.shape[1:]}")
        if out.dtype.kind != "f":
            return self._certain(out)
        out = np.clip(out.astype(float), -5e307, 5e307)  # no difference overflows, nor is inf - inf
        if out.ndim == 1:
            out = np.stack([np.zeros_like(out), out], axis=1)
        count = out.shape[1]
        if np.isin(self.labels, range(count)).all():
            self.labels = np.arange(count)
        elif count != 2 or len(self.labels) != 2:
            raise ValueError(
                f"the model tells {count} classes apart, 0 to {count - 1}, but y has "
                f"{len(self.labels)}: {', '.join(map(_label_text, self.labels[:6]))}"
            )
        return np.maximum(out - out.max(axis=1, keepdims=True), -_HUGE)

    def _certain(self, out: np.ndarray) -> np.ndarray:
        """Logits that stand for labels, those that nobody asked for too."""
        if out.ndim != 1:
            raise ValueError(
                f"the model gives {out.dtype} of shape {out.shape}: labels must have shape (n,), "
                "and logits must be floats"
            )
        if (out.dtype.kind in _TEXT) != (self.y.dtype.kind in _TEXT):
            raise ValueError(
                f"the model gives labels such as {shown(out.item(0))}, and y holds labels such "
                f"as {shown(self.y.item(0))}: they must be of one kind"
            )
        self.labels = np.union1d(self.labels, _distinct(out, "what the model gives"))
        return _CERTAIN * (out[:, None] == self.labels)

    def draw_points(self, axes: Axes) -> None:
        """Put the points there, each class in its own colour and form."""
        size = float(np.clip(9000 / len(self.X), 8, 36))
        outline: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.5}
        for c, label in enumerate(self.labels):
            x, y = self.X[self.y == label].T
            name = f"class {_label_text(label)}"
            axes.scatter(x, y, size, _color(c), marker=_marker(c), label=name, **outline)
        axes.set_xlabel("x₁", color=INK)
        axes.set_ylabel("x₂", color=INK)
        if len(self.labels) <= MOST_NAMED:
            legend_below(axes)

    def draw_regions(self, axes: Axes, logits: np.ndarray) -> list[Artist]:
        """Behind the points, colour each cell by its likeliest class, and draw the boundaries."""
        shape = self.grid[0].shape
        (left, bottom), (right, top) = self.low, self.high
        shades, extent = _shades(logits).reshape(*shape, 3), (left, right, bottom, top)
        drawn: list[Artist] = [axes.imshow(shades, extent=extent, origin="lower", aspect="auto")]
        line: dict[str, Any] = {"colors": INK, "linewidths": 1.2, "zorder": 0.5}
        for c in range(logits.shape[1]):
            margin = logits[:, c] - np.delete(logits, c, axis=1).max(axis=1, initial=-np.inf)
            if margin.min() < 0 < margin.max():
                drawn.append(axes.contour(*self.grid, margin.reshape(shape), [0], **line))
        return drawn


def _shades(logits: np.ndarray) -> np.ndarray:
    """The colour of each row's likeliest class, paler where the model is less sure."""
    count = logits.shape[1]
    likely = softmax(logits).max(axis=1, keepdims=True)
    sure = (likely - 1 / count) / (1 - 1 / count) if count > 1 else likely
    colors = np.array([_rgb(_color(c)) for c in range(count)])
    return 1 - (0.08 + 0.37 * sure) * (1 - colors[logits.argmax(axis=1)])


def _distinct(labels: np.ndarray, name: str) -> np.ndarray:
    """Each label once, in order.

    Raises
    ------
    ValueError
        If they have no order, or one of them is missing.
    """
    try:
        found = np.unique(labels)
    except TypeError:  # of None, or of numbers among texts
        found = np.array([np.nan])
    if not np.equal(found, found).all():  # nan, which marks what is missing
        raise ValueError(f"{name} must hold labels, all numbers or all texts, not {shown(labels)}")
    return found


def _label_text(label: Any) -> str:
    return f"{label:g}" if isinstance(label, np.floating) else str(label)


def _color(c: int) -> str:
    return CLASSES[c % len(CLASSES)]


def _marker(c: int) -> str:
    return MARKERS[(c + c // len(CLASSES)) % len(MARKERS)]  # another when the colours come again


def _rgb(color: str) -> list[float]:
    return [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
