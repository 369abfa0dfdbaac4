"""Files of parameters: what is written is read back, and what is damaged changes nothing."""

from __future__ import annotations

import builtins
import hashlib
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

import tinygrad_bp as bp
from tinygrad_bp import nn

from . import damage

SUFFIXES = [".npz", ".safetensors"]


def model(seed=0, **options):
    return nn.MLP([2, 3, 1], normalization="batch", seed=seed, **options)


def is_as_before(model, before):
    after = model.state_dict()
    return list(after) == list(before) and all((after[k] == before[k]).all() for k in after)


@pytest.mark.parametrize("suffix", [*SUFFIXES, ".NPZ"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_what_is_saved_is_loaded(tmp_path, suffix, dtype):
    source, target = model(0, dtype=dtype), model(1, dtype=dtype)
    source(np.random.default_rng(0).normal(size=(5, 2)).astype(dtype))  # moves the statistics
    path = tmp_path / f"model{suffix}"
    assert nn.save(source, path) is None
    assert nn.load(target, str(path)) is target
    for name, array in source.state_dict().items():
        np.testing.assert_array_equal(target.state_dict()[name], array)
        assert target.state_dict()[name].dtype == dtype
    assert [p.name for p in target.parameters()] == [p.name for p in source.parameters()]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_dictionary_of_arrays_of_any_kind(tmp_path, suffix):
    state = {
        "file": np.array(3),
        "allow_pickle": np.array([True, False]),
        "a/b c.npy.é": np.zeros((0, 3), np.float32),
        "transposed": np.arange(6.0).reshape(2, 3).T,
        "strided": np.arange(6, dtype=np.uint8)[::2],
        "swapped": np.arange(3, dtype=">i2"),
        "number": 2.5,
    }
    path = tmp_path / f"state{suffix}"
    nn.save(state, path)
    loaded = nn.read_state(path)
    assert set(loaded) == set(state)
    for name, value in state.items():
        np.testing.assert_array_equal(loaded[name], value)
        assert loaded[name].dtype.str[1:] == np.asarray(value).dtype.str[1:]
        assert loaded[name].shape == np.shape(value)


def test_numpy_reads_the_file_and_we_read_numpy_s(tmp_path):
    source = model()
    nn.save(source, tmp_path / "ours.npz")
    with np.load(tmp_path / "ours.npz", allow_pickle=False) as file:
        assert list(file) == list(source.state_dict())
        for name, array in source.state_dict().items():
            np.testing.assert_array_equal(file[name], array)
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "theirs.npz", **source.state_dict())
        assert is_as_before(nn.load(model(1), tmp_path / "theirs.npz"), source.state_dict())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_model_gives_the_same_bytes(tmp_path, suffix, monkeypatch):
    nn.save(model(), tmp_path / f"a{suffix}")
    monkeypatch.setattr("time.time", lambda: 2e9)
    nn.save(model(), tmp_path / f"b{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_an_optimiser_can_be_saved_too(tmp_path):
    def trained(steps, trained_model, optimizer):
        for _ in range(steps):
            optimizer.zero_grad()
            (trained_model(np.eye(2)) ** 2).sum().backward()
            optimizer.step()

    first = model()
    optimizer = bp.optim.Adam(first.parameters(), lr=0.1)
    trained(3, first, optimizer)
    nn.save(first, tmp_path / "model.npz")
    nn.save(optimizer, tmp_path / "optimizer.npz")
    second = nn.load(model(1), tmp_path / "model.npz")
    assert not any(part.training for _, part in second.named_modules())
    second.train()
    resumed = bp.optim.Adam(second.parameters(), lr=0.1)
    assert nn.load(resumed, tmp_path / "optimizer.npz") is resumed
    trained(3, first, optimizer)
    trained(3, second, resumed)
    assert is_as_before(first, second.state_dict())


# A file that does not fit


def test_all_that_does_not_fit_is_named(tmp_path):
    state = model().state_dict()
    state["9.weight"] = state.pop("3.bias")
    state["0.weight"] = np.ones((3, 4))
    state["1.bias"] = np.ones(3, complex)
    state["1.weight"][1] = np.nan
    state["1.running_var"][1] = np.inf
    path = tmp_path / "model.npz"
    np.savez(path, **state)
    target = model(1)
    before = target.state_dict()
    with pytest.raises(ValueError, match=r"cannot load '.*model\.npz': the state does") as caught:
        nn.load(target, path)
    message = str(caught.value)
    for part in (
        "no '3.bias'",
        "unknown '9.weight'",
        "'0.weight' of shape (3, 4), not (3, 2)",
        "'1.bias' of complex128, not float64",
        "'1.weight' with nan or infinity in it",
        "'1.running_var' with nan or infinity in it",
    ):
        assert part in message
    assert "\n" not in message
    assert is_as_before(target, before)


def test_what_single_precision_cannot_hold_is_refused():
    target = nn.Linear(1, 1, dtype=np.float32)
    with pytest.raises(ValueError, match="'weight' with nan or infinity"):
        target.load_state_dict({"weight": np.array([[1e300]]), "bias": np.zeros(1)})


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_truncation_is_one_clear_error(tmp_path, suffix):
    path = tmp_path / f"model{suffix}"
    nn.save(model(), path)
    content = path.read_bytes()
    target = model(1)
    before = target.state_dict()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="cannot load") as caught:
            nn.load(target, path)
        assert "\n" not in str(caught.value)
    assert is_as_before(target, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", [lambda position: 1 << position % 8, lambda position: 0x55])
def test_no_file_with_a_damaged_byte_is_loaded(tmp_path, suffix, damage):
    path = tmp_path / f"model{suffix}"
    nn.save(nn.Linear(2, 1, seed=0), path)
    content = path.read_bytes()
    target = nn.Linear(2, 1, seed=1)
    before = target.state_dict()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= damage(position)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot load") as caught:
            nn.load(target, path)
        assert "\n" not in str(caught.value)
    assert is_as_before(target, before)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_files_without_a_checksum_are_loaded(tmp_path, suffix):
    source, path = model(), tmp_path / f"theirs{suffix}"
    state = source.state_dict()
    if suffix == ".npz":
        np.savez_compressed(path, **state)
    else:
        safetensors.numpy.save_file(state, path, metadata={"format": "np"})
    assert is_as_before(nn.load(model(1), path), state)


def test_the_package_safetensors_reads_our_files(tmp_path):
    path = tmp_path / "x.safetensors"
    state = {
        "halves": np.ones(3, np.float16),
        "ä": np.arange(6.0).reshape(2, 3).T,
        "flags": np.array([True, False]),
        "big-endian": np.arange(3, dtype=">i4"),
        "none": np.zeros((0, 2)),
        "number": np.uint8(7),
    }
    nn.save(state, path)
    theirs = safetensors.numpy.load_file(path)
    assert theirs.keys() == state.keys()
    for name, array in state.items():
        np.testing.assert_array_equal(theirs[name], array)
    assert list(nn.read_state(path)) == list(state)


def test_the_layout_of_our_safetensors(tmp_path):
    path = tmp_path / "x.safetensors"
    nn.save({"ä": np.ones(3, np.uint8), "b": np.ones(5), "c": np.ones(3, np.float32)}, path)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert length % 8 == 0
    assert length < len(json.dumps(header, ensure_ascii=False).encode())  # no space is wasted
    assert "ä".encode() in content[:length]
    for name, width in {"ä": 1, "b": 8, "c": 4}.items():
        assert header[name]["data_offsets"][0] % width == 0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_checksum_is_sha256_of_the_file_with_zeros_in_its_place(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    nn.save(model(), path)
    content = path.read_bytes()
    place = content.index(b"sha256:") + 7
    checksum = content[place : place + 64]
    blank = content[:place] + b"0" * 64 + content[place + 64 :]
    assert checksum == hashlib.sha256(blank).hexdigest().encode()


def test_how_long_a_name_an_archive_holds(tmp_path):
    path = tmp_path / "x.npz"
    nn.save({"a" * 60_000: 1.0}, path)
    assert [len(name) for name in nn.read_state(path)] == [60_000]
    with pytest.raises(ValueError, match="name of 60,001 letters is too long"):
        nn.save({"a" * 60_001: 1.0}, path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_may_be_as_long_as_the_state_needs(tmp_path, suffix):
    class Taker:
        def load_state_dict(self, state):
            self.state = state

        def _most_bytes(self):
            return self.most

    path, taker = tmp_path / f"x{suffix}", Taker()
    nn.save({"a": 1.0}, path)
    taker.most = path.stat().st_size
    assert nn.load(taker, path).state == {"a": 1.0}
    taker.most -= 1
    with pytest.raises(ValueError, match="bytes, where this state needs"):
        nn.load(taker, path)


class Bomb:
    def __reduce__(self):
        return builtins.exec, ("raise SystemExit('code from a file was run')",)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_with_code_in_it_runs_none(tmp_path, suffix):
    pickled = pickle.dumps({"weight": Bomb()})
    member = io.BytesIO()
    np.lib.format.write_array(member, np.array([Bomb()], dtype=object), allow_pickle=True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("weight.npy", member.getvalue())
    for content in (pickled, member.getvalue(), archive.getvalue()):
        path = tmp_path / f"stranger{suffix}"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="damaged or no"):
            nn.load(nn.Linear(2, 1), path)


def test_a_header_that_promises_too_much_is_refused(tmp_path):
    member = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(member, header)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as file:
        file.writestr("weight.npy", member.getvalue())
    with pytest.raises(ValueError, match="damaged"):
        nn.read_state(tmp_path / "x.npz")


def header_of(entries, data=b"", length=None):
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(kind="F64", shape=(1,), offsets=(0, 8)):
    return {"dtype": kind, "shape": shape, "data_offsets": offsets}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"its header of 0 bytes is longer than the file of 0\)"),
        (header_of({}, length=3), r"its header of 3 bytes is longer than the file of 10\)"),
        (header_of({"a": entry(offsets=3)}), "its entry 'a' has not the form of one"),
        (header_of({}, length=20 * 2**30), "its header of 21,474,836,480 bytes is longer than"),
        (header_of([]), "its header is no dictionary"),
        (header_of(b"{,"), "Expecting property name"),
        (header_of(b"[" * 20_000), "recursion"),
        (header_of(b'{"a":1,"a":2}'), "its header has 'a' twice"),
        (header_of({"a": [1]}), "its entry 'a' has not the form of one"),
        (header_of({"a": entry(shape=-1)}), "its entry 'a' has not the form of one"),
        (header_of({"a": entry(shape=[-1])}), "its entry 'a' has not the form of one"),
        (header_of({"a": entry(shape=[True])}), "its entry 'a' has not the form of one"),
        (header_of({"a": entry(offsets=[0, 8, 9])}), "its entry 'a' has not the form of one"),
        (header_of({"a": entry("BF16")}), "'a' is of 'BF16'; known are BOOL, U8"),
        (header_of({"a": entry(["F64"])}), r"'a' is of \['F64'\]; known are BOOL"),
        (header_of({"a": entry(shape=[2])}), r"'a' of shape \(2,\) has 8 bytes"),
        (header_of({"a": entry(shape=[10**30])}), r"has 8 bytes"),
        (header_of({"a": entry()}, bytes(7)), "it has .* bytes and its header tells of"),
        (header_of({"a": entry()}, bytes(9)), "it has .* bytes and its header tells of"),
        (header_of({"a": entry(), "b": entry()}, bytes(8)), "belongs to no one array"),
        (header_of({"a": entry(offsets=[8, 16])}, bytes(16)), "byte 0 of its numbers belongs to"),
        (header_of({"__metadata__": {"tinygrad_bp": "sha256:1"}}), "its checksum is damaged"),
        (header_of({"__metadata__": 3}), "its metadata is no dictionary"),
    ],
)
def test_headers_of_safetensors_that_are_wrong(tmp_path, content, message):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"damaged or no .safetensors file .*{message}"):
        nn.read_state(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_larger_than_the_model_is_refused_unread(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    with path.open("wb") as file:
        file.write((20 * 10**9 - 8).to_bytes(8, "little") + b"{")
        file.truncate(20 * 10**9)  # which takes no room on the disk
    target = model()
    for taker in (target, bp.optim.Adam(target.parameters())):
        with pytest.raises(ValueError, match="20,000,000,000 bytes, where this state needs"):
            nn.load(taker, path)
    if suffix == ".safetensors":
        with pytest.raises(ValueError, match="header of 19,999,999,992 bytes is longer than 100,0"):
            nn.read_state(path)


def test_an_archive_that_unpacks_to_more_than_the_model_is_refused(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, weight=np.zeros(100_000))
    with pytest.raises(ValueError, match="bytes would unpack to 800128"):
        nn.load(nn.Linear(1, 1), path)


# Bad input


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda p: nn.save(model(), p / "x.pt"), ValueError, r"must end in one of \.npz, \.safe"),
        (lambda p: nn.load(model(), p / "x.pt"), ValueError, r"must end in one of \.npz, \.safe"),
        (lambda p: nn.save(model(), p / "no" / "x.npz"), OSError, "folder '.*' does not exist"),
        (lambda p: nn.load(model(), p / "no.npz"), FileNotFoundError, "cannot read '.*no.npz': No"),
        (lambda p: nn.load(p / "x.npz", model()), TypeError, r"load\(model, path\) needs a model"),
        (lambda p: nn.save([1.0], p / "x.npz"), TypeError, "needs a model or a dictionary first"),
        (lambda p: nn.save({"a": "b"}, p / "x.npz"), ValueError, "'a' holds <U1, not real numbers"),
        (lambda p: nn.save({"a": [1, None]}, p / "x.npz"), ValueError, "'a' holds object"),
        (lambda p: nn.save({"a": {"b": 1.0}}, p / "x.npz"), ValueError, "in a file of its own"),
        (lambda p: nn.save({"a": nn.Linear(1, 1)}, p / "x.npz"), ValueError, "a file of its own"),
        (lambda p: nn.save({"a": np.nan}, p / "x.npz"), ValueError, "'a' holds nan or infinity"),
        (lambda p: nn.save({1: 2.0}, p / "x.npz"), ValueError, "name 1 is no printable text"),
        (lambda p: model().load_state_dict([1]), TypeError, "a dictionary of arrays, not a list"),
    ],
)
def test_errors_are_one_clear_line_and_write_nothing(tmp_path, use, error, message):
    with pytest.raises(error, match=message) as caught:
        use(tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_diverged_model_does_not_replace_a_good_file(tmp_path):
    path = tmp_path / "model.npz"
    good, bad = model(), model(1)
    nn.save(good, path)
    bad.layers[0].weight.data = np.full((3, 2), np.nan)
    with pytest.raises(ValueError, match=r"'0\.weight' holds nan"):
        nn.save(bad, path)
    assert is_as_before(nn.load(model(2), path), good.state_dict())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("call", ["os.fsync", "os.replace"])
def test_writing_is_all_or_nothing(tmp_path, suffix, call, monkeypatch):
    path = tmp_path / f"model{suffix}"
    nn.save(model(), path)
    before = path.read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(call, full)
    with pytest.raises(OSError, match=r"cannot write '.*': No space left on device"):
        nn.save(model(1), path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("suffix", "state", "message"),
    [
        (".safetensors", {"__metadata__": 1.0}, "name '__metadata__' is reserved by the format"),
        (".safetensors", {"a": np.longdouble(1)}, r"'a' holds .*, which the format has not"),
        (".npz", {"a" * 70_000: 1.0}, "name of 70,000 letters is too long"),
        (".npz", {"a\0": 1.0}, "is no printable text"),
        (".npz", {"\ud800": 1.0}, "is no printable text"),
    ],
)
def test_what_a_format_cannot_hold_replaces_nothing(tmp_path, suffix, state, message):
    path = tmp_path / f"x{suffix}"
    nn.save(model(), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        nn.save(state, path)
    assert path.read_bytes() == before
    other = {".npz": ".safetensors", ".safetensors": ".npz"}[suffix]
    if "text" not in message:
        nn.save(state, tmp_path / f"x{other}")
        assert nn.read_state(tmp_path / f"x{other}").keys() == state.keys()


def test_paths_of_both_kinds(tmp_path):
    for path in (Path(tmp_path / "a.npz"), str(tmp_path / "b.npz")):
        nn.save(model(), path)
        nn.load(model(1), path)


# Files that are damaged at random: `python -m tests.nn.damage 5000` tries more


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_file_that_is_damaged_at_random_is_loaded(tmp_path, suffix):
    assert damage.check(240, 0, tmp_path / f"x{suffix}") > 200


@pytest.mark.parametrize(
    "metadata",
    [
        {"format": "pt"},
        {"modelspec.hash_sha256": "0x" + "0123456789abcdef" * 4},
        {"digest": "sha256:" + "0123456789abcdef" * 4},
    ],
)
def test_a_checksum_that_is_not_ours_is_none_of_our_business(tmp_path, metadata):
    path = tmp_path / "theirs.safetensors"
    safetensors.numpy.save_file({"a": np.ones(2)}, path, metadata=metadata)
    assert nn.read_state(path)["a"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("after", "message"),
    [(b"x", "it does not end where it says"), (b"", "its comment is no checksum")],
)
def test_what_follows_an_archive_is_our_checksum_or_nothing(tmp_path, after, message):
    path = tmp_path / "theirs.npz"
    np.savez(path, a=np.ones(2))
    if not after:
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = b"of somebody else"
    path.write_bytes(path.read_bytes() + after)
    with pytest.raises(ValueError, match=message):
        nn.read_state(path)
