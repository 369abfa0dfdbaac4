"""The notebooks run as they are committed, print and show the same again, and stay small."""

import json
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
NEEDED = ("ipykernel", "matplotlib", "pandas", "sklearn")
LARGEST = 500_000  # bytes
SECONDS = 60  # for one cell
RICH = ("image/svg+xml", "image/png", "text/html")


def read(path):
    return nbformat.read(path, as_version=4)


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def printed(notebook):
    texts = (output.text for output in outputs(notebook) if output.output_type == "stream")
    return "".join(texts).splitlines()


def shown(notebook):
    """The kinds of what the cells show, in order."""
    return [kind for output in outputs(notebook) for kind in RICH if kind in output.get("data", ())]


def kernel_of_this_python(folder):
    """Where Jupyter finds a kernel that runs the Python of the tests, whatever is installed."""
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    place = folder / "kernels" / "tests"
    place.mkdir(parents=True)
    kernel = {"argv": command, "display_name": "tests", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(kernel))
    return str(folder)


@pytest.fixture(scope="module", params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture(scope="module")
def run(path, tmp_path_factory):
    """The notebook, run anew from an empty folder."""
    nbclient = pytest.importorskip("nbclient")
    for needed in NEEDED:
        pytest.importorskip(needed)
    folder = tmp_path_factory.mktemp(path.stem)
    notebook = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", kernel_of_this_python(folder / "jupyter"))
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.delenv("MPLBACKEND", raising=False)  # or no picture would be shown
        client = nbclient.NotebookClient(
            notebook,
            kernel_name="tests",
            timeout=SECONDS,
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute()
    return notebook


def test_it_prints_what_was_committed(run, path):
    assert printed(run) == printed(read(path))
    assert not [output for output in outputs(run) if output.get("name") == "stderr"]


def test_it_shows_pictures_and_tables(run, path):
    assert shown(run) == shown(read(path))
    assert set(shown(run)) >= {"image/png", "text/html"}


def test_it_reaches_what_it_promises(run):
    line = next(line for line in printed(run) if "never seen" in line)
    assert int(line.split()[-1].rstrip("%")) >= 95


def test_it_is_small_and_valid(path):
    assert path.stat().st_size < LARGEST
    nbformat.validate(read(path))


def test_it_says_nothing_of_the_machine_that_ran_it(path):
    text = path.read_text(encoding="utf-8")
    assert not [word for word in ("/home/", "/root/", "/tmp/", "Users\\\\") if word in text]
    assert set(read(path).metadata) == {"kernelspec", "language_info"}
