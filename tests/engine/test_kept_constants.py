"""What was recorded stays as it was: plain arrays, labels, masks and buffers too."""

import array
from fractions import Fraction

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor, gradients


def leaf(values):
    return Tensor(values, requires_grad=True)


def test_a_buffer_that_is_used_again():
    def f(w):
        h, loss = np.zeros(3), 0.0
        for _ in range(3):
            h += 1.0
            loss = loss + np.sum(w * h)
        return loss

    assert bp.grad(f)(np.ones(3)).tolist() == [6, 6, 6]


USES = {
    "product": (lambda x, c: x * c, np.array([2.0, 3.0])),
    "reflected": (lambda x, c: c / x, np.array([2.0, 3.0])),
    "matrix": (lambda x, c: x @ c, np.array([[2.0, 3.0], [4.0, 5.0]])),
    "power": (lambda x, c: x**c, np.array([2.0, 3.0])),
    "mask": (lambda x, c: np.where(c, x, 0), np.array([True, False])),
    "index": (lambda x, c: x[c], np.array([1, 1])),
    "places": (np.take, np.array([1, 1])),
    "labels": (bp.functional.cross_entropy, np.array(1)),
    "targets": (bp.functional.mse_loss, np.array([2.0, 3.0])),
    "joined": (lambda x, c: np.concatenate([x, c]) ** 2, np.array([2.0, 3.0])),
    "einsum": (lambda x, c: np.einsum("i,i->i", x, c), np.array([2.0, 3.0])),
}


@pytest.mark.parametrize(("use", "constant"), USES.values(), ids=USES)
@pytest.mark.parametrize("through", ["itself", "its base", "its view"])
def test_a_later_write_changes_no_gradient(use, constant, through):
    def gradient(written):
        buffer = constant.copy()
        shown = buffer[...]
        x = leaf([1.5, 0.5])
        result = np.sum(use(x, buffer if through == "its view" else shown))
        if written:
            target = shown if through in ("itself", "its view") else buffer
            target[...] = 0
        return gradients(result, [x])[0]

    assert np.array_equal(gradient(written=True), gradient(written=False))


def test_a_view_that_is_read_only_is_copied_if_its_base_can_be_written():
    base = np.ones(2)
    view = base[:]
    view.setflags(write=False)
    x = leaf([1.0, 2.0])
    y = (x * view).sum()
    base[:] = 5
    assert gradients(y, [x])[0].tolist() == [1, 1]


def test_what_nobody_can_write_to_is_not_copied():
    frozen = np.ones(2)
    frozen.setflags(write=False)
    tensor = Tensor(np.ones(2))
    x = leaf([1.0, 2.0])
    assert (x * frozen).values[1] is frozen
    assert (x * tensor).values[1] is tensor._array
    assert np.shares_memory((x * tensor.data).values[1], tensor._array)


def test_nothing_is_copied_where_nothing_is_recorded():
    constant, x = np.ones(2), leaf([1.0, 2.0])
    with bp.no_grad():
        assert (x * constant).values == ()
    assert (Tensor([1.0, 2.0]) * constant).values == ()


def test_ufunc_at_cannot_write_into_a_tensor():
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        np.add.at(x.data, 0, 5.0)
    assert x.numpy().tolist() == [1, 2]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.float16, np.float32])
def test_a_constant_is_computed_with_in_the_type_of_the_result(dtype):
    exponent = np.array([3], dtype)
    by_base = bp.grad(lambda x: np.sum(x**exponent))(np.array([1.01]))
    assert by_base == pytest.approx(3 * 1.01**2, rel=1e-14)
    by_exponent = bp.grad(lambda x: np.sum(exponent**x))(np.array([2.0]))
    assert by_exponent == pytest.approx(9 * np.log(3), rel=1e-14)


def test_the_smallest_exponent_of_a_narrow_type_does_not_wrap():
    for exponent in (np.array([-128], np.int8), np.int8(-128), Tensor(np.array([-128], np.int8))):
        found = bp.grad(lambda x, n=exponent: np.sum(x**n))(np.array([1.01]))
        assert found == pytest.approx(-128 * 1.01**-129, rel=1e-13)


def test_lists_and_wider_constants_are_what_they_are():
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    for constant in ([0.5, 2.5], (0.5, 2.5), np.array([0.5, 2.5])):
        x.zero_grad()
        (x * constant).sum().backward()
        assert x.grad.dtype == np.float32
        assert x.grad.tolist() == [0.5, 2.5]
    assert x[[]].shape == (0,)


@pytest.mark.parametrize("kind", ["matrix", "masked_array", "csr_array"])
def test_what_has_another_arithmetic_is_refused_everywhere(kind):
    sparse = pytest.importorskip("scipy.sparse")
    makers = {
        "matrix": lambda x: x.view(np.matrix),
        "masked_array": np.ma.array,
        "csr_array": sparse.csr_array,
    }
    other, x = makers[kind](np.eye(2)), leaf(np.ones((2, 2)))
    for use in (lambda: x * other, lambda: np.add(x, other), lambda: np.where(True, x, other)):
        with pytest.raises(TypeError, match="has another arithmetic than a Tensor"):
            use()
    if kind != "matrix":
        with pytest.raises(TypeError, match="has another arithmetic than a Tensor"):
            Tensor(other)


SHOWN = {
    "itself": lambda b: b,
    "backwards": lambda b: b[::-1],
    "view": lambda b: b.view(),
    "memoryview": memoryview,
    "strided": np.lib.stride_tricks.as_strided,
    "array.array": lambda b: b,
}


@pytest.mark.parametrize("shown", SHOWN)
def test_memory_that_is_shown_in_any_way_is_copied(shown):
    buffer = array.array("d", [1, 2, 3]) if shown == "array.array" else np.array([1.0, 2, 3])
    x, other = leaf(np.ones(3)), SHOWN[shown](buffer)
    expected = np.array(other)
    y = np.sum(np.multiply(x, other))
    for i in range(3):
        buffer[i] = 9
    y.backward()
    assert x.grad.tolist() == expected.tolist()


def test_other_numbers_and_sequences_are_taken_as_numpy_takes_them():
    x = leaf(np.ones(3))
    assert gradients(np.sum(x * Fraction(1, 4)), [x])[0].tolist() == [0.25] * 3
    assert gradients(np.sum(np.multiply(x, range(3))), [x])[0].tolist() == [0, 1, 2]
    with pytest.raises(TypeError, match=r"a builtins\.dict does not convert to an array"):
        np.multiply(x, {})
