"""Pictures show what the model does; files are whole or not there; errors are clear."""

import io
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.train.history import History

pytest.importorskip("matplotlib")

from matplotlib import pyplot
from matplotlib.figure import Figure
from PIL import Image

from tinygrad_bp.plot import boundary

ROOT = Path(__file__).resolve().parents[2]
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def title(figure, axes=0):
    return figure.axes[axes].get_title(loc="left")


def logits(X):
    """Three classes of the plane: left, right and above."""
    return np.stack([-X[:, 0], X[:, 0], 5 * X[:, 1]], axis=1)


def history(epochs=20, **extra):
    told = History()
    for e in range(epochs):
        row = {"loss": 1 / (e + 1), "gradient norm": 0.5, "learning rate": 0.1, "seconds": 0.01}
        told.append(row | {name: value(e) for name, value in extra.items()})
    return told


PICTURES = {
    "boundary": lambda path: bp.plot.decision_boundary(logits, CORNERS, [0, 1, 2, 2], path=path),
    "fit": lambda path: bp.plot.regression_fit(np.sin, np.arange(5.0), np.ones(5), path=path),
    "curves": lambda path: bp.plot.loss_curves(history(), path=path),
    "weights": lambda path: bp.plot.weights(np.eye(4), (2, 2), path=path),
    "layers": lambda path: bp.plot.layer_histograms(
        bp.nn.MLP([2, 3, 1], seed=0), CORNERS, path=path
    ),
}
pictures = pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)


# Files


@pictures
def test_a_picture_is_a_figure_and_a_file(picture, tmp_path):
    for suffix, magic in {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}.items():
        path = tmp_path / f"picture{suffix}"
        assert isinstance(picture(path), Figure)
        assert path.read_bytes().startswith(magic)
    assert isinstance(picture(None), Figure)
    assert len(list(tmp_path.iterdir())) == 3


@pictures
def test_the_same_picture_twice_is_the_same_file(picture, tmp_path):
    files = [tmp_path / name for name in ("one.png", "two.png")]
    for file in files:
        picture(file)
    assert files[0].read_bytes() == files[1].read_bytes()


@pictures
def test_a_place_where_no_picture_can_be(picture, tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.png, \.svg, \.pdf"):
        picture(tmp_path / "picture.bmp")
    with pytest.raises(FileNotFoundError, match=r"the folder '.*missing' does not exist"):
        picture(tmp_path / "missing" / "picture.png")
    assert not list(tmp_path.iterdir())


@pictures
def test_a_notebook_shows_it(picture):
    page = Image.open(io.BytesIO(picture(None)._repr_png_()))
    assert page.format == "PNG"
    assert min(page.size) > 200


@pictures
def test_a_dark_page_does_not_shine_through(picture):
    figure = picture(None)
    assert figure.get_facecolor() == (1, 1, 1, 1)
    page = io.BytesIO()
    figure.savefig(page, format="png")
    assert np.asarray(Image.open(page).convert("RGBA"))[..., 3].min() == 255


@pictures
def test_a_picture_leaves_pyplot_alone(picture):
    picture(None)
    assert not pyplot.get_fignums()


def test_without_matplotlib_one_line_says_what_to_install():
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "import numpy as np, tinygrad_bp as bp\n"
        "try: bp.plot.weights(np.eye(4), (2, 2))\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == 'these pictures need matplotlib: pip install "tinygrad_bp[plot]"\n'


# Decision boundaries


def shade_at(figure, x, y):
    """The colour that was drawn behind a point."""
    image = figure.axes[0].images[0]
    assert image.origin == "lower"
    left, right, bottom, top = image.get_extent()
    shades = image.get_array()
    row = round((y - bottom) / (top - bottom) * (len(shades) - 1))
    column = round((x - left) / (right - left) * (len(shades) - 1))
    return np.asarray(shades[row, column])


def nearest_class(shade):
    colors = np.array([boundary._rgb(color) for color in boundary.CLASSES[:4]])
    return int(np.argmax((1 - colors) @ (1 - shade) / np.linalg.norm(1 - colors, axis=1)))


def test_regions_have_the_colour_of_the_class_that_the_model_gives():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (200, 2))
    figure = bp.plot.decision_boundary(logits, X, logits(X).argmax(axis=1))
    assert title(figure) == "accuracy 1.000 on 200 points"
    for x, y in [(-1.5, -1.0), (1.5, -1.0), (0.0, 1.5)]:
        expected = int(logits(np.array([[x, y]])).argmax())
        assert nearest_class(shade_at(figure, x, y)) == expected
    sure, unsure = shade_at(figure, -1.8, -1.8), shade_at(figure, -0.2, -1.8)
    assert sure.sum() < unsure.sum()


