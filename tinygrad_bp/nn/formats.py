"""The formats of files of parameters, written and read here: ``.npz`` and ``.safetensors``.

Both hold numbers alone, never code, and what is written here ends with, or begins with, a checksum
of the whole file. Sizes are compared with that of the file before anything is allocated by them.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np

from ..support.arguments import shown

State = dict[str, np.ndarray]

MOST_INFLATION = 100  # times its size that a file may unpack to; parameters hardly compress
LONGEST_HEADER = 100_000_000  # of a .safetensors file, as its specification says
LONGEST_NAME = 60_000  # in bytes, of which an archive counts up to 65,535 with the folder's

CHECKSUM = b"tinygrad_bp's checksum of this file, sha256:"
_UNKNOWN = b"0" * 64  # in the place of a checksum while it is computed

# The types that .safetensors has, by its names. All are written with the lowest byte first.
TYPES = {
    "BOOL": "|b1",
    "U8": "|u1",
    "I8": "|i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
}
_NAMES_OF_TYPES = {text: name for name, text in TYPES.items()}


def _seal(content: bytes, place: int) -> bytes:
    """The content with its checksum at ``place``, where there is none yet."""
    return b"".join([content[:place], _checksum(content, place), content[place + 64 :]])


def _checksum(content: bytes, place: int) -> bytes:
    """The checksum of all of the content but the 64 letters where it stands itself."""
    view = memoryview(content)
    digest = hashlib.sha256(view[:place])
    digest.update(_UNKNOWN)
    digest.update(view[place + 64 :])
    return digest.hexdigest().encode()


def _check_seal(content: bytes, place: int) -> None:
    if content[place : place + 64] != _checksum(content, place):
        raise ValueError("its checksum does not fit what it holds")


# NumPy's format: an archive with a file for each array


_END = b"PK\5\6"  # begins an archive's last 22 bytes but for its comment, whose length ends them


def cannot_be_in_npz(name: str, array: np.ndarray) -> str:
    """Why an archive cannot hold an array of this name, or nothing.

    Examples
    --------
    >>> cannot_be_in_npz("weight", np.ones(2))
    ''
    """
    if len(name.encode()) > LONGEST_NAME:
        return f"name of {len(name):,} letters is too long"
    return ""


def pack_npz(arrays: State) -> bytes:
    """What `numpy.savez` writes, under any name: it would take ``file`` for its own argument.

    The checksum is the archive's comment, which is the last in it.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
        archive.comment = CHECKSUM + _UNKNOWN
    return _seal(content.getvalue(), content.tell() - 64)


def unpack_npz(file: BinaryIO, size: int, most: int | None) -> State:
    """The arrays in an archive of ``size`` bytes, which may unpack to no more than ``most``."""
    content = file.read()
    ours = content[-64 - len(CHECKSUM) : -64] == CHECKSUM
    if ours:
        _check_seal(content, size - 64)
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        comment = content[content.rfind(_END) + 22 :]  # what is there, and what should be
        if len(comment) != int.from_bytes(content[-len(comment) - 2 :][:2], "little"):
            raise ValueError("it does not end where it says")
        if comment and not ours:  # NumPy's archives have none
            raise ValueError("its comment is no checksum")
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > (MOST_INFLATION * size if most is None else most):
            raise ValueError(f"{size} bytes would unpack to {unpacked}")
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            if name in arrays:
                raise ValueError(f"it holds {name!r} twice")
            array = io.BytesIO(archive.read(member))
            arrays[name] = np.lib.format.read_array(array, allow_pickle=False)
    return arrays


# safetensors: the length of a header, the header in JSON, and the numbers of all arrays in a row


_METADATA = "__metadata__"
_OURS = "tinygrad_bp"
_BEGINNING = f'{{"{_METADATA}":{{"{_OURS}":"'.encode() + CHECKSUM


def cannot_be_in_safetensors(name: str, array: np.ndarray) -> str:
    """Why the format cannot hold an array of this name, or nothing.

    Examples
    --------
    >>> cannot_be_in_safetensors("__metadata__", np.ones(2))
    "name '__metadata__' is reserved by the format"
    """
    if name == _METADATA:
        return f"name {name!r} is reserved by the format"
    if array.dtype.newbyteorder("<").str not in _NAMES_OF_TYPES:
        return f"{name!r} holds {array.dtype}, which the format has not: take float64"
    return ""


