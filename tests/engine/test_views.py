"""An augmented assignment to what NumPy would give as a view is refused, never silently lost."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor
from tinygrad_bp.engine.views import is_view

from .catalogue import ALL_SAMPLES

VIEWS = {
    "slice": lambda y: y[:1],
    "row": lambda y: y[0],
    "new axis": lambda y: y[np.newaxis],
    "reshape": lambda y: y.reshape(4),
    "ravel": lambda y: y.ravel(),
    "np.ravel": np.ravel,
    "T": lambda y: y.T,
    "mT": lambda y: y.mT,
    "transpose": lambda y: y.transpose(1, 0),
    "swapaxes": lambda y: y.swapaxes(0, 1),
    "moveaxis": lambda y: np.moveaxis(y, 0, 1),
    "rollaxis": lambda y: np.rollaxis(y, 1),
    "expand_dims": lambda y: np.expand_dims(y, 0),
    "squeeze": lambda y: y[np.newaxis].squeeze(),
    "diagonal": np.diagonal,
    "split": lambda y: np.split(y, 2)[0],
    "hsplit": lambda y: np.hsplit(y, 2)[1],
    "atleast_3d": np.atleast_3d,
    "broadcast_to": lambda y: np.broadcast_to(y, (3, 2, 2)),
    "flip": np.flip,
    "fliplr": np.fliplr,
    "flipud": np.flipud,
    "rot90": np.rot90,
}
COPIES = {
    "arithmetic": lambda y: y * 2,
    "flatten": lambda y: y.flatten(),
    "copy": lambda y: y.copy(),
    "places": lambda y: y[[0, 1]],
    "sum": np.sum,
    "roll": lambda y: np.roll(y, 1),
    "positive": lambda y: +y,
    "repeat once": lambda y: np.repeat(y, 1),
    "repeat one": lambda y: y[:1, :1].repeat(3),
    "tile once": lambda y: np.tile(y, 1),
    "tile one": lambda y: np.tile(y[:1, :1], (2, 3)),
    "softmax": bp.functional.softmax,
    "logsumexp": lambda y: bp.functional.logsumexp(y, axis=-1),
}


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_refuse_augmented_assignment(view, recorded):
    y = Tensor(np.arange(4.0).reshape(2, 2), requires_grad=recorded) * 1
    v = view(y)
    with pytest.raises(TypeError, match=r"is a view.*makes another Tensor"):
        v *= 10


def test_views_refuse_it_inside_transformations_too():
    def f(x):
        y = x * 1
        v = y[:2]
        v *= 10
        return y.sum()

    with pytest.raises(TypeError, match="is a view"):
        bp.grad(f)(np.ones(3))


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_everything_else_allows_it(copy):
    c = copy(Tensor(np.arange(4.0).reshape(2, 2), requires_grad=True) * 1)
    before = c.numpy()
    c *= 10
    assert np.array_equal(c.data, before * 10)


def test_an_element_of_an_array_of_numpys_cannot_hold_a_tensor():
    z, t = np.zeros(3), Tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ValueError, match="array element") as error:
        z[0] = t[0]
    assert "np.stack" in str(error.value.__cause__)


def test_arrays_of_another_library_are_not_asked_for_their_memory():
    da = pytest.importorskip("dask.array")
    y = Tensor(da.ones((2, 3)), requires_grad=True) * 1
    for call in (lambda y: np.take(y, 1, axis=0), np.copy, np.cov, np.real, np.ravel):
        v = call(y)
        assert isinstance(v._array, da.Array)
        assert not is_view(v)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("sample", ALL_SAMPLES, ids=str)
def test_what_is_a_view_is_numpy_s_answer(sample, recorded):
    """But for numbers without axes, which are never written to."""
    for order in "CF":
        arrays = [np.array(array, order=order) for array in sample.arrays]
        theirs = sample.call(*arrays)
        ours = sample.call(*(Tensor(array, requires_grad=recorded) * 1 for array in arrays))
        if not isinstance(theirs, list | tuple):
            theirs, ours = [theirs], [ours]
        for array, tensor in zip(theirs, ours, strict=True):
            if np.ndim(array) and all(x.ndim for x in arrays) and isinstance(tensor, Tensor):
                assert is_view(tensor) == any(np.shares_memory(array, x) for x in arrays)
