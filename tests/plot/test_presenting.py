"""Plots for a dark page and for a slide: all of them can be read."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.text import Text

import tinygrad_bp as bp
from tinygrad_bp.plot import boundary
from tinygrad_bp.support import palette
from tinygrad_bp.train.history import History

from ..drawing.test_draw import contrast

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def told():
    history = History()
    for epoch in range(1, 6):
        deltas = {f"delta {n}": 10.0**-n for n in range(3)}
        history.append({"loss": 1 / epoch, "validation loss": 2 / epoch, "accuracy": 0.5} | deltas)
    return history


PICTURES = {
    "decision_boundary": lambda **o: bp.plot.decision_boundary(
        lambda X: X[:, 0] + X[:, 1] - 1.5, X, [0, 0, 0, 1], **o
    ),
    "loss_curves": lambda **o: bp.plot.loss_curves(told(), **o),
    "weights": lambda **o: bp.plot.weights(np.arange(-8.0, 8.0).reshape(4, 4), (2, 2), **o),
    "layer_histograms": lambda **o: bp.plot.layer_histograms(
        bp.nn.MLP([2, 5, 1], seed=0), X, np.ones((4, 1)), loss="mse", **o
    ),
    "regression_fit": lambda **o: bp.plot.regression_fit(np.sin, X[:, 1], X[:, 0], **o),
}
each = pytest.mark.parametrize("draw", PICTURES.values(), ids=PICTURES)


def texts(figure):
    boundary.pixels(figure)  # which makes the labels of the ticks
    return [x for x in figure.findobj(Text) if x.get_text() and x.get_visible()]


@each
def test_text_and_lines_can_be_read_on_a_dark_ground(draw):
    figure = draw(theme="dark")
    assert to_hex(figure.get_facecolor()) == palette.NIGHT.lower()
    for text in texts(figure):
        assert contrast(to_hex(text.get_color()), palette.NIGHT) > 4.4, text
    for axes in figure.axes:
        if axes.images:
            continue
        for line in axes.lines:
            assert contrast(to_hex(line.get_color()), palette.NIGHT) > 2.9, line
        for drawn in axes.findobj(lambda x: isinstance(x, Collection) and x.get_array() is None):
            for color in [*drawn.get_facecolor(), *drawn.get_edgecolor()]:
                assert contrast(to_hex(color), palette.NIGHT) > 2.9, drawn


@each
def test_a_slide_has_sixteen_to_nine_and_text_to_be_read(draw, tmp_path):
    image = pytest.importorskip("PIL.Image")
    figure = draw(size="slide", path=tmp_path / "slide.png")
    with image.open(tmp_path / "slide.png") as shown:
        assert shown.size == (1920, 1080)
    assert min(text.get_fontsize() for text in texts(figure)) * figure.dpi / 96 >= 14


@each
def test_the_font_size_is_that_of_labels(draw):
    usual, large = (sorted(x.get_fontsize() for x in texts(draw(**o))) for o in ({}, BIG))
    assert large[0] == pytest.approx(1.5 * usual[0])
    assert large[-1] == pytest.approx(1.5 * usual[-1])


BIG = {"font_size": 15}


def test_a_caption_can_be_left_out_and_titles_of_panels_stay():
    assert PICTURES["regression_fit"](caption=False).axes[0].get_title(loc="left") == ""
    panels = [axes.get_title(loc="left") for axes in PICTURES["loss_curves"](caption=False).axes]
    assert panels == ["loss", "metrics"]


def test_what_does_not_fit_on_a_slide_is_said():
    model = bp.nn.MLP([2, *30 * [3], 1], seed=0)
    with pytest.raises(ValueError, match=r"31 panels has no room for text of 14 points"):
        bp.plot.layer_histograms(model, X, size="slide")


@each
def test_a_picture_tells_what_it_can_be_told(draw, tmp_path):
    with pytest.raises(ValueError, match="unknown theme 'night'"):
        draw(theme="night")
    with pytest.raises(ValueError, match="unknown size 'poster'"):
        draw(size="poster")
    with pytest.raises(ValueError, match="must end in one of"):
        draw(path=tmp_path / "x.jpg")
    with pytest.raises(ValueError, match="font_size must be"):
        draw(font_size=0)
    assert not list(tmp_path.iterdir())


def test_signatures_name_the_options():
    for name in PICTURES:
        known = inspect.signature(getattr(bp.plot, name)).parameters
        assert {"path", "theme", "font_size", "caption", "size"} <= set(known)
        described = getattr(bp.plot, name).__doc__
        assert re.findall(r"^(path|theme|font_size|caption|size) : ", described, re.M) == [
            "path",
            "theme",
            "font_size",
            "caption",
            "size",
        ]
        assert described.count("Raises\n------") == described.count("Returns\n-------") == 1


def test_lines_on_an_image_stay_as_they_are():
    usual, dark = (PICTURES["decision_boundary"](theme=theme) for theme in ("light", "dark"))
    edges = [figure.axes[0].collections[0].get_edgecolor() for figure in (usual, dark)]
    np.testing.assert_array_equal(*edges)
