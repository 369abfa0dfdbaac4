"""``python -m tinygrad_bp.coverage`` lists what the registry holds, and nothing twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from tinygrad_bp import Tensor, grad
from tinygrad_bp.coverage import OWN_CODE, WITHOUT, table
from tinygrad_bp.engine.registry import COMPOSITIONS, PLAIN, REFUSED, RULES
from tinygrad_bp.engine.signatures import full_name

ROOT = Path(__file__).parents[1]


def sections():
    """The names below each title."""
    paragraphs = [text.splitlines() for text in table().split("\n\n")]
    return {title: " ".join(lines).split() for title, *lines in paragraphs}


def test_every_function_of_numpy_stands_there_once():
    *found, _refused = sections().values()
    known = {full_name(function) for function in (*RULES, *COMPOSITIONS, *PLAIN)}
    counts = Counter(name for names in found for name in names)
    assert counts == dict.fromkeys((name for name in known if name.startswith("np.")), 1)
    assert len(counts) > 250


def test_each_stands_where_it_belongs():
    found = sections()
    assert "np.tanh" in next(names for title, names in found.items() if "circular" in title)
    assert "np.vstack" in found[OWN_CODE]
    assert "np.argmax" in found[WITHOUT]
    assert grad(np.tanh)(0.0) == 1
    assert not isinstance(np.argmax(Tensor([1.0, 2.0])), Tensor)


def test_what_is_refused_stands_there_with_the_reason():
    refused = table().split("\n\n")[-1]
    assert all(f"{full_name(f)}: {why}" in refused for f, why in REFUSED.items())


def test_a_line_of_names_fits():
    names = [line for line in table().splitlines() if "np." in line and ":" not in line]
    assert max(map(len, names)) <= 100


def test_it_is_a_program_that_the_readme_names():
    command = "python -m tinygrad_bp.coverage"
    assert command in (ROOT / "README.md").read_text()
    run = [sys.executable, *command.split()[1:]]
    assert subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout == (
        table() + "\n"
    )


def test_a_reader_may_stop_before_the_end():
    command = [sys.executable, "-m", "tinygrad_bp.coverage"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        run.stdout.close()
        assert run.stderr.read() == ""
    assert run.returncode == 0
