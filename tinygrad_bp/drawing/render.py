"""From DOT text to SVG, PNG or PDF, by the first engine on this machine that can.

In this order: the program that the environment variable ``TINYGRAD_BP_DOT`` names, the system's
``dot`` if it draws a small picture, the engine that ``pip install "tinygrad_bp[draw]"`` brings,
and pygraphviz. No shell is involved, and nothing is written to disk.
"""

from __future__ import annotations

import functools
import hashlib
import html
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator

from .fonts import settle
from .letters import in_cells
from .style import SVG_FONTS

VARIABLE = "TINYGRAD_BP_DOT"
FORMATS = ("svg", "png", "pdf")
DPI = 144
MOST_PIXELS = 40_000_000  # 160 MB of memory; without a limit, 5000 cards took 24 GB

# An engine takes DOT text, a format and the dots per inch, and gives the picture's bytes.
Engine = Callable[[str, str, float], bytes]

_PROBE = "digraph { probe [label=<<B>ok</B>>] }"
_SECONDS_TO_PROBE = 20
_PROGRAMS = ("graphviz-pure", "graphviz-pure.exe")
_ADVICE = (
    'pip install "tinygrad_bp[draw]", or Graphviz itself: apt install graphviz, '
    "brew install graphviz, conda install -c conda-forge graphviz"
)


def render(source: str, form: str, dpi: float = DPI) -> bytes:
    """Draw DOT text.

    Parameters
    ----------
    source : str
        The graph in the DOT language.
    form : {"svg", "png", "pdf"}
        What to draw it as.
    dpi : float
        The dots per inch of a PNG; fewer if there would be more than 40 million in all.

    Raises
    ------
    RuntimeError
        If no engine was found, or none of those found writes this format, or it failed.
    """
    if form == "png":
        width, height = size_of(render(source, "svg").decode())
        dpi = min(dpi, 72 * (MOST_PIXELS / (width * height)) ** 0.5)
    engine, has_text_library = engine_for(form)
    if form == "png" and not has_text_library:
        source = in_cells(source)
    return engine(source, form, dpi)


def engine_for(form: str) -> tuple[Engine, bool]:
    """The first engine on this machine that writes a format, and whether it has a text library.

    Raises
    ------
    RuntimeError
        If there is none.
    """
    found = False
    for engine, is_graphviz in _engines():
        found = True
        if form != "pdf" or is_graphviz:
            return engine, is_graphviz
    if found:
        raise RuntimeError(
            "PDF needs Graphviz itself (apt install graphviz, brew install graphviz, "
            "conda install -c conda-forge graphviz): the drawing engine on this machine writes SVG "
            "and PNG"
        )
    raise RuntimeError(f"no drawing engine was found: {_ADVICE}")


def accessible(svg: str, title: str, description: str) -> str:
    """An engine's SVG as one element that screen readers announce and every browser sets well.

    Parameters
    ----------
    svg : str
        What an engine wrote.
    title, description : str
        What a reader who does not see the picture is told of it.
    """
    mark = hashlib.sha256((title + description + svg).encode()).hexdigest()[:8]
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'font-family="Helvetica[^"]*"', f'font-family="{SVG_FONTS}"', svg)
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g id="graph0"[^>]*>\n)<title>.*?</title>\n', r"\1", svg, count=1)
    svg = settle(svg)
    head = f'<svg role="img" aria-labelledby="title-{mark} desc-{mark}"'
    words = (
        f'<title id="title-{mark}">{html.escape(title)}</title>\n'
        f'<desc id="desc-{mark}">{html.escape(description)}</desc>\n'
    )
    end = svg.index(">") + 1
    return f"{head}{svg[4:end]}\n{words}{svg[end:].lstrip()}"


def size_of(svg: str) -> tuple[float, float]:
    """The width and height of an SVG, in points."""
    width, height = re.findall(r'\b(?:width|height)="([\d.]+)pt"', svg)[:2]
    return float(width), float(height)


def _engines() -> Iterator[tuple[Engine, bool]]:
    """The engines on this machine, the first choice first, and whether each is Graphviz itself.

    Which writes PDF, and has a text library.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = shutil.which(named)
        if program is None:
            raise RuntimeError(f"{VARIABLE} names {named!r}, which is no program on this machine")
        yield functools.partial(_run, program), True
        return
    dot = shutil.which("dot")
    if dot and _draws(dot):
        yield functools.partial(_run, dot), True
    embedded = _packaged_engine()
    if embedded:
        yield functools.partial(_run, embedded), False
    if importlib.util.find_spec("pygraphviz"):
        yield _by_pygraphviz, True


def _run(program: str, source: str, form: str, dpi: float) -> bytes:
    """Have a program with ``dot``'s command line draw."""
    command = [program, "-q", "-Kdot", f"-T{form}"]
    if form == "png":
        command.append(f"-Gdpi={dpi:.4g}")
    for way in ([], ["-Gsplines=line"]):  # where it finds no room for a curve, it gives up
        done = subprocess.run(
            command + way, input=source.encode(), capture_output=True, check=False
        )
        if done.stdout and not done.returncode:
            return done.stdout
    said = done.stderr.decode(errors="replace").strip().splitlines() or ["it gave no output"]
    raise RuntimeError(f"{program} could not draw {form.upper()}: {said[0]}")


@functools.cache
def _draws(program: str) -> bool:
    """Whether a program draws a small picture, labels made of tables and all."""
    try:
        done = subprocess.run(
            [program, "-Tsvg"],
            input=_PROBE.encode(),
            capture_output=True,
            timeout=_SECONDS_TO_PROBE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and b">ok</text>" in done.stdout


def _packaged_engine() -> str | None:
    """Where pip put the engine of the extra ``draw``, if it did."""
    import importlib.metadata  # which takes as long to load as all the rest

    try:
        files = importlib.metadata.files("graphviz-pure") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    programs = [str(file.locate()) for file in files if file.name in _PROGRAMS]
    return next((program for program in programs if os.access(program, os.X_OK)), None)


def _by_pygraphviz(source: str, form: str, dpi: float) -> bytes:
    pygraphviz = importlib.import_module("pygraphviz")
    graph = pygraphviz.AGraph(string=source)
    graph.graph_attr["dpi"] = f"{dpi if form == 'png' else 72:.4g}"
    return graph.draw(format=form, prog="dot")
