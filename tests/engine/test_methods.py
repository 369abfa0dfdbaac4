"""ndarray's methods: a Tensor has them, with the same arguments, values and derivatives."""

import numpy as np
import pytest

from tinygrad_bp import Tensor, gradients

A = np.array([[0.3, -1.2, 2.1], [1.4, 0.6, -0.9]])

FOLLOWED = {
    "T": lambda x: x.T,
    "astype": lambda x: x.astype(np.float64),
    "clip": lambda x: x.clip(-1.0, 2.0),
    "clip, max alone": lambda x: x.clip(max=1),
    "compress": lambda x: x.compress([True, False, True], axis=1),
    "compress, flat": lambda x: x.compress([True, False, True]),
    "conj": lambda x: x.conj(),
    "copy": lambda x: x.copy(),
    "cumprod": lambda x: x.cumprod(axis=1),
    "cumsum": lambda x: x.cumsum(0),
    "diagonal": lambda x: x.diagonal(1),
    "dot": lambda x: x.dot(np.array([1.0, 2.0, -1.0])),
    "flatten": lambda x: x.flatten(),
    "flatten by columns": lambda x: x.flatten("F"),
    "mT": lambda x: x.mT,
    "max": lambda x: x.max(axis=0),
    "mean": lambda x: x.mean(axis=1, keepdims=True),
    "min": lambda x: x.min(),
    "prod": lambda x: x.prod(axis=(0, 1)),
    "ravel": lambda x: x.ravel(),
    "ravel by columns": lambda x: x.ravel(order="F"),
    "repeat": lambda x: x.repeat([2, 0, 1], axis=1),
    "reshape": lambda x: x.reshape(3, -1),
    "reshape by columns": lambda x: x.reshape((3, 2), order="F"),
    "reshape to one length": lambda x: x.reshape(-1),
    "round": lambda x: x.round(1),
    "squeeze": lambda x: x[:1].squeeze(0),
    "std": lambda x: x.std(axis=0, ddof=1),
    "sum": lambda x: x.sum(1),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "take": lambda x: x.take([2, 0, 2], axis=1),
    "trace": lambda x: x.trace(),
    "transpose": lambda x: x.transpose(),
    "transpose by numbers": lambda x: x.transpose(1, 0),
    "transpose by a tuple": lambda x: x.transpose((1, 0)),
    "var": lambda x: x.var(),
}

PLAIN = {
    "all": lambda x: x.all(axis=1),
    "any": lambda x: x.any(),
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(axis=0),
    "argpartition": lambda x: x.argpartition(1, axis=1),
    "argsort": lambda x: x.argsort(axis=0),
    "nonzero": lambda x: x.nonzero(),
    "searchsorted": lambda x: x[0, ::2].searchsorted([0.5, 3.0], side="right"),
    "tolist": lambda x: x.tolist(),
}


@pytest.mark.parametrize("call", FOLLOWED.values(), ids=FOLLOWED.keys())
def test_a_method_that_is_followed(call):
    x = Tensor(A, requires_grad=True)
    y, expected = call(x), call(A)
    assert isinstance(y, Tensor)
    assert y.shape == expected.shape
    assert np.allclose(y.data, expected, 1e-15, 1e-15)
    g = np.cos(np.arange(float(y.size))).reshape(y.shape)
    (found,) = gradients(y, [x], g)
    for place in np.ndindex(A.shape):
        step = np.zeros_like(A)
        step[place] = 1e-6
        slope = np.vdot(g, call(A + step) - call(A - step)) / 2e-6
        assert found[place] == pytest.approx(slope, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("call", PLAIN.values(), ids=PLAIN.keys())
def test_a_method_that_gives_plain_values(call):
    found, expected = call(Tensor(A, requires_grad=True)), call(A)
    assert not isinstance(found, Tensor)
    assert type(found) is type(expected)
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("name", ["fill", "partition", "put", "resize", "sort"])
def test_a_method_that_would_write_is_refused(name):
    x = Tensor(A, requires_grad=True)
    with pytest.raises(TypeError, match=rf"t\.{name}\(\) would write in place.*use np\."):
        getattr(x, name)(0)
    assert np.array_equal(x.data, A)


@pytest.mark.parametrize("dtype", [int, np.uint8, bool, "int32"])
def test_whole_numbers_of_a_recorded_tensor_are_a_plain_array(dtype):
    t = Tensor([0.2, 1.7, 2.0], requires_grad=True)
    places = t.astype(dtype)
    assert type(places) is np.ndarray
    assert places.dtype == np.dtype(dtype)
    assert np.array_equal(places, t.data.astype(dtype))
    assert t[t.astype(int)].requires_grad
    assert t.astype(np.float32).requires_grad


def test_pythons_round_is_numpys():
    t = Tensor([1.26, -2.74], requires_grad=True)
    assert round(t, 1).data.tolist() == [1.3, -2.7]
    assert round(t).data.tolist() == [1.0, -3.0]
