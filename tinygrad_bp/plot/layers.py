"""What each layer makes of some inputs, and how it is told to change: as numbers, as a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.backprop import gradients
from ..engine.recording import recording
from ..engine.tensor import Tensor
from ..explain.layers import linear_layers
from ..functional.losses import LOSSES
from ..nn import evaluating
from ..support.arguments import function, shown
from ..support.palette import INK, QUIET
from ..support.printing import printable
from .figure import (
    GRADIENT,
    VALUE,
    Model,
    PathLike,
    array_of,
    callable_model,
    canvas,
    finite_numbers,
    layer_titles,
    save_figure,
)
from .presenting import picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Loss = Callable[[Any, Any], Tensor]

_STEEPEST = {"tanh": 1.0, "sigmoid": 0.25}  # the largest slope of what can saturate
_ACTIVATIONS = {"relu", "softplus", *_STEEPEST}
_BINS = 40


@dataclass(frozen=True, eq=False)
class LayerStatistics:
    """What one Linear layer, with the activation after it, makes of some inputs.

    Attributes
    ----------
    name : str
        Where the model holds the layer, such as ``0``.
    title : str
        What it is called in a picture: the first is ``layer 1``, wherever the model holds it.
    activation : str or None
        The function after it, if there is one that is known.
    values : array of shape (n, units)
        What comes out of the activation; out of the layer where there is none.
    deltas : array of shape (n, units), or None
        δ, the derivatives of the loss by what comes out of the Linear layer.
    dead : float or None
        For relu, the share of the units that are 0 for every input: none of these teaches them.
    saturated : float or None
        For tanh and sigmoid, the share of the values where the slope is less than a hundredth of
        the largest: next to nothing flows back through them.
    """

    name: str
    title: str
    activation: str | None
    values: np.ndarray
    deltas: np.ndarray | None = None
    dead: float | None = None
    saturated: float | None = None

    @property
    def mean_delta(self) -> float | None:
        """The mean of |δ|, or None if there was no loss."""
        return None if self.deltas is None else float(np.abs(self.deltas).mean())

    @property
    def facts(self) -> list[str]:
        """The numbers, as short texts."""
        facts = [f"mean {self.values.mean():.3g}", f"deviation {self.values.std():.3g}"]
        if self.dead is not None:
            facts.append(f"dead units {self.dead:.0%}")
        if self.saturated is not None:
            facts.append(f"saturated {self.saturated:.0%}")
        if self.deltas is not None:
            facts.append(f"mean |δ| {self.mean_delta:.1e}")
        return facts

    def __str__(self) -> str:
        kind = self.activation or "linear"
        return printable(f"{self.title}, {kind}: {', '.join(self.facts)}")


def layer_statistics(
    model: Model, X: Any, y: Any = None, *, loss: str | Loss | None = None
) -> list[LayerStatistics]:
    """Find what each Linear layer makes of ``X``, and with ``y`` and ``loss`` its δ.

    The model is used in evaluation mode, and left as it was, its gradients too. What it computes is
    recorded even within `no_grad`.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, look at networks in this way.

    Parameters
    ----------
    model : Module or callable
        It holds Linear layers that learn, and relu, sigmoid, softplus or tanh after them.
    X : array
        The inputs of the model.
    y : array, optional
    loss : {'mse', 'cross_entropy', 'binary_cross_entropy'} or function, optional
        With both, δ is found: for ``loss(model(X), y)``, which is one number.

    Returns
    -------
    list of LayerStatistics
        One for each Linear layer, in the order of computing.

    Raises
    ------
    TypeError
        If the model or the loss is no function, or the loss gives no Tensor that is made of what
        the model gives.
    ValueError
        If X holds no finite numbers, the model has no Linear layer that learns, or one of ``y``
        and ``loss`` is missing.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> X = np.random.default_rng(0).normal(size=(100, 2))
    >>> for layer in layer_statistics(nn.MLP([2, 8, 1], activation="tanh", seed=0), X):
    ...     print(layer)
    layer 1, tanh: mean -0.0226, deviation 0.514, saturated 0%
    layer 2, linear: mean -0.0655, deviation 0.71
    """
    if (y is None) != (loss is None):
        raise ValueError("δ needs both y and loss=, such as loss='cross_entropy'")
    X = finite_numbers(X, "X")
    with evaluating(callable_model(model)), recording(True):
        output = model(X)
        layers = linear_layers(output, _ACTIVATIONS) if isinstance(output, Tensor) else []
        if not layers:
            raise ValueError("the model has no Linear layer whose weights require grad")
        deltas: Sequence[Any] = [None] * len(layers)
        if loss is not None:
            deltas = gradients(_loss_value(loss, output, y), [layer for layer, _ in layers])
    names = [str(x.inputs[1].name or "").removesuffix("weight").rstrip(".") for x, _ in layers]
    return [
        _statistics((name, title), layer, after, delta)
        for name, title, (layer, after), delta in zip(
            names, layer_titles(names), layers, deltas, strict=True
        )
    ]


def _loss_value(loss: str | Loss, output: Tensor, y: Any) -> Tensor:
    """The loss of what the model gives."""
    value = function(loss, LOSSES, "loss")(output, y if isinstance(y, Tensor) else array_of(y, "y"))
    if not isinstance(value, Tensor) or not value.requires_grad:
        raise TypeError(
            f"the loss must be a Tensor that is made of what the model gives, not {shown(value)}"
        )
    return value


def _statistics(
    names: tuple[str, str], layer: Tensor, after: Tensor | None, delta: Any
) -> LayerStatistics:
    if after is None:
        return LayerStatistics(*names, None, layer.numpy(), delta)
    values, activation = after.numpy(), after.rule.name
    dead = saturated = None
    if activation == "relu":
        dead = float(np.mean(~values.reshape(-1, values.shape[-1]).any(axis=0)))
    if activation in _STEEPEST:
        slopes = after.rule.derivatives[0](np.ones_like(values), *after.arguments)
        saturated = float(np.mean(slopes < 0.01 * _STEEPEST[activation]))
    return LayerStatistics(*names, activation, values, delta, dead, saturated)


@picture
def layer_histograms(
    model: Model,
    X: Any,
    y: Any = None,
    *,
    loss: str | Loss | None = None,
    path: PathLike | None = None,
) -> Figure:
    """Draw how the values of each layer are spread, and with ``y`` and ``loss`` those of δ.

    Values are blue. |δ| is orange, on one logarithmic scale for all layers: where it moves left
    from the output's layer to the input's, the gradient vanishes.

    Parameters
    ----------
    model, X, y, loss
        As for `layer_statistics`, whose numbers stand over each histogram.

    Raises
    ------
    TypeError, ValueError
        As `layer_statistics` does, and if what a layer gives is not finite.

    Examples
    --------
    >>> from tinygrad_bp import functional, nn
    >>> X, y = np.random.default_rng(0).normal(size=(100, 2)), np.zeros((100, 1))
    >>> figure = layer_histograms(nn.MLP([2, 8, 1], seed=0), X, y, loss=functional.mse_loss)
    >>> len(figure.axes)
    4
    """
    layers = layer_statistics(model, X, y, loss=loss)
    for layer in layers:
        finite_numbers(layer.values, f"what {layer.title} gives")
        if layer.deltas is not None:
            finite_numbers(layer.deltas, f"δ of {layer.title}")
    rows = 1 if loss is None else 2
    figure, grid = canvas(max(2.6 * len(layers), 5), 0.4 + 2.7 * rows, path, rows, len(layers))
    for axes, layer in zip(grid[0], layers, strict=True):
        facts = [fact for fact in layer.facts if "δ" not in fact]
        _head(axes, f"{layer.title}, {layer.activation or 'linear'}", facts)
        axes.hist(layer.values.ravel(), _BINS, color=VALUE)
    grid[0, 0].set_ylabel("values", color=VALUE)
    if loss is not None:
        _draw_deltas(grid[1], layers)
    return save_figure(figure, path)


def _draw_deltas(row: np.ndarray, layers: list[LayerStatistics]) -> None:
    sizes = [np.abs(layer.deltas).ravel() for layer in layers]  # type: ignore[arg-type]
    positive = np.concatenate([size[size > 0] for size in sizes])
    ends = np.log10([positive.min(), positive.max()]) if positive.size else (-1, 0)
    bins = np.logspace(ends[0], ends[1] + 1e-6, _BINS)
    for axes, layer, size in zip(row, layers, sizes, strict=True):
        zeros = np.mean(size == 0)
        _head(axes, "", [f"mean |δ| {layer.mean_delta:.1e}", f"exactly 0: {zeros:.0%}"])
        axes.hist(size, bins, color=GRADIENT)
        axes.set_xscale("log")
        axes.set_xlim(bins[0], bins[-1])
    row[0].set_ylabel("|δ|", color=GRADIENT)


def _head(axes: Axes, title: str, facts: list[str]) -> None:
    """The name of a histogram, and its numbers below; how many there are does not matter."""
    axes.set_title("\n".join(filter(None, [title, *facts])), loc="left", color=INK, fontsize=9)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=8, labelcolor=QUIET)