@pytest.mark.parametrize(
    "model",
    [
        lambda X: X[:, 0] - 0.5,
        lambda X: X[:, :1] - 0.5,
        lambda X: np.stack([0.5 - X[:, 0], X[:, 0] - 0.5], axis=1),
        lambda X: (X[:, 0] > 0.5).astype(int),
        lambda X: X[:, 0] > 0.5,
    ],
    ids=["(n,)", "(n, 1)", "(n, 2)", "labels", "bool"],
)
@pytest.mark.parametrize("y", [[0, 0, 1, 1], [[0.0], [0.0], [1.0], [1.0]]], ids=["int", "column"])
def test_two_classes_in_each_form(model, y):
    figure = bp.plot.decision_boundary(model, CORNERS, y)
    assert title(figure) == "accuracy 1.000 on 4 points"
    assert [nearest_class(shade_at(figure, x, 0.5)) for x in (0.1, 0.9)] == [0, 1]
    line = figure.axes[0].collections[-1].get_paths()[0].vertices
    np.testing.assert_allclose(line[:, 0], 0.5, atol=0.01)


def test_labels_need_not_be_numbers_from_0():
    signs = bp.plot.decision_boundary(lambda X: X[:, 0] - 0.5, CORNERS, [-1, -1, 1, 1])
    assert title(signs) == "accuracy 1.000 on 4 points"
    names = np.array(["cat", "cat", "dog", "dog"])
    words = bp.plot.decision_boundary(
        lambda X: np.where(X[:, 0] > 0.5, "dog", "cat"), CORNERS, names
    )
    assert title(words) == "accuracy 1.000 on 4 points"
    labels = [text.get_text() for text in words.axes[0].get_legend().get_texts()]
    assert labels == ["class cat", "class dog"]


def test_a_class_has_its_own_marker_too():
    figure = bp.plot.decision_boundary(logits, CORNERS, [0, 1, 2, 2])
    points = figure.axes[0].collections[:3]
    shapes = {mark.get_paths()[0].vertices.tobytes() for mark in points}
    assert len(shapes) == 3


def ring(classes, each=3):
    """Points on a circle, class by class, and a model that knows them."""
    angles = 2 * np.pi * np.arange(classes) / classes
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    labels = np.repeat(np.arange(classes), each)
    return (lambda X: 8 * X @ centres.T), centres[labels], labels


def test_64_classes_differ_in_colour_or_marker():
    figure = bp.plot.decision_boundary(*ring(64))
    points = figure.axes[0].collections[:64]
    looks = {(p.get_paths()[0].vertices.tobytes(), tuple(p.get_facecolor()[0])) for p in points}
    assert len(looks) == 64


@pytest.mark.parametrize(("classes", "named"), [(8, 8), (9, 9), (20, 20), (21, 0)])
def test_up_to_20_classes_are_named(classes, named):
    legend = bp.plot.decision_boundary(*ring(classes)).axes[0].get_legend()
    assert len(legend.get_texts() if legend else []) == named


@pytest.mark.parametrize("name", ["", "a rather long name "])
def test_the_names_of_many_classes_are_in_the_picture(name):
    model, X, labels = ring(20)
    names = np.array([f"{name}{c:02}" for c in range(20)])
    figure = bp.plot.decision_boundary(lambda X: names[model(X).argmax(axis=1)], X, names[labels])
    boundary.pixels(figure)
    axes = figure.axes[0]
    legend = axes.get_legend().get_window_extent()
    assert 0 <= legend.x0 < legend.x1 <= figure.bbox.width
    assert 0 <= legend.y0 < legend.y1 <= axes.xaxis.label.get_window_extent().y0
    assert axes.bbox.width > figure.bbox.width / 2


@pytest.mark.parametrize(
    ("huge", "form"), [(np.inf, float), (1.7e308, float), (3e38, np.float32), (6e4, np.float16)]
)
def test_logits_may_be_as_large_as_they_like(huge, form):
    def sure(X):
        left = X[:, :1] < 0.5
        return np.where(np.concatenate([left, ~left], axis=1), huge, -huge).astype(form)

    for model in (sure, lambda X: sure(X)[:, 1]):
        figure = bp.plot.decision_boundary(model, CORNERS, [0, 0, 1, 1])
        assert title(figure) == "accuracy 1.000 on 4 points"
        assert [nearest_class(shade_at(figure, x, 0.5)) for x in (0.1, 0.9)] == [0, 1]


def test_logits_that_are_large_are_still_told_apart():
    figure = bp.plot.decision_boundary(lambda X: 1e40 * (1 + X), CORNERS, [0, 1, 0, 0])
    assert title(figure) == "accuracy 1.000 on 4 points"


