"""What is shown while it trains: a bar in a terminal, and lines where there is none."""

from __future__ import annotations

import re
import sys

import pytest

from tests.train.test_train import X_other, network, run, y_other
from tinygrad_bp.train import progress
from tinygrad_bp.train.progress import Bar, Lines, bar_of, row_text, row_texts

ROW = {
    "loss": 0.123,
    "accuracy": 0.951,
    "mae": 0.111,
    "validation loss": 0.234,
    "validation accuracy": 0.947,
    "validation mae": 0.124,
    "gradient norm": 0.5,
    "learning rate": 0.1,
    "error signal of layer 0": 0.01,
    "seconds": 2.0,
}
MATTERS = "loss 0.123 (validation 0.234, accuracy 0.947, mae 0.124)"


def test_the_losses_come_first_and_the_norm_of_the_gradient_last():
    pairs = "loss 0.123 (validation 0.234), accuracy 0.951 (0.947), mae 0.111 (0.124)"
    assert row_texts(ROW) == [f"{pairs}, gradient norm 0.5", pairs, MATTERS]
    assert row_text(ROW, 80) == pairs
    assert row_text(ROW, 60) == MATTERS
    assert row_text(ROW, 50) == "loss 0.123 (validation 0.234, accuracy 0.947"
    assert row_text(ROW, -1) == ""
    without = {name: ROW[name] for name in ("loss", "mae", "gradient norm")}
    assert row_texts(without) == [
        "loss 0.123, mae 0.111, gradient norm 0.5",
        "loss 0.123, mae 0.111",
    ]


@pytest.fixture
def terminal(monkeypatch, capsys):
    """A terminal of so many columns, and what it showed last."""

    def shown(columns, work):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("COLUMNS", str(columns))
        work()
        return re.split("[\r\n]+", capsys.readouterr().err.rstrip())[-1]

    return shown


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (80, f"epoch 3, 00:00 left, {MATTERS}"),
        (90, rf"epoch 3 \|[█▏▎▍▌▋▊▉ ]+\| 00:00 left, {re.escape(MATTERS)}"),
        (130, r"epoch 3 \|█+\| 00:00 left, loss .*, mae 0.111 \(0.124\), gradient norm 0.5"),
    ],
)
def test_a_narrow_line_keeps_what_matters(terminal, columns, line):
    def work():
        with Bar(4) as bar:
            bar.tqdm.ncols = columns - 1  # it looks at the terminal, and this one is none
            bar.set_description("epoch 3")
            for _ in range(4):
                bar.update()
            bar.say(ROW)

    shown = terminal(columns, work)
    assert re.fullmatch(line if "█" in line else re.escape(line), shown.rstrip())
    assert len(shown) < columns


def test_fit_shows_a_bar_in_a_terminal(terminal):
    def work():
        run(network(), progress=True, epochs=2, metrics=["accuracy"], validation=(X_other, y_other))

    shown = terminal(200, work)
    assert re.search(r"epoch 2 \|██████.* left, loss 0\.\d+ \(validation 0\.\d+\), accuracy", shown)
    assert terminal(200, lambda: run(network())) == ""


def test_where_there_is_no_terminal_lines_come_every_few_seconds(capsys):
    now = [0.0]
    with Lines(20, every=5.0, clock=lambda: now[0]) as bar:
        for epoch in range(2):
            bar.set_description(f"epoch {epoch + 1}")
            for step in range(10):
                now[0] += 0.75
                if bar.update():
                    bar.say({"loss": float(step)})
            bar.say({"loss": 0.5})
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "epoch 1, 10 s left: loss 6",
        "epoch 2, 4 s left: loss 3",
        "epoch 2, 15 s: loss 0.5",
    ]


def test_fit_writes_few_lines_to_a_file(capsys):
    run(network(), progress=True, epochs=20, metrics=["accuracy"])
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"epoch 20, 0 s: loss .*, accuracy .*, gradient norm .*", lines[-1])
    assert len(lines) == 1


def test_a_notebook_is_no_file(monkeypatch):
    stream = type("OutStream", (), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "Bar", lambda total: f"a bar of {total}")
    assert bar_of(3, shown=True) == "a bar of 3"
    monkeypatch.setattr(sys, "stderr", None)
    assert type(bar_of(3, shown=True)) is progress.Silent
