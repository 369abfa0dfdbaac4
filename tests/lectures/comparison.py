"""What the tests of all pages share: agreement, and recurrences that are wrong on purpose."""

import inspect

import numpy as np
from hypothesis import settings
from side_by_side import difference

TOLERANCE = 1e-12
ROUNDING = 4 * np.finfo(float).eps
drawn = settings(max_examples=120, deadline=None, derandomize=True, database=None)


def disagreements(rows):
    """The rows (formula, by hand, engine) that are not equal to 1e-12 relative.

    The notes' ``y (1 - y)`` cancels where y is next to 1, and the engine's slope does not: there
    they may differ by the rounding of ``1 - y``.
    """
    return [row for row in rows if not (difference(*row[1:]) <= TOLERANCE or _rounded(*row[1:]))]


def _rounded(by_hand, engine):
    by_hand, engine = np.asarray(by_hand), np.asarray(engine)
    return (
        by_hand.shape == engine.shape
        and by_hand.dtype.kind == "f"
        and np.allclose(by_hand, engine, rtol=0, atol=ROUNDING)
    )


def mutated(function, old, new):
    """The function with one piece of its source replaced."""
    source = inspect.getsource(function)
    assert source.count(old) == 1, f"{old!r} must stand in {function.__name__} once"
    namespace = dict(function.__globals__)
    exec(source.replace(old, new), namespace)
    return namespace[function.__name__]


def answers(page):
    """What the three questions of a page come to; each is told with the number in it."""
    assert len(page.EXERCISES) == 3
    found = [exercise.compute() for exercise in page.EXERCISES]
    for exercise, answer in zip(page.EXERCISES, found, strict=True):
        assert exercise.question.endswith(("?", "."))
        assert "{0" in exercise.told or "{}" in exercise.told or "{:" in exercise.told
        assert exercise.told.format(answer) != exercise.told
    return found
