"""Files: a path is checked before any work, and nothing is half written."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # on Windows, which neither removes nor moves a file that is open
    fcntl = None  # type: ignore[assignment]

_PARTIAL = ".tinygrad_bp-partial-"


def writable_path(path: str | os.PathLike[str], suffixes: Collection[str]) -> Path:
    """The path, if a file with one of these suffixes can be there.

    Raises
    ------
    ValueError
        If the suffix is not one of ``suffixes``.
    OSError
        If the folder does not exist, or the path is itself a folder.
    """
    path = _with_suffix(path, suffixes)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"cannot write {str(path)!r}: the folder {str(path.parent)!r} does not exist"
        )
    if path.is_dir():
        raise IsADirectoryError(f"cannot write {str(path)!r}: it is a folder")
    if path.exists() and not path.is_file():
        raise FileExistsError(f"cannot write {str(path)!r}: something else than a file is there")
    if path.exists() and not os.access(path, os.W_OK):  # which replacing it would not ask
        raise PermissionError(f"cannot write {str(path)!r}: it may only be read")
    return path


def write(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path``, whole or not at all.

    It is written to a file beside it first, which no other call has, and then takes the place of
    what was there. What a crash has left of an earlier call is cleared away.

    Raises
    ------
    OSError
        If the place cannot be written; what was there before is then still there.
    """
    path = Path(os.path.realpath(path))  # a link goes on leading there
    partial = None
    try:
        _clear(path.parent)
        with _new_partial(path.parent) as file:
            partial = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # on the disk before its name is, should the machine stop
            if path.exists():
                shutil.copymode(path, partial)
            if not fcntl:
                file.close()
            os.replace(partial, path)
    except OSError as error:
        raise type(error)(f"cannot write {str(path)!r}: {error.strerror}") from None
    finally:
        if partial:
            partial.unlink(missing_ok=True)


def _new_partial(folder: Path) -> BinaryIO:
    """A new file in a folder, locked by this call, under a name that nobody can guess.

    Short: next to a long name a longer one may not be allowed.
    """
    while True:
        file = (folder / f"{_PARTIAL}{secrets.token_hex(8)}").open("xb")  # follows no link
        held = True
        with contextlib.suppress(OSError):  # a file system may have no locks
            held = _hold(file.fileno())
        if held and os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # another call took it for one left behind, before the lock


def _clear(folder: Path) -> None:
    """Remove partial files of earlier calls, which nobody holds any more."""
    for partial in folder.glob(f"{_PARTIAL}*"):
        with contextlib.suppress(OSError):  # of another user, or gone already
            if not fcntl:
                partial.unlink()
                continue
            handle = os.open(partial, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if _hold(handle):
                    partial.unlink()
            finally:
                os.close(handle)


def _hold(handle: int) -> bool:
    """Hold an open file until it is closed, or its process dies; whether nobody else does."""
    try:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def open_to_read(
    path: str | os.PathLike[str], suffixes: Collection[str]
) -> Iterator[tuple[str, BinaryIO, int]]:
    """The suffix of a file, in small letters, the file, open to be read, and its length.

    Raises
    ------
    ValueError
        If the suffix is not one of ``suffixes``.
    OSError
        If the file cannot be read.
    """
    path = _with_suffix(path, suffixes)
    try:
        if path.exists() and not path.is_file():  # to read a pipe would be to wait
            raise OSError(errno.EINVAL, "it is no file")
        with path.open("rb") as file:
            yield path.suffix.lower(), file, os.fstat(file.fileno()).st_size
    except OSError as error:
        raise type(error)(f"cannot read {str(path)!r}: {error.strerror}") from None


def _with_suffix(path: str | os.PathLike[str], suffixes: Collection[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"a file's path must be text or a path, not {type(path).__name__}")
    path = Path(path)
    if "\0" in str(path):
        raise ValueError(f"a file's path cannot hold a zero: {str(path)!r}")
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{str(path)!r} must end in one of {', '.join(suffixes)}")
    return path
