"""Text for a screen: plain characters where it has no others, and an end where nobody reads on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

PLAIN = str.maketrans("×·→←∂δΣσ√²³ᵀ−±…▁▂▃▄▅▆▇█", "x.><ddSsv23T-~~12345678")


def printable(text: str) -> str:
    """The text, of the same length, as standard output can show it.

    A file or a window may have fewer characters than a notebook; printing must not fail there.

    Examples
    --------
    >>> printable("loss 0.25")
    'loss 0.25'
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(PLAIN).encode(encoding, "replace").decode(encoding)
    return text


@contextmanager
def quiet_end() -> Iterator[None]:
    """End without a traceback when the reader of standard output has gone, as ``| head`` does.

    A context manager and a decorator of a program's ``main``.

    Examples
    --------
    >>> with quiet_end():
    ...     print("as usual")
    as usual
    """
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:  # what is not yet written must not fail once more at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
