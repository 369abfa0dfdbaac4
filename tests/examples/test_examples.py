"""The examples run as a student runs them, and reach what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


def run(name: str, *arguments: object, folder: Path = ROOT, blocked: str = "") -> tuple[int, str]:
    """Run an example in ``folder``, without the package ``blocked``: exit code and output."""
    program = (
        f"import sys, runpy; sys.modules.update(dict.fromkeys({blocked.split()!r})); "
        f"sys.argv = {['example', *map(str, arguments)]!r}; "
        f"runpy.run_path({str(ROOT / 'examples' / name)!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def numbers(line: str) -> list[float]:
    return [float(n) for n in re.findall(r"-?\d+\.\d+", line)]


def line_with(text: str, output: str) -> str:
    return next(line for line in output.splitlines() if text in line)


def test_digits(tmp_path):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    picture = tmp_path / "confusion.png"
    code, output = run("digits.py", "--seeds", 2, "--out", picture, folder=tmp_path)
    assert code == 0, output
    *accuracies, mean = numbers(line_with("test accuracy", output))
    assert len(accuracies) == 2
    assert min(accuracies) >= 0.96
    np.testing.assert_allclose(mean, np.mean(accuracies), atol=1e-4)
    assert str(picture) in output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert re.search(r"epoch 30, .*loss .*, accuracy ", output)  # fit's own line


def test_digits_without_matplotlib(tmp_path):
    pytest.importorskip("sklearn")
    code, output = run(
        "digits.py", "--seeds", 1, "--epochs", 1, folder=tmp_path, blocked="matplotlib"
    )
    assert code == 0, output
    assert 'pip install "tinygrad_bp[examples]"' in output
    assert not list(tmp_path.iterdir())


def test_digits_refuses_a_missing_folder_before_it_trains(tmp_path):
    pytest.importorskip("sklearn")
    code, output = run("digits.py", "--out", tmp_path / "missing" / "digits.png")
    assert code == 2
    assert "there is no folder" in output
    assert "seed 0" not in output


def test_diabetes():
    pytest.importorskip("sklearn")
    code, output = run("diabetes.py", "--seeds", 3)
    assert code == 0, output
    network, linear = numbers(line_with("mean", output))
    assert len([line for line in output.splitlines() if line.startswith("seed")]) == 3
    assert 0.45 < linear < 0.6
    assert network > linear - 0.02


@pytest.mark.parametrize("name", ["digits.py", "diabetes.py"])
def test_without_scikit_learn_one_line_says_what_to_install(name):
    code, output = run(name, blocked="sklearn sklearn.datasets")
    assert code == 1
    line = 'this example needs scikit-learn: pip install "tinygrad_bp[examples]"'
    assert output.strip() == line


def test_xor():
    code, output = run("xor.py")
    assert code == 0, output
    last = output.splitlines()[-1]
    p = numbers(last[last.index("[") :])
    np.testing.assert_allclose(p, [0, 1, 1, 0], atol=0.01)
    source = (ROOT / "examples" / "xor.py").read_text()
    assert len(source.splitlines()) < 25
    assert "nn" not in re.findall(r"\w+", source)


def test_newton(tmp_path):
    pytest.importorskip("matplotlib")
    code, output = run("newton.py", "--out", tmp_path / "newton.png")
    assert code == 0, output
    *_, height = line_with("Newton", output).split()
    assert float(height) < 1e-12
    assert "(1.000000000, 1.000000000)" in line_with("Newton", output)
    assert (tmp_path / "newton.png").read_bytes().startswith(b"\x89PNG")


def test_newton_without_matplotlib(tmp_path):
    code, output = run("newton.py", folder=tmp_path, blocked="matplotlib")
    assert code == 0, output
    assert 'pip install "tinygrad_bp[examples]"' in output


def test_physics(tmp_path):
    pytest.importorskip("scipy")
    pytest.importorskip("matplotlib")
    code, output = run("physics.py", "--out", tmp_path / "physics.png")
    assert code == 0, output
    assert float(line_with("largest error", output).split()[-1]) < 1e-3
    assert (tmp_path / "physics.png").read_bytes().startswith(b"\x89PNG")


def test_physics_without_scipy(tmp_path):
    code, output = run("physics.py", folder=tmp_path, blocked="scipy")
    assert code == 0, output
    assert 'scipy is missing: pip install "tinygrad_bp[examples]"' in output


def test_plain_numpy():
    code, output = run("plain_numpy.py")
    assert code == 0, output
    assert output.count("import numpy as np") == 2
    assert "d_h1 = np.squeeze" in output
    for title in ("as written", "after the passes"):
        assert numbers(line_with(f"{title}: loss", output)) == [0.180322, -0.0044]
