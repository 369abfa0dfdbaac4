"""Text for a screen: characters that standard output does not have are replaced by plain ones."""

from __future__ import annotations

import sys

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
