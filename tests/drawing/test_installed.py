"""The package as it may be installed: in a zip, and without what its pictures are written with."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import tinygrad_bp as bp

PACKAGE = Path(bp.__file__).parent
PROGRAM = """
import importlib, pkgutil
import tinygrad_bp as bp
assert ".zip" in bp.__file__
for found in pkgutil.walk_packages(bp.__path__, "tinygrad_bp."):
    importlib.import_module(found.name)
x = bp.Tensor(2.0, requires_grad=True)
print(bp.animate(x * x).page)
"""


def test_every_module_and_page_is_read_from_a_zip(tmp_path):
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in PACKAGE.rglob("*"):
            if "__pycache__" not in path.parts:
                file.write(path, path.relative_to(PACKAGE.parent))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "<svg" in done.stdout


@pytest.mark.parametrize("view", ["graph", "neurons"])
def test_without_the_package_that_writes_dot_the_error_says_what_to_install(monkeypatch, view):
    layer = bp.nn.Linear(2, 1, seed=0)
    monkeypatch.setitem(sys.modules, "graphviz", None)  # importing it then raises
    with pytest.raises(ImportError, match="pip install graphviz"):
        bp.draw(layer(np.ones((1, 2))), view=view)
