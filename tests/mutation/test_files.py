"""Every mutant of the files that tests could most easily miss is noticed by the files' own tests.

``python -m tests.mutation.run optim/adam`` prints the survivors of one file.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .run import ROOT, TESTS

# Changes that change nothing, and why.
EQUIVALENT = {
    "consumers = {output: 0}  ->  consumers = {output: 1}": "nothing consumes the output",
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant is a process of its own")
@pytest.mark.parametrize("file", TESTS)
def test_every_mutant_is_killed(file, capsys):
    command = [sys.executable, "-m", "tests.mutation.run", file]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    *survivors, made = run.stdout.splitlines()
    with capsys.disabled():
        print(f"\n{made} mutants of {file}.py made, {int(made) - len(survivors)} killed")
    assert not set(survivors) - EQUIVALENT.keys()
