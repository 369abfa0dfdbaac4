"""Whether two recordings of a computation wrote the same program."""

from __future__ import annotations

from .numpy_code import text_of
from .passes import same
from .program import Line, Program


def differs(a: Program, b: Program) -> str | None:
    """The difference between two recordings of the same computation.

    Returns
    -------
    str or None
        None if they agree; empty if a question had another answer, so that both are right; else
        a sentence that names the line.
    """
    for old, new in zip(a.lines, b.lines, strict=False):
        if not _agree(old, new):
            return _sentence(old, new)
        if not same(old.answer, new.answer):
            return ""
    if len(a.lines) != len(b.lines):
        return f"two calls took {len(a.lines)} and {len(b.lines)} operations"
    if not same(a.outputs, b.outputs):
        return "two calls gave different values that no argument leads to"
    return None


def _agree(a: Line, b: Line) -> bool:
    return (
        a.function == b.function
        and a.shape == b.shape
        and a.dtype == b.dtype
        and same(a.operands, b.operands)
        and same(a.keywords, b.keywords)
    )


def _sentence(old: Line, new: Line) -> str:
    """A sentence that says what changed from one call to the next, and where."""
    where = f" ({new.where})" if new.where else ""
    return (
        f"two calls computed differently{where}: first {text_of(old)[:80]}, then "
        f"{text_of(new)[:80]}; what changes from call to call must be an argument, a Tensor "
        "of the model, or the step size"
    )