def test_features_may_be_true_or_false():
    figure = bp.plot.decision_boundary(lambda X: X[:, 0] - 0.5, CORNERS > 0, [0, 0, 1, 1])
    assert title(figure) == "accuracy 1.000 on 4 points"


def test_tables_of_pandas_are_drawn_as_arrays_are():
    pandas = pytest.importorskip("pandas")
    X, labels = pandas.DataFrame(CORNERS), pandas.Series([0, 1, 1, 0], index=[7, 5, 3, 1])
    words = labels.map({0: "cat", 1: "dog"})
    model, losses = bp.nn.MLP([2, 4, 2], seed=0), bp.functional
    bp.plot.decision_boundary(model, X, labels)
    bp.plot.decision_boundary(lambda X: np.where(X[:, 0] > 0.5, "dog", "cat"), X, words)
    bp.plot.BoundaryAnimation(model, X, labels)()
    bp.plot.regression_fit(np.sin, X[[0]], labels)
    bp.plot.regression_fit(np.sin, X[0], X[[1]])
    bp.plot.weights(X, (1, 2))
    told = bp.plot.layer_statistics(model, X, labels, loss=losses.cross_entropy)
    expected = bp.plot.layer_statistics(model, CORNERS, [0, 1, 1, 0], loss=losses.cross_entropy)
    np.testing.assert_array_equal(told[0].deltas, expected[0].deltas)
    bp.plot.layer_histograms(model, X, X, loss=losses.mse_loss)


def test_a_model_without_a_boundary_and_a_single_point_can_be_drawn():
    bp.plot.decision_boundary(lambda X: np.ones(len(X)), CORNERS[:1], [1])
    bp.plot.decision_boundary(lambda X: np.zeros((len(X), 1)), CORNERS, [0, 0, 0, 0])


