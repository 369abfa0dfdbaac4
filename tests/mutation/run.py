"""Runs a file's own tests on each of its mutants, two at a time, each in a process of its own.

python -m tests.mutation.run engine/backprop        # prints the mutants that survive
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np  # noqa: F401  # imported once here, and not in each process
import pytest

from .mutants import mutants

ROOT = Path(__file__).parents[2]
AT_ONCE = 2
SECONDS, WAITING = 120, 900  # of work, and of waiting too, after which a mutant runs for ever
UNCHANGED = "unchanged"  # the first of the mutants is the file itself, which has to survive
SURVIVED, BROKEN = 3, 4  # what a mutant's process ends with; else it was killed
# The files, and the tests that are run on each of its mutants, the quickest first.
TESTS = {
    "engine/arrays": [
        "engine/test_read_only.py",
        "engine/test_seeds.py",
        "engine/test_kept_constants.py",
        "engine/test_foreign_operands.py",
        "engine/test_indexing.py",
        "engine/test_aliasing.py",
    ],
    "engine/backprop": [
        "engine/test_seeds.py",
        "engine/test_graph.py",
        "engine/test_aliasing.py",
        "engine/test_shapes.py",
        "engine/test_numbers.py",
    ],
    "optim/optimizer": ["optim/test_optim.py", "optim/test_own_optimizers.py"],
    "optim/gradient_descent": ["optim/test_optim.py"],
    "optim/adaptive": ["optim/test_optim.py"],
    "optim/norms": ["optim/test_own_optimizers.py"],
    "support/files": ["support/test_files.py", "nn/test_saving.py"],
    "nn/saving": ["nn/test_saving.py"],
    "nn/formats": ["nn/test_saving.py"],
}
SLOW = "not million and not damaged_byte and not truncation and not wide_graph"


class Mutated(MetaPathFinder, Loader):
    """Imports the mutant in place of the file."""

    def __init__(self, name: str, code: CodeType):
        self.name, self.code = name, code

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, vars(module))


def survives(name: str, code: CodeType, tests: Sequence[str]) -> bool:
    """Whether the tests pass with the mutant in the file's place; runs in the mutant's process."""
    sys.meta_path.insert(0, Mutated(name, code))
    paths = [str(ROOT / "tests" / test) for test in tests]
    quiet = ["-x", "-q", "-p", "no:cacheprovider", "--tb=no", "-k", SLOW]
    return pytest.main([*quiet, *paths]) == 0


def become(name: str, code: CodeType, tests: Sequence[str]) -> None:
    """Be the mutant's process, and end with what came of it."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # faster
    signal.setitimer(signal.ITIMER_PROF, SECONDS)  # of this process: others may be at work, too
    signal.alarm(WAITING)
    try:
        os._exit(SURVIVED * survives(name, code, tests))
    finally:
        os._exit(BROKEN)


def survivors(file: str) -> Iterator[tuple[str, bool]]:
    """Each mutant of a file, and whether it survives."""
    source = (ROOT / "tinygrad_bp" / f"{file}.py").read_text(encoding="utf-8")
    running: dict[int, str] = {}
    itself = (UNCHANGED, compile(source, "unchanged", "exec"))
    for what, code in [itself, *mutants(source)]:
        if len(running) == AT_ONCE:
            yield finished(running)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # forking with threads: none is needed
            process = os.fork()
        if not process:
            become(f"tinygrad_bp.{file.replace('/', '.')}", code, TESTS[file])
        running[process] = what
    while running:
        yield finished(running)


def finished(running: dict[int, str]) -> tuple[str, bool]:
    process, status = os.wait()
    code = os.waitstatus_to_exitcode(status)
    assert code != BROKEN, f"no tests ran for the mutant {running[process]}"
    what = running.pop(process)
    assert what != UNCHANGED or code == SURVIVED, "the tests fail without a mutation"
    return what, code == SURVIVED


if __name__ == "__main__":
    made = 0
    for what, survived in survivors(sys.argv[1]):
        if what == UNCHANGED:
            continue
        made += 1
        if survived:
            print(what, flush=True)
    print(made)
