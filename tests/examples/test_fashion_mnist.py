"""Fashion-MNIST's example: on images made here, on damaged files, and on the real ones if there."""

from __future__ import annotations

import gzip
import importlib.util
import re

import numpy as np
import pytest

from .test_examples import ROOT, line_with, numbers, run

spec = importlib.util.spec_from_file_location(
    "fashion_mnist", ROOT / "examples" / "fashion_mnist.py"
)
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)


def idx(array):
    """An array of bytes as the content of an idx file."""
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def made(n, seed):
    """Images whose class is the place of a bright bar, and their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=n).astype(np.uint8)
    images = rng.integers(100, size=(n, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * label + 4] += 100
    return images, labels


def write(folder, part, images, labels):
    (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "train", *made(600, seed=0))
    write(tmp_path, "t10k", *made(200, seed=1))
    return tmp_path


def test_the_files_are_read_as_they_were_written(folder):
    images, labels = made(600, seed=0)
    X, y = example.load(folder, "train")
    np.testing.assert_array_equal(X, images.reshape(600, 784))
    np.testing.assert_array_equal(y, labels)
    assert y.dtype == int


def test_it_learns_measures_and_draws(folder):
    pytest.importorskip("matplotlib")
    code, output = run("fashion_mnist.py", "--data", folder, "--epochs", 8, folder=folder)
    assert code == 0, output
    assert "540 images to learn from, 60 held out, 200 to test" in output
    assert len([line for line in output.splitlines() if line.startswith("epoch")]) == 8
    assert numbers(line_with("this network", output))[-1] > 0.9
    assert numbers(line_with("relu, 100", output)) == [0.871]
    pictures = sorted(folder.glob("*.png"))
    assert [p.stem for p in pictures] == [
        f"fashion_mnist_{what}" for what in ("mistakes", "training", "weights")
    ]
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in pictures)


def test_the_accuracy_is_that_of_the_test_images(folder):
    """With labels that mean nothing, it is that of guessing, however well the rest is learned."""
    images, _ = made(200, seed=1)
    write(folder, "t10k", images, np.random.default_rng(2).integers(10, size=200).astype(np.uint8))
    options = ("--data", folder, "--epochs", 8)
    code, output = run("fashion_mnist.py", *options, folder=folder, blocked="matplotlib")
    assert code == 0, output
    assert numbers(line_with("this network", output))[-1] < 0.3
    assert numbers(line_with("epoch  8", output))[-1] > 0.9
    assert 'pip install "tinygrad_bp[plot]"' in output


def test_missing_files_are_one_line_that_says_how_to_get_them(tmp_path):
    code, output = run("fashion_mnist.py", "--data", tmp_path)
    assert code == 1
    assert len(output.splitlines()) == 1
    assert f"there is no {tmp_path / 'train-images-idx3-ubyte.gz'}" in output
    assert "apt-get install dataset-fashion-mnist" in output


def test_a_file_in_place_of_the_folder_is_one_line_that_says_how_to_get_one(tmp_path):
    (tmp_path / "file").touch()
    code, output = run("fashion_mnist.py", "--data", tmp_path / "file")
    assert code == 1
    assert len(output.splitlines()) == 1
    assert "apt-get install dataset-fashion-mnist" in output


def test_damaged_files_are_one_line(folder):
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(b"no gzip")
    code, output = run("fashion_mnist.py", "--data", folder)
    assert code == 1
    assert len(output.splitlines()) == 1
    assert "t10k-labels-idx1-ubyte.gz is damaged" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--epochs", 0), "at least 1"),
        (("--images", 1), "at least 2"),
        (("--seed", -1), "--seed must be at least 0"),
        (("--out", "missing"), "there is no folder for --out missing"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(folder, arguments, message):
    code, output = run("fashion_mnist.py", "--data", folder, *arguments)
    assert code == 2
    assert message in output
    assert "images to learn from" not in output


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fashion_mnist", ["data", "hidden", "epochs", "batch", "images", "seed", "out"]),
        ("decision_boundary", ["epochs", "out"]),
        ("digits", ["seeds", "epochs", "out"]),
        ("digits_sklearn", ["seeds", "epochs"]),
        ("diabetes", ["seeds"]),
    ],
)
def test_help_explains_each_option_and_tells_its_default(name, options):
    if name.startswith("di"):
        pytest.importorskip("sklearn")
    code, output = run(f"{name}.py", "--help")
    assert code == 0, output
    told = " ".join(output.partition("show this help message and exit")[2].split())
    assert [word[2:] for word in told.split() if word.startswith("--")] == options
    assert len(re.findall(r"[a-z] \(default: [^)]+\)", told)) == len(options)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("decision_boundary", "--epochs"),
        ("digits", "--seeds"),
        ("digits", "--epochs"),
        ("diabetes", "--seeds"),
    ],
)
def test_nothing_to_do_is_refused(name, option):
    if name.startswith("di"):
        pytest.importorskip("sklearn")
    code, output = run(f"{name}.py", option, 0)
    assert code == 2
    assert "must be at least 1" in output.splitlines()[-1]


IMAGES, LABELS = made(20, seed=0)
WHOLE = gzip.compress(idx(LABELS))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it holds 0 bytes"),
        (b"no gzip", "damaged"),
        (WHOLE[:-12], "cut short"),
        (WHOLE[:15] + bytes(5) + WHOLE[20:], "damaged"),
        (gzip.compress(idx(LABELS)[:-1]), "20 bytes, and 19 follow"),
        (gzip.compress(idx(LABELS) + b"\0"), "20 bytes, and 21 follow"),
        (gzip.compress(idx(LABELS)[:6]), "it holds 6 bytes"),
        (gzip.compress(idx(IMAGES)), "it begins with 00 00 08 03, not 00 00 08 01"),
        (gzip.compress(b"\0\0\r\1" + idx(LABELS)[4:]), "it begins with 00 00 0d 01"),
        (gzip.compress(idx(LABELS[:19])), "20, 28, 28) and 19 labels"),
        (gzip.compress(idx(LABELS + 1)), "label 10: they must be 0 to 9"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_file_is_told(tmp_path, content, message):
    write(tmp_path, "train", IMAGES, LABELS)
    assert LABELS.max() == 9
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(ValueError, match="train") as error:
        example.load(tmp_path, "train")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_images_of_another_size_are_told(tmp_path):
    write(tmp_path, "train", IMAGES[:, :, :27], LABELS)
    with pytest.raises(ValueError, match="28 by 28 pixels"):
        example.load(tmp_path, "train")


def test_the_real_images(tmp_path):
    if not example.DEBIAN.is_dir():
        pytest.skip("needs Debian's package dataset-fashion-mnist")
    options = ("--images", 600, "--epochs", 8, "--hidden", 64)
    code, output = run("fashion_mnist.py", *options, folder=tmp_path, blocked="matplotlib")
    assert code == 0, output
    assert "540 images to learn from, 60 held out, 10000 to test" in output
    assert numbers(line_with("this network", output))[-1] > 0.7
