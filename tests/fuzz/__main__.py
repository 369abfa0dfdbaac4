"""``python -m tests.fuzz [number] [seed]``: a long run."""

import secrets
import sys

from .run import run

given = [int(text) for text in sys.argv[1:]]
number, seed = [*given, *[2000, secrets.randbits(32)][len(given) :]]
print(f"python -m tests.fuzz {number} {seed}", flush=True)
print(run(number, seed))
