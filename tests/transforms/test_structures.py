"""Containers as arguments and results of every transformation, and functions that give a pair."""

from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.support.structures import is_container, leaves, rebuild

random = np.random.default_rng(3)
W, b, x = random.normal(size=(2, 3)), random.normal(size=2), random.normal(size=3)
Layer = namedtuple("Layer", ["W", "b"])


class Bag(dict):
    """A dictionary of a class of one's own."""


FORMS = {
    "tuple": ((W, b), lambda p: p),
    "list": ([W, b], lambda p: p),
    "dictionary": ({"W": W, "b": b}, lambda p: (p["W"], p["b"])),
    "ordered": (OrderedDict(W=W, b=b), lambda p: (p["W"], p["b"])),
    "with a default": (defaultdict(list, {"W": W, "b": b}), lambda p: (p["W"], p["b"])),
    "of its own class": (Bag({"W": W, "b": b}), lambda p: (p["W"], p["b"])),
    "named tuple": (Layer(W, b), lambda p: (p.W, p.b)),
    "nested": ({"layers": [(W, None, {"b": b})], "no": ()}, lambda p: _inner(p["layers"][0])),
}
in_every_form = pytest.mark.parametrize(("form", "pair"), FORMS.values(), ids=FORMS)


def _inner(layer):
    assert layer[1] is None
    return layer[0], layer[2]["b"]


def _loss(pair):
    W, b = pair
    return np.sum(np.tanh(W @ x + b) ** 2)


def _same(found, form, expected):
    """The same classes all the way down, and these arrays in them."""
    if is_container(form):
        assert type(found) is type(form)
        if isinstance(form, dict):
            assert found.keys() == form.keys()
        else:
            assert len(found) == len(form)
    for one, other in zip(leaves(found), expected, strict=True):
        assert type(one) in (np.ndarray, np.float64)
        assert np.allclose(one, other)


def _by_hand():
    out = np.tanh(W @ x + b)
    slope = 2 * out * (1 - out**2)
    return np.outer(slope, x), slope


@in_every_form
def test_a_gradient_has_the_form_of_its_argument(form, pair):
    value, found = bp.value_and_grad(lambda p: _loss(pair(p)))(form)
    assert value == _loss((W, b))
    _same(found, form, _by_hand())
    _same(bp.grad(lambda p: _loss(pair(p)))(form), form, _by_hand())


@in_every_form
def test_products_take_and_give_the_form(form, pair):
    ahead = [np.cos(W), np.sin(b)]
    v = rebuild(form, ahead)
    out, tangent = bp.jvp(lambda p: _loss(pair(p)), (form,), (v,))
    by_W, by_b = _by_hand()
    assert out == _loss((W, b))
    assert tangent == pytest.approx(np.sum(by_W * ahead[0]) + np.sum(by_b * ahead[1]))
    _same(bp.vjp(lambda p: _loss(pair(p)), form)[1](1.0)[0], form, _by_hand())
    step = 1e-6
    moved = [
        rebuild(form, [p + t * q for p, q in zip((W, b), ahead, strict=True)])
        for t in (step, -step)
    ]
    up, down = (leaves(bp.grad(lambda p: _loss(pair(p)))(p)) for p in moved)
    slopes = [(p - q) / (2 * step) for p, q in zip(up, down, strict=True)]
    (found,) = bp.hvp(lambda p: _loss(pair(p)), (form,), (v,))
    _same(found, form, slopes)


@in_every_form
def test_results_in_containers(form, pair):
    """The function gives its argument's form; its Jacobian is that form of that form."""

    def f(p):
        W, b = pair(p)
        return rebuild(p, [W * b[0], b**2])

    out, pullback = bp.vjp(f, form)
    _same(out, form, [W * b[0], b**2])
    (found,) = pullback(rebuild(form, [np.ones((2, 3)), 3 * b]))
    _same(found, form, [np.full((2, 3), b[0]), 6 * b**2 + [np.sum(W), 0]])
    blocks = leaves(bp.jacobian(f)(form))
    assert [block.shape for block in blocks] == [(2, 3, 2, 3), (2, 3, 2), (2, 2, 3), (2, 2)]
    assert np.allclose(blocks[3], np.diag(2 * b))
    assert np.allclose(blocks[1], W[..., None] * [1, 0])
    out, tangent = bp.jvp(f, (form,), (form,))
    _same(tangent, form, [2 * W * b[0], 2 * b**2])


@in_every_form
def test_gradcheck_goes_into_containers(form, pair):
    assert bp.gradcheck(lambda p: _loss(pair(p)), form, order=2)
    assert bp.gradcheck(lambda p: p, form)


