"""What the README shows is what happens."""

import contextlib
import io
import re
from pathlib import Path

import pytest

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


def test_the_quick_check_names_tests_that_are_there() -> None:
    (paths,) = re.findall(r"^\.venv/bin/python -m pytest (tests/.*)$", README.read_text(), re.M)
    assert [path for path in paths.split() if not (README.parent / path).exists()] == []
