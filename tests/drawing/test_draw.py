"""Pictures of graphs: what they show is true, the same in every process, and fits on a page."""

from __future__ import annotations

import hashlib
import html
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_bp as bp
from tinygrad_bp.drawing import style
from tinygrad_bp.drawing.groups import find_paths
from tinygrad_bp.explain import view
from tinygrad_bp.support import palette

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"


def leaf(value, name=None):
    return bp.Tensor(value, requires_grad=True, name=name)


def named(tensor, name):
    tensor.name = name
    return tensor


def expression():
    """Every number in it is exact, so that its picture is the same on every machine."""
    x, y = leaf(4.0, "x"), leaf(3.0, "y")
    p, s = named(x * y, "p"), named(np.sqrt(x), "s")
    return x, y, named(p + s, "z")


def network(sizes=(2, 4, 4, 1)):
    model = bp.nn.MLP(list(sizes), activation="relu", seed=0)
    for parameter in model.parameters():
        count = np.arange(parameter.size).reshape(parameter.shape)
        parameter.data = (count % 5 - 1.5) / 4
    X = bp.Tensor(np.arange(6.0).reshape(3, 2) / 4 - 0.5, name="X")
    prediction = named(model(X), "prediction")
    target = bp.Tensor([[1.0], [0.0], [-1.0]], name="target")
    return model, named(bp.functional.mse_loss(prediction, target), "loss")


def golden_pictures():
    pictures = {}
    x, y, z = expression()
    pictures["scalar"] = bp.draw(z)
    pictures["backward"] = bp.draw(z, backward=True)
    z.backward(keep_grads=True)
    pictures["scalar_grads"] = bp.draw(z)
    pictures["scalar_merged"] = bp.draw(z, ops="merged")
    x, y, z = expression()
    z.backward(create_graph=True)
    pictures["gradients"] = bp.draw([z, x.grad, y.grad])
    _, loss = network()
    pictures["network_forward"] = bp.draw(loss)
    pictures["network_backward"] = bp.draw(loss, backward=True)
    loss.backward()
    pictures["network"] = bp.draw(loss)
    pictures["network_layers"] = bp.draw(loss, depth=1)
    _, loss = network([2, *[4] * 8, 1])
    pictures["network_siblings"] = bp.draw(loss, depth=1)
    x = leaf(2.0, "x")
    pictures["many_uses"] = bp.draw(sum([x * k for k in range(14)]), backward=True)
    pictures["data_alone"] = bp.draw(bp.Tensor([1.0, 2.0], name="data"))
    return pictures


@pytest.mark.parametrize("name", golden_pictures())
def test_the_dot_text_is_as_it_was(name):
    """After a change that is meant: delete tests/golden/*.dot, run this twice, read the diff."""
    source = golden_pictures()[name].source
    path = GOLDEN / f"{name}.dot"
    if not path.exists():
        path.write_text(source, encoding="utf-8")
        pytest.fail(f"wrote {path}: look at it, then run again")
    assert source == path.read_text(encoding="utf-8")