def test_the_model_is_used_and_not_trained():
    model = bp.nn.Sequential(bp.nn.Linear(2, 8, seed=0), bp.nn.BatchNorm(8), bp.nn.Linear(8, 2))
    before = model.state_dict()
    bp.plot.decision_boundary(model, CORNERS, [0, 1, 1, 0])
    bp.plot.layer_histograms(model, CORNERS, [0, 1, 1, 0], loss=bp.functional.cross_entropy)
    assert model.training
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name], err_msg=name)
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.parametrize(
    ("model", "X", "y", "message"),
    [
        (logits, np.eye(4), [0] * 4, r"X must have shape \(n, 2\) to be drawn, not \(4, 4\)"),
        (logits, CORNERS, [0, 1], "y has 2 rows, and X has 4"),
        (logits, CORNERS, np.zeros((4, 2)), r"y must have shape \(n,\) or \(n, 1\), not \(4, 2\)"),
        (logits, CORNERS * np.nan, [0] * 4, "X must hold finite numbers"),
        (logits, np.zeros((0, 2)), [], "X must hold finite numbers"),
        (logits, CORNERS, [0, 1, 2, 3], "the model tells 3 classes apart, 0 to 2, but y has 4"),
        (lambda X: X[:, 0], CORNERS, [0, 1, 2, 2], "the model tells 2 classes apart"),
        (lambda X: X[:5], CORNERS, [0] * 4, r"the model gives shape \(5, 2\) for inputs of shape"),
        (lambda X: X * np.nan, CORNERS, [0] * 4, "the model gives nan"),
        (lambda X: X[:, None], CORNERS, [0] * 4, "one row of logits"),
        (lambda X: X > 0, CORNERS, [0] * 4, r"labels must have shape \(n,\), and logits must be f"),
        (lambda X: [None] * len(X), CORNERS, [0] * 4, "labels such as None, and y holds labels"),
        (lambda X: ["a"] * len(X), CORNERS, [0] * 4, "labels such as 'a', and y holds labels"),
        (lambda X: [[1], [1, 2]], CORNERS, [0] * 4, "what the model gives must be an array"),
        (logits, [[1], [1, 2]], [0] * 4, r"X must be an array, not \[\[1\], \[1, 2\]\]"),
        (logits, CORNERS * 1e308, [0] * 4, r"X must hold finite numbers, .* it holds 1e\+308"),
        (logits, CORNERS, [0, 1, np.nan, 2], "y must hold labels, all numbers or all texts"),
        (logits, CORNERS, [0, None, "a", 2], "y must hold labels, all numbers or all texts"),
    ],
)
def test_what_cannot_be_a_decision_boundary(model, X, y, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        bp.plot.decision_boundary(model, X, y, path=tmp_path / "picture.png")
    assert not list(tmp_path.iterdir())


# The animation


def frames(path):
    with Image.open(path) as film:
        for i in range(film.n_frames):
            film.seek(i)
            yield np.asarray(film.convert("RGB")).astype(int)


def test_an_animation_shows_the_boundary_move_while_fit_trains(tmp_path):
    X, y = bp.data.moons(60, seed=0)
    model = bp.nn.MLP([2, 8, 2], activation="tanh", seed=0)
    animation = bp.plot.BoundaryAnimation(model, X, y)
    told = bp.train.fit(
        model,
        X,
        y,
        loss="cross_entropy",
        optimizer=bp.optim.Adam(model.parameters(), lr=0.05),
        epochs=4,
        callbacks=[animation],
        progress=False,
    )
    path = tmp_path / "moons.gif"
    animation.save(path)
    pages = list(frames(path))
    assert len(told) == len(pages) == 4
    assert np.abs(pages[-1] - pages[0]).sum() > 0
    points = np.all(np.abs(pages[0] - pages[-1]) < 8, axis=2)
    assert points.mean() > 0.2  # what is outside the axes, and the points, stay in place
    assert [p.name for p in tmp_path.iterdir()] == ["moons.gif"]


def test_a_long_training_is_thinned_out_and_its_end_is_shown(monkeypatch, tmp_path):
    monkeypatch.setattr(boundary, "MOST_FRAMES", 4)
    animation = bp.plot.BoundaryAnimation(logits, CORNERS, [0, 1, 2, 2])
    for _ in range(37):
        animation()
    assert [epoch for epoch, *_ in animation._frames] == [8, 16, 24, 32]
    seen = []
    monkeypatch.setattr(boundary, "looping_gif", lambda pages, *times: bytes(len(pages)))
    pages = animation._pages
    monkeypatch.setattr(animation, "_pages", lambda frames: pages(seen.extend(frames) or frames))
    animation.save(tmp_path / "long.gif")
    assert [epoch for epoch, *_ in seen] == [8, 16, 24, 37]


def test_a_frame_keeps_nothing_of_those_before():
    turn = 0.0
    animation = bp.plot.BoundaryAnimation(lambda X: X @ [1.0, turn] - 0.5, CORNERS, [0, 0, 1, 1])
    animation()
    turn = 1.0
    animation()
    both = list(animation._pages(animation._frames))
    last = list(animation._pages(animation._frames[1:]))
    np.testing.assert_array_equal(both[1], last[0])


def test_an_animation_that_cannot_be_is_told_before_the_training():
    with pytest.raises(ValueError, match="the model tells 2 classes apart, 0 to 1, but y has 3"):
        bp.plot.BoundaryAnimation(bp.nn.MLP([2, 2], seed=0), CORNERS, [0, 1, 2, 0])
    with pytest.raises(TypeError, match="must be a Module or a function, not 3"):
        bp.plot.BoundaryAnimation(3, CORNERS, [0, 1, 2, 0])


def test_an_animation_that_cannot_be_saved(tmp_path):
    animation = bp.plot.BoundaryAnimation(logits, CORNERS, [0, 1, 2, 2])
    with pytest.raises(ValueError, match="nothing was seen yet"):
        animation.save(tmp_path / "empty.gif")
    animation()
    with pytest.raises(ValueError, match=r"must end in one of \.gif"):
        animation.save(tmp_path / "film.mp4")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        animation.save(tmp_path / "missing" / "film.gif")
    assert not list(tmp_path.iterdir())


# Regression


@pytest.mark.parametrize("form", [(-1,), (-1, 1)])
def test_a_fit_is_drawn_through_the_model(form):
    x = np.linspace(-1, 1, 9)
    shapes = []

    def model(X):
        shapes.append(X.shape[1:])
        return X**2

    figure = bp.plot.regression_fit(model, x.reshape(form), x**2 + 0.5)
    line = figure.axes[0].lines[0]
    np.testing.assert_allclose(line.get_ydata(), line.get_xdata() ** 2)
    assert set(shapes) == {form[1:]}
    assert title(figure) == "mean squared error 0.25 on 9 points"


def test_points_to_validate_by_are_told_from_those_to_learn_from():
    x, other = np.arange(4.0), np.array([-3.0, 9.0])
    figure = bp.plot.regression_fit(np.square, x, x**2 + 1, validation=(other, other**2 + 3))
    assert title(figure) == "mean squared error 1 on 4 training points\n9 on 2 validation points"
    axes = figure.axes[0]
    drawn = [points.get_offsets() for points in axes.collections if len(points.get_offsets()) > 1]
    np.testing.assert_array_equal(drawn[-2], np.c_[x, x**2 + 1])
    np.testing.assert_array_equal(drawn[-1], np.c_[other, other**2 + 3])
    assert axes.lines[0].get_xdata().min() < -3
    assert axes.lines[0].get_xdata().max() > 9
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert sorted(labels) == ["error", "model", "training points", "validation points"]
    with pytest.raises(TypeError, match=r"validation must be a pair of arrays \(X, y\), not 0.2"):
        bp.plot.regression_fit(np.square, x, x, validation=0.2)


def test_what_cannot_be_a_fit():
    x = np.arange(3.0)
    with pytest.raises(ValueError, match=r"X must have shape \(n,\) or \(n, 1\), not \(4, 2\)"):
        bp.plot.regression_fit(np.sin, CORNERS, np.zeros(4))
    with pytest.raises(ValueError, match="y has 2 rows, and X has 3"):
        bp.plot.regression_fit(np.sin, x, x[:2])
    with pytest.raises(ValueError, match="y must hold finite numbers"):
        bp.plot.regression_fit(np.sin, x, [1.0, np.inf, 0.0])
    with pytest.raises(ValueError, match="what the model gives must have shape"):
        bp.plot.regression_fit(lambda x: np.stack([x, x], axis=1), x, x)
    with pytest.raises(ValueError, match=r"y must hold finite numbers, .* it holds 1e\+200"):
        bp.plot.regression_fit(np.sin, x, x * 5e199)
    for answer in (np.inf, None, "a"):
        with pytest.raises(ValueError, match="what the model gives must hold finite numbers"):
            bp.plot.regression_fit(lambda x, answer=answer: [answer] * len(x), x, x)


def test_a_fit_of_integers_and_of_true_and_false():
    """No difference wraps around, as it would among numbers of one byte."""
    far = np.array([-100, 100], dtype=np.int8)
    for X, y in ((far, far[::-1]), (np.array([False, True]), np.array([True, False]))):
        figure = bp.plot.regression_fit(lambda x, form=X.dtype: x.astype(form), X, y)
        error = np.mean((X.astype(float) - y) ** 2)
        assert title(figure) == f"mean squared error {error:.3g} on 2 points"


# Training curves


def panels(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_curves_show_what_was_measured_and_nothing_else():
    told = history(
        accuracy=lambda e: 0.5 + e / 100,
        **{"validation loss": lambda e: 2 / (e + 1), "validation accuracy": lambda e: 0.4},
        **{"error signal of layer 0": lambda e: 1e-4, "error signal of layer 2": lambda e: 1e-2},
    )
    figure = bp.plot.loss_curves(told)
    assert panels(figure) == ["loss", "metrics", "gradient norm", "error signal by layer, mean |δ|"]
    loss, metrics, _, layers = figure.axes
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), np.arange(1, 21))
    np.testing.assert_array_equal(loss.lines[0].get_ydata(), told.loss)
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), told["validation loss"])
    assert [line.get_linestyle() for line in metrics.lines] == ["-", "--"]
    assert [line.get_label() for line in layers.lines] == ["layer 1", "layer 2"]
    assert layers.get_yscale() == loss.get_yscale() == "log"
    assert metrics.get_yscale() == "linear"


