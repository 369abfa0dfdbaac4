"""Work that may take long: a bar shows how far it is, and Ctrl-C ends it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

LONG = 50_000  # things that take about a second, and from which on a bar may be shown
SECONDS = 2.0  # after which it is


def follow(things: Sequence[T], what: str) -> Iterable[T]:
    """The same things, with a bar while they are gone through, should that take long.

    Examples
    --------
    >>> sum(follow(range(100), "adding"))
    4950
    """
    if len(things) < LONG:
        return things
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without widgets gets a bar of text
        from tqdm.auto import tqdm  # takes longer to import than all the rest

    return tqdm(things, what, leave=False, delay=SECONDS)
