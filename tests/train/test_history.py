"""Histories: columns, a file, a line and a picture."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.examples.test_examples import ROOT
from tinygrad_bp.train.history import BLOCKS, History, sparkline


@pytest.fixture
def history():
    history = History()
    for i in range(4):
        history.append(
            {
                "loss": 2.0**-i,
                "accuracy": i / 4,
                "validation loss": 1.5 * 2.0**-i,
                "gradient norm": 3.0 - i / 2,
                "learning rate": 0.1,
                "error signal of layer 0": 0.1 + i,
                "error signal of layer 2": 0.2 + i,
                "seconds": 0.25,
            }
        )
    history.stopped = "all 4 epochs done"
    return history


def test_columns(history):
    assert len(history) == 4
    np.testing.assert_array_equal(history["loss"], [1, 0.5, 0.25, 0.125])
    np.testing.assert_array_equal(history.loss, history["loss"])
    np.testing.assert_array_equal(history.gradient_norm, history["gradient norm"])
    np.testing.assert_array_equal(history.learning_rate, [0.1] * 4)
    assert history.seconds.sum() == 1
    assert list(history.deltas) == ["0", "2"]
    np.testing.assert_array_equal(history.deltas["2"], history["error signal of layer 2"])
    assert history.metrics == ["accuracy"]
    assert "accuracy" in history
    assert "r2" not in history


def test_what_an_epoch_did_not_measure_is_nan(history):
    history.append({"loss": 0.5, "r2": 0.9})
    np.testing.assert_array_equal(history["r2"], [np.nan] * 4 + [0.9])
    np.testing.assert_array_equal(history["accuracy"], [0, 0.25, 0.5, 0.75, np.nan])
    assert history.names[-1] == "r2"


def test_an_unknown_column_is_told_the_nearest(history):
    np.testing.assert_array_equal(history["val_loss"], history["validation loss"])
    with pytest.raises(ValueError, match=r"unknown column 'acuracy': did you mean 'accuracy'\?"):
        history["acuracy"]


def test_repr(history):
    assert repr(history) == (
        "History(4 epochs, loss █▄▂▁ 1 → 0.125, accuracy 0.75, 1 s, all 4 epochs done)"
    )
    assert repr(History()) == "History(0 epochs, not begun)"
    one = History()
    one.append({"loss": 1.0})
    assert repr(one).startswith("History(1 epoch, loss ")
    history.stopped = "diverged in epoch 5, batch 12; the model is as after epoch 4"
    for name in ("f1", "validation accuracy", "validation f1"):
        history.rows[-1][name] = 0.123456
    history.rows *= 100
    assert len(repr(history)) <= 100
    assert " 1 → 0.125, 100 s, diverged in epoch 5, " in repr(history)
    history.stopped = "all 400 epochs done"
    assert len(repr(history)) <= 100
    assert " 1 → 0.125, validation accuracy 0.1235, 100 s, all 400" in repr(history)
    assert not History()
    assert history


def test_a_sparkline_has_a_block_for_each_value():
    assert sparkline(range(8)) == BLOCKS
    assert sparkline(range(7, -1, -1)) == BLOCKS[::-1]
    assert sparkline([]) == ""
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([np.nan, np.inf]) == "  "
    assert sparkline([0.0, np.nan, 1.0]) == "▁ █"
    long = sparkline(np.arange(1000))
    assert len(long) == 40
    assert (long[0], long[-1]) == ("▁", "█")
    assert sparkline([-1e308, 1e308]) == sparkline([0, 1e-320]) == "▁█"


def test_to_csv(history, tmp_path):
    history.append({"loss": 1 / 3})
    history.to_csv(tmp_path / "history.csv")
    with (tmp_path / "history.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == ["epoch", *history.names]
    assert [row["epoch"] for row in table] == ["1", "2", "3", "4", "5"]
    assert [float(row["loss"]) for row in table] == history.loss.tolist()  # to the last digit
    assert table[-1]["accuracy"] == ""


def test_to_csv_refuses_before_it_writes(history, tmp_path):
    with pytest.raises(ValueError, match=r"must end in one of \.csv"):
        history.to_csv(tmp_path / "history.txt")
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        history.to_csv(tmp_path / "missing" / "history.csv")
    assert not list(tmp_path.iterdir())


def test_plot(history, tmp_path):
    pytest.importorskip("matplotlib")
    figure = history.plot(tmp_path / "history.png")
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    drawn = [line.get_ydata().tolist() for axes in figure.axes for line in axes.lines]
    for name in (
        "loss",
        "accuracy",
        "validation loss",
        "gradient norm",
        "error signal of layer 0",
        "error signal of layer 2",
    ):
        assert history[name].tolist() in drawn, name


def test_plot_refuses_before_it_writes(history, tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(ValueError, match="must end in one of"):
        history.plot(tmp_path / "history.doc")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        history.plot(tmp_path / "missing" / "history.png")
    with pytest.raises(ValueError, match="has no epochs"):
        History().plot(tmp_path / "history.png")
    assert not list(tmp_path.iterdir())


def test_plot_says_what_is_missing():
    program = (
        "import sys; sys.modules['matplotlib'] = None; "
        "from tinygrad_bp.train.history import History; "
        "history = History(); history.append({'loss': 1.0}); history.plot()"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-1].startswith("ImportError: ")
    assert 'matplotlib: pip install "tinygrad_bp[plot]"' in run.stderr.splitlines()[-1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_it_is_printed_with_the_letters_that_there_are(encoding):
    """So is a trace."""
    code = (
        "import numpy as np, tinygrad_bp as bp; from tinygrad_bp.train.history import History\n"
        "h = History()\n"
        "for loss in (4.0, 2.0, 0.5): h.append({'loss': loss})\n"
        "x = bp.Tensor(2.0, requires_grad=True, name='x'); print(h); print(bp.trace(np.cos(x) * x))"
    )
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.decode(encoding).splitlines()
    expected = "█▄▁ 4 → 0.5" if encoding == "utf-8" else "841 4 > 0.5"
    assert first == f"History(3 epochs, loss {expected}, not begun)"
    assert "?" not in "".join(rest)
