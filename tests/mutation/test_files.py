"""The mutants of the engine's core, the optimisers and the saving, tried by their own tests.

``python -m tests.mutation.run optim/adaptive`` prints the survivors of one file.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .run import ROOT, TESTS

# The mutants that give the same in every case, by the beginning of what they are, and why.
EQUIVALENT = {
    "optim/gradient_descent": {
        "v = memory['velocity'] * self.momentum + g if memory else": "g less nothing is g"
    },
    "optim/optimizer": {
        "return [g * scale for g in gradients] if scale < 1": "once a gradient is that gradient"
    },
    "optim/norms": {
        "norm = np.sqrt(square) if 1e-30 < square": "the other way gives the same, and is slower",
        "unit = np.where((largest > 0) & (largest < np.inf)": "0 and infinity over 2 are the same",
        "in_range = (square > 1e-30)": "both ways give the same there",
    },
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each mutant is a process of its own")
@pytest.mark.parametrize("file", TESTS)
def test_all_mutants_are_killed_that_give_anything_else(file, capsys):
    command = [sys.executable, "-m", "tests.mutation.run", file]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    *survivors, made = run.stdout.splitlines()
    with capsys.disabled():
        killed = int(made) - len(survivors)
        print(f"\n{made} mutants of {file}.py made, {killed} killed", file=sys.stderr)
    known = tuple(EQUIVALENT.get(file, ()))
    assert not [survivor for survivor in survivors if not survivor.startswith(known)]
