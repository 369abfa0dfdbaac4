"""What a pass starts with and what it ends with: seeds, kinds of gradients, the lock on them."""

from __future__ import annotations

import os
import signal
import threading
import warnings

import numpy as np
import pytest

from tinygrad_bp import Tensor, gradients
from tinygrad_bp.engine import backprop

from .foreign import Stranger


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_is_not_held_up_by_a_thread_that_it_does_not_have():
    inside, done = threading.Event(), threading.Event()

    def holding():
        with backprop._ACCUMULATING:
            inside.set()
            done.wait()

    thread = threading.Thread(target=holding)
    thread.start()
    inside.wait()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # forking with threads is what is tried
        child = os.fork()
    if not child:
        signal.alarm(20)  # ends a child that waits for ever
        x = Tensor(3.0, requires_grad=True)
        (x * x).backward()
        os._exit(int(x.grad))
    done.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6


def test_seeds_of_every_kind():
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    y = x * x
    for create_graph in (False, True):
        for seed in ([1, 10], np.array([1.0, 10.0]), Tensor([1.0, 10.0])):
            x.zero_grad()
            y.backward(seed, create_graph=create_graph)
            assert x.grad.dtype == np.float32
            assert isinstance(x.grad, Tensor) == create_graph
            assert np.array(getattr(x.grad, "data", x.grad)).tolist() == [2, 40]


@pytest.mark.parametrize("create_graph", [False, True])
def test_the_gradient_of_a_leaf_by_itself_has_its_type(create_graph):
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    (g,) = gradients(x, [x], Tensor([1.0, 10.0]), create_graph=create_graph)
    assert (g.dtype, g.tolist()) == (np.float32, [1, 10])


def test_a_seed_that_requires_grad_is_differentiated_by():
    x = Tensor(np.array([1.0, 2.0], np.float32), requires_grad=True)
    seed = Tensor([1.0, 10.0], requires_grad=True)
    (g,) = gradients(x * x, [x], seed, create_graph=True)
    assert gradients(g.sum(), [seed])[0].tolist() == [2, 4]


def test_a_seed_is_of_the_kind_of_the_output():
    plain = Tensor(np.ones((1, 1), np.float32), requires_grad=True).seed()
    assert type(plain) is np.ndarray
    assert (plain.shape, plain.dtype) == ((1, 1), np.float32)
    assert type(Tensor(1.0, requires_grad=True).seed()) is np.float64
    assert type(Tensor(Stranger([1.0]), requires_grad=True).seed()) is Stranger


def test_a_gradient_is_of_its_leafs_kind():
    da = pytest.importorskip("dask.array")
    plain, lazy = np.array([2.0]), da.from_array(np.array([3.0]))
    for own, other in ((plain, lazy), (lazy, plain), (plain, plain), (lazy, lazy)):
        x = Tensor(own, requires_grad=True)
        y = Tensor(other, requires_grad=True)
        (x * y).sum().backward()
        assert type(x.grad) is type(own)
        assert type(y.grad) is type(other)
        found = gradients((x * y).sum(), [x, y])
        assert [type(g) for g in found] == [type(own), type(other)]
