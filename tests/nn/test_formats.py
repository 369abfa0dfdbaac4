"""What the formats hold at their limits: the longest header, the most inflation, the marks."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from tinygrad_bp import nn
from tinygrad_bp.nn import formats


def safetensors(metadata):
    header = {"__metadata__": metadata, "x": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + np.float64(3).tobytes()


def test_a_header_may_be_as_long_as_the_specification_says(tmp_path, monkeypatch):
    path = tmp_path / "x.safetensors"
    with path.open("wb") as file:  # of which nothing is on the disk
        file.write((100_000_001).to_bytes(8, "little"))
        file.truncate(100_000_009)
    with pytest.raises(ValueError, match="header of 100,000,001 bytes is longer than 100,000,000"):
        nn.read_state(path)
    content = safetensors({})
    path.write_bytes(content)
    for longest in (content[0], content[0] - 1):
        monkeypatch.setattr(formats, "LONGEST_HEADER", longest)
        if longest == content[0]:
            assert nn.read_state(path)["x"] == 3
        else:
            with pytest.raises(ValueError, match="is longer than"):
                nn.read_state(path)


def test_ten_letters_of_the_mark_give_a_damaged_checksum_away(tmp_path):
    path, mark = tmp_path / "x.safetensors", formats.CHECKSUM.decode()
    for start in range(len(mark) - 9):
        path.write_bytes(safetensors({"note": mark[start : start + 10]}))
        with pytest.raises(ValueError, match="its checksum is damaged"):
            nn.read_state(path)
    path.write_bytes(safetensors({"note": mark[:9]}))
    assert nn.read_state(path)["x"] == 3


def inflated(zeros):
    """An archive with so many bytes of zeros in it, and what it unpacks to."""
    content = io.BytesIO()
    np.savez_compressed(content, noise=np.random.default_rng(0).bytes(1000), x=np.zeros(zeros, "b"))
    with zipfile.ZipFile(content) as archive:
        return content, sum(member.file_size for member in archive.infolist())


def test_a_file_may_unpack_to_a_hundred_times_its_size():
    seen = set()
    for zeros in range(152_000, 176_000, 300):
        content, unpacked = inflated(zeros)
        size = len(content.getvalue())
        content.seek(0)
        if unpacked <= 100 * size:
            formats.unpack_npz(content, size, None)
        elif unpacked <= 101 * size:
            with pytest.raises(ValueError, match="would unpack to"):
                formats.unpack_npz(content, size, None)
        seen.add(unpacked * 1000 // size // 10)
    assert {9_950, 10_050} <= {n // 50 * 50 for n in seen}


def test_a_file_may_unpack_to_all_that_the_state_needs():
    content, unpacked = inflated(10)
    size = len(content.getvalue())
    for most in (unpacked, unpacked - 1):
        content.seek(0)
        if most == unpacked:
            assert formats.unpack_npz(content, size, most)["x"].size == 10
        else:
            with pytest.raises(ValueError, match="would unpack to"):
                formats.unpack_npz(content, size, most)


def test_an_array_may_be_longer_than_two_gigabytes():
    """Whose length an archive can only hold if it says so before the array is written."""
    assert formats.pack_npz({"x": np.ones(1)})[4] == zipfile.ZIP64_VERSION


def test_no_object_is_ever_packed():
    with pytest.raises(ValueError, match="allow_pickle"):
        formats.pack_npz({"x": np.array([object()])})
