"""Long work: a bar that shows how far it is, and Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from .history import DELTA, VALIDATION

_WITHOUT_BAR = "{desc}, {remaining} left{postfix}"
_WITH_BAR = "{desc} |{bar}| {remaining} left{postfix}"
_SHORTEST = 8  # columns of a bar and its two ends
_TIME = len(", 00:00 left, ")


class Silent:
    """A bar that shows nothing."""

    description = text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def update(self) -> bool:
        """One more step; whether it is time to say what it measured."""
        return False

    def set_description(self, text: str, refresh: bool = False) -> None:
        """Say what the work is at."""
        self.description = text

    def set_postfix_str(self, text: str, refresh: bool = False) -> None:
        """Say what was measured."""
        self.text = text

    def note(self, text: str) -> None:
        """Say something in a line of its own."""

    def say(self, row: dict[str, float]) -> None:
        """Say an epoch's numbers."""
        self.set_postfix_str(row_text(row))


class Bar(Silent):
    """A bar in a terminal or a notebook, that gives way to numbers where the line is narrow."""

    def __init__(self, total: int):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook without widgets gets a bar of text
            from tqdm.auto import tqdm  # takes longer to import than all the rest

        self.tqdm = tqdm(total=total, bar_format=_WITH_BAR)

    def __exit__(self, *error: object) -> None:
        self.tqdm.close()

    def update(self) -> bool:
        """One more step; whether it was drawn."""
        return bool(self.tqdm.update())

    def set_description(self, text: str, refresh: bool = False) -> None:
        """Say what the work is at."""
        self.description = text
        self.tqdm.set_description_str(text, refresh=refresh)

    def set_postfix_str(self, text: str, refresh: bool = False) -> None:
        """Say what was measured."""
        self.tqdm.set_postfix_str(text, refresh=refresh)

    def note(self, text: str) -> None:
        """Say something in a line above the bar."""
        self.tqdm.write(text, file=sys.stderr)

    def say(self, row: dict[str, float]) -> None:
        """Say an epoch's numbers, as many as there is room for."""
        columns = self.tqdm.ncols  # none in a notebook
        room = None if columns is None else columns - len(self.description) - _TIME
        texts = row_texts(row)
        text = next((t for t in texts if room is None or len(t) <= room - _SHORTEST), "")
        self.tqdm.bar_format = _WITH_BAR if text else _WITHOUT_BAR
        self.set_postfix_str(text or row_text(row, room))


class Lines(Silent):
    """The same where the output is no terminal: a line every few seconds, and a last one."""

    def __init__(self, total: int, every: float = 5.0, clock: Callable[[], float] | None = None):
        self.total, self.every, self.clock = total, every, clock or time.monotonic
        self.began = self.last = self.clock()
        self.steps, self.due, self.stream = 0, False, sys.stderr

    def __exit__(self, *error: object) -> None:
        self.total = self.steps  # there is no more to come
        if self.text:
            self._write()

    def update(self) -> bool:
        """One more step; whether the next numbers make a line."""
        self.steps += 1
        self.due = self.clock() - self.last >= self.every
        return self.due

    def set_postfix_str(self, text: str, refresh: bool = False) -> None:
        """Say what was measured."""
        self.text = text
        if self.due:
            self._write()

    def note(self, text: str) -> None:
        """Say something in a line of its own."""
        print(text, file=self.stream, flush=True)

    def _write(self) -> None:
        now = self.clock()
        left = (now - self.began) * (self.total - self.steps) / max(self.steps, 1)
        time_left = f"{left:.0f} s left" if self.steps < self.total else f"{now - self.began:.0f} s"
        print(f"{self.description}, {time_left}: {self.text}", file=self.stream, flush=True)
        self.text, self.last, self.due = "", now, False


def bar_of(total: int, shown: bool) -> Silent:
    """What shows how far a work of so many steps is.

    Examples
    --------
    >>> with bar_of(10, shown=False) as bar:
    ...     bar.update()
    False
    """
    if not shown or sys.stderr is None:
        return Silent()
    in_notebook = type(sys.stderr).__module__.startswith("ipykernel")
    return Bar(total) if in_notebook or sys.stderr.isatty() else Lines(total)


def row_texts(row: dict[str, float]) -> list[str]:
    """An epoch's numbers in a line, with the losses first; each next line leaves more out.

    Examples
    --------
    >>> row = {"loss": 0.5, "validation loss": 0.6, "r2": 0.7, "validation r2": 0.65}
    >>> for text in row_texts(row | {"gradient norm": 2.0}):
    ...     print(text)
    loss 0.5 (validation 0.6), r2 0.7 (0.65), gradient norm 2
    loss 0.5 (validation 0.6), r2 0.7 (0.65)
    loss 0.5 (validation 0.6, r2 0.65)
    """
    others = {"loss", "gradient norm", "learning rate", "seconds"}
    metrics = [n for n in row if n not in others and not n.startswith((DELTA, VALIDATION))]

    def of(name: str, label: str) -> str:
        return f"{label} {row[name]:.3g}".strip()

    parts = [of("loss", "loss"), *(of(name, name) for name in metrics)]
    if f"{VALIDATION}loss" not in row:
        texts = [", ".join(parts)]
    else:
        apart = [of(f"{VALIDATION}{name}", "") for name in ("loss", *metrics)]
        apart[0] = f"validation {apart[0]}"
        named = [apart[0], *(of(f"{VALIDATION}{name}", name) for name in metrics)]
        pairs = [f"{part} ({other})" for part, other in zip(parts, apart, strict=True)]
        texts = [", ".join(pairs), f"{parts[0]} ({', '.join(named)})"]
    norm = [f"{texts[0]}, {of('gradient norm', 'gradient norm')}"] if "gradient norm" in row else []
    return [*norm, *texts]


def row_text(row: dict[str, float], columns: int | None = None) -> str:
    """The longest of these lines that so many columns hold; of the last, as many numbers as fit.

    Examples
    --------
    >>> row_text({"loss": 0.5, "validation loss": 0.6, "gradient norm": 2.0}, 30)
    'loss 0.5 (validation 0.6)'
    """
    texts = row_texts(row)
    if columns is None:
        return texts[0]
    cut = texts[-1][: max(columns, 0)].rpartition(", ")[0]
    return next((text for text in texts if len(text) <= columns), cut)


@contextmanager
def ctrl_c() -> Iterator[list[int]]:
    """Let Ctrl-C wait for the end of a step: a list, with something in it once it was pressed.

    Pressed a second time it no longer waits. Python takes signals in the main thread alone, and a
    program in the background may have been told to take none.

    Examples
    --------
    >>> with ctrl_c() as pressed:
    ...     signal.raise_signal(signal.SIGINT)
    >>> len(pressed)
    1
    """
    pressed: list[int] = []

    def press(signal_number: int, frame: Any) -> None:
        pressed.append(signal_number)
        if len(pressed) == 2:
            raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    main = threading.current_thread() is threading.main_thread()
    if not main or before is signal.SIG_IGN:
        yield pressed
        return
    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)
