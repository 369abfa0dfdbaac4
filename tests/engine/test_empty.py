"""Arrays without elements: a call that NumPy takes has gradients, of the shapes of its inputs."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor

from .catalogue import ALL_SAMPLES
from .catalogue.checks import flat

CUTS = {
    "first": lambda x: x[:0] if x.ndim else x,
    "last": lambda x: x[..., :0] if x.ndim else x,
    "all": lambda x: np.zeros(x.ndim * (0,)) if x.ndim else x,
}
# NumPy's own einsum reads elements that are not there where an axis of 0 stands for one of 3.
NOT_TRIED = {"einsum", "on_diagonal"}  # of the last, the shape is given
CALLS = [s for s in ALL_SAMPLES if getattr(s.function, "__name__", "") not in NOT_TRIED]


def takes(call, *inputs):
    try:
        return flat(call(*inputs))
    except (ValueError, TypeError, IndexError, ArithmeticError, RuntimeError):
        return None


@pytest.mark.parametrize("sample", CALLS, ids=str)
def test_gradients_of_nothing_have_its_shape(sample):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for cut in CUTS.values():
            arrays = [cut(x) for x in sample.arrays]
            leaves = [Tensor(x, requires_grad=True) for x in arrays]
            theirs, ours = takes(sample.call, *arrays), takes(sample.call, *leaves)
            recorded = [y for y in ours or () if isinstance(y, Tensor) and y.requires_grad]
            if theirs is None or not recorded:
                continue
            first = bp.gradients(sum(map(np.sum, recorded)), leaves, create_graph=True)
            assert [g.shape for g in first] == [x.shape for x in arrays]
            again = sum(np.sum(g * g) for g in first)
            if again.requires_grad:
                assert [g.shape for g in bp.gradients(again, leaves)] == [x.shape for x in arrays]


@pytest.mark.parametrize("offset", [-7, -3, -2, 2, 3, 7])
def test_a_diagonal_beyond_the_matrix(offset):
    x = np.arange(6.0).reshape(2, 3)
    for f in (np.diagonal, np.trace):
        found = bp.grad(lambda x: np.sum(f(x, offset=offset)))(x)  # noqa: B023
        assert found.tolist() == np.eye(2, 3, offset).tolist()
