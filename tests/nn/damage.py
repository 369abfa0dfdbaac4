"""Files that are damaged in many ways, of which none may be loaded.

python -m tests.nn.damage 5000          # a long run; a second number is the seed
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from tinygrad_bp import nn
from tinygrad_bp.nn.formats import CHECKSUM

SUFFIXES = (".npz", ".safetensors")


def some_bytes(content: bytearray, random: Random) -> None:
    """Change one to four bytes anywhere."""
    for _ in range(random.randint(1, 4)):
        content[random.randrange(len(content))] ^= random.randint(1, 255)


def both_marks(content: bytearray, random: Random) -> None:
    """Change what says that a checksum follows, in two places."""
    place = content.index(CHECKSUM) - 16
    for _ in range(2):
        content[place + random.randrange(16 + len(CHECKSUM))] = random.randrange(32, 127)


def left_out(content: bytearray, random: Random) -> None:
    start = random.randrange(len(content))
    del content[start : start + random.randint(1, 70)]


def put_in(content: bytearray, random: Random) -> None:
    start = random.randrange(len(content) + 1)
    content[start:start] = random.randbytes(random.randint(1, 70))


def moved(content: bytearray, random: Random) -> None:
    """Take a piece out and put it in elsewhere: the length stays."""
    start, length = random.randrange(len(content)), random.randint(1, 70)
    piece = content[start : start + length]
    del content[start : start + length]
    start = random.randrange(len(content) + 1)
    content[start:start] = piece


def written_over(content: bytearray, random: Random) -> None:
    start, length = random.randrange(len(content)), random.randint(1, 200)
    length = min(length, len(content) - start)
    other = random.choice([bytes(length), b" " * length, b"0" * length, random.randbytes(length)])
    content[start : start + length] = other


DAMAGES: list[Callable[[bytearray, Random], None]] = [
    *(some_bytes, both_marks, left_out, put_in, moved, written_over),
]


def check(number: int, seed: int, path: Path) -> int:
    """Damage a file ``number`` times, and try to load it; how often it was another afterwards."""
    random, tried = Random(seed), 0
    nn.save(nn.MLP([2, 3, 1], seed=0), path)
    whole = path.read_bytes()
    for i in range(number):
        content = bytearray(whole)
        damage = DAMAGES[i % len(DAMAGES)]
        damage(content, random)
        if content == whole:
            continue
        tried += 1
        path.write_bytes(content)
        try:
            nn.load(nn.MLP([2, 3, 1], seed=1), path)
        except ValueError as error:
            message = str(error)
        else:
            message = "it was loaded"
        well_said = message.startswith("cannot load") and "\n" not in message
        assert well_said, f"damage {i} of seed {seed}, {damage.__name__}: {message}"
    return tried


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    number, seed = [*given, *[5000, secrets.randbits(32)][len(given) :]]
    for suffix in SUFFIXES:
        with tempfile.TemporaryDirectory() as folder:
            tried = check(number, seed, Path(folder) / f"model{suffix}")
        print(f"{tried} damaged files {suffix}, seed {seed}, none loaded")
