"""The 2-2 and the 2-2-2 network, weight by weight and path by path; the vanishing gradient."""

import numpy as np
import pytest
import weight_by_weight as page
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_bp as bp

from .comparison import answers, disagreements, drawn, mutated

seeds = st.integers(0, 10_000)
kinds = pytest.mark.parametrize("kind", [page.ONE_LAYER, page.TWO_LAYERS], ids=["2-2", "2-2-2"])


def sample(kind, seed):
    """Inputs, wanted outputs and weights at random."""
    random = np.random.default_rng(seed)
    weights = random.uniform(-3, 3, size=len(kind[1]))
    return random.uniform(-3, 3, size=2), random.uniform(-0.2, 1.2, size=2), weights


@kinds
@drawn
@given(seed=seeds)
def test_every_local_derivative(kind, seed):
    rows = list(page.compare_local_derivatives(kind, *sample(kind, seed)))
    assert len(rows) == {4: 8, 8: 18}[len(kind[1])]
    assert not disagreements(rows)


@kinds
@drawn
@given(seed=seeds)
def test_every_gradient_path_by_path(kind, seed):
    rows = list(page.compare_gradients(kind, *sample(kind, seed)))
    assert len(rows) == {4: 4, 8: 4 * 3 + 4}[len(kind[1])]
    assert not disagreements(rows)


@kinds
@drawn
@given(seed=seeds)
def test_the_paths_are_those_of_the_notes(kind, seed):
    network, paths, derivatives = kind
    arguments = sample(kind, seed)
    output, weights = network(*arguments)
    by_hand = derivatives(*arguments)
    for weight in weights:
        found = bp.paths(output, weight)
        assert sorted(map(page.route, found)) == sorted(paths[weight.name])
        for path in found:
            product = page.product_by_hand(page.route(path), by_hand)[1]
            assert not disagreements([(weight.name, product, path.product)])
            assert not disagreements(
                [(weight.name, product, np.prod(list(page.letters(path).values())))]
            )


def test_the_formulas_are_those_of_the_notes():
    """The gradients of w5 and w1, written out."""
    x1, (d1, d2) = page.X[0], page.D
    *_, w5, _, w7, _ = page.WEIGHTS
    local = page.two_layer_derivatives(page.X, page.D, page.WEIGHTS)
    h1 = local["z1", "w5"][1]
    y1, y2 = local["ε1", "y1"][1] + d1, local["ε2", "y2"][1] + d2
    through_1 = (y1 - d1) * y1 * (1 - y1)
    through_2 = (y2 - d2) * y2 * (1 - y2)
    gradients = page.gradients_by_hand(page.TWO_LAYER_PATHS, local)
    assert gradients[4] == pytest.approx(through_1 * h1, rel=1e-13)
    expected = (through_1 * w5 + through_2 * w7) * h1 * (1 - h1) * x1
    assert gradients[0] == pytest.approx(expected, rel=1e-13)


def test_which_partial_products_are_reused():
    found = page.reused(page.TWO_LAYERS, page.X, page.D, page.WEIGHTS)
    first, second = ["w1", "w2"], ["w3", "w4"]
    assert {name: used for name, (_, used) in found.items()} == {
        "∂ε1/∂z1": [*first, *second, "w5", "w6"],
        "∂ε2/∂z2": [*first, *second, "w7", "w8"],
        **{f"∂ε{i}/∂{letter}1": first for i in (1, 2) for letter in "hq"},
        **{f"∂ε{i}/∂{letter}2": second for i in (1, 2) for letter in "hq"},
    }
    output, _ = page.two_layers(page.X, page.D, page.WEIGHTS)
    adjoint = {node.name: node.adjoint for node in bp.explain.view(output).visited()}
    for z in ("z1", "z2"):
        assert found[f"∂ε{z[1]}/∂{z}"][0] == pytest.approx(adjoint[z], rel=1e-12)
    for letter in ("h1", "h2", "q1", "q2"):
        both = found[f"∂ε1/∂{letter}"][0] + found[f"∂ε2/∂{letter}"][0]
        assert both == pytest.approx(adjoint[letter], rel=1e-12)


def test_the_small_network_reuses_one_product_an_output():
    found = page.reused(page.ONE_LAYER, page.X, page.D, page.SMALL_WEIGHTS)
    users = {name: used for name, (_, used) in found.items()}
    assert users == {"∂ε1/∂z1": ["w1", "w2"], "∂ε2/∂z2": ["w3", "w4"]}


def test_how_many_factors_there_are():
    """Four weights lie on one path of 3 factors each, four on two paths of 5."""
    found = page.count_factors(page.TWO_LAYERS, page.X, page.D, page.WEIGHTS)
    assert found == (4 + 8, 4 * 3 + 8 * 5, 18)
    found = page.count_factors(page.ONE_LAYER, page.X, page.D, page.SMALL_WEIGHTS)
    assert found == (4, 12, 8)


@kinds
@pytest.mark.parametrize("seed", range(4))
def test_the_update_iterated(kind, seed):
    arguments = (kind, *sample(kind, seed), 0.7, 60)
    by_hand, engine = page.descend_by_hand(*arguments), page.descend(*arguments)
    assert by_hand.shape == (61, 1 + len(kind[1]))
    assert not disagreements([(f"k = {k}", by_hand[k], engine[k]) for k in range(61)])
    assert engine[-1, 0] < engine[0, 0]