def test_gradcheck_names_the_place_in_a_container():
    def f(p):
        return [p["b"], {"out": p["W"][0] * p["W"].detach()}]

    with pytest.raises(bp.GradientError, match=r"d output\[1\]\['out'\]\[.*\] / d input 0\['W'\]"):
        bp.gradcheck(f, {"b": 1.0, "W": b})
    with pytest.raises(TypeError, match=r"^input 0\['W'\] is float32"):
        bp.gradcheck(f, {"b": 1.0, "W": b.astype(np.float32)})


def test_a_hessian_of_containers_is_a_form_of_forms():
    found = bp.hessian(lambda p: p["x"] ** 2 * p["y"])({"x": 3.0, "y": 5.0})
    assert found == {"x": {"x": 10.0, "y": 6.0}, "y": {"x": 6.0, "y": 0.0}}
    rows = bp.hessian(lambda p, z: p[0] ** 2 * z, (0, 1))((3.0,), 5.0)
    assert rows == ((((10.0,), 6.0),), ((6.0,), 0.0))


def test_gradients_of_recorded_tensors_in_containers():
    p = {"W": bp.Tensor(W, requires_grad=True), "b": [bp.Tensor(b, requires_grad=True), None]}
    found = bp.gradients(_loss((p["W"], p["b"][0])), p)
    _same(found, p, _by_hand())
    second = bp.gradients(p["b"][0].sum(), (p["b"][0],), create_graph=True)
    assert isinstance(second, tuple)
    assert isinstance(second[0], bp.Tensor)


def test_a_list_of_numbers_is_an_array_and_a_tuple_is_not():
    assert np.array_equal(bp.grad(lambda x: np.sum(x**2))([1.0, 2]), [2.0, 4.0])
    assert np.array_equal(bp.grad(lambda x: np.sum(x**2))([[1.0], [2.0]]), [[2.0], [4.0]])
    assert bp.grad(lambda x: x[0] * x[1])((2.0, 3.0)) == (3.0, 2.0)
    assert bp.grad(lambda x: x[0] * x[1])([2.0, np.array(3.0)]) == [3.0, 2.0]
    found = bp.grad(lambda x: x["b"] * np.sum(x["w"]))({"w": [1.0, 2.0], "b": 4.0})
    assert found["b"] == 3.0
    assert np.array_equal(found["w"], [4.0, 4.0])


def test_numbers_that_were_computed_stay_a_list():
    """A step of gradient descent gives a list of NumPy's numbers, which is then again a list."""
    slopes = bp.grad(lambda p: p[0] ** 2 + p[1] ** 2)
    p = [0.5, np.array(2.0)]
    for _ in range(3):
        p = [w - 0.1 * g for w, g in zip(p, slopes(p), strict=True)]
        assert type(p) is list
    assert np.allclose(p, [0.5 * 0.8**3, 2 * 0.8**3])
    _, pullback = bp.vjp(lambda p: [p[0] * 2, p[1] * 3], p)
    assert pullback([1.0, 1.0]) == ([2.0, 3.0],)


def test_nothing_to_differentiate_by():
    assert bp.grad(lambda p, x: x * 2, (0, 1))({"a": None, "b": []}, 3.0) == (
        {"a": None, "b": []},
        2.0,
    )


def test_the_functions_own_changes_of_its_containers_stay_within():
    p = {"W": W, "b": b}
    found = bp.grad(lambda p: np.sum(p.pop("W")) + p["b"][0])(p)
    assert found.keys() == p.keys() == {"W", "b"}


def test_nested_transformations_of_containers():
    def inner(p):
        return bp.grad(lambda q: np.sum(q["W"] ** 3) * q["b"][0])(p)

    found = bp.grad(lambda p: np.sum(inner(p)["W"]) + np.sum(inner(p)["b"]))({"W": W, "b": b})
    assert np.allclose(found["W"], 6 * W * b[0] + 3 * W**2)
    assert np.allclose(found["b"], [np.sum(3 * W**2), 0])


def test_float32_in_a_container_stays_float32():
    found = bp.grad(lambda p: np.sum(p[0]) * p[1])((W.astype(np.float32), np.array(2.0)))
    assert [x.dtype for x in found] == [np.float32, np.float64]


@pytest.mark.parametrize(
    ("p", "place"),
    [
        ({"W": W, "n": np.array([1, 2])}, r"int64 at \['n'\]"),
        ([W, ("text",)], r"str at \[1\]\[0\]"),
        ({"flag": True}, r"bool at \['flag'\]"),
        (np.array([1, 2]), "int64: make"),
    ],
)
def test_what_cannot_be_differentiated_by_is_named_with_its_place(p, place):
    with pytest.raises(TypeError, match=f"cannot differentiate by an argument of {place}"):
        bp.grad(lambda p: 1.0)(p)