def pack_safetensors(arrays: State) -> bytes:
    """The arrays after a header that names them, those of the longest numbers first.

    So every array begins at a multiple of the length of its numbers. The checksum stands in the
    header, as its first entry.
    """
    header: dict[str, Any] = {_METADATA: {_OURS: (CHECKSUM + _UNKNOWN).decode()}}
    header |= dict.fromkeys(arrays)
    parts, end = [], 0
    for name in sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize):
        array = np.asarray(arrays[name], arrays[name].dtype.newbyteorder("<"))
        begin, end = end, end + array.nbytes
        kind = _NAMES_OF_TYPES[array.dtype.str]
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": (begin, end)}
        parts.append(array.tobytes())  # in the order of C
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    content = b"".join([len(text).to_bytes(8, "little"), text, *parts])
    return _seal(content, 8 + len(_BEGINNING))


def unpack_safetensors(file: BinaryIO, size: int, most: int | None) -> State:
    """The arrays in a file of ``size`` bytes, which its header has to account for, each one."""
    first = file.read(8)
    length = int.from_bytes(first, "little")
    if length > size - 8:
        raise ValueError(f"its header of {length:,} bytes is longer than the file of {size:,}")
    if length > LONGEST_HEADER:
        raise ValueError(f"its header of {length:,} bytes is longer than {LONGEST_HEADER:,}")
    text = file.read(length)
    ours = text.startswith(_BEGINNING)
    header = json.loads(text.decode(), object_pairs_hook=_once)
    if not isinstance(header, dict):
        raise ValueError("its header is no dictionary")
    _check_metadata(header.pop(_METADATA, {}), ours)
    places = {name: _placement(name, entry) for name, entry in header.items()}
    end = 0
    for begin, after in sorted(place for _, _, place in places.values()):
        if begin != end:
            raise ValueError(f"byte {min(begin, end):,} of its numbers belongs to no one array")
        end = after
    if 8 + length + end != size:
        raise ValueError(f"it has {size:,} bytes and its header tells of {8 + length + end:,}")
    file.seek(0)
    content = file.read()
    if ours:
        _check_seal(content, 8 + len(_BEGINNING))
    numbers = memoryview(content)[8 + length :]
    return {
        name: np.frombuffer(numbers[begin:end], kind).reshape(shape).astype(kind.newbyteorder("="))
        for name, (kind, shape, (begin, end)) in places.items()
    }


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary of JSON, which may name nothing twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"its header has {shown(name)} twice")
        found[name] = value
    return found


def _check_metadata(metadata: Any, ours: bool) -> None:
    """Refuse what would have been a checksum, were it not damaged: ten letters give it away."""
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is no dictionary")
    mark, text = CHECKSUM.decode(), str(metadata)
    if not ours and any(mark[i : i + 10] in text for i in range(len(mark) - 9)):
        raise ValueError("its checksum is damaged")


def _placement(name: str, entry: Any) -> tuple[np.dtype, tuple[int, ...], tuple[int, int]]:
    """The type and the shape of an array, and where its bytes begin and end."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"its entry {name!r} has not the form of one")
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise ValueError(f"{name!r} is of {shown(kind)}; known are {', '.join(TYPES)}")
    lists = isinstance(shape, list) and isinstance(offsets, list) and len(offsets) == 2
    if not (lists and all(type(n) is int and n >= 0 for n in [*shape, *offsets])):
        raise ValueError(f"its entry {name!r} has not the form of one")
    dtype, (begin, end) = np.dtype(TYPES[kind]), offsets
    if end - begin != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{name!r} of shape {tuple(shape)} has {end - begin:,} bytes")
    return dtype, tuple(shape), (begin, end)


Format = tuple[
    Callable[[str, np.ndarray], str],
    Callable[[State], bytes],
    Callable[[BinaryIO, int, "int | None"], State],
]

FORMATS: dict[str, Format] = {
    ".npz": (cannot_be_in_npz, pack_npz, unpack_npz),
    ".safetensors": (cannot_be_in_safetensors, pack_safetensors, unpack_safetensors),
}