def test_a_learning_rate_that_changes_is_drawn():
    assert panels(bp.plot.loss_curves(history())) == ["loss", "gradient norm"]
    told = history()
    told.rows[-1]["learning rate"] = 0.01
    assert "learning rate" in panels(bp.plot.loss_curves(told))


def test_losses_below_zero_are_on_a_linear_scale():
    told = history()
    told.rows[-1]["loss"] = -1.0
    assert bp.plot.loss_curves(told).axes[0].get_yscale() == "linear"


def test_what_hardly_changes_is_on_a_linear_scale():
    assert bp.plot.loss_curves(history(9)).axes[0].get_yscale() == "linear"
    assert bp.plot.loss_curves(history(10)).axes[0].get_yscale() == "log"


def test_losses_too_large_to_draw_are_gaps():
    told = history(6)
    for row, loss in zip(told.rows, [1e308, -1e308, np.inf, 1.0, np.nan, 5e-324], strict=True):
        row["loss"] = loss
    drawn = bp.plot.loss_curves(told)
    assert drawn.axes[0].get_yscale() == "log"
    assert np.isfinite(drawn.axes[0].lines[0].get_ydata()).tolist() == [0, 0, 0, 1, 0, 1]
    boundary.pixels(drawn)


def test_one_epoch_has_one_tick_and_two_markers():
    told = history(1, **{"validation loss": lambda e: 1.1, "validation accuracy": lambda e: 0.5})
    loss, metrics, _ = (figure := bp.plot.loss_curves(told)).axes
    boundary.pixels(figure)
    low, high = loss.get_xlim()
    assert [tick for tick in loss.get_xticks() if low <= tick <= high] == [1]
    marks = [(line.get_marker(), line.get_fillstyle()) for line in loss.lines + metrics.lines]
    assert marks == [("o", "full"), ("s", "none"), ("s", "none")]


