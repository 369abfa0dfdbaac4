"""Python's and NumPy's protocols: an expression records, or says why not; it is never silent."""

import copy
import math
import operator
import pickle

import numpy as np
import pytest

import tinygrad_bp as bp


def leaf(value, **options):
    return bp.Tensor(value, requires_grad=True, **options)


# Operators, on both sides of everything

OPERATORS = {
    "add": (operator.add, lambda a, b: (1 + 0 * b, 1 + 0 * a)),
    "sub": (operator.sub, lambda a, b: (1 + 0 * b, -1 + 0 * a)),
    "mul": (operator.mul, lambda a, b: (b + 0 * a, a + 0 * b)),
    "truediv": (operator.truediv, lambda a, b: (1 / b + 0 * a, -a / b**2)),
    "pow": (operator.pow, lambda a, b: (b * a ** (b - 1), a**b * np.log(a))),
    "mod": (operator.mod, lambda a, b: (1 + 0 * a * b, -(a // b))),
    "floordiv": (operator.floordiv, lambda a, b: (0 * a * b, 0 * a * b)),
}
OTHERS = {
    "int": 2,
    "float": 2.5,
    "bool": True,
    "np.float64": np.float64(2.5),
    "np.float32": np.float32(2.5),
    "np.int64": np.int64(2),
    "0-d array": np.array(2.5),
    "array": np.array([2.5, 0.5, 1.5]),
    "int array": np.array([2, 3, 1]),
    "list": [2.5, 0.5, 1.5],
    "tuple": (2.5, 0.5, 1.5),
    "Tensor": bp.Tensor([2.5, 0.5, 1.5]),
    "0-d Tensor": bp.Tensor(2.5),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_and_their_reflections(name, other, create_graph):
    operate, slopes = OPERATORS[name]
    values, other = np.array([1.25, 2.0, 3.5]), OTHERS[other]
    plain = np.asarray(other.data if isinstance(other, bp.Tensor) else other)
    for swapped in (False, True):
        x = leaf(values)
        y = operate(other, x) if swapped else operate(x, other)
        a, b = (plain, values) if swapped else (values, plain)
        assert isinstance(y, bp.Tensor)
        assert np.array_equal(y.data, operate(a, b))
        (found,) = bp.gradients(y, [x], np.ones(3), create_graph=create_graph)
        found = found.data if create_graph else found
        exact = slopes(np.float64(a), np.float64(b))[swapped]
        rtol = 1e-6 if plain.dtype == np.float32 else 1e-14  # log of a float32 is a float32
        assert np.allclose(found, exact, rtol=rtol, atol=0)


@pytest.mark.parametrize("left", [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0])], ids=str)
@pytest.mark.parametrize("create_graph", [False, True])
def test_matrix_products_with_what_is_not_a_tensor(left, create_graph):
    x = leaf([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    y = left @ x
    assert np.array_equal(y.data, [9.0, 12.0, 15.0])
    (found,) = bp.gradients(y, [x], np.ones(3), create_graph=create_graph)
    assert np.array_equal(found.data if create_graph else found, [[1.0] * 3, [2.0] * 3])
    z = x.T @ left
    (found,) = bp.gradients(z, [x], np.ones(3), create_graph=create_graph)
    assert np.array_equal(found.data if create_graph else found, [[1.0] * 3, [2.0] * 3])


def test_numpys_arrays_and_scalars_leave_the_operation_to_the_tensor():
    x = leaf([1.0, 2.0])
    for y in (
        np.array([1.0, 2.0]) + x,
        np.array([1.0, 2.0]) @ x,
        np.ones((3, 2)) @ x,
        np.float64(2) * x,
        np.float32(2) ** x,
        np.int64(2) - x,
        np.ones(2) / x,
    ):
        assert isinstance(y, bp.Tensor)
        assert y.requires_grad


def test_python_numbers_on_the_left():
    x = leaf(4.0)
    for y, slope in ((2 - x, -1), (2 / x, -2 / 16), (2**x, 16 * np.log(2)), (-x, -1), (+x, 1)):
        assert bp.gradients(y, [x]) == [pytest.approx(slope, rel=1e-15)]


def test_pythons_sum_abs_and_min_and_max():
    t = leaf([1.0, -2.0])
    sum([t, t]).sum().backward()
    assert np.array_equal(t.grad, [2.0, 2.0])
    assert np.array_equal(bp.gradients(abs(t).sum(), [t])[0], [1.0, -1.0])
    assert bp.gradients(sum(t), [t])[0].tolist() == [1.0, 1.0]
    small, large = leaf(1.0), leaf(2.0)
    assert max(small, large) is large
    assert min(small, large) is small
    with pytest.raises(ValueError, match="ambiguous"):
        max(t, t)


def test_a_parameter_that_requires_grad_is_refused():
    with pytest.raises(TypeError, match="no derivative by initial="):
        np.sum(leaf([1.0, 2.0]), initial=leaf(5.0))


def test_what_python_cannot_do_to_a_tensor_is_a_type_error():
    with pytest.raises(TypeError, match="Tensor"):
        math.trunc(leaf(2.5))


def test_python_rounds_a_tensor_as_numpy_does():
    assert round(leaf(2.567)).item() == 3.0
    assert round(leaf(2.567), 2).item() == 2.57


def test_divmod_gives_a_whole_quotient_and_a_rest_that_follows():
    for f, by_whole, by_rest in (
        (lambda t: divmod(t, 2.0), 0.0, 1.0),
        (lambda t: divmod(7.5, t), 0.0, -3.0),
    ):
        t = leaf(2.5)
        whole, rest = f(t)
        assert (whole.item(), rest.item()) == f(2.5)
        assert bp.gradients(whole, [t]) == [by_whole]
        assert bp.gradients(rest, [t]) == [by_rest]


@pytest.mark.parametrize("operate", [operator.and_, operator.or_, operator.xor, operator.lshift])
def test_bits_are_not_a_tensors_business(operate):
    with pytest.raises(TypeError, match="Tensor"):
        operate(leaf([1.0]), leaf([1.0]))


# Writing into an array through NumPy


def test_an_arrays_augmented_assignment_with_a_tensor_raises_and_leaves_the_array():
    x, array = leaf([1.0, 2.0]), np.array([10.0, 20.0])
    for f in (operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.ipow):
        with pytest.raises(TypeError, match=r"array \+= Tensor.*a = a \+ t"):
            f(array, x)
    assert np.array_equal(array, [10.0, 20.0])


def test_out_raises_and_leaves_the_array():
    x, array = leaf([1.0, 2.0]), np.array([10.0, 20.0])
    for f in (
        lambda: np.add(x, x, out=array),
        lambda: np.exp(x, array),
        lambda: np.add(array, 1.0, out=x),
        lambda: np.sum(x, axis=0, out=array[:1].reshape(())),
        lambda: np.concatenate([x[:1], x[:1]], out=array),
        lambda: np.concatenate([x[:1], x[:1]], 0, array),
        lambda: np.clip(x, 0.0, 1.0, array),
        lambda: np.clip(x, 0.0, 1.0, out=array),
    ):
        with pytest.raises(TypeError, match="out"):
            f()
    assert np.array_equal(array, [10.0, 20.0])
    assert np.array_equal(x.data, [1.0, 2.0])


def test_a_tensors_augmented_assignment_makes_a_new_tensor():
    x = leaf([1.0, 2.0])
    y = z = x * 1.0
    y += 1.0
    y *= x
    assert np.array_equal(z.data, [1.0, 2.0])
    y.sum().backward()
    assert np.array_equal(x.grad, [3.0, 5.0])  # x (x + 1)


def test_an_array_cannot_take_a_tensor_as_an_element():
    array = np.zeros(3)
    with pytest.raises(TypeError):
        array[0:2] = leaf([1.0, 2.0])
    assert np.array_equal(array, np.zeros(3))


# NumPy's functions


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (np.exp, np.exp),
        (np.sin, np.cos),
        (np.log, np.reciprocal),
        (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (np.square, lambda x: 2 * x),
        (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
        (np.negative, lambda x: -np.ones_like(x)),
    ],
)
def test_numpys_functions_record(f, slope):
    x = leaf([0.5, 1.5])
    y = f(x)
    assert isinstance(y, bp.Tensor)
    y.sum().backward()
    assert np.allclose(x.grad, slope(np.array([0.5, 1.5])), rtol=1e-14)


def test_arguments_may_be_given_as_numpy_takes_them():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    for y in (np.sum(x, 0), np.sum(x, axis=0), np.sum(a=x, axis=0), np.sum(axis=0, a=x), x.sum(0)):
        assert np.array_equal(y.data, [4.0, 6.0])
        assert np.array_equal(bp.gradients(y, [x], [1.0, 2.0])[0], [[1, 2], [1, 2]])
    assert np.sum(x, 0, None, None, True).shape == (1, 2)
    assert np.sum(x, axis=1, keepdims=True).shape == (2, 1)


def test_a_function_of_a_tensor_that_needs_no_grad_gives_a_tensor_that_needs_none():
    for y in (np.exp(bp.Tensor([1.0])), bp.Tensor([1.0]) + 1, np.ones(1) * bp.Tensor([1.0])):
        assert isinstance(y, bp.Tensor)
        assert not y.requires_grad
        assert y.is_leaf


UNKNOWN = {
    "np.fft.fft": np.fft.fft,
    "np.linalg.eig": lambda t: np.linalg.eig(np.stack([t, t])),
    "np.frexp": np.frexp,
    "np.add.at": lambda t: np.add.at(np.zeros(2), [0], t[:1]),
    "np.copyto": lambda t: np.copyto(np.zeros(2), t),
    "np.unique": np.unique,
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_function_without_a_rule_is_named(name):
    with pytest.raises(TypeError, match=name.replace(".", r"\.")):
        UNKNOWN[name](leaf([1.0, 2.0]))


@pytest.mark.parametrize("kind", [bp.Tensor, leaf])
def test_a_parameter_without_a_rule_is_named(kind):
    t = kind([1.0, 2.0])
    for f, name in (
        (lambda: np.exp(t, dtype=np.float32), "dtype"),
        (lambda: np.exp(t, casting="unsafe"), "casting"),
        (lambda: np.matmul(t, t, axes=[(0,), (0,), ()]), "axes"),
        (lambda: t.sum(keepdim=True), "keepdim"),
    ):
        with pytest.raises(TypeError, match=f"{name}="):
            f()


def test_functions_whose_results_have_no_derivative_give_plain_arrays():
    t = leaf([3.0, 1.0, 2.0])
    for found, expected in (
        (np.argmax(t), 0),
        (np.argsort(t), [1, 2, 0]),
        (np.shape(t), (3,)),
        (np.isfinite(t), [True, True, True]),
        (np.zeros_like(t), [0.0, 0.0, 0.0]),
        (np.allclose(t, [3.0, 1.0, 2.0]), True),
        (np.array_equal(t, t), True),
    ):
        assert not isinstance(found, bp.Tensor)
        assert np.array_equal(found, expected)


# Becoming an array or a number


@pytest.mark.parametrize(
    "f",
    [
        np.asarray,
        np.array,
        lambda t: np.array([t, t]),
        lambda t: np.array([t[0], 1.0]),
        lambda t: bp.Tensor([t, t]),
        lambda t: np.sin([t, t]),
        lambda t: np.asarray(t * 2),
        np.ma.exp,
        lambda t: np.ma.array([1.0, 2.0]) * t,
    ],
)
def test_a_tensor_that_requires_grad_does_not_become_an_array_in_silence(f):
    with pytest.raises(TypeError, match=r"requires grad.*\.data"):
        f(leaf([1.0, 2.0]))


def test_a_tensor_of_a_tensor_that_requires_grad_is_refused():
    with pytest.raises(TypeError, match="detach"):
        bp.Tensor(leaf([1.0]) * 2)
    assert np.array_equal(bp.Tensor(bp.Tensor([1.0])).data, [1.0])


def test_a_tensor_that_does_not_require_grad_becomes_an_array_of_its_own():
    t = bp.Tensor([1.0, 2.0])
    array = np.asarray(t)
    assert type(array) is np.ndarray
    array[0] = 9.0
    assert np.array_equal(t.data, [1.0, 2.0])
    assert np.asarray(t, dtype=np.float32).dtype == np.float32
    np.testing.assert_array_equal(t, [1.0, 2.0])


@pytest.mark.parametrize(
    "f", [float, int, complex, math.sin, math.floor, "{:.1f}".format, "%.1f".__mod__]
)
def test_a_tracked_number_is_not_forgotten_in_silence(f):
    if f == "{:.1f}".format:
        assert f(leaf(2.0)) == "2.0"  # text is read, not computed with
        return
    with pytest.warns(RuntimeWarning, match=r"'x'.*forgets.*np\.sin\(t\)"):
        f(leaf(2.0, name="x"))


def test_a_number_without_history_is_one_in_silence():
    t = bp.Tensor(2.0)
    assert (float(t), int(t), math.sin(t)) == (2.0, 2, math.sin(2.0))
    assert leaf(2.0).item() == 2.0
    assert type(leaf(2.0).item()) is float
    assert type(bp.Tensor(2).item()) is int
    with pytest.raises(ValueError, match="size 1"):
        float(bp.Tensor([1.0, 2.0]))


def test_an_integer_tensor_is_an_index():
    assert [10, 20, 30][bp.Tensor(1)] == 20
    assert list(range(bp.Tensor(3))) == [0, 1, 2]
    assert np.arange(5)[bp.Tensor([3, 1])].tolist() == [3, 1]
    for wrong in (leaf(1.0), bp.Tensor(1.0), bp.Tensor([1, 2])):
        with pytest.raises(TypeError):
            [10, 20, 30][wrong]


# Comparison, truth, identity, membership


def test_comparisons_give_plain_arrays():
    t = leaf([1.0, 2.0, 3.0])
    for operate in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        for other in (2, 2.0, [3.0, 2.0, 1.0], np.array([3.0, 2.0, 1.0]), bp.Tensor(2.0), t):
            plain = np.asarray(other.data if isinstance(other, bp.Tensor) else other)
            for found, expected in (
                (operate(t, other), operate(t.data, plain)),
                (operate(other, t), operate(plain, t.data)),
            ):
                assert type(found) is np.ndarray
                assert found.dtype == bool
                assert np.array_equal(found, expected)


def test_comparison_with_something_else_is_unequal():
    t = leaf([1.0, 2.0])
    for other in (None, "a", object()):
        assert not np.any(t == other)
        assert np.all(t != other)


def test_truth():
    assert leaf(1.0)
    assert not leaf(0.0)
    assert leaf([[2.0]])
    for ambiguous in (leaf([1.0, 2.0]), leaf([])):
        with pytest.raises(ValueError, match="ambiguous"):
            bool(ambiguous)


def test_tensors_are_hashable_by_identity():
    a, b = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    table = {a: "a", b: "b", a * 1: "c"}
    assert (table[a], table[b], len(table)) == ("a", "b", 3)
    assert len({a, b, a}) == 2
    before = hash(a)
    a.data = [5.0, 6.0]
    assert hash(a) == before
    assert table[a] == "a"


def test_membership():
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    assert a in [a, b]
    with pytest.raises(ValueError, match="ambiguous"):
        assert b in [a, b]  # lists compare with ==, which is element by element
    assert b in {a, b}
    assert 2.0 in a
    assert 7.0 not in a


def test_length_and_iteration():
    t = leaf([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert len(t) == 3
    assert [row.shape for row in t] == [(2,)] * 3
    assert list(leaf(np.zeros((0, 2)))) == []
    scalar = bp.Tensor(3.0)
    for f in (list, iter, len, tuple, sum, np.stack, lambda t: [*t]):
        with pytest.raises(TypeError):
            f(scalar)


# Pickles and copies


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))]
)
@pytest.mark.parametrize("value", [2.0, [1.0, 2.0], [[]]], ids=str)
def test_leaves_are_copied_with_all_that_is_theirs(duplicate, value):
    t = leaf(value, name="w", dtype=np.float32)
    (t * t).sum().backward()
    twin = duplicate(t)
    assert isinstance(twin, bp.Tensor)
    assert (twin.name, twin.dtype, twin.requires_grad, twin.is_leaf) == (
        "w",
        np.float32,
        True,
        True,
    )
    assert np.array_equal(twin.data, t.data)
    assert np.array_equal(twin.grad, t.grad)
    assert twin.grad.dtype == np.float32
    assert not np.shares_memory(twin.data, t.data)
    before = t.numpy()
    twin.data = np.full(twin.shape, 7.0)
    assert np.array_equal(t.data, before)
    (twin * 3).sum().backward()


def test_constants_are_copied():
    t = copy.deepcopy(bp.Tensor([1, 2]))
    assert not t.requires_grad
    assert t.dtype == bp.Tensor([1, 2]).dtype


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_was_computed_is_not_copied_without_its_history(duplicate):
    y = leaf([1.0, 2.0]) * 2.0
    y.name = "hidden"
    with pytest.raises(TypeError, match=r"'hidden' of shape \(2,\) was computed; detach"):
        duplicate(y)
    assert np.array_equal(
        duplicate(y.detach()).data if duplicate is not pickle.dumps else [2, 4], [2, 4]
    )


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_a_trained_model_goes_round(duplicate):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.integers(2, size=20)
    model = bp.nn.MLP([3, 8, 2], activation="tanh", seed=0)

    def train(model, steps):
        optimizer = bp.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(steps):
            model.zero_grad()
            bp.functional.cross_entropy(model(X), y).backward()
            optimizer.step()

    train(model, 5)
    twin = duplicate(model)
    assert np.array_equal(twin(X).data, model(X).data)
    trained = model(X).numpy()
    train(twin, 5)
    assert np.array_equal(model(X).data, trained), "the copy and the model share something"
    train(model, 5)
    assert np.array_equal(twin(X).data, model(X).data), "the copy trains differently"


# Other kinds of arrays


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_matrices_are_refused_or_mean_what_arrays_mean():
    """A matrix's * is a matrix product: taken for an array, its gradient would be wrong."""
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    matrix, x = np.matrix(values), leaf([[1.0, 2.0], [5.0, 6.0]])
    for f in (
        lambda: x * matrix,
        lambda: matrix * x,
        lambda: matrix @ x,
        lambda: np.add(matrix, x),
    ):
        with pytest.raises(TypeError, match=r"matrix.*np\.asarray"):
            f()
    t = leaf(matrix)
    assert np.array_equal((t * t).data, values * values)
    assert type(t.numpy()) is np.ndarray


def test_masked_arrays_are_refused_as_operands():
    masked, x = np.ma.array([1.0, 2.0], mask=[False, True]), leaf([3.0, 4.0])
    for f in (
        lambda: x * masked,
        lambda: np.multiply(masked, x),
        lambda: np.where(True, x, masked),
    ):
        with pytest.raises(TypeError, match="MaskedArray"):
            f()
    with pytest.raises(TypeError):
        masked * x


class Weight(bp.Tensor):
    """A Tensor that somebody made more of."""

    __slots__ = ("note",)


def test_a_subclass_takes_part():
    w, x = Weight([1.0, 2.0], requires_grad=True, name="w"), leaf([3.0, 4.0])
    w.note = "mine"
    for y in (w * x, x * w, np.multiply(x, w), np.ones(2) * w * x):
        assert isinstance(y, bp.Tensor)
        w.zero_grad()
        y.sum().backward()
        assert np.array_equal(w.grad, [3.0, 4.0])


def test_a_tensor_has_no_other_attributes():
    with pytest.raises(AttributeError):
        leaf(1.0).gard = 2.0
    with pytest.raises(AttributeError, match="nothing_like_that"):
        leaf(1.0).nothing_like_that()


# Words


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: bp.Tensor(2.0), "Tensor(2.)"),
        (lambda: bp.Tensor([1, 2]), "Tensor([1, 2], dtype=int64)"),
        (lambda: bp.Tensor([True]), "Tensor([ True], dtype=bool)"),
        (lambda: leaf([1.0, 2.5]), "Tensor([1. , 2.5], requires_grad=True)"),
        (lambda: leaf(2.0, name="x"), "Tensor(2., name='x', requires_grad=True)"),
        (lambda: leaf(2.0, dtype=np.float32), "Tensor(2., dtype=float32, requires_grad=True)"),
        (lambda: leaf(2.0) * 3, "Tensor(6., function=multiply)"),
        (lambda: leaf([]), "Tensor([], requires_grad=True)"),
        (
            lambda: leaf([[1.0, 2.0], [3.0, 4.0]]),
            "Tensor([[1., 2.],\n        [3., 4.]], requires_grad=True)",
        ),
        ((leaf([2.0]) * 3).detach, "Tensor([6.])"),
    ],
)
def test_every_kind_of_tensor_reads_well(make, text):
    tensor = make()
    assert repr(tensor) == str(tensor) == f"{tensor}" == text


