"""Long work: a bar that shows how far it is, and Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def bar_of(total: int, shown: bool) -> Any:
    """A bar of so many steps, in a terminal or a notebook.

    Examples
    --------
    >>> with bar_of(10, shown=False) as bar:
    ...     bar.update()
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a notebook without widgets gets a bar of text
        from tqdm.auto import tqdm  # takes longer to import than all the rest

    # Short, so that most lines have room for what was measured.
    form = "{desc}|{bar}| {remaining}{postfix}"
    return tqdm(total=total, disable=not shown, bar_format=form)


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
