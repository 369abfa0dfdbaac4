"""Jobs that may run for ever or break everything, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

AT_ONCE = 2
SECONDS, WAITING = 60, 300  # of work, and of waiting too, after which a job is taken for endless
TRUE, BROKEN = 3, 4  # what a process ends with; anything else is false


def in_a_process(job: Callable[[], Any]) -> Any:
    """What a job gives that is done in a process of its own, with whose end its traces go."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    process = fork.Process(target=lambda: sender.send(job()))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise AssertionError("what it was is printed above") from None
    finally:
        process.join()


def answers(jobs: Iterable[tuple[Any, Callable[[], bool]]]) -> Iterator[tuple[Any, bool]]:
    """Each job's name, and whether it said true and was not stopped; some at a time."""
    running: dict[int, Any] = {}
    for name, job in jobs:
        if len(running) == AT_ONCE:
            yield _finished(running)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # forking with threads: none is needed
            process = os.fork()
        if not process:
            _run(job)
        running[process] = name
    while running:
        yield _finished(running)


def _run(job: Callable[[], bool]) -> None:
    """Do a job as all that this process does, and end with what came of it."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    stop_after(SECONDS)
    try:
        os._exit(TRUE * job())
    finally:
        os._exit(BROKEN)


def stop_after(seconds: float) -> None:
    """End this process after so many more seconds of its own work: others may be at work, too."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.alarm(WAITING)


def _finished(running: dict[int, Any]) -> tuple[Any, bool]:
    process, status = os.wait()
    code, name = os.waitstatus_to_exitcode(status), running.pop(process)
    assert code != BROKEN, f"no tests ran for the mutant {name}"
    return name, code == TRUE
