"""The programs of a computation: for each kind of arguments those of all answers to its guards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, TypeVar

from .agreement import differs

_MOST = 64  # programs: a computation that needs more is not worth recording again and again

Loaded = TypeVar("Loaded")


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
            though all guards had the same answers; or there are too many programs. Else empty.
        """
        if len(self) + sum(map(len, self._seen.values())) >= _MOST:
            return f"there are {_MOST} programs for it already"
        seen = self._seen.setdefault(key, [])
        for other in seen:
            difference = differs(other.program, recording.program)
            if difference:
                return difference
            if difference is None:
                seen.remove(other)
                self._found.setdefault(key, []).append(self._load(recording))
                return ""
        program = replace(recording.program, values={})  # which may be large
        seen.append(replace(recording, program=program))
        return ""
