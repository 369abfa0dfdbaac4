"""A long chain goes on below, where it began."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.drawing.render import size_of

from .test_draw import leaf, named


@pytest.mark.parametrize("backward", [False, True])
def test_a_long_chain_is_broken_into_lines(backward):
    x = h = leaf(0.3, "x")
    for n in range(60):
        h = named(np.sin(h) if n % 3 else h * x, f"h{n}")
    drawing = bp.draw(h, backward=backward)
    width, height = size_of(drawing.svg)
    assert width < 4 * height
    assert width < size_of(bp.draw(h, backward=backward, direction="LR").svg)[0] / 5
    places = {}
    for found in re.finditer(
        r'<g id="(n\d+l?\d*)" class="node (\w+).*?</g>', drawing.svg, re.DOTALL
    ):
        path = re.search(r' d="M([-\d.]+),([-\d.]+)', found[0])
        places[found[1]] = (float(path[1]), float(path[2]), found[2])
    order = [places[node] for node in sorted(places, key=lambda k: -int(k[1:].split("l")[0]))
             if places[node][2] in ("mid", "out")]  # fmt: skip
    assert len(order) == 60
    starts = [order[0], *(b for a, b in pairwise(order) if b[0] < a[0])]
    assert len(starts) == 8
    assert [y for _, y, _ in starts] == sorted(y for _, y, _ in starts)
    carried = [k for k, place in places.items() if place[2] == "alias" and "l" in k]
    assert len(carried) == 7


def test_a_chain_that_fits_in_a_line_or_is_told_where_to_go_is_not_broken():
    x = h = leaf(0.3, "x")
    for _ in range(20):
        h = np.sin(h)
    assert "rank=same" not in bp.draw(h, ops="merged").source
    for _ in range(20):
        h = np.sin(h)
    assert "rank=same" in bp.draw(h).source
    assert "rank=same" not in bp.draw(h, direction="LR").source
    assert x.grad is None
