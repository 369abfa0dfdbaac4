"""What the pages share; and that every page is listed, with its three questions."""

import importlib
import re
import sys
from pathlib import Path

import handout
import numpy as np
import pytest
from handout import Exercise

FOLDER = Path(handout.__file__).parent
HELPERS = {"adjoints", "counted", "functions", "handout", "side_by_side", "small_networks"}
PAGES = sorted({path.stem for path in FOLDER.glob("*.py")} - HELPERS)
LISTED = (FOLDER / "README.md").read_text(encoding="utf-8")


def begun(monkeypatch, tmp_path, *arguments):
    monkeypatch.setattr(sys, "argv", ["page", "--out", str(tmp_path / "seen"), *arguments])
    return handout.begin("A page.\n\nMore of it.")


def test_questions_with_and_without_answers(monkeypatch, capsys, tmp_path):
    asked = [Exercise("What is 6 times 7?", lambda: 42, "It is {}, {{really}}.")]
    begun(monkeypatch, tmp_path).ask(asked)
    printed = capsys.readouterr().out
    assert "--answers" in printed
    assert "1. What is 6 times 7?" in printed
    assert "42" not in printed
    begun(monkeypatch, tmp_path, "--answers").ask(asked)
    assert "→ It is 42, {really}." in capsys.readouterr().out


def test_long_questions_are_wrapped(monkeypatch, capsys, tmp_path):
    asked = [Exercise("Why " * 60 + "?", lambda: 1, "Because {} " * 1 + "so " * 60)]
    begun(monkeypatch, tmp_path, "--answers").ask(asked)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 96


def test_the_folder_is_made_and_a_plot_without_matplotlib_says_so(monkeypatch, capsys, tmp_path):
    page = begun(monkeypatch, tmp_path)
    assert page.out.is_dir()

    def plot(file):
        import matplotlib.pyplot  # noqa: F401

    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    page.plot(plot, "none.png")
    assert 'pip install "tinygrad_bp[examples]"' in capsys.readouterr().out


def test_a_plot_can_be_read_on_a_light_page_and_on_a_dark_one(monkeypatch, tmp_path):
    mpl = pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    before = dict(mpl.rcParams)

    def plot(file):
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots()
        axes.set(xlabel="time", title="heights")
        figure.savefig(file)
        plt.close(figure)

    page = begun(monkeypatch, tmp_path)
    page.plot(plot, "heights.png")
    pixels = np.asarray(image.open(page.out / "heights.png"), dtype=int)
    assert pixels[0, 0, 3] == 0  # the page shows through
    ink = pixels[pixels[..., 3] == 255][:, :3].mean(axis=-1)
    assert ink.min() > 90
    assert ink.max() < 160
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", PAGES)
def test_every_page_asks_three_questions_and_says_how_to_run_it(name):
    if name == "relu_regression":
        pytest.importorskip("sklearn")
    page = importlib.import_module(name)
    assert len(page.EXERCISES) == 3
    assert f"python examples/lectures/{name}.py [--out pictures] [--answers]" in page.__doc__
    assert f"]({name}.py)" in LISTED


def test_the_list_leads_somewhere():
    targets = re.findall(r"\]\(([^)]+)\)", LISTED)
    assert {Path(target).stem for target in targets} == set(PAGES)
    rows = re.findall(r"^\| [A-Z].*\? \|", LISTED, re.MULTILINE)
    assert len(rows) == 14


ANSWERS = {  # of each question a piece that its page must say
    "Why is W transposed on the way back?": "Σ_s w_s{i + 1} δ_s",
    "What memory do stored activations cost?": "all kept",
    "Why is the gradient of softmax with cross-entropy p - y?": "The division by p_i and",
    "When is forward mode cheaper?": "Rows win with few outputs, columns with few inputs",
    "Why does the order matter?": "comes too late for q1",
    "Why are gradients accumulated?": "a part of the sum is lost",
    "Why is it dynamic programming?": "Each subproblem is solved once and reused",
    "Why do gradients vanish?": "each layer leaves a quarter or less",
    "What must hold of the step sizes of SGD?": "Σ α_t² = ∞: noise stays",
    "What is the derivative of ReLU at 0?": "the subgradient of least norm",
    "What becomes of broadcasting on the way back?": "as b was used in each row",
    "How are second derivatives found?": "create_graph=True",
    "What does checkpointing save?": "every k-th kept",
    "How is softmax kept from overflowing?": "subtract the largest",
}


def test_each_question_is_answered_on_the_page_of_its_row():
    rows = re.findall(r"^\| ([A-Z].*\?) \| \[(\w+)\.py\]", LISTED, re.MULTILINE)
    assert [question for question, _ in rows] == list(ANSWERS)
    for question, page in rows:
        source = (FOLDER / f"{page}.py").read_text(encoding="utf-8")
        assert ANSWERS[question] in source, question


def test_the_pictures_that_are_named_are_drawn():
    """Each picture of the list stands as a name in the page of its row."""
    for line in LISTED.splitlines():
        for picture in re.findall(r"`(\w+)\.(?:png|svg)`", line):
            page = re.search(r"\]\((\w+)\.py\)", line)[1]
            source = (FOLDER / f"{page}.py").read_text(encoding="utf-8")
            assert picture.removesuffix("_backward") in source