def test_every_process_writes_the_same_text():
    program = (
        "from tests.drawing.test_draw import golden_pictures; import hashlib\n"
        "text = ''.join(p.source for p in golden_pictures().values())\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    text = "".join(picture.source for picture in golden_pictures().values())
    assert done.stdout.strip() == hashlib.sha256(text.encode()).hexdigest()


# What the cards say


def cards(drawing):
    """The words on every card, by the card's key."""
    found = re.findall(r"^\t+(\w+) \[label=<(<TABLE.*?)> class=", drawing.source, re.MULTILINE)
    cell = re.compile(r"<FONT[^>]*>(.*?)</FONT>")
    return {
        key: [html.unescape(re.sub("<.*?>", "", text)) for text in cell.findall(label)]
        for key, label in found
    }


def by_name(drawing):
    return {words[0]: words[1:] for words in cards(drawing).values()}


def test_a_scalar_card_shows_the_value_and_the_gradient():
    _, _, z = expression()
    z.backward(keep_grads=True)
    shown = by_name(bp.draw(z))
    assert shown["x"] == ["data", "4.0000", "grad", "3.2500"]
    assert shown["y"] == ["data", "3.0000", "grad", "4.0000"]
    assert shown["z"] == ["data", "14.0000", "grad", "1.0000"]


def test_a_gradient_that_was_not_computed_is_not_zero():
    x, y = leaf(2.0, "x"), leaf(3.0, "y")
    z = named(x * 0.0 + y * y, "z")
    assert "grad" not in by_name(bp.draw(z))["x"]
    assert by_name(bp.draw(z, grads=True))["x"] == ["data", "2.0000", "grad", "-"]
    z.backward()
    shown = by_name(bp.draw(z))
    assert shown["x"] == ["data", "2.0000", "grad", "0"]
    assert shown["z"] == ["data", "9.0000"]
    assert by_name(bp.draw(z, grads=True))["z"] == ["data", "9.0000", "grad", "-"]
    assert "grad" not in by_name(bp.draw(z, grads=False))["x"]


def test_values_can_be_left_out():
    _, _, z = expression()
    assert by_name(bp.draw(z, values=False))["x"] == []


def test_a_merged_card_tells_how_it_was_made_and_holds_the_constants():
    x = leaf(3.0, "x")
    shown = by_name(bp.draw(named(x * 2.0, "z"), ops="merged"))
    assert set(shown) == {"x", "z"}
    assert shown["z"][0] == " = x × 2"
    assert set(by_name(bp.draw(named(x * 2.0, "z")))) == {"x", "2", "z"}


def test_a_square_of_a_product_with_itself_keeps_both_edges():
    x = leaf(3.0, "x")
    assert bp.draw(x * x).source.count("-> op_n0") == 2
    drawing = bp.draw(x * x, backward=True)
    assert drawing.source.count("class=bwd") == 2
    assert by_name(drawing)["x"][-2:] == ["x.grad", "6.0000"]


def test_a_tensor_card_shows_the_shape_and_the_size_of_the_gradient():
    model, loss = network([2, 8, 8, 1])
    loss.backward()
    shown = by_name(bp.draw(loss))
    expected = np.linalg.norm(model.parameters()[0].grad)
    assert ["(8, 2)", f"|grad| {expected:#.3g}"] in [
        words[1:] for words in cards(bp.draw(loss)).values() if words[0] == "weight"
    ]
    assert shown["loss"] == [" = mse_loss", "scalar", "data", f"{loss.item():.4f}"]
    assert shown["X"] == ["(3, 2)"]


def test_the_backward_view_shows_terms_that_sum_to_the_gradient():
    x, y = leaf(2.0, "x"), leaf(3.0, "y")
    z = named(named(x * y, "p") + named(np.sin(x), "s"), "z")
    x.grad = np.float64(77.0)
    drawing = bp.draw(z, backward=True)
    shown = by_name(drawing)
    assert shown["x"] == [
        *["2.0000", "3", "s.grad × cos x", "-0.4161", "4", "p.grad × y", "+ 3.0000"],
        *["x.grad", "2.5839"],
    ]
    assert shown["p"][-3:] == ["p.grad", "  used in 4, 5", "1.0000"]
    assert "∂p/∂x = y = 3" in drawing.source
    assert "∂s/∂x = cos x = -0.4161" in drawing.source
    assert (x.grad, y.grad, z._grad) == (77.0, None, None)


def test_long_sums_are_cut():
    x = leaf(2.0, "x")
    words = by_name(bp.draw(sum([x * k for k in range(1, 11)]), backward=True))["x"]
    assert "+ 7 more" in words
    assert words[-1] == "55.0000"


def test_what_is_pointed_at_tells_everything():
    x = leaf(1 / 3, "x")
    assert "x: 0.3333333333333333; grad: not computed" in bp.draw(x * 2).source


# What can be drawn


def test_a_function_is_called_with_leaves_that_bear_its_names():
    drawing = bp.draw(lambda a, b: np.tanh(a * b), 0.5, np.array([1.0, 2.0]))
    assert {"a", "b"} <= set(by_name(drawing))
    assert "class=leaf" in drawing.source
    assert "class=const" not in drawing.source


def test_a_module_is_called_with_data():
    model, _ = network()
    drawing = bp.draw(model, np.zeros((8, 2)))
    assert by_name(drawing)["x"] == ["(8, 2)"]
    assert drawing.source.count("class=leaf") == 6
    assert drawing.source.count("class=const") == 1


def test_several_outputs_share_one_picture():
    x = leaf(2.0, "x")
    shown = by_name(bp.draw([named(x * x, "a"), named(np.exp(x), "b")]))
    assert set(shown) == {"a", "b", "x"}


def test_gradients_are_drawn_apart_from_what_they_are_gradients_of():
    x, y, z = expression()
    z.backward(create_graph=True)
    graph = view(z, x.grad, y.grad, backward=False)
    paths = find_paths(graph)
    assert {paths[graph[t]] for t in (x, y, z)} == {("forward",)}
    assert {paths[graph[t]] for t in (x.grad, y.grad)} == {("backward",)}
    source = bp.draw([z, x.grad, y.grad]).source
    assert "x.grad" in source
    assert "<B>forward</B>" in source
    assert "<B>backward</B>" in source


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ([3], {}, TypeError, "not int"),
        ([[]], {}, TypeError, "not nothing"),
        ([leaf(1.0), 3], {}, TypeError, "3 is neither a path nor an input"),
        ([lambda x: 5, 1.0], {}, TypeError, "not int"),
        ([leaf(1.0)], {"ops": "dot"}, ValueError, "unknown ops 'dot': did you mean 'dots'"),
        ([leaf(1.0)], {"direction": "UP"}, ValueError, "unknown direction 'UP'"),
        ([leaf(1.0)], {"grads": "all"}, ValueError, "unknown grads 'all'"),
        ([leaf(1.0)], {"depth": 0}, ValueError, "depth must be at least 1, not 0"),
        ([leaf(1.0)], {"max_nodes": 0}, ValueError, "max_nodes must be"),
        ([bp.Tensor(1.0)], {"backward": True}, RuntimeError, "requires grad"),
        ([leaf([1.0, 2.0])], {"backward": True}, ValueError, r"shape \(2,\)"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(arguments, options, error, words):
    with pytest.raises(error, match=words) as raised:
        bp.draw(*arguments, **options)
    assert "\n" not in str(raised.value)


def test_names_of_every_kind_are_drawn_as_they_are():
    names = ['a<b>&"c"', "😀 é ŷ", "back\\slash \\N", "two\nlines", "&lt;", "\x00\ud800", "n" * 99]
    total = sum(leaf(float(i), name) for i, name in enumerate(names))
    for options in ({}, {"backward": True}, {"ops": "merged"}):
        tree = ElementTree.fromstring(bp.draw(total, **options).svg)
        words = " ".join(tree.itertext())
        assert 'a<b>&"c"' in words
        assert "😀 é ŷ" in words
        assert "back\\slash \\N" in words
        assert "&lt;" in words
        assert "two lines" in words
        assert "n" * 29 + "..." in words


def test_it_shows_itself_in_a_notebook():
    _, _, z = expression()
    drawing = bp.draw(z)
    shown = drawing._repr_mimebundle_()
    assert shown["image/svg+xml"].startswith("<svg ")
    assert shown["text/plain"] == repr(drawing) == "<Drawing: Computation graph of z>"


def test_the_svg_is_announced_to_those_who_do_not_see_it():
    _, _, z = expression()
    tree = ElementTree.fromstring(bp.draw(z).svg)
    assert tree.get("role") == "img"
    labels = tree.get("aria-labelledby").split()
    texts = {child.get("id"): child.text for child in tree}
    assert texts[labels[0]] == "Computation graph of z"
    assert texts[labels[1]] == "3 operations: p = x × y; s = sqrt x; z = p + s."
    assert "Arimo" in bp.draw(z).svg


# Colours, as the guidelines for accessible web content judge them (WCAG 2.2, 1.4.3 and 1.4.11)


def contrast(one, other):
    def luminance(color):
        parts = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("kind", style.KINDS)
def test_text_on_every_card_can_be_read(kind):
    fill = {**style.CARD, **style.KINDS[kind]}["fillcolor"]
    for ink in (palette.INK, palette.QUIET, palette.VALUE, palette.GRADIENT):
        assert contrast(ink, fill) > 4.5


@pytest.mark.parametrize("page", ["#FFFFFF", "#0D1117"])
def test_lines_can_be_seen_on_white_and_on_dark(page):
    for line in (
        palette.LINE,
        palette.ORANGE,
        *(k["color"] for k in style.KINDS.values() if "color" in k),
    ):
        assert contrast(line, page) > 3
    assert contrast(palette.FREE, page) > 4


def test_badges_and_chips_can_be_read():
    assert contrast("#FFFFFF", palette.BADGE) > 4.5
    assert contrast(palette.GRADIENT, palette.CHIP) > 4.5


# Large graphs


def chain(length):
    x = leaf(1.0, "x")
    for _ in range(length):
        x = x * 1.0
    return x


def test_operations_are_dots_up_to_twenty_values():
    assert "class=op" in bp.draw(chain(19)).source
    assert "class=op" not in bp.draw(chain(20)).source


def test_a_huge_graph_is_summarised():
    with pytest.warns(UserWarning, match="19601 values are not"):
        drawing = bp.draw(chain(20_000), direction="LR")
    assert len(cards(drawing)) == 401
    assert by_name(drawing)["... 19601 earlier nodes"] == []


def test_the_cards_nearest_to_the_output_are_kept():
    x = leaf(1.0, "x")
    left = right = x
    for _ in range(50):
        left, right = left * 1.0, right * 2.0
    with pytest.warns(UserWarning, match="the 9 cards nearest"):
        drawing = bp.draw(named(left + right, "z"), max_nodes=9)
    made = [words[1] for words in cards(drawing).values() if len(words) > 1]
    assert sum("× 1" in words for words in made) == sum("× 2" in words for words in made) == 4


def test_a_value_of_many_uses_is_drawn_again_beside_each():
    x = leaf(2.0, "x")
    assert bp.draw(sum([x * k for k in range(12)])).source.count("class=alias") == 0
    drawing = bp.draw(sum([x * k for k in range(13)]))
    assert drawing.source.count("class=alias") == 12


def test_a_word_for_what_is_left_out_is_drawn_again_too():
    x = y = leaf(1.0, "x")
    for _ in range(100):
        y = y * 1.0 + x
    with pytest.warns(UserWarning, match="cards nearest"):
        drawing = bp.draw(y, max_nodes=40)
    assert drawing.source.count("class=alias") > 12
    assert drawing.source.count("class=more") == 1


def test_groups_are_closed_only_where_they_would_not_fit():
    _, loss = network()
    assert bp.draw(loss).source.count("class=group") == 0
    assert bp.draw(loss).source.count("subgraph cluster") == 3
    _, loss = network([2, *[4] * 20, 1])
    drawing = bp.draw(loss)
    assert drawing.source.count("class=group") == 4
    assert "... 17 more" in by_name(drawing)


def test_a_closed_group_counts_its_parameters():
    _, loss = network()
    loss.backward()
    shown = by_name(bp.draw(loss, depth=1))
    assert shown["layer 2"][:4] == ["2 ops", "Linear 4→4, relu", "parameters", "20"]


# Groups are found from the parameters' names


def paths_by_name(output):
    graph = view(output, backward=False)
    return {node.name: path for node, path in find_paths(graph).items()}


def test_the_path_of_a_value_is_that_of_the_parameters_it_was_computed_with():
    W, V = leaf(np.ones((2, 2)), "body.0.weight"), leaf(np.ones((2, 2)), "body.1.weight")
    X = bp.Tensor(np.ones((3, 2)), name="X")
    turned = named(W.T, "turned")
    first = named(X @ turned, "first")
    active = named(first.tanh(), "active")
    second = named(active @ V.T, "second")
    target = bp.Tensor(np.zeros((3, 2)), name="target")
    error = named(second - target, "error")
    loss = named((error * error).sum(), "loss")
    paths = paths_by_name(loss)
    for name in ("body.0.weight", "turned", "first", "active"):
        assert paths[name] == ("0",), name
    assert paths["second"] == ("1",)
    assert paths["error"] == paths["loss"] == paths["target"] == ("",)
    assert paths["X"] == ()


def test_parameters_of_one_group_do_not_lose_its_name():
    W, b = leaf(np.ones((1, 2)), "only.weight"), leaf(np.ones(1), "only.bias")
    assert paths_by_name(bp.functional.linear(np.ones((3, 2)), W, b))["only.weight"] == ("only",)


def test_a_penalty_on_the_weights_leaves_the_layers_as_they_are():
    model, loss = network()
    penalty = sum((p * p).sum() for p in model.parameters())
    paths = paths_by_name(named(loss + 0.1 * penalty, "total"))
    assert paths["prediction"] == ("4",)
    assert paths["total"] == ("",)


class Block(bp.nn.Module):
    """A value goes on beside what is made of it, as in residual networks and transformers."""

    def __init__(self, seed):
        self.query = bp.nn.Linear(4, 4, seed=seed)
        self.key = bp.nn.Linear(4, 4, seed=seed + 1)
        self.narrow = bp.nn.MLP([4, 8, 4], activation="relu", seed=seed)

    def forward(self, x):
        x = x + bp.functional.softmax(self.query(x) * self.key(x))
        return x + self.narrow(x)


class Blocks(bp.nn.Module):
    def __init__(self, count):
        self.blocks = [Block(seed) for seed in range(count)]

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def test_sums_beside_a_group_belong_to_the_group_around_it():
    graph = view(Blocks(3)(np.ones((5, 4))), backward=False)
    paths = find_paths(graph)
    for number in "012":
        inside = [node for node, path in paths.items() if path[:1] == (number,)]
        signs = {path: [] for path in (paths[node] for node in inside)}
        for node in inside:
            signs[paths[node]] += [node.sign] if node.inputs else []
        assert sorted(signs[number,]) == sorted(["×", "softmax", "+", "+"])
        assert signs[number, "query"] == signs[number, "key"] == ["linear"]
        assert sorted(signs[number, "narrow", "0"]) == ["linear", "relu"]
    assert bp.draw(Blocks(3), np.ones((5, 4)), depth=1).source.count("class=group") == 3


# Anything that can be recorded can be drawn


@st.composite
def graphs(draw_one):
    shapes = st.sampled_from([(), (3,), (2, 3)])
    pool = [leaf(np.full(draw_one(shapes), 0.5), name) for name in ("x", None, "<&>")]
    pool.append(bp.Tensor(0.25, name="data"))
    for _ in range(draw_one(st.integers(1, 25))):
        a, b = draw_one(st.sampled_from(pool)), draw_one(st.sampled_from(pool))
        operation = draw_one(st.sampled_from(["+", "*", "sin", "sum", "where", "2*"]))
        pool.append(
            {
                "+": lambda a, b: a + b,
                "*": lambda a, b: a * b,
                "sin": lambda a, b: np.sin(a),
                "sum": lambda a, b: np.sum(a),
                "where": lambda a, b: np.where(a.data > 0, a, b),
                "2*": lambda a, b: 2 * a,
            }[operation](a, b)
        )
    return np.sum(pool[-1]) + pool[0].sum()


@settings(max_examples=40, deadline=None)
@given(graphs(), st.sampled_from(["auto", "dots", "merged"]), st.booleans(), st.booleans())
def test_any_graph_renders(output, ops, backward, stacked):
    direction = "TB" if stacked else None
    drawing = bp.draw(output, ops=ops, backward=backward, direction=direction)
    tree = ElementTree.fromstring(drawing.svg)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    graph = view(output, backward=False)
    assert {f"n{node.number}" for node in graph.visited()} <= set(ids)


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_the_sum_on_every_leaf_is_its_gradient(output):
    leaves = [node.tensor for node in view(output).visited() if node.kind == "leaf"]
    found = cards(bp.draw(output, backward=True))
    for node in view(output).visited():
        if node.kind == "leaf":
            (expected,) = bp.gradients(output, [node.tensor])
            told = [float(x) for x in re.split(r"[][ ]+", found[f"n{node.number}"][-1]) if x]
            np.testing.assert_allclose(told, np.ravel(expected), rtol=5e-3, atol=5e-5)
    assert all(x.grad is None for x in leaves)


def test_the_example_makes_every_picture(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "examples" / "see_backprop.py", "--out", tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    committed = {path.name for path in (ROOT / "examples" / "pictures").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} <= committed
    for path in tmp_path.iterdir():
        assert 5_000 < path.stat().st_size < 300_000
        assert str(path) in done.stdout


def test_what_a_backward_pass_takes_from_the_forward_pass_is_drawn_again_in_its_frame():
    W, x = leaf(np.eye(2, 3), "W"), bp.Tensor(np.ones(3), name="x")
    loss = named(np.sum(np.tanh(W @ x) ** 2), "loss")
    loss.backward(create_graph=True)
    drawing = bp.draw([loss, W.grad])
    told = by_name(drawing)
    assert told["W.grad"][0] == " = ×"
    assert {"v1", "v2", "x", "loss"} <= told.keys()  # the cards that are drawn again have names
    source = drawing.source
    aliases = set(re.findall(r"^\t+(n\d+b\d+) \[", source, re.MULTILINE))
    assert len(aliases) == 3
    frames = {
        key: number
        for number, frame in enumerate(re.findall(r"subgraph cluster.*?\n\t}", source, re.DOTALL))
        for key in re.findall(r"^\t\t(n\d+(?:b\d+)?) \[", frame, re.MULTILINE)
    }
    for tail, head in re.findall(r"^\t(n\w+) -> (n\w+)", source, re.MULTILINE):
        assert frames[tail] == frames[head]
