"""Files of models: what is written is what is read, and what is no such file is refused."""

import os
import zipfile

import numpy as np
import pytest

from tinygrad_bp import nn


def test_a_small_file_that_unpacks_to_much_is_refused_unread(tmp_path):
    np.savez_compressed(tmp_path / "bomb.npz", weight=np.zeros(10**6))
    with pytest.raises(ValueError, match=r"cannot load .*bomb\.npz'.* bytes would unpack to 8000"):
        nn.read_state(tmp_path / "bomb.npz")
    np.savez_compressed(tmp_path / "model.npz", **nn.MLP([2, 1], seed=0).state_dict())
    assert nn.read_state(tmp_path / "model.npz").keys() == {"0.weight", "0.bias"}


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_a_name_that_a_file_would_change_is_refused(tmp_path, name, suffix):
    pytest.importorskip("safetensors")
    with pytest.raises(ValueError, match="is no printable text"):
        nn.save({name: 1.0}, tmp_path / f"x.{suffix}")
    assert not list(tmp_path.iterdir())


def test_a_file_may_have_the_longest_name_there_is(tmp_path):
    path = tmp_path / ("a" * 251 + ".npz")
    nn.save({"x": 1.0}, path)
    assert nn.read_state(path)["x"] == 1


def test_two_threads_may_write_the_same_file(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    path = tmp_path / "x.npz"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: nn.save({"x": np.full(1000, i)}, path), range(40)))
    assert [file.name for file in tmp_path.iterdir()] == ["x.npz"]
    assert len(set(nn.read_state(path)["x"].tolist())) == 1


def test_a_link_leads_to_what_was_written_and_modes_stay(tmp_path):
    model, (target, link) = nn.Linear(1, 1, seed=0), (tmp_path / "a.npz", tmp_path / "b.npz")
    nn.save(model, target)
    target.chmod(0o600)
    link.symlink_to(target)
    nn.save(nn.Linear(1, 1, seed=1), link)
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o600
    assert nn.load(model, target).weight.item() == nn.Linear(1, 1, seed=1).weight.item()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(OSError, match="it is no file"):
        nn.load(nn.Linear(1, 1), tmp_path / "pipe.npz")


def test_a_name_that_stands_twice_in_a_file_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "two.npz", "w") as archive:
        for name in ("weight", "weight.npy", "bias.npy"):
            with archive.open(name, "w") as file:
                np.lib.format.write_array(file, np.ones((1, 1)))
    with pytest.raises(ValueError, match="it holds 'weight' twice"):
        nn.load(nn.Linear(1, 1), tmp_path / "two.npz")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.save(nn.MLP, "model.npz"), TypeError, "needs a model or a dictionary first"),
        (lambda: nn.load(nn.MLP, "model.npz"), TypeError, "needs a model first"),
        (lambda: nn.save(nn.Linear(1, 1), "a\0b.npz"), ValueError, "cannot hold a zero"),
        (
            lambda: nn.Linear(2, 1).load_state_dict({"weight": [[1, 2], [3]], "bias": [0.0]}),
            ValueError,
            "'weight' of shape",
        ),
        (
            lambda: nn.MLP([1] * 9).load_state_dict({}),
            ValueError,
            r"no '0.weight'; .*; and 10 more$",
        ),
    ],
)
def test_states_that_are_none(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(OSError, match="something else than a file is there"):
        nn.save(nn.Linear(1, 1), tmp_path / "pipe.npz")
