"""What the tests of all pages share: agreement, and recurrences that are wrong on purpose."""

import inspect

from hypothesis import settings
from side_by_side import difference

TOLERANCE = 1e-12
drawn = settings(max_examples=120, deadline=None, derandomize=True, database=None)


def disagreements(rows):
    """The rows (formula, by hand, engine) that are not equal to 1e-12 relative."""
    return [row for row in rows if not difference(*row[1:]) <= TOLERANCE]


def mutated(function, old, new):
    """The function with one piece of its source replaced."""
    source = inspect.getsource(function)
    assert source.count(old) == 1, f"{old!r} must stand in {function.__name__} once"
    namespace = dict(function.__globals__)
    exec(source.replace(old, new), namespace)
    return namespace[function.__name__]
