"""The pages as a student runs them: as programs, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from functions import ACTIVATIONS, LOSSES

ROOT = Path(__file__).parents[2]

PICTURES = {
    "vector_and_scalar_form": [
        "vector_and_scalar_form.svg",
        "vector_and_scalar_form_backward.svg",
        "vector_and_scalar_form_chain.png",
    ],
    "sensitivities": ["sensitivities.svg", "sensitivities_backward.svg"],
    "weight_by_weight": [
        "weight_by_weight_2-2-2.svg",
        "weight_by_weight_2-2-2_backward.svg",
        "weight_by_weight_2-2.svg",
        "weight_by_weight_2-2_backward.svg",
    ],
}

# How many networks of every depth, activation, loss and bias a page compares
SWEEPS = {
    "vector_and_scalar_form": 6 * len(ACTIVATIONS) * len(LOSSES) * 2,
    "sensitivities": 6 * len(ACTIVATIONS) * len(LOSSES),
}


def run(page, *arguments, folder, blocked=""):
    """Run a page in ``folder``, without the package ``blocked``, and give what it prints."""
    program = (
        f"import sys, runpy; sys.modules.update(dict.fromkeys({blocked.split()!r})); "
        f"sys.path.insert(0, {str(ROOT / 'examples' / 'lectures')!r}); "
        f"sys.argv = {['page', *map(str, arguments)]!r}; "
        f"runpy.run_module({page!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder,
        env={
            **os.environ,
            "MPLBACKEND": "Agg",
            "OMP_NUM_THREADS": "1",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("page", PICTURES)
def test_a_page_prints_its_columns_and_draws_its_pictures(page, tmp_path):
    pytest.importorskip("matplotlib")
    output = run(page, "--out", tmp_path / "seen", folder=tmp_path)
    assert sorted(path.name for path in (tmp_path / "seen").iterdir()) == PICTURES[page]
    for picture in (tmp_path / "seen").iterdir():
        assert str(picture) in output
        content = picture.read_bytes()
        assert content.startswith(b"\x89PNG") or b"</svg>" in content
    head = re.compile(r"formula +by hand +engine +difference")
    assert head.search(output)
    lines = output.splitlines()
    assert len(lines) < 100  # a minute's reading
    assert max(map(len, lines[: lines.index(next(x for x in lines if "picture:" in x))])) <= 110
    differences = [float(n) for n in re.findall(r"  (0|\d+e[-+]\d+)$", output, re.MULTILINE)]
    assert len(differences) > 10
    assert max(differences) < 1e-12
    if page in SWEEPS:
        found = re.search(r"^(\d+) more networks[\s\S]*?element, is (\S+)\.$", output, re.MULTILINE)
        assert int(found[1]) == SWEEPS[page]
        assert 0 < float(found[2]) <= 1e-12


def test_the_pictures_go_beside_by_default_and_the_numbers_reproduce(tmp_path):
    first, second = (run("second_derivatives", folder=tmp_path) for _ in range(2))
    assert first == second
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["second_derivatives.svg"]


def test_without_matplotlib_one_line_says_what_to_install(tmp_path):
    output = run("vanishing_gradient", folder=tmp_path, blocked="matplotlib matplotlib.pyplot")
    assert 'pip install "tinygrad_bp[examples]"' in output
    assert not (tmp_path / "pictures" / "vanishing_gradient.png").exists()