def test_five_panels_leave_no_hole():
    deltas = {f"error signal of layer {i}": lambda e: 0.1 for i in range(4)}
    told = history(accuracy=lambda e: 0.5, **deltas)
    told.rows[-1]["learning rate"] = 0.01
    figure = bp.plot.loss_curves(told)
    boundary.pixels(figure)
    top, bottom = figure.axes[:3], figure.axes[3:]
    assert len(figure.axes) == 5
    gaps = [right.bbox.x0 - left.bbox.x1 for left, right in itertools.pairwise(top)]
    assert max(gaps) < top[0].bbox.width / 3
    np.testing.assert_allclose(bottom[-1].bbox.x1, top[-1].bbox.x1, atol=1)


def test_many_layers_have_a_legend_that_fits():
    told = history(**{f"error signal of layer {i}": lambda e: 0.1 for i in range(30)})
    layers = bp.plot.loss_curves(told).axes[-1]
    names = [text.get_text() for text in layers.get_legend().get_texts()]
    assert len(layers.lines) == 30
    assert len(names) == 8
    assert (names[0], names[-1]) == ("layer 30", "layer 1")


def test_a_history_draws_itself(tmp_path):
    figure = history().plot(tmp_path / "history.svg")
    assert panels(figure) == ["loss", "gradient norm"]
    assert (tmp_path / "history.svg").exists()


def test_no_epochs_no_picture(tmp_path):
    with pytest.raises(ValueError, match="the history has no epochs"):
        bp.plot.loss_curves(History(), path=tmp_path / "none.png")
    assert not list(tmp_path.iterdir())


# Weights


def test_each_unit_is_an_image_on_one_scale():
    matrix = np.arange(-12.0, 12.0).reshape(4, 6)
    figure = bp.plot.weights(matrix, (2, 3))
    image = figure.axes[0].images[0]
    page = np.ma.filled(image.get_array().astype(float), np.nan)
    tiles = {tuple(page[r : r + 2, c : c + 3].ravel()) for r in (0, 3) for c in (0, 4)}
    assert tiles == {tuple(row) for row in matrix}
    assert np.isnan(page[2]).all()
    assert image.get_clim() == (-12, 12)


def test_the_first_weights_of_a_model_are_drawn():
    model = bp.nn.MLP([64, 100, 10], seed=0)
    assert title(bp.plot.weights(model, (8, 8))).startswith("0.weight: the first 64 of 100 units")
    figure = bp.plot.weights(model.layers[0].weight, (8, 8), most=9)
    assert figure.axes[0].images[0].get_array().shape == (26, 26)


def test_images_are_square_and_filters_have_their_own_shape():
    assert title(bp.plot.weights(np.eye(4))) == "weights: 4 units, each as 2 × 2 inputs"
    filters = np.arange(36.0).reshape(3, 2, 2, 3)
    figure = bp.plot.weights(filters)
    assert title(figure) == "weights: 6 channels of filters of 2 × 3"
    page = np.ma.filled(figure.axes[0].images[0].get_array().astype(float), np.nan)
    np.testing.assert_array_equal(page[:2, :3], filters[0, 0])
    assert title(bp.plot.weights(filters[:, 0])) == "weights: 3 filters of 2 × 3"
    with pytest.raises(ValueError, match=r"weights has 3 inputs, which make no square: give ima"):
        bp.plot.weights(np.eye(3))
    with pytest.raises(ValueError, match=r"weights has shape \(4,\): images of 2 × 2 need"):
        bp.plot.weights(np.ones(4))


def test_what_cannot_be_weights():
    with pytest.raises(ValueError, match=r"0.weight has shape \(3, 4\): images of 3 × 3 need"):
        bp.plot.weights(bp.nn.MLP([4, 3], seed=0), (3, 3))
    with pytest.raises(ValueError, match="holds no weights"):
        bp.plot.weights(bp.nn.Sequential(np.tanh), (3, 3))
    with pytest.raises(ValueError, match="image_shape must be at least 1"):
        bp.plot.weights(np.eye(4), (0, 4))
    with pytest.raises(ValueError, match="weights must hold finite numbers"):
        bp.plot.weights(np.full((2, 4), np.nan), (2, 2))
    for values, holds in ((np.full((2, 4), np.nan), "nan"), (np.eye(4) * -1e308, r"1e\+308")):
        with pytest.raises(ValueError, match=rf"W must hold finite numbers, .* it holds {holds}"):
            bp.plot.weights(bp.Tensor(values, name="W"), (2, 2))
    with pytest.raises(ValueError, match=r"weights must hold .* not float64 of shape \(0, 4\)"):
        bp.plot.weights(bp.Tensor(np.zeros((0, 4))), (2, 2))
    for image_shape in (4, (1, 2, 2)):
        with pytest.raises(TypeError, match=r"image_shape must be \(rows, columns\), not \(?[41]"):
            bp.plot.weights(np.eye(4), image_shape)