def test_a_large_tensor_is_shown_in_short():
    assert len(repr(leaf(np.zeros((200, 200))))) < 600


def test_a_number_is_formatted_as_one():
    assert f"{leaf(2.0) / 3:.3f}" == "0.667"
    assert f"{bp.Tensor(1234.5):,.1f}" == "1,234.5"


def test_an_augmented_assignment_of_a_leaf_would_change_nothing():
    w = leaf([1.0, 2.0])
    for change in ("w += 1.0", "w -= 1.0", "w *= 2.0", "w /= 2.0", "w **= 2.0", "w @= 2.0"):
        with pytest.raises(TypeError, match=r"t.data -= step updates it"):
            exec(change)
        with bp.no_grad(), pytest.raises(TypeError, match="is a leaf"):
            exec(change)
    z = w * 2.0
    z += 1.0
    assert bp.gradients(z.sum(), [w])[0].tolist() == [2.0, 2.0]
    constant = bp.Tensor(1.0)
    constant += 1.0
    assert constant.item() == 2.0


def test_an_argument_of_a_function_can_be_assigned_to():
    def f(x):
        x -= 1.0
        return x * x

    assert bp.grad(f)(3.0) == 4.0


def test_a_transformation_does_not_let_the_math_module_forget():
    with pytest.raises(TypeError, match=r"np.sin\(t\) in place of math.sin"):
        bp.grad(math.sin)(1.0)


@pytest.mark.parametrize("transform", [bp.grad, bp.value_and_grad, bp.jacobian, bp.hessian, bp.vjp])
def test_a_tensor_is_not_a_function(transform):
    point = [1.0] if transform is bp.vjp else []
    with pytest.raises(TypeError, match="functions are differentiated here, not a Tensor"):
        transform(leaf(1.0), *point)


def test_a_format_for_one_number_is_not_for_many():
    assert f"{leaf(1.0):.2f}" == "1.00"
    with pytest.raises(TypeError, match=r"of shape \(2,\) has no format '.2f'"):
        format(leaf([1.0, 2.0]), ".2f")


@pytest.mark.parametrize("f", [np.median, np.ptp, np.nanmean, np.cumprod, np.trace, np.var])
def test_no_out_can_be_said_by_name(f):
    t = leaf([[1.0, 2.0], [3.0, 5.0]])
    assert np.array_equal(f(t, out=None).data, f(t.data))
    with pytest.raises(TypeError, match="cannot write into out="):
        f(t, out=np.zeros(4))