def test_the_update_learns():
    rows = page.descend(page.TWO_LAYERS, page.X, page.D, page.WEIGHTS, page.RATE, 1000)
    assert rows[0, 0] > 0.1
    assert rows[-1, 0] < 1e-6
    assert np.all(np.diff(rows[:, 0]) < 0)


WRONG = [
    ('("w5", w5)', '("w5", w6)'),
    ('("w7", w7)', '("w7", w6)'),  # the matrix of w5 ... w8, transposed
    ('("h1(1 - h1)", h1 * (1 - h1))', '("h1(1 - h1)", h2 * (1 - h2))'),
    ('("y1(1 - y1)", y1 * (1 - y1))', '("y1(1 - y1)", y2 * (1 - y2))'),
    ('("(y2 - d2)", y2 - d2)', '("(y2 - d2)", y2 - d1)'),
    ('("z1", "w6"): ("h2", h2)', '("z1", "w6"): ("h1", h1)'),
    ('("q1", "w2"): ("x2", x2)', '("q1", "w2"): ("x1", x1)'),
    ("x1 * w1 + x2 * w2", "x1 * w1 + x2 * w3"),
    ("h1 * w7 + h2 * w8", "h1 * w6 + h2 * w8"),
]


@pytest.mark.parametrize(("right", "wrong"), WRONG)
def test_a_derivative_with_one_wrong_index_is_noticed(right, wrong):
    network, paths, derivatives = page.TWO_LAYERS
    changed = (network, paths, mutated(derivatives, right, wrong))
    for compare in (page.compare_local_derivatives, page.compare_gradients):
        assert not disagreements(compare(page.TWO_LAYERS, page.X, page.D, page.WEIGHTS))
        assert disagreements(compare(changed, page.X, page.D, page.WEIGHTS))


def test_a_forgotten_path_is_noticed():
    network, paths, derivatives = page.TWO_LAYERS
    changed = (network, paths | {"w1": paths["w1"][:1]}, derivatives)
    wrong = disagreements(page.compare_gradients(changed, page.X, page.D, page.WEIGHTS))
    assert [formula[:6] for formula, _, _ in wrong] == ["∂ε/∂w1"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("w - rate", "w + rate"),
        ("(paths, local))", "(paths, local)[::-1])"),
        ("local = derivatives(x, d, w)", "local = derivatives(x, d, np.roll(w, 1))"),
    ],
)
def test_a_wrong_update_is_noticed(right, wrong):
    arguments = (page.TWO_LAYERS, page.X, page.D, page.WEIGHTS, 0.5, 3)
    changed = mutated(page.descend_by_hand, right, wrong)(*arguments)
    assert disagreements([("k = 3", changed[3], page.descend(*arguments)[3])])


@kinds
@drawn
@given(seed=seeds)
def test_forward_values(kind, seed):
    rows = list(page.rows_forward(kind, *sample(kind, seed)))
    assert len(rows) == {4: 7, 8: 11}[len(kind[1])]
    assert not disagreements(rows)


def test_forward_values_written_out():
    x1, x2 = page.X
    w1, w2, w3, w4, w5, w6, w7, w8 = page.WEIGHTS
    rows = {f.split(" = ")[0]: (f, v) for f, v, _ in
            page.rows_forward(page.TWO_LAYERS, page.X, page.D, page.WEIGHTS)}  # fmt: skip
    h1 = 1 / (1 + np.exp(-(x1 * w1 + x2 * w2)))
    h2 = 1 / (1 + np.exp(-(x1 * w3 + x2 * w4)))
    assert rows["h1"] == ("h1 = 1 / (1 + exp(-q1))", pytest.approx(h1))
    assert rows["z2"] == ("z2 = h1 w7 + h2 w8", pytest.approx(h1 * w7 + h2 * w8))
    y1 = 1 / (1 + np.exp(-(h1 * w5 + h2 * w6)))
    assert rows["ε1"] == ("ε1 = ½ (y1 - d1)²", pytest.approx(0.5 * (y1 - page.D[0]) ** 2))


def test_products_in_symbols():
    rows = list(page.rows_in_symbols(page.X, page.D, page.WEIGHTS))
    assert not disagreements(rows)
    assert [formula for formula, *_ in rows] == [
        "∂ε1/∂w5 = ∂ε1/∂y1 ∂y1/∂z1 ∂z1/∂w5",
        "∂ε1/∂w1 = ∂ε1/∂y1 ∂y1/∂z1 ∂z1/∂h1 ∂h1/∂q1 ∂q1/∂w1",
        "∂ε2/∂w1 = ∂ε2/∂y2 ∂y2/∂z2 ∂z2/∂h1 ∂h1/∂q1 ∂q1/∂w1",
        "2-2: ∂ε2/∂w1 = 0, no path leads there",
    ]
    gradients = page.gradients()
    assert rows[0][1] == pytest.approx(gradients["w5"], rel=1e-12)
    assert rows[1][1] + rows[2][1] == pytest.approx(gradients["w1"], rel=1e-12)


def test_the_steps_of_the_picture_and_of_the_engine():
    local = page.two_layer_derivatives(page.X, page.D, page.WEIGHTS)
    assert page.steps() == [len(local) + 2, 32]


def test_answers():
    without_w7, zero, (same, same_too) = answers(page)
    first, *_ = page.TWO_LAYER_PATHS["w1"]
    local = page.two_layer_derivatives(page.X, page.D, page.WEIGHTS)
    assert without_w7 == pytest.approx(page.product_by_hand(first, local)[1], rel=1e-12)
    assert zero == 2
    assert same == same_too
