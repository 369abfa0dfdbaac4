"""Files are written whole or not at all, whoever writes beside, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import warnings

import pytest

from tinygrad_bp.support import files
from tinygrad_bp.support.files import write

fcntl = pytest.importorskip("fcntl", reason="files are held in another way on Windows")


def once(monkeypatch, name, action):
    """Let the next call of a function in ``os`` do something first."""
    function = getattr(os, name)

    def replaced(*inputs):
        monkeypatch.setattr(os, name, function)
        action()
        return function(*inputs)

    monkeypatch.setattr(os, name, replaced)


@pytest.mark.parametrize("when", ["fsync", "replace"])
def test_one_who_writes_while_another_does_disturbs_nothing(tmp_path, monkeypatch, when):
    """As a handler of a signal that saves does."""
    path, other = tmp_path / "a", tmp_path / "b"
    for second in (other, path):
        once(monkeypatch, when, lambda: write(second, b"second"))  # noqa: B023
        write(path, b"first")
        assert path.read_bytes() == b"first"
    assert other.read_bytes() == b"second"
    assert sorted(tmp_path.iterdir()) == [path, other]


def test_a_file_is_not_taken_for_one_left_behind_before_it_is_held(tmp_path, monkeypatch):
    hold, held = files._hold, []

    def late(handle):
        if not held:  # the first file is made, and not yet held: another call comes first
            held.append(handle)
            write(tmp_path / "b", b"second")
        return hold(handle)

    monkeypatch.setattr(files, "_hold", late)
    write(tmp_path / "a", b"first")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert (tmp_path / "b").read_bytes() == b"second"
    assert len(list(tmp_path.iterdir())) == 2


def test_threads_that_write_to_one_place(tmp_path):
    path, errors = tmp_path / "a", []

    def many(letter):
        try:
            for _ in range(25):
                write(path, letter * 1000)
                found = path.read_bytes()
                assert found == found[:1] * 1000
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=many, args=(letter,)) for letter in (b"a", b"b", b"c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import os, signal, sys
from pathlib import Path
from tinygrad_bp.support.files import write
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
write(Path(sys.argv[1]), b"never")
"""


def test_what_a_crash_has_left_is_cleared_by_the_next_call(tmp_path):
    path = tmp_path / "a"
    write(path, b"before")
    done = subprocess.run([sys.executable, "-c", KILLED, path], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    assert path.read_bytes() == b"before"
    write(tmp_path / "b", b"after")
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "b"]


def test_links_under_the_names_of_partial_files_are_not_followed(tmp_path, monkeypatch):
    victim, folder = tmp_path / "victim", tmp_path / "folder"
    folder.mkdir()
    victim.write_bytes(b"precious")
    names = iter(["1", "2"])
    monkeypatch.setattr(files.secrets, "token_hex", lambda count: next(names))
    (folder / f"{files._PARTIAL}1").symlink_to(victim)
    with pytest.raises(FileExistsError, match=r"cannot write '.*a': File exists"):
        write(folder / "a", b"new")
    write(folder / "a", b"new")
    assert victim.read_bytes() == b"precious"
    assert (folder / "a").read_bytes() == b"new"


def test_names_differ_from_call_to_call_and_modes_stay(tmp_path, monkeypatch):
    names = set()
    path = tmp_path / "a"
    for mode in (0o640, 0o600, 0o644):
        once(monkeypatch, "replace", lambda: names.update(os.listdir(tmp_path)))
        write(path, b"x")
        path.chmod(mode)
        write(path, b"y")
        assert path.stat().st_mode & 0o777 == mode
    assert len(names) == 4


def test_a_system_of_files_without_locks_will_do(tmp_path, monkeypatch):
    def unknown(handle, how):
        raise OSError(45, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unknown)
    write(tmp_path / "a", b"first")
    write(tmp_path / "a", b"second")
    assert (tmp_path / "a").read_bytes() == b"second"


def test_an_interrupt_while_writing_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write(path, b"before")
    for when in ("fsync", "replace"):
        once(monkeypatch, when, lambda: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            write(path, b"after")
        assert path.read_bytes() == b"before"
        assert list(tmp_path.iterdir()) == [path]


def test_all_is_in_the_file_before_it_takes_the_place(tmp_path, monkeypatch):
    path, seen = tmp_path / "a", []
    for when in ("fsync", "replace"):
        once(monkeypatch, when, lambda: seen.extend(p.read_bytes() for p in tmp_path.iterdir()))
        write(path, b"whole")
        path.unlink()
    assert seen == [b"whole", b"whole"]


def test_no_file_stays_open(tmp_path, monkeypatch):
    """Neither one left behind, nor one that another call took away before it was held."""
    hold, names, opened = files._hold, [], os.open
    handles = []

    def lost(handle):
        if not names:
            names.extend(os.listdir(tmp_path))
            (tmp_path / names[-1]).unlink()
        return hold(handle)

    (tmp_path / f"{files._PARTIAL}left").touch()
    monkeypatch.setattr(os, "open", lambda *given: handles.append(opened(*given)) or handles[-1])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        write(tmp_path / "a", b"first")
        monkeypatch.setattr(files, "_hold", lost)
        write(tmp_path / "b", b"second")
    assert [w.category for w in caught] == []
    assert len(handles) == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(handles[0])


def test_without_locks_files_are_closed_before_they_move_and_what_is_left_goes(
    tmp_path, monkeypatch
):
    """As on Windows, where an open file is neither moved nor removed."""
    new, made = files._new_partial, []
    monkeypatch.setattr(files, "fcntl", None)
    monkeypatch.setattr(files, "_new_partial", lambda path: made.append(new(path)) or made[-1])
    (tmp_path / f"{files._PARTIAL}left").touch()
    once(monkeypatch, "replace", lambda: made.append(made[0].closed))
    write(tmp_path / "a", b"content")
    assert made[1]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
