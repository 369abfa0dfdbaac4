"""Faults at every step of writing a file: what is there is the old file or the new one, whole.

Before each line of files.py in turn, or each instruction in a line, something happens.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from itertools import count

import pytest

from tinygrad_bp.support import files
from tinygrad_bp.support.files import write

pytest.importorskip("fcntl", reason="files are held, and processes killed, in another way")

BEFORE, AFTER, OTHER = b"before", b"after" * 1000, b"other"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No machine stops here, so that nothing has to be on the disk."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@contextmanager
def at_step(number, action, kind="line"):
    """Do something before a step, counted from 0; gives a list that is not empty once it was."""
    steps, done = count(), []

    def trace(frame, event, argument):
        if frame.f_code.co_filename != files.__file__:
            return None
        frame.f_trace_opcodes = kind == "opcode"
        if event == kind and next(steps) == number:
            done.append(frame.f_lineno)
            sys.settrace(None)  # what the action calls is not counted
            action()
        return trace

    tracing = sys.gettrace()
    sys.settrace(trace)
    try:
        yield done
    finally:
        sys.settrace(tracing)


def every_step(folder, stopped):
    """Stop at each step in turn; the file, the steps, and whether it was written, of each."""
    path = folder / "a"
    for number in count():
        write(path, BEFORE)
        (folder / f"{files._PARTIAL}0").touch()  # of an earlier crash
        if not stopped(path, number):
            return number
        assert path.read_bytes() in (BEFORE, AFTER)
        write(folder / "next", OTHER)
        assert sorted(folder.iterdir()) == [path, folder / "next"]
    return None


def told(name, number, least=30):
    assert number > least  # so many faults there were
    print(f"{number} {name}")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it is closed late
def test_an_interrupt_at_any_step(tmp_path):
    def action():
        raise KeyboardInterrupt

    def stopped(path, number):
        with suppress(KeyboardInterrupt), at_step(number, action, "opcode") as done:
            write(path, AFTER)
        return done

    told("interrupts", every_step(tmp_path, stopped), 200)


def test_a_crash_at_any_step(tmp_path):
    def stopped(path, number):
        child = os.fork()
        if not child:
            with at_step(number, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                write(path, AFTER)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    told("crashes", every_step(tmp_path, stopped))


@pytest.mark.parametrize("name", ["a", "b"])
def test_another_who_writes_at_any_step(tmp_path, name):
    """As a handler of a signal does that saves in the middle of saving."""
    written = []

    def stopped(path, number):
        other = path.with_name(name)
        with at_step(number, lambda: write(other, OTHER)) as done:
            write(path, AFTER)
        if done:
            written.append(path.read_bytes())
            assert path.with_name("b").exists() == (name == "b")
            if name == "b":
                assert other.read_bytes() == OTHER
                other.unlink()
        path.write_bytes(BEFORE)
        return done

    told("handlers", every_step(tmp_path, stopped))
    assert set(written) <= ({AFTER} if name == "b" else {AFTER, OTHER})


def test_a_disk_that_is_full_after_any_number_of_bytes(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "a"
    write(path, BEFORE)
    for room in range(0, len(AFTER), 499):
        child = os.fork()
        if not child:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            try:
                write(path, AFTER)
            except OSError as error:
                os._exit("cannot write" in str(error))
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
        assert path.read_bytes() == BEFORE
        assert list(tmp_path.iterdir()) == [path]
