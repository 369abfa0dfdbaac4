"""Every word's number against the recurrences, and the names that notations give."""

import glossary as page
import numpy as np
import pytest
import vector_and_scalar_form

from .comparison import TOLERANCE, answers, difference
from .test_programs import run


def test_every_entry():
    entries = page.entries()
    assert max(difference(entry.by_hand, entry.engine) for entry in entries) <= TOLERANCE
    found = {entry.word: entry.engine for entry in entries}
    vector = {node: value for _, node, value in vector_and_scalar_form.vector_form(page.PROBLEM)}
    scalar = {node: value for _, node, value in vector_and_scalar_form.scalar_form(page.PROBLEM)}
    expected = {
        "seed": 1.0,
        "adjoint": vector["f_1"],
        "P": vector["f_1"],
        "δ": scalar["h_1"],
        "sensitivity": scalar["h_1"],
        "γ": scalar["h_1"],
        "gradient": vector["W_1"],
        "cotangent": vector["f_1"],
        "tangent": vector["f_1"][0],
    }
    assert found.keys() == expected.keys()
    for word, value in expected.items():
        np.testing.assert_allclose(found[word], value, rtol=1e-12)


def test_names():
    assert page.names() == {
        "grad": ("f_1", "f_1.grad"),
        "P": ("f_1", "P_1"),
        "delta": ("z^[1]", "δ^[1]"),
        "sensitivity": ("s^(1)", "δ^(1)"),
        "gamma": ("s", "γ"),
    }


def test_answers():
    slopes, seed, sizes = answers(page)
    _, (h_0, h_1, _), *_ = (None, vector_and_scalar_form.forward_values(page.PROBLEM)[0])
    assert h_0 is None
    np.testing.assert_allclose(slopes, 1 / np.cosh(h_1) ** 2, rtol=1e-12)
    assert seed == 1
    assert sizes == (2, 1)


def test_the_page_runs(tmp_path):
    output = run("glossary", "--answers", folder=tmp_path)
    words = [line.split()[0] for line in output.splitlines()[1:10]]
    assert words == [entry.word for entry in page.entries()]
    assert float(output.split("differ by ")[1].split()[0]) <= TOLERANCE
    assert max(map(len, output.splitlines())) <= 110
    with pytest.raises(StopIteration):
        next((tmp_path / "pictures").iterdir())
