"""What the README shows is what happens."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

from .coverage_table import END, START, table

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", README.read_text(), re.DOTALL)


@pytest.mark.parametrize(("program", "output"), EXAMPLES)
def test_a_program_prints_what_stands_below_it(program: str, output: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(program, {})
    assert printed.getvalue() == output


def test_there_are_programs() -> None:
    assert EXAMPLES


def test_the_first_program_is_ten_lines_at_most() -> None:
    assert len([line for line in EXAMPLES[0][0].splitlines() if line]) <= 10


def test_pictures_and_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text())
    assert [target for target in targets if not (README.parent / target).exists()] == []


def test_the_table_of_what_is_covered_is_what_the_registry_holds() -> None:
    written = README.read_text().split(START)[1].split(END)[0]
    assert _known(written) == table()


def _known(text: str) -> str:
    """The table without the functions that this release of NumPy has not yet."""

    def kept(match: re.Match[str]) -> str:
        found = np
        for name in match[1].split("."):
            found = getattr(found, name, None)
        return match[0] if found is not None else ""

    return re.sub(r"`np\.([\w.]+)` ?", kept, text)
