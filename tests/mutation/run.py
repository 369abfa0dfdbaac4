"""Runs a file's own tests on each of its mutants, two at a time, each in a process of its own.

python -m tests.mutation.run engine/backprop        # prints the mutants that survive
"""

from __future__ import annotations

import functools
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np  # noqa: F401  # imported once here, and not in each process
import pytest

from .in_place import InPlace
from .mutants import Mutant, mutants
from .processes import answers, in_a_process

ROOT = Path(__file__).parents[2]
# The files, and the tests that are run on each of their mutants.
TESTS = {
    "engine/arrays": [
        "engine/test_arrays.py",
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
    "optim/norms": ["optim/test_own_optimizers.py", "optim/test_states_and_norms.py"],
    "support/files": ["support/test_files.py", "nn/test_saving.py"],
    "nn/saving": ["nn/test_saving.py"],
    "nn/formats": ["nn/test_formats.py", "nn/test_saving.py"],
}
SLOW = "not million and not damaged_byte and not truncation and not wide_graph"


class Imported(MetaPathFinder, Loader):
    """Imports the mutant in place of the file."""

    def __init__(self, name: str, code: CodeType):
        self.name, self.code = name, code

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, vars(module))


def passes(tests: Sequence[str], *plugins: Any) -> bool:
    paths = [str(ROOT / "tests" / test) for test in tests]
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # which shells take from background jobs
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # faster
    quiet = [
        "-o",
        "addopts=",
        "-x",
        "-s",
        "-p",
        "no:terminal",
        "-p",
        "no:cacheprovider",
        "-k",
        SLOW,
    ]
    return pytest.main([*quiet, *paths], plugins) == 0


def passes_imported(name: str, mutant: Mutant, tests: Sequence[str]) -> bool:
    sys.meta_path.insert(0, Imported(name, mutant.code))
    return passes(tests)


def in_place(path: str, source: str, tests: Sequence[str]) -> dict[int, bool]:
    plugin = InPlace(path, compile(source, path, "exec"), list(mutants(source, path)))
    assert passes(tests, plugin), "the tests fail without a mutation"
    return plugin.survives


def survivors(file: str) -> Iterator[tuple[str, bool]]:
    """Each mutant of a file, and whether it survives.

    It is put in its place after all was imported; what is done at import, too, is imported anew.
    """
    path = ROOT / "tinygrad_bp" / f"{file}.py"
    source = path.read_text(encoding="utf-8")
    found = in_a_process(lambda: in_place(str(path), source, TESTS[file]))
    name = f"tinygrad_bp.{file.replace('/', '.')}"
    jobs = []
    for place, mutant in enumerate(mutants(source, str(path))):
        if place in found:
            yield mutant.what, found[place]
        else:
            jobs.append(
                (mutant.what, functools.partial(passes_imported, name, mutant, TESTS[file]))
            )
    yield from answers(jobs)


if __name__ == "__main__":
    made = 0
    for what, survived in survivors(sys.argv[1]):
        made += 1
        if survived:
            print(what, flush=True)
    print(made)
