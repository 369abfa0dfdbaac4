"""The columns: what they print, and that a difference cannot hide."""

import numpy as np
import pytest
from adjoints import adjoints
from side_by_side import difference, side_by_side

import tinygrad_bp as bp

from .comparison import disagreements


def test_difference_is_relative_to_the_largest_element():
    assert difference([1.0, 200.0], [1.0, 200.0]) == 0
    assert difference([1.0, 200.0], [2.0, 200.0]) == pytest.approx(0.005)
    assert difference(np.zeros(3), np.zeros(3)) == 0
    assert difference(0.0, 1e-300) == 1


def test_a_wrong_shape_does_not_broadcast_into_agreement():
    assert difference(np.ones(3), np.ones((3, 1))) == np.inf
    assert difference(1.0, np.ones(1)) == np.inf


def test_what_is_no_number_disagrees():
    assert disagreements([("f", np.nan, np.nan)])
    assert disagreements([("f", [1.0, np.nan], [1.0, 1.0])])


def test_what_is_printed(capsys):
    side_by_side([("a = 1", 1.0, 1.0), ("B", np.eye(2), 2 * np.eye(2))])
    assert capsys.readouterr().out.splitlines() == [
        "  formula  by hand            engine             difference",
        "  a = 1    1.0000             1.0000             0",
        "  B        [ 1.0000  0.0000]  [ 2.0000  0.0000]  5e-01",
        "           [ 0.0000  1.0000]  [ 0.0000  2.0000]",
    ]


def test_adjoints_are_read_off_by_name():
    x = bp.Tensor(3.0, requires_grad=True, name="x")
    y = x * x
    y.name = "y"
    z = 2 * y
    z.name = "z"
    assert adjoints(z) == {"x": 12.0, "y": 2.0, "z": 1.0}
