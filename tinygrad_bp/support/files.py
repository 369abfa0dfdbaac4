"""Files: a path is judged before any work, and nothing is half written."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Collection
from pathlib import Path


def checked(path: str | os.PathLike[str], suffixes: Collection[str]) -> Path:
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

    Raises
    ------
    OSError
        If the place cannot be written; what was there before is then still there.
    """
    path = Path(os.path.realpath(path))  # a link goes on leading there
    # Of this thread alone, and short: next to a long name a longer one may not be allowed.
    partial = path.with_name(f".{os.getpid()}.{threading.get_ident()}.partial")
    try:
        partial.write_bytes(content)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # on the disk before its name is, should the machine stop
        if path.exists():
            shutil.copymode(path, partial)
        os.replace(partial, path)
    except OSError as error:
        raise type(error)(f"cannot write {str(path)!r}: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def read(path: str | os.PathLike[str], suffixes: Collection[str]) -> tuple[str, bytes]:
    """The suffix of a file, in small letters, and what is in it.

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
        return path.suffix.lower(), path.read_bytes()
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
