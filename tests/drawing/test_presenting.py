"""Pictures for a teacher: named steps, notations, units, themes and slides."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.drawing.fonts import settle, width
from tinygrad_bp.drawing.groups import find_paths
from tinygrad_bp.drawing.render import size_of
from tinygrad_bp.explain import view
from tinygrad_bp.nn.ran import CALLS
from tinygrad_bp.support import palette
from tinygrad_bp.support.palette import CHIP

from .test_draw import by_name, contrast, expression, leaf, named, network


def small(activation="tanh"):
    return bp.nn.MLP([3, 4, 2], activation=activation, seed=0)


INPUTS = np.arange(6.0).reshape(2, 3)


def test_adjoints_bear_the_names_of_the_notation():
    x = leaf(2.0, "z^[1]")
    drawing = bp.draw(named(x * x, "J"), backward=True, notation="delta")
    assert "δ⸢¹⸣" in by_name(drawing)["z⸢¹⸣"]
    assert "(adjoint of the consumer)" in drawing.source
    assert ".grad" not in drawing.source


def test_named_steps_are_drawn_alone():
    _, _, z = expression()
    E = named(0.5 * (z - bp.Tensor(1.0, name="d")) ** 2, "E")
    drawing = bp.draw(E, backward=True, fuse=True)
    assert {"x", "y", "p", "s", "z", "d", "E"} == set(by_name(drawing))
    assert "∂E/∂z = (z − d) = 13" in drawing.source


def test_entries_of_small_arrays_are_on_the_cards():
    W = leaf(np.array([[1.0, -2.0], [0.0, 4.0]]), "W")
    drawing = bp.draw(named(np.sum(W * W), "J"), backward=True)
    assert "[2.0000 -4.0000]" in " ".join(by_name(drawing)["W"])
    assert "|0.5| is the norm" not in drawing.source
    large = leaf(np.ones((5, 5)), "W")
    assert "|0.5| is the norm" in bp.draw(np.sum(large * large), backward=True).source


def test_a_map_is_labelled_with_the_adjoint_that_it_maps():
    W, X = leaf(np.ones((2, 3)), "W"), bp.Tensor(np.ones((4, 3)), name="X")
    z = named(X @ W.T, "z")
    source = bp.draw(np.sum(z), backward=True).source
    assert "Xᵀ @ z.grad" in source
    assert not re.search(r"\bg\b", re.sub(r"<.*?>", " ", source))


def test_what_a_module_computes_now_shows_no_gradient_of_an_earlier_pass():
    model, loss = network()
    loss.backward()
    X = np.zeros((3, 2))
    assert "grad" not in str(by_name(bp.draw(model, X)))
    assert "grad" in str(by_name(bp.draw(model, X, grads=True)))
    assert "grad" in str(by_name(bp.draw(loss)))


def test_a_gradient_is_that_of_the_graph_that_is_drawn():
    x, y = leaf(2.0, "x"), leaf(3.0, "y")
    first, second = named(x * y, "p"), named(np.sin(x) * y, "s")
    first.backward(keep_grads=True)
    assert by_name(bp.draw(first))["x"] == ["data", "2.0000", "grad", "3.0000"]
    assert "grad" not in str(by_name(bp.draw(second)))
    assert by_name(bp.draw(second, grads=True))["x"][-1] == "3.0000"
    second.backward()  # on top of the first
    assert "grad" not in str(by_name(bp.draw(first))["x"])
    assert "x: 2.0; grad: not computed" in bp.draw(first).source
    both = bp.draw([first, second])
    assert by_name(both)["x"][-1] == f"{3 + 3 * np.cos(2):.4f}"


def test_the_seed_of_a_pass_over_arrays_is_known_where_it_was_kept():
    x = leaf([1.0, 2.0], "x")
    y = named(x * x, "y")
    y.backward(np.array([1.0, 10.0]), keep_grads=True)
    assert by_name(bp.draw(y))["x"][-1] == "[2.0000 40.0000]"
    assert "grad" not in str(by_name(bp.draw(named(x * 3.0, "w"))))


def test_layers_count_from_one():
    _, loss = network()
    titles = re.findall(r"label=<<B>(layer \d+)", bp.draw(loss).source)
    assert sorted(titles) == ["layer 1", "layer 2", "layer 3"]


# Units


def test_neurons_show_every_unit_and_every_weight():
    drawing = bp.draw(small(), INPUTS, view="neurons")
    ElementTree.fromstring(drawing.svg)
    assert len(re.findall(r"^\t+u\d_\d+ \[", drawing.source, re.MULTILINE)) == 3 + 4 + 2
    assert len(re.findall(r"\bu\d_\d+ -> u\d_\d+ \[color", drawing.source)) == 3 * 4 + 4 * 2
    assert "layer 1\\ntanh" in drawing.source
    weights = small().parameters()[0].data
    dashed = re.findall(r"u0_\d+ -> u1_\d+ \[[^\]]*style=dashed", drawing.source)
    assert len(dashed) == (weights < 0).sum()


def test_the_paths_to_a_weight_stand_out():
    source = bp.draw(small(), INPUTS, view="neurons", highlight=(1, 2, 3)).source
    strong = re.findall(r'(u\d_\d+) -> (u\d_\d+) \[[^\]]*color="#[0-9A-F]{6}"', source)
    assert set(strong) == {("u0_3", "u1_2"), ("u1_2", "u2_1"), ("u1_2", "u2_2")}


def test_neurons_show_gradients_of_a_backward_pass():
    loss = bp.functional.mse_loss(small()(INPUTS), np.zeros((2, 2)))
    source = bp.draw(loss, view="neurons", backward=True).source
    assert source.count(palette.ORANGE) == 3 * 4 + 4 * 2
    assert "gradient" in source


def test_neurons_of_products_with_a_matrix():
    a, W, V = (
        bp.Tensor([1.0, 2.0], name="a"),
        leaf(np.ones((3, 2)), "W"),
        leaf(np.ones((1, 3)), "V"),
    )
    for output in (V @ (W @ a), (a @ W.T) @ V.T, (a @ leaf(np.ones((2, 3)), "W")) @ V.T):
        assert bp.draw(output, view="neurons").title == "Neurons of a network 2 → 3 → 1"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"view": "neuron"}, "unknown view 'neuron': did you mean 'neurons'"),
        ({"view": "neurons", "highlight": (3, 1, 1)}, r"highlight=\(3, 1, 1\) is no"),
        ({"theme": "night"}, "unknown theme 'night'"),
        ({"size": "poster"}, "unknown size 'poster'"),
        ({"font_size": 0}, "font_size must be"),
        ({"font_size": 14, "size": "slide"}, "leave out font_size"),
    ],
)
def test_what_cannot_be_presented_is_said(options, words):
    with pytest.raises(ValueError, match=words):
        bp.draw(small(), INPUTS, **options)


def test_neurons_need_layers_of_a_few_units():
    with pytest.raises(ValueError, match="a layer of 20 units is too large"):
        bp.draw(bp.nn.MLP([2, 20, 1]), np.zeros((1, 2)), view="neurons")
    with pytest.raises(ValueError, match="none was found"):
        bp.draw(expression()[2], view="neurons")


# Themes and sizes


def test_a_dark_picture_can_be_read():
    _, _, z = expression()
    source = bp.draw(z, backward=True, theme="dark").source
    fills = set(re.findall(r'fillcolor="(#[0-9A-F]{6})"', source))
    inks = set(re.findall(r'FONT COLOR="(#[0-9A-F]{6})"', source))
    assert palette.PAPER not in fills
    assert palette.INK not in source
    assert min(contrast(ink, fill) for ink in inks for fill in fills) > 4.5
    assert 'bgcolor="#0D1117"' in source
    assert 'bgcolor="#FFFFFF"' in bp.draw(z, theme="light").source


def test_the_font_size_scales_the_picture():
    _, _, z = expression()
    usual, large = size_of(bp.draw(z).svg), size_of(bp.draw(z, font_size=24).svg)
    np.testing.assert_allclose(large, np.multiply(usual, 2), rtol=0.02)


def test_a_slide_is_sixteen_to_nine():
    image = pytest.importorskip("PIL.Image")
    _, _, z = expression()
    drawing = bp.draw(z, size="slide")
    np.testing.assert_allclose(image.open(io.BytesIO(drawing.png)).size, (1920, 1080), atol=4)
    np.testing.assert_allclose(np.divide(*size_of(drawing.svg)), 16 / 9, rtol=0.01)
    _, loss = network([2, *[4] * 8, 1])
    with pytest.raises(ValueError, match=r"smallest text .* depth=1"):
        bp.draw(loss, backward=True, size="slide")


def smallest_text(drawing):
    """The smallest text of a picture in points, were it shown on 1920 x 1080 pixels."""
    tree = ElementTree.fromstring(drawing.svg)
    scale = float(re.search(r"scale\(([\d.]+)", drawing.svg)[1])
    sizes = [float(text.get("font-size")) for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    usual = [size for size in sizes if round(size, 1) not in {round(0.7 * x, 1) for x in sizes}]
    return min(usual) * scale * 1920 / size_of(drawing.svg)[0] * 72 / 96


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_network_of_the_notes_fits_on_a_slide(theme):
    image = pytest.importorskip("PIL.Image")
    drawing = bp.draw(two_two_two(), backward=True, fuse=True, size="slide", theme=theme)
    np.testing.assert_allclose(image.open(io.BytesIO(drawing.png)).size, (1920, 1080), atol=2)
    assert len(re.findall(r'class="edge bwd"', drawing.svg)) == 20  # and two by ε = ε1 + ε2
    assert smallest_text(drawing) >= 14
    assert "(y1 − d0) = " in drawing.source


def test_frames_of_a_slide(tmp_path):
    image = pytest.importorskip("PIL.Image")
    _, _, z = expression()
    bp.animate(z, tmp_path / "z.png", size="slide", theme="dark")
    frames = [image.open(io.BytesIO(p.read_bytes())) for p in sorted(tmp_path.iterdir())]
    np.testing.assert_allclose([frame.size for frame in frames], 7 * [(1920, 1080)], atol=2)
    assert frames[3].convert("RGB").getpixel((0, 0)) == (0x0D, 0x11, 0x17)
    usual, large = (
        size_of(re.search("<svg.*</svg>", page, re.DOTALL)[0])
        for page in (bp.animate(z).page, bp.animate(z, font_size=18).page)
    )
    np.testing.assert_allclose(large, np.multiply(usual, 1.5), rtol=0.02)


def test_the_caption_can_be_left_out():
    _, _, z = expression()
    assert "dynamic programming" in bp.draw(z, backward=True).source
    assert "dynamic programming" not in bp.draw(z, backward=True, caption=False).source


# Text keeps its length in any font, and needs none that is rare


def lettered():
    """Names with everything that a name may have: raised, lowered, hats and Greek letters."""
    x, d = leaf(2.0, "x^(2)"), leaf(1.5, "d_hat_1")
    z = named(leaf(3.0, "v_3") ** 2 + x**2 * leaf(0.5, r"\theta_1"), "z^[1]")
    return named((named(np.tanh(z), "y_hat") - d) ** 2, "e_n")


def texts_of(tree):
    """Each run of text: its line, where it starts and ends, and what it says."""
    for text in tree.iter("{http://www.w3.org/2000/svg}text"):
        size, bold = float(text.get("font-size")), text.get("font-weight") == "bold"
        start, long = float(text.get("x")), size * width(text.text, bold) / 1000
        if len(text.text.strip()) > 1:
            assert abs(float(text.get("textLength")) - long) < 0.01
        yield text.get("y"), start, start + long, text.text


@pytest.mark.parametrize("options", [{}, {"backward": True}, {"backward": True, "fuse": True}])
def test_no_run_of_text_lies_on_another_or_leaves_its_card(options):
    for output in (lettered(), expression()[2], network()[1]):
        tree = ElementTree.fromstring(bp.draw(output, notation="delta", **options).svg)
        cards = [g for g in tree.iter("{http://www.w3.org/2000/svg}g") if g.get("class")]
        for card in cards:
            if card.get("class").split()[0] != "node":
                continue
            runs = sorted(texts_of(card))
            for one, other in pairwise(run for run in runs if run[3] not in "ˆ˜¯"):
                assert one[0] != other[0] or one[2] <= other[1] + 0.02, (one, other)
            outline = next(card.iter("{http://www.w3.org/2000/svg}path"), None)
            if outline is not None:
                right = max(x for x, _ in points(outline.get("d")))
                assert max(run[2] for run in runs) < right


def test_what_is_raised_lowered_or_hatted_is_made_of_ordinary_letters():
    svg = bp.draw(lettered(), backward=True).svg
    words = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"(2)", "[1]", "ˆ", "n"} <= set(words)
    assert {c for word in words for c in word if not c.isascii()} <= set("×−∂θŷˆ²")
    assert not set("²₃⁽⸢ₙ₁") & set("".join(words))


def test_a_run_follows_where_the_one_before_it_ends():
    line = '<text text-anchor="start" x="{}" y="5" font-size="10.00">{}</text>'
    laid_out = 10 * width("z⁽¹⁾", as_bytes=True) / 1000
    runs = line.format(10, "z⁽¹⁾") + line.format(10 + laid_out, " = x") + line.format(200, "far")
    found = re.findall(r' x="([\d.]+)" y="([\d.]+)" font-size="([\d.]+)"', settle(runs))
    (start, line, size), (raised, above, small), (after, level, _), (far, _, _) = (
        map(float, piece) for piece in found
    )
    assert (start, line, size, far) == (10, 5, 10, 200)
    assert (raised, small) == (15, 7)  # z is as wide as half a size
    assert above < line == level
    assert after == pytest.approx(10 + 10 * width("z⁽¹⁾") / 1000, abs=0.01)
    assert after < 10 + laid_out


# Arrows


def points(path):
    """Points along a path of an SVG, about one a point."""
    numbers = [float(x) for x in re.findall(r"-?[\d.]+", path)]
    corners = list(zip(numbers[::2], numbers[1::2], strict=True))
    found = []
    for a, b, c, d in zip(corners[::3], corners[1::3], corners[2::3], corners[3::3], strict=False):
        t = np.linspace(0, 1, int(np.hypot(d[0] - a[0], d[1] - a[1])) + 2)[:, None]
        ends = (np.array(corner) for corner in (a, b, c, d))
        bends = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        found.append(sum(bend * end for bend, end in zip(bends, ends, strict=True)))
    return np.concatenate(found)


def two_two_two():
    """Two layers of two sigmoids, number by number."""
    w = iter([leaf(0.1 * k, f"w{k}") for k in range(1, 9)])
    x = [bp.Tensor(0.5, name="x1"), bp.Tensor(-0.4, name="x2")]
    for layer in "hy":
        sums = [named(x[0] * next(w) + x[1] * next(w), f"s_{layer}{k}") for k in (1, 2)]
        x = [named(bp.functional.sigmoid(s), f"{layer}{k}") for k, s in enumerate(sums, 1)]
    errors = [
        named(0.5 * (y - bp.Tensor(0.9, name=f"d{k}")) ** 2, f"e{k}") for k, y in enumerate(x)
    ]
    return named(errors[0] + errors[1], "e")


def near(one, other):
    """How many points of a line are less than a point away from another line."""
    boxes = [(line.min(axis=0) - 1, line.max(axis=0) + 1) for line in (one, other)]
    low, high = np.maximum(boxes[0][0], boxes[1][0]), np.minimum(boxes[0][1], boxes[1][1])
    one, other = (line[((line >= low) & (line <= high)).all(axis=1)] for line in (one, other))
    if not (len(one) and len(other)):
        return 0
    apart = np.abs((one[:, :1] - other[:, 0]) + 1j * (one[:, 1:] - other[:, 1])).min(axis=1)
    return int((apart < 1).sum())


@pytest.mark.parametrize("fuse", [False, True])
@pytest.mark.parametrize("direction", ["TB", "LR", "BT"])
def test_no_arrow_lies_on_another(fuse, direction):
    for output in (two_two_two(), expression()[2] if fuse else network()[1]):
        drawing = bp.draw(output, backward=True, direction=direction, fuse=fuse)
        tree = ElementTree.fromstring(drawing.svg)
        lines = {"fwd": [], "bwd": []}
        for group in tree.iter("{http://www.w3.org/2000/svg}g"):
            way = (group.get("class") or "").split()[-1:]
            if way and way[0] in lines:
                path = next(group.iter("{http://www.w3.org/2000/svg}path"))
                lines[way[0]].append(points(path.get("d")))
        for forward in lines["fwd"]:
            for backward in lines["bwd"]:
                assert near(forward, backward) < 20


@pytest.mark.parametrize("fuse", [False, True])
def test_no_arrow_runs_through_a_label(fuse):
    for output in (expression()[2], network()[1], two_two_two()):
        tree = ElementTree.fromstring(bp.draw(output, backward=True, fuse=fuse).svg)
        lines = [
            points(next(group.iter("{http://www.w3.org/2000/svg}path")).get("d"))
            for group in tree.iter("{http://www.w3.org/2000/svg}g")
            if (group.get("class") or "").endswith("bwd")
        ]
        boxes = []
        for shape in tree.iter("{http://www.w3.org/2000/svg}polygon"):
            if shape.get("fill") == CHIP.lower():
                corners = [xy.split(",") for xy in shape.get("points").split()]
                corners = np.array(corners, dtype=float)
                boxes.append((corners.min(axis=0), corners.max(axis=0)))
        assert len(boxes) >= 4
        assert len(lines) >= 4
        for low, high in boxes:
            for line in lines:
                inside = ((line > low + 1) & (line < high - 1)).all(axis=1)
                assert inside.sum() < 2


# Frames


class Residual(bp.nn.Module):
    def __init__(self):
        self.inner = bp.nn.Linear(3, 3, seed=0)

    def forward(self, x):
        return x + np.tanh(self.inner(x))


def test_a_sum_stands_in_the_frame_of_the_module_that_computes_it():
    model = bp.nn.Sequential(
        bp.nn.Linear(3, 3, seed=1), bp.nn.Sequential(Residual(), Residual()), bp.nn.Linear(3, 1)
    )
    before = np.sin(bp.Tensor(INPUTS))
    called = model(before)  # and a loss of it, which is drawn without the model
    for output in (called, bp.functional.mse_loss(called, np.zeros((len(INPUTS), 1)))):
        graph = view(output, backward=False)
        paths = find_paths(graph)
        found = {kind: [] for kind in ("add", "tanh", "linear", "sin")}
        for node in graph.visited():
            found.setdefault(node.operation, []).append(paths[node])
        assert sorted(found["add"]) == [("1", "0"), ("1", "1")]
        assert sorted(found["tanh"]) == [("1", "0", "inner"), ("1", "1", "inner")]
        assert found["linear"] == [("2",), ("1", "1", "inner"), ("1", "0", "inner"), ("0",)]
    with bp.no_grad():
        model(before)  # which is not recorded, nor noted
    assert sum(call() is not None for call in CALLS) == 2


def test_a_module_within_another_is_framed_where_the_other_has_it():
    class Net(bp.nn.Module):
        def __init__(self):
            self.blocks = [Residual(), bp.nn.Linear(3, 1)]

        def forward(self, x):
            return self.blocks[1](self.blocks[0](x))

    net = Net()
    output = net.blocks[1](net.blocks[0](bp.Tensor(INPUTS)))
    graph = view(output, backward=False)
    added = next(node for node in graph.visited() if node.operation == "add")
    assert find_paths(graph)[added] == ("0",)


def test_an_activation_stands_with_the_layer_before_it():
    assert "layer 1: Linear 3→4, tanh" in bp.draw(small(), INPUTS).source