def test_weights_may_be_integers_and_true_and_false():
    """The size of the least number of one byte is more than a byte holds."""
    figure = bp.plot.weights(np.full((1, 4), -128, dtype=np.int8), (2, 2))
    assert figure.axes[0].images[0].get_clim() == (-128, 128)
    assert bp.plot.weights(np.eye(4) > 0, (2, 2)).axes[0].images[0].get_clim() == (-1, 1)


# Layers


def test_statistics_are_those_of_a_network_written_by_hand():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    model = bp.nn.MLP([3, 5, 2], activation="tanh", seed=0)
    first, last = bp.plot.layer_statistics(model, X, y, loss=bp.functional.mse_loss)

    (W1, b1), (W2, b2) = ((m.weight.data, m.bias.data) for m in model.layers[::2])
    hidden = np.tanh(X @ W1.T + b1)
    out = hidden @ W2.T + b2
    delta = 2 * (out - y) / y.size
    np.testing.assert_allclose(first.values, hidden)
    np.testing.assert_allclose(last.values, out)
    np.testing.assert_allclose(last.deltas, delta)
    np.testing.assert_allclose(first.deltas, (delta @ W2) * (1 - hidden**2))
    np.testing.assert_allclose(first.mean_delta, np.abs(first.deltas).mean())
    assert (first.name, first.activation) == ("0", "tanh")
    assert (last.name, last.activation) == ("2", None)


def test_dead_units_are_counted():
    model = bp.nn.MLP([2, 4, 1], seed=0)
    model.layers[0].weight.data = np.ones((4, 2))
    model.layers[0].bias.data = [-100.0, 100.0, -0.5, -100.0]  # the third fires now and then
    first, last = bp.plot.layer_statistics(model, CORNERS)
    assert (first.dead, first.saturated) == (0.5, None)
    assert (last.dead, last.saturated, last.deltas, last.mean_delta) == (None, None, None, None)
    assert "dead units 50%" in str(first)


def test_the_activation_of_a_layer_is_the_first_after_it():
    model = bp.nn.Sequential(bp.nn.Linear(2, 3), np.tanh, bp.functional.relu, bp.nn.Linear(3, 1))
    first, last = bp.plot.layer_statistics(model, CORNERS)
    assert (first.activation, last.activation) == ("tanh", None)


@pytest.mark.parametrize(("activation", "edge"), [("tanh", 2.993), ("sigmoid", 5.981)])
def test_saturation_is_a_slope_below_a_hundredth_of_the_largest(activation, edge):
    model = bp.nn.MLP([1, 1, 1], activation=activation, seed=0)
    model.layers[0].weight.data = [[1.0]]
    X = np.array([[-edge - 0.01], [-edge + 0.01], [0.0], [edge - 0.01], [edge + 0.01]])
    assert bp.plot.layer_statistics(model, X)[0].saturated == 0.4


def test_gradients_found_before_are_left_alone():
    model = bp.nn.MLP([2, 3, 1], seed=0)
    model(CORNERS).sum().backward()
    before = [p.grad.copy() for p in model.parameters()]
    bp.plot.layer_statistics(model, CORNERS, np.ones((4, 1)), loss=bp.functional.mse_loss)
    for p, grad in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.grad, grad)


def test_the_numbers_are_in_the_picture():
    model = bp.nn.MLP([2, 4, 1], seed=0)
    model.layers[0].bias.data = [-100.0, 100.0, 100.0, -100.0]
    y = np.zeros((4, 1))
    figure = bp.plot.layer_histograms(model, CORNERS, y, loss=bp.functional.mse_loss)
    first, _ = bp.plot.layer_statistics(model, CORNERS, y, loss=bp.functional.mse_loss)
    assert "dead units 50%" in title(figure)
    assert title(figure, 2) == f"mean |δ| {first.mean_delta:.1e}\nexactly 0: 50%"
    counts = sum(bar.get_height() for bar in figure.axes[2].patches)
    assert counts == np.count_nonzero(first.deltas)


def test_no_gradient_at_all_can_be_drawn():
    model, y = bp.nn.MLP([2, 1], seed=0), np.zeros((4, 1))
    model.layers[0].weight.data = [[0.0, 0.0]]
    figure = bp.plot.layer_histograms(model, CORNERS, y, loss=bp.functional.mse_loss)
    assert title(figure, 1).endswith("exactly 0: 100%")


