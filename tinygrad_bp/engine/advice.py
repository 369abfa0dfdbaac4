"""What errors add for a reader who comes from another library.

The engine knows no other library's words. The package that does fills these in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _no_attribute(owner: Any, name: str) -> AttributeError:
    return AttributeError(f"{type(owner).__name__} has no {name!r}", name=name, obj=owner)


ADVICE: dict[str, Callable[..., Any]] = {
    "array": lambda: None,  # what to write where an array was asked of a Tensor
    "attribute": _no_attribute,  # the error for an owner and a name that is not there
    "keyword": lambda name, known: None,  # the known keyword that is meant
}
