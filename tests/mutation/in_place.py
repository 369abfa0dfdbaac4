"""Mutants of functions, put in their place after all was imported, and the tests that reach them.

Nothing is imported or collected for a mutant: its process is a copy of one that has collected the
tests, and runs those that come to a line of the mutation, the quickest first.
"""

from __future__ import annotations

import functools
import gc
import inspect
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import CodeType, FrameType, FunctionType
from typing import Any

from .mutants import Mutant
from .processes import answers, in_a_process, stop_after

UNCHANGED = -1  # the place of no mutant: the tests have to pass, in the order of their times
Places = dict[tuple[str, int, int], CodeType]


class InPlace:
    """A plugin of pytest, which tries mutants in place of running the tests once.

    Attributes
    ----------
    survives : dict
        For the place of each mutant in the sequence whether it survives; without those that no
        test reaches, and those that change what is done at import.
    """

    def __init__(self, file: str, unchanged: CodeType, mutants: Sequence[Mutant]):
        self.file, self.unchanged, self.mutants = file, unchanged, mutants
        self.lines: set[int] = set()
        self.failed: list[str] = []
        self.survives: dict[int, bool] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.failed += [f"{report.nodeid}: {report.longrepr}"] * report.failed

    def pytest_runtestloop(self, session: Any) -> bool:
        reached = in_a_process(lambda: [self._reached(item) for item in session.items])
        every = list(zip(reached, session.items, strict=True))
        jobs = [(UNCHANGED, self._job(every, {}))]
        for place, mutant in enumerate(self.mutants):
            reaching = [test for test in every if not test[0][1].isdisjoint(mutant.lines)]
            changed = replaced(self.unchanged, mutant.code) if reaching else None
            if changed is not None:
                jobs.append((place, self._job(reaching, changed)))
        self.survives = dict(answers(jobs))
        assert self.survives.pop(UNCHANGED), "the tests fail in another order"
        return True

    def _reached(self, item: Any) -> tuple[float, set[int]]:
        """The seconds of work that a test takes, and the lines of the file that it comes to."""
        self.lines = set()
        began = time.process_time()
        threading.settrace(self._trace)
        sys.settrace(self._trace)
        try:
            run(item)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]  # which takes it
        assert not self.failed, f"a test fails without a mutation: {self.failed[0]}"
        return time.process_time() - began, self.lines

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        return self._line if frame.f_code.co_filename == self.file else None

    def _line(self, frame: FrameType, event: str, argument: Any) -> Any:
        self.lines.add(frame.f_lineno)
        return self._line

    def _job(self, tests: Sequence[Any], changed: Places) -> Callable[[], bool]:
        quickest = sorted(((seconds, item) for (seconds, _), item in tests), key=lambda t: t[0])
        return functools.partial(self._passes, quickest, changed)

    def _passes(self, tests: Sequence[tuple[float, Any]], changed: Places) -> bool:
        put_in_place(self.file, self.unchanged, changed)
        for seconds, item in tests:
            stop_after(2 + 10 * seconds)
            run(item)
            if self.failed:
                return False
        return True


def run(item: Any) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def replaced(unchanged: CodeType, mutant: CodeType) -> Places | None:
    """The code of the functions that a mutant changes; None if it changes an import."""
    before, after = functions(unchanged), functions(mutant)
    alike = before.keys() == after.keys() and all(
        code.co_freevars == after[place].co_freevars for place, code in before.items()
    )
    if not alike or at_import(unchanged) != at_import(mutant):
        return None
    return {place: code for place, code in after.items() if code != before[place]}


def nested(code: CodeType) -> list[CodeType]:
    return [inner for inner in code.co_consts if isinstance(inner, CodeType)]


def functions(code: CodeType) -> Places:
    """Every function in a file, by its name, its line, and which of those there it is."""
    found: Places = {}
    todo = nested(code)
    for inner in todo:  # which grows while it is read
        todo += nested(inner)
        if inner.co_flags & inspect.CO_OPTIMIZED:  # a class's own code is not
            which = sum(place[:2] == _place(inner) for place in found)
            found[(*_place(inner), which)] = inner
    return found


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def at_import(code: CodeType) -> Any:
    """What is done when a file is imported: its own code and that of its classes."""
    classes = [c for c in nested(code) if not c.co_flags & inspect.CO_OPTIMIZED]
    constants = [x for x in code.co_consts if not isinstance(x, CodeType)]
    return code.co_code, code.co_names, list(map(repr, constants)), list(map(at_import, classes))


def put_in_place(file: str, unchanged: CodeType, changed: Places) -> None:
    """Give the functions that there are their mutated code, and forget what they have given."""
    now = {code: changed[place] for place, code in functions(unchanged).items() if place in changed}
    for x in gc.get_objects():
        if isinstance(x, FunctionType) and x.__code__.co_filename == file:
            x.__code__ = now.get(x.__code__, x.__code__)
        elif isinstance(x, functools._lru_cache_wrapper):
            x.cache_clear()
