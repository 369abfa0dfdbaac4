"""An element of a plain array cannot hold a Tensor's history: every way to write one is refused."""

import array
import operator
import re
import warnings

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor


def in_a_record(z, t):
    record = np.zeros(2, [("a", float)])
    record[0] = (t,)


def by_an_attribute(z, t):
    class Holder:
        grid = z

    Holder.grid.fill(t)


WAYS = {
    "an element": lambda z, t: operator.setitem(z, 0, t),
    "its method": lambda z, t: z.__setitem__(0, t),
    "all": lambda z, t: z.fill(t),
    "all of an attribute": by_an_attribute,
    "a selection": lambda z, t: z.__setitem__(z == 0, t),
    "everything": lambda z, t: z.__setitem__(..., t),
    "a list": lambda z, t: z.__setitem__(..., [t, t, t]),
    "places": lambda z, t: z.put([0], t),
    "np.put": lambda z, t: np.put(z, [0], t),
    "np.place": lambda z, t: np.place(z, z == 0, t),
    "np.place of a list": lambda z, t: np.place(z, z == 0, [t]),
    "np.putmask": lambda z, t: np.putmask(z, z == 0, t),
    "np.copyto": np.copyto,
    "np.add.at": lambda z, t: np.add.at(z, [0], t),
    "np.fill_diagonal": lambda z, t: np.fill_diagonal(np.zeros((2, 2)), t),
    "out": lambda z, t: np.add(t, 1, out=z),
    "np.fromiter": lambda z, t: np.fromiter([t], float),
    "np.fromiter of integers": lambda z, t: np.fromiter([t], int),
    "a record": in_a_record,
    "np.array": lambda z, t: np.array([t, t]),
    "np.full": lambda z, t: np.full(3, t),
    "module array": lambda z, t: array.array("d", [t]),
    "module array, one more": lambda z, t: array.array("d").append(t),
    "another's number": lambda z, t: np.zeros(3, int).fill(t),
}
CURES = r"np\.stack|np\.where|np\.bincount|a = a \+ t"


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_array_takes_a_tensor_that_requires_grad(way):
    z, t = np.zeros(3), Tensor(2.0, requires_grad=True)
    for refused in (lambda: way(z, t), lambda: bp.grad(lambda t: way(z, t) or t)(2.0)):
        with pytest.raises((TypeError, ValueError)) as error:
            refused()
        why = error.value.__cause__ or error.value.__context__ or error.value
        assert re.search(CURES, str(why))
        assert not z.any()


def test_a_flat_array_hides_the_error_and_shows_the_warning():
    z, t = np.zeros(3), Tensor(2.0, requires_grad=True)
    with pytest.warns(RuntimeWarning, match=r"np\.stack"), pytest.raises(ValueError, match="item"):
        z.flat[0] = t


@pytest.mark.parametrize("way", ["z[0] = t", "z.fill(t)", "z.flat[0] = t", "z[:] = t"])
def test_what_does_not_require_grad_is_a_number_like_any_other(way):
    z = np.zeros(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(way, {"z": z, "t": Tensor(2.0)})
    assert z[0] == 2
