"""The array that ``Tensor.data`` shows: what it refuses, and that what comes of it is plain."""

import numpy as np
import pytest

from tinygrad_bp import Tensor


def test_one_number_is_read_only_too():
    t = Tensor(2.0)
    with pytest.raises(ValueError, match="read-only"):
        t.data[...] = 5.0
    assert not t.data.flags.writeable


def test_a_copy_can_be_written():
    copy = Tensor([1.0, 2.0]).data.copy()
    copy[0] = 5.0
    assert copy.tolist() == [5.0, 2.0]


def test_what_is_computed_from_it_is_numpys_own():
    data = Tensor([1.0, 2.0]).data
    assert type(np.exp(data)) is np.ndarray
    assert type(np.add.reduce(data)) is np.float64
    assert type(np.linalg.inv(Tensor(np.eye(2)).data)) is np.ndarray
    for function in (np.kron, np.cross, np.dot, np.outer):
        assert type(function(Tensor(np.ones(3)).data, np.ones(3))) in {np.ndarray, np.float64}
    for function in (np.fix, np.round, np.diff, np.ediff1d, np.sinc):
        assert type(function(data)) is np.ndarray
