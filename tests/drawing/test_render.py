"""Which engine draws, what is said where none can, and how files are written."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.drawing import render
from tinygrad_bp.support import files

SMALL = 'digraph { a [label=<<B>x</B>> fontname="Helvetica"] }'
GOOD = """
import sys
sys.stdin.read()
if "-Tpdf" in sys.argv: sys.stdout.write("%PDF by {name}")
elif "-Tpng" in sys.argv: sys.stdout.write("PNG by {name} " + " ".join(sys.argv))
else: sys.stdout.write('<svg width="{width}pt" height="{height}pt"><text>ok</text>{name}</svg>')
"""
NO_TABLES = "import sys; sys.stdin.read(); print('<svg/>')"
BROKEN = "import sys; sys.stdin.read(); sys.stderr.write('no layout\\nsecond line'); sys.exit(1)"

KILLED = "import os, sys; sys.stdin.read(); os.kill(os.getpid(), 9)"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put programs where they are looked for; nothing else is there."""
    monkeypatch.delenv(render.VARIABLE, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(render, "_packaged_engine", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    render._draws.cache_clear()

    def add(name, program, width=100, height=50):
        path = tmp_path / name
        for word, value in {"name": name, "width": width, "height": height}.items():
            program = program.replace(f"{{{word}}}", str(value))
        path.write_text(f"#!{sys.executable}\n{program}")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    yield add
    render._draws.cache_clear()


def test_without_any_engine_the_error_names_what_to_install(install):
    with pytest.raises(RuntimeError) as raised:
        render.render(SMALL, "svg")
    said = str(raised.value)
    assert "\n" not in said
    for word in ('pip install "tinygrad_bp[draw]"', "apt install", "brew install", "conda install"):
        assert word in said


def test_the_variable_comes_first(install, monkeypatch):
    install("dot", GOOD)
    monkeypatch.setenv(render.VARIABLE, install("mine", GOOD))
    assert b"mine" in render.render(SMALL, "svg")


def test_a_variable_that_names_nothing_is_an_error(install, monkeypatch):
    install("dot", GOOD)
    monkeypatch.setenv(render.VARIABLE, "/no/such/dot")
    with pytest.raises(RuntimeError, match="TINYGRAD_BP_DOT names '/no/such/dot'"):
        render.render(SMALL, "svg")


def test_the_systems_dot_comes_before_the_embedded_engine(install, monkeypatch):
    install("dot", GOOD)
    embedded = install("embedded", GOOD)
    monkeypatch.setattr(render, "_packaged_engine", lambda: embedded)
    assert b"</text>dot<" in render.render(SMALL, "svg")


@pytest.mark.parametrize("program", [NO_TABLES, BROKEN, KILLED])
def test_a_dot_that_fails_the_probe_is_passed_over(install, monkeypatch, program):
    install("dot", program)
    embedded = install("embedded", GOOD)
    monkeypatch.setattr(render, "_packaged_engine", lambda: embedded)
    assert b"embedded" in render.render(SMALL, "svg")


def test_pygraphviz_comes_last(install, monkeypatch):
    class Graph:
        def __init__(self, string):
            self.string, self.graph_attr = string, {}

        def draw(self, format, prog):
            return f"{format} {prog} {self.string}".encode()

    module = type(sys)("pygraphviz")
    module.AGraph = Graph
    monkeypatch.setitem(sys.modules, "pygraphviz", module)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name == "pygraphviz")
    assert render.render(SMALL, "svg") == f"svg dot {SMALL}".encode()
    install("dot", GOOD)
    render._draws.cache_clear()
    assert b"</text>dot<" in render.render(SMALL, "svg")


def test_pdf_needs_an_engine_that_writes_it(install, monkeypatch):
    embedded = install("embedded", GOOD)
    monkeypatch.setattr(render, "_packaged_engine", lambda: embedded)
    with pytest.raises(RuntimeError, match=r"^PDF needs Graphviz itself .*apt install graphviz"):
        render.render(SMALL, "pdf")
    with pytest.raises(RuntimeError, match=r"^PDF needs Graphviz itself"):
        bp.draw(lambda: pytest.fail("drawn before it was said"), "z.pdf")
    install("dot", GOOD)
    assert render.render(SMALL, "pdf") == b"%PDF by dot"


def test_an_engine_that_fails_is_quoted(install, monkeypatch):
    monkeypatch.setenv(render.VARIABLE, install("mine", BROKEN))
    with pytest.raises(RuntimeError, match=r"could not draw SVG: no layout$"):
        render.render(SMALL, "svg")


def test_a_png_has_at_most_forty_million_pixels(install):
    install("dot", GOOD)
    assert b"-Gdpi=144" in render.render(SMALL, "png")
    install("dot", GOOD, width=72_000, height=7_200)
    words = render.render(SMALL, "png").decode().split()
    dpi = float(next(w for w in words if w.startswith("-Gdpi=")).removeprefix("-Gdpi="))
    assert 38e6 < 1000 * 100 * dpi**2 <= 40e6


def test_the_engine_of_the_extra_is_found_where_pip_put_it():
    try:
        importlib.metadata.version("graphviz-pure")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("graphviz-pure is not installed")
    program = render._packaged_engine()
    assert program is not None
    svg = render._run(program, SMALL, "svg", 72).decode()
    assert ">x</text>" in svg
    assert render._run(program, SMALL, "png", 72).startswith(b"\x89PNG")


def test_an_extra_that_is_not_installed_is_no_error(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", missing)
    assert render._packaged_engine() is None


def test_fonts_are_widened_and_the_picture_announced():
    svg = (
        '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<!-- by hand -->\n<svg width="8pt" height="6pt">\n'
        '<g id="graph0" class="graph">\n<title>G</title>\n'
        '<text font-family="Helvetica,sans-Serif">x</text>\n</g>\n</svg>\n'
    )
    made = render.accessible(svg, "Graph of <z>", "1 & 2")
    assert made.startswith('<svg role="img" aria-labelledby="title-')
    assert "<title>G</title>" not in made
    assert "Graph of &lt;z&gt;</title>" in made
    assert "1 &amp; 2</desc>" in made
    assert "'Liberation Sans',sans-serif" in made
    assert "<!--" not in made


# Files


@pytest.fixture
def drawing():
    x = bp.Tensor(2.0, requires_grad=True, name="x")
    return bp.draw(np.sin(x))


def test_the_suffix_chooses_the_format(drawing, tmp_path):
    for suffix, start in {".svg": b"<svg", ".PNG": b"\x89PNG", ".dot": b"digraph"}.items():
        drawing.save(tmp_path / f"x{suffix}")
        assert (tmp_path / f"x{suffix}").read_bytes().startswith(start)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.PNG", "x.dot", "x.svg"]


def test_draw_takes_the_path_by_place_and_by_name(tmp_path):
    x = bp.Tensor(2.0, requires_grad=True, name="x")
    bp.draw(x * x, tmp_path / "a.dot")
    bp.draw(x * x, path=str(tmp_path / "b.dot"))
    bp.draw(lambda x: x * x, 2.0, str(tmp_path / "c.dot"))
    texts = {(tmp_path / f"{name}.dot").read_text() for name in "abc"}
    assert len(texts) == 1


@pytest.mark.parametrize("name", ["x.jpg", "x", "x.svg.txt"])
def test_an_unknown_suffix_is_refused_before_any_work(name, tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.svg, \.png, \.pdf, \.dot"):
        bp.draw(lambda: 1 / 0, tmp_path / name)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the folder '.*/no' does not exist"):
        bp.draw(lambda: 1 / 0, tmp_path / "no" / "x.svg")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_overwritten(tmp_path):
    (tmp_path / "x.svg").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        bp.draw(lambda: 1 / 0, tmp_path / "x.svg")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_cannot_be_written_leaves_what_was_there(drawing, tmp_path, monkeypatch, call):
    path = tmp_path / "x.dot"
    path.write_text("before")

    def refuse(*arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(PermissionError, match=r"cannot write '.*x\.dot': Permission denied"):
        drawing.save(path)
    monkeypatch.undo()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_read_only_place_is_one_line():
    with pytest.raises(OSError, match=r"cannot write '/proc/x\.dot'") as raised:
        files.write(Path("/proc/x.dot"), b"x")
    assert "\n" not in str(raised.value)


def test_a_wide_picture_says_how_to_have_a_narrower_one():
    x = bp.Tensor(0.5, requires_grad=True, name="x")
    wide, narrow = bp.draw(x * x * x + x, backward=True), bp.draw(x * x)
    for drawing in (wide, narrow):
        assert "pixels" not in repr(drawing)  # nothing is drawn only to be measured
        assert drawing.png
    assert 'pixels wide: narrower by direction="TB"' in repr(wide)
    assert "pixels" not in repr(narrow)
