"""Random programs of NumPy calls on Tensors, differentiated in every way and checked.

    python -m tests.fuzz 20000          # a long run; a second number is the seed

The seed is fresh and printed. A failure is shrunk, and printed as code to paste.
"""

from __future__ import annotations

import os
import secrets
import sys

from .run import run


def test_random_programs(capsys):
    seed = int(os.environ.get("FUZZ_SEED") or secrets.randbits(32))
    with capsys.disabled():
        print(f"\nFUZZ_SEED={seed} repeats these programs:", file=sys.stderr)
    counts = run(300, seed)
    with capsys.disabled():
        print(counts, file=sys.stderr)
