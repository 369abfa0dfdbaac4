"""Lines of a PNG: raised letters are ordinary ones, and no letter leaves a gap after it."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

import tinygrad_bp as bp
from tinygrad_bp.drawing.fonts import width
from tinygrad_bp.drawing.letters import in_cells
from tinygrad_bp.drawing.render import render, size_of

from .test_presenting import lettered

LINE = '<TD ALIGN="{}"><FONT COLOR="#1F2933" POINT-SIZE="10">{}</FONT></TD>'


def runs_of(line, align="LEFT"):
    """Where the engine puts the pieces of a line, at 10 points: start, height, end and text."""
    label = f"<TABLE><TR>{in_cells(LINE.format(align, line))}<TD>end</TD></TR></TABLE>"
    svg = render(f"graph {{ node [shape=plain fontname=Helvetica] x [label=<{label}>] }}", "svg")
    for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text"):
        size, start = float(text.get("font-size")), float(text.get("x"))
        yield start, float(text.get("y")), start + size * width(text.text) / 1000, text.text


@pytest.mark.parametrize("line", ["z⸢¹⸣ = W⸢¹⸣ᵀ a₀", "∂f/∂d̂ × d̂ (1 − d̂)", "∂²x − 1 &lt; ∂"])
@pytest.mark.parametrize("align", ["LEFT", "RIGHT"])
def test_pieces_follow_each_other_without_a_gap(line, align):
    *pieces, _ = runs_of(line, align)
    assert len(pieces) > 4
    for (*_, end, _), (start, *_) in pairwise(pieces):
        assert abs(start - end) < 1.6


def test_raised_letters_stand_higher_and_are_ordinary():
    z, one, equals, *_ = runs_of("z⸢¹⸣ = W⸢¹⸣ᵀ")
    assert (z[3], one[3], equals[3].strip()) == ("z", "[1]", "= W")
    assert one[1] < z[1] == equals[1]
    (x, low, *_) = runs_of("x₀ = ∂")
    assert low[3] == "0"
    assert abs(low[1] - x[1]) < 2


def test_a_line_of_ascii_stays_as_it_is():
    assert in_cells(LINE.format("LEFT", "x = 1 &lt; δ")) == LINE.format("LEFT", "x = 1 &lt; δ")


def test_a_picture_keeps_its_size():
    source = bp.draw(lettered(), backward=True, notation="delta").source
    assert in_cells(source) != source
    assert not re.search("[⁽²₃⸢ₙ]", "".join(re.findall(r"<FONT[^<]*<?[^<]*", in_cells(source))))
    before, after = (size_of(render(text, "svg").decode()) for text in (source, in_cells(source)))
    assert after == pytest.approx(before, rel=0.01)
