"""What all pages share: the command line, the pictures, and the three questions at the end."""

import argparse
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tinygrad_bp as bp
from tinygrad_bp.support import palette
from tinygrad_bp.support.printing import quiet_end as quiet_end  # noqa: PLC0414

COLORS = {
    "value": palette.BLUE,
    "gradient": palette.ORANGE,
    "good": palette.GREEN,
    "quiet": palette.LINE,
    "ink": palette.INK,
    "chip": palette.CHIP,
}
GRID = {"color": palette.LINE, "linewidth": 0.6, "alpha": 0.35}

# No ground of their own, and letters that can be read on a light page and on a dark one
ON_EVERY_PAGE = {
    "savefig.transparent": True,
    "legend.facecolor": "none",
    "text.color": palette.FREE,
    **dict.fromkeys(("axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), palette.FREE),
    **dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), palette.LINE),
    "legend.edgecolor": palette.LINE,
}


class Exercise(NamedTuple):
    """A question, what computes its answer, and the sentence that tells it, with a place for it."""

    question: str
    compute: Callable[[], Any]
    told: str


class Handout(NamedTuple):
    """What the command line asks for: the folder for pictures, and whether to tell the answers."""

    out: Path
    answers: bool

    def draw(self, output, name, **options):
        """Draw a graph, and its backward pass step by step, in the steps that have a name."""
        for path, backward in ((f"{name}.svg", False), (f"{name}_backward.svg", True)):
            bp.draw(output, self.out / path, backward=backward, fuse=True, **options)
            print(f"  picture: {self.out / path}")

    def plot(self, function, name, *arguments):
        """Let a function plot into a file; without matplotlib, say what to install."""
        try:
            import matplotlib as mpl

            with mpl.rc_context(ON_EVERY_PAGE):
                function(*arguments, self.out / name)
            print(f"  picture: {self.out / name}")
        except ImportError:
            print('  no plot: pip install "tinygrad_bp[examples]" brings matplotlib')

    def ask(self, exercises):
        """Print the questions, each with its answer if those are wanted."""
        print("\nQuestions" + ("" if self.answers else " (--answers tells the answers)") + ":")
        for number, exercise in enumerate(exercises, start=1):
            print(_paragraph(f"{number}. ", exercise.question))
            if self.answers:
                print(_paragraph("   → ", exercise.told.format(exercise.compute())))


def begin(about):
    """Read the command line; the folder for the pictures is made if it is missing."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=Path("pictures"), help="where pictures go (default: pictures)"
    )
    parser.add_argument("--answers", action="store_true", help="answer the questions at the end")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    return Handout(asked.out, asked.answers)


def _paragraph(start, text):
    return textwrap.fill(
        text, 96, initial_indent=f"  {start}", subsequent_indent="  " + " " * len(start)
    )
