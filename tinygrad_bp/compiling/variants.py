"""The programs of a computation: for each kind of arguments those of all answers to its guards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

import numpy as np

from .agreement import differs

_MOST = 64  # kinds of calls, the programs of which are kept

Loaded = TypeVar("Loaded")


def shown(kind: str, what: str, backend: str, programs: int, source: str) -> str:
    """A description in one line: of what, by what, how many programs, and how long the last.

    Examples
    --------
    >>> print(shown("CompiledStep", "MLP, mse_loss, SGD", "numpy", 0, ""))
    <CompiledStep of MLP, mse_loss, SGD by numpy: no program yet>
    """
    statements = sum(line.startswith("    ") for line in source.splitlines())
    many = "s" if programs > 1 else ""
    made = f"{programs} program{many}, the last of {statements} statements"
    return f"<{kind} of {what} by {backend}: {made if programs else 'no program yet'}>"


class Runner:
    """What computes with a program, which one thread at a time runs: it writes into its buffers.

    Parameters
    ----------
    run : function
    ignored : collection of str
        The kinds of floating-point error that the computation ignores.
    """

    def __init__(self, run: Callable[..., Any], ignored: Iterable[str]):
        self._idle = [run]
        self._errors: Any = dict.fromkeys(ignored, "ignore")

    def compute(self, given: Any) -> Any:
        """The results; None where a guard does not hold, or while another thread runs it."""
        run: Any = None
        try:  # in which the program is taken too, for an interruption must not lose it
            run = self._idle.pop()
            if not self._errors:
                return self._compute(run, given)
            with np.errstate(**self._errors):
                return self._compute(run, given)
        except (IndexError, ValueError):  # none is idle; or a value is wrong: the engine says why
            return None
        finally:
            if run:
                self._idle.append(run)

    def _compute(self, run: Callable[..., Any], given: Any) -> Any:
        return run(*given)


class Variants(Generic[Loaded]):
    """What was recorded once waits for a second recording that agrees, and then is loaded.

    Parameters
    ----------
    load : function
        Makes of a recording what can be run.
    """

    def __init__(self, load: Callable[[Any], Loaded]):
        self._load = load
        self._found: dict[Any, list[Loaded]] = {}
        self._seen: dict[Any, list[Any]] = {}
        self.in_vain = 0  # calls in a row that were recorded

    def __len__(self) -> int:
        return sum(map(len, self._found.values()))

    def of(self, key: Any) -> Sequence[Loaded]:
        """The programs for arguments of a kind."""
        return self._found.get(key, ())

    def add(self, key: Any, recording: Any) -> str:
        """Take a recording in.

        Returns
        -------
        str
            Why it is not to be compiled: it wrote another program than the one before it did,
            though all guards had the same answers; or so many calls in a row were recorded that
            programs are of no use. Else empty.
        """
        self.in_vain += 1
        if self.in_vain > _MOST:
            return f"{_MOST} calls in a row were each of another kind, and none repeats"
        for programs in (self._found, self._seen):
            while len(programs) >= _MOST:
                del programs[next(iter(programs))]  # the oldest
        seen = self._seen.setdefault(key, [])
        for other in seen:
            difference = differs(other.program, recording.program)
            if difference:
                return difference
            if difference is None:
                seen[:] = [waiting for waiting in seen if waiting is not other]
                self.in_vain = 0
                self._found.setdefault(key, []).append(self._load(recording))
                return ""
        program = replace(recording.program, values={})  # which may be large
        seen.append(replace(recording, program=program))
        return ""