def test_what_has_no_layers():
    with pytest.raises(ValueError, match="no Linear layer"):
        bp.plot.layer_statistics(np.tanh, CORNERS)
    with pytest.raises(ValueError, match="both y and loss="):
        bp.plot.layer_statistics(bp.nn.Linear(2, 1), CORNERS, np.zeros((4, 1)))


def test_layers_are_looked_at_within_no_grad_too():
    model, y = bp.nn.MLP([2, 3, 1], seed=0), np.ones((4, 1))
    expected = bp.plot.layer_statistics(model, CORNERS, y, loss=bp.functional.mse_loss)
    with bp.no_grad():
        told = bp.plot.layer_statistics(model, CORNERS, y, loss="mse")
    np.testing.assert_array_equal(told[0].deltas, expected[0].deltas)


@pytest.mark.parametrize(
    ("model", "loss", "message"),
    [
        (3, bp.functional.mse_loss, "the model must be a Module or a function, not 3"),
        (bp.nn.Linear(2, 1), 3, "a loss must be a function or a name, not 3"),
        (bp.nn.Linear(2, 1), lambda out, y: 1.0, "made of what the model gives, not 1.0"),
        (bp.nn.Linear(2, 1), lambda out, y: bp.Tensor(1.0), r"made of .* gives, not Tensor\(1.\)"),
    ],
)
def test_what_is_no_model_and_no_loss(model, loss, message):
    with pytest.raises(TypeError, match=message):
        bp.plot.layer_statistics(model, CORNERS, np.zeros((4, 1)), loss=loss)


def test_layers_whose_values_cannot_be_drawn():
    model = bp.nn.MLP([2, 3, 1], seed=0)
    with pytest.raises(ValueError, match=r"X must hold finite numbers, .* it holds 1e\+308"):
        bp.plot.layer_histograms(model, CORNERS * 1e308)
    model.layers[2].bias.data = [1e200]
    with pytest.raises(ValueError, match=r"what layer 2 gives must hold .* it holds 1e\+200"):
        bp.plot.layer_histograms(model, CORNERS)
    model.layers[2].bias.data = [0.0]
    with pytest.raises(ValueError, match="δ of layer 1 must hold finite numbers"):
        bp.plot.layer_histograms(model, CORNERS, 0, loss=lambda out, y: out.sum() * 1e200)


# The example


def run_example(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / "decision_boundary.py", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_example_writes_its_pictures(tmp_path):
    done = run_example("--epochs", "2", "--out", tmp_path / "film.gif")
    assert done.returncode == 0, done.stderr
    assert "History(2 epochs" in done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.gif", "film_history.png"]


def test_the_example_refuses_a_place_before_it_trains(tmp_path):
    for place in (tmp_path / "film.mp4", tmp_path / "missing" / "film.gif"):
        done = run_example("--out", place)
        assert done.returncode == 2
        assert "must end in .gif, and be in a folder that exists" in done.stderr
        assert not done.stdout


def test_what_is_no_history_no_model_and_no_path():
    with pytest.raises(TypeError, match="what is drawn is a History, as fit gives it, not None"):
        bp.plot.loss_curves(None)
    with pytest.raises(TypeError, match="must be a Module or a function, not None"):
        bp.plot.decision_boundary(None, np.eye(2), [0, 1])
    with pytest.raises(TypeError, match="must be a Module or a function, not <class"):
        bp.plot.decision_boundary(bp.nn.MLP, np.eye(2), [0, 1])
    with pytest.raises(TypeError, match="path must be text or a path, not MLP"):
        bp.nn.save("model.npz", bp.nn.MLP([2, 1]))


def test_an_estimator_is_told_to_pass_its_predict():
    neural_network = pytest.importorskip("sklearn.neural_network")
    estimator = neural_network.MLPClassifier((16,), max_iter=50, random_state=0)
    with pytest.raises(TypeError, match=r"not MLPClassifier\(.*\.\.\.: pass its predict$"):
        bp.plot.decision_boundary(estimator, np.eye(2), [0, 1])


@pytest.mark.parametrize("picture", ["boundary", "regression", "weights"])
def test_a_dark_style_of_the_users_changes_nothing(picture):
    X, y = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0, 1])
    draw = {
        "boundary": lambda: bp.plot.decision_boundary(lambda X: X[:, 0] - 0.5, X, y),
        "regression": lambda: bp.plot.regression_fit(lambda x: x, X[:, 0], y),
        "weights": lambda: bp.plot.weights(np.eye(4), (2, 2)),
    }[picture]
    usual = draw()._repr_png_()
    with pyplot.style.context("dark_background"):
        assert draw()._repr_png_() == usual
