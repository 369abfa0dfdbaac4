"""Running many programs, each from a seed of its own; hypothesis shrinks one that fails."""

from __future__ import annotations

from random import Random

from hypothesis import find, settings
from hypothesis import strategies as st

from .check import check, count
from .programs import Program, shorter, written


def run(number: int, seed: int) -> str:
    """Check ``number`` programs, and say how many of them could be compared."""
    count.clear()
    for i in range(number):
        program = written(Random(f"{seed} {i}"))
        if fails(program):
            check(shrunk(program))
    return ", ".join(f"{n} {what}" for what, n in count.items())


def fails(program: Program) -> bool:
    """Whether something is wrong with the derivatives of a program."""
    try:
        check(program)
    except AssertionError:
        return True
    return False


def shrunk(program: Program) -> Program:
    """The shortest part of a program that fails."""
    n = len(program.steps)
    kept = find(
        st.lists(st.integers(0, 50), min_size=n, max_size=n),  # 0, the smallest, strikes out
        lambda kept: fails(shorter(program, kept)),
        settings=settings(max_examples=500, database=None, deadline=None),
        random=Random(0),
    )
    return shorter(program, kept)
