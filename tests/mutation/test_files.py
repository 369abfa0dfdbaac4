"""The mutants of the engine's core, the optimisers and the saving, tried by their own tests.

``python -m tests.mutation.run optim/adaptive`` prints the survivors of one file.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .run import ROOT

# How many survive: no more may. Those of Adam and SGD say that a compiled step may take all at
# once, which its own tests ask. The mutants of the other files that `run` knows take longer.
SURVIVING = {
    "engine/backprop": 2,
    "nn/saving": 0,
    "optim/adaptive": 2,
    "optim/gradient_descent": 2,
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant is a process of its own")
@pytest.mark.parametrize("file", SURVIVING)
def test_no_more_mutants_survive_than_are_known(file, capsys):
    command = [sys.executable, "-m", "tests.mutation.run", file]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    *survivors, made = run.stdout.splitlines()
    with capsys.disabled():
        print(f"\n{made} mutants of {file}.py made, {int(made) - len(survivors)} killed")
    assert len(survivors) <= SURVIVING[file], "\n".join(survivors)