@pytest.mark.parametrize("v", [(W,), [W, b, b], {"W": W, "b": b}, W, (b, W)])
def test_tangents_and_cotangents_of_another_form(v):
    with pytest.raises(ValueError, match=r"must have the form of a list of 2|do not fit"):
        bp.jvp(_loss, ([W, b],), (v,))
    with pytest.raises(ValueError, match=r"must have the form of a list of 2|has a cotangent of"):
        bp.vjp(lambda p: p, [W, b])[1](v)


# Single values


def test_products_take_a_single_value():
    assert bp.jvp(np.sin, 0.0, 2.0) == (0.0, 2.0)
    assert bp.hvp(lambda x: x**3, 2.0, 1.0) == 12.0
    assert bp.hvp(lambda p: p["x"] ** 3, {"x": 2.0}, {"x": 1.0}) == {"x": 12.0}
    out, tangent = bp.jvp(lambda p: p[0] * p[1], [2.0, np.array(3.0)], [1.0, 1.0])
    assert (out, tangent) == (6.0, 5.0)


def test_elementwise_grad():
    assert np.allclose(bp.elementwise_grad(np.tanh)(x), 1 - np.tanh(x) ** 2)
    assert np.allclose(bp.elementwise_grad(bp.elementwise_grad(np.sin))(x), -np.sin(x))
    by_both = bp.elementwise_grad(np.multiply, (0, 1))(x, 2 * x)
    assert np.allclose(by_both, (2 * x, x))
    with pytest.raises(TypeError, match="functions are differentiated here"):
        bp.elementwise_grad(3.0)


@pytest.mark.parametrize("argnums", [0, (0,), (1, 0)])
def test_argnums_as_a_tuple_everywhere(argnums):
    places = argnums if isinstance(argnums, tuple) else (argnums,)

    def f(p, y):
        return p["a"] ** 2 * y

    by = [{"a": 2 * 3.0 * 5.0}, 9.0]
    first = tuple(by[i] for i in places)
    rows = [({"a": 10.0}, 6.0), ({"a": 6.0}, 0.0)]  # by a, and by y, of each gradient
    second = [tuple(row[j] for j in places) for row in rows]
    second = tuple([{"a": second[0]}, second[1]][i] for i in places)
    if argnums == 0:
        first, second = first[0], {"a": {"a": 10.0}}
    for transform in (bp.grad, bp.elementwise_grad, bp.jacobian):
        assert transform(f, argnums)({"a": 3.0}, 5.0) == first
    assert bp.value_and_grad(f, argnums)({"a": 3.0}, 5.0) == (45.0, first)
    assert bp.hessian(f, argnums)({"a": 3.0}, 5.0) == second


# has_aux


def test_every_transformation_passes_on_what_is_aside():
    def f(x):
        return x**3, {"twice": x * 2, "word": "kept"}

    aside = {"twice": 4.0, "word": "kept"}
    assert bp.value_and_grad(f, has_aux=True)(2.0) == ((8.0, aside), 12.0)
    assert bp.grad(f, has_aux=True)(2.0) == (12.0, aside)
    assert bp.jacobian(f, has_aux=True)(2.0) == (12.0, aside)
    assert bp.hessian(f, has_aux=True)(2.0) == (12.0, aside)
    assert bp.jvp(f, 2.0, 1.0, has_aux=True) == (8.0, 12.0, aside)
    assert bp.hvp(f, 2.0, 10.0, has_aux=True) == (120.0, aside)
    out, pullback, found = bp.vjp(f, 2.0, has_aux=True)
    assert (out, pullback(1.0), found) == (8.0, (12.0,), aside)
    assert type(found["twice"]) is np.float64


def test_what_is_aside_keeps_its_history_for_whoever_records():
    def outer(x):
        slope, aside = bp.grad(lambda y: (x * y**2, x * y), has_aux=True)(2.0)
        return slope * aside

    assert bp.grad(outer)(3.0) == 2 * 3.0 * 4 * 2  # of (4 x) (2 x)


@pytest.mark.parametrize("out", [1.0, (1.0, 2.0, 3.0), [1.0, 2.0]])
def test_a_function_that_gives_no_pair(out):
    with pytest.raises(TypeError, match="with has_aux=True the function must give a pair"):
        bp.grad(lambda x: out, has_aux=True)(1.0)


def test_a_pair_where_a_scalar_was_meant():
    with pytest.raises(ValueError, match=r"gave containers: sum it.* or has_aux=True"):
        bp.grad(lambda x: (x, x))(1.0)


# stop_gradient


def test_stop_gradient_of_tensors_arrays_and_containers():
    t = bp.Tensor(b, requires_grad=True)
    assert not bp.stop_gradient(t).requires_grad
    assert bp.stop_gradient(b) is b
    assert bp.stop_gradient("text") == "text"
    found = bp.stop_gradient({"t": [t, None], "b": b})
    assert not found["t"][0].requires_grad
    assert bp.grad(lambda x: np.sum(x * bp.stop_gradient((x, 2.0))[0]))(2.0) == 2.0
