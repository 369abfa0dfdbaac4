"""The example on a cluster of processes: a killed worker changes nothing."""

from __future__ import annotations

import pytest

from ..examples.test_examples import line_with, numbers, run

distributed = pytest.importorskip("distributed")

SMALL = ("--blocks", 12, "--rows", 1024, "--batch", 3, "--epochs", 1, "--hidden", 8)


def test_a_killed_worker_changes_no_bit_of_the_parameters():
    code, output = run("dask_cluster.py", *SMALL, "--memory", 1024)
    assert code == 0, output
    assert "a worker was killed: True; parameters differ by 0" in output
    assert 0.4 < numbers(line_with("accuracy on new points", output))[0] <= 1
    peaks = [int(word) for word in line_with("peak memory", output).split() if word.isdigit()]
    assert len(peaks) == 2
    assert max(peaks) < 1024


def test_a_cluster_that_is_there_is_used():
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": 50}
    with distributed.LocalCluster(n_workers=1, **options) as cluster:
        address = cluster.scheduler_address
        code, output = run("dask_cluster.py", *SMALL, "--scheduler", address)
    assert code == 0, output
    assert f"of data on {address}" in output
    assert "killed" not in output


def test_without_dask_one_line_says_what_to_install():
    code, output = run("dask_cluster.py", blocked="dask dask.array")
    assert code == 1
    assert output.strip() == 'this example needs Dask: pip install "tinygrad_bp[dask]"'


@pytest.mark.parametrize("name", ["--workers", "--blocks", "--epochs", "--memory"])
def test_counts_below_one_are_refused(name):
    code, output = run("dask_cluster.py", name, 0)
    assert code == 2
    assert "at least 1" in output
