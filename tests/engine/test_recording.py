"""What a graph keeps belongs to it, and recording goes on and off where it is told to."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import threading
import weakref

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor, gradients

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("f", "parameter"),
    [
        (np.transpose, [1, 0, 2]),
        (lambda x, axes: np.tensordot(x, x, axes=axes), ([0, 1], [1, 2])),
        (lambda x, where: np.sum(x, where=where), np.arange(27).reshape(3, 3, 3) < 9),
        (lambda x, where: np.max(x, where=where, initial=-9.0), np.arange(3) < 1),
    ],
)
def test_parameters_belong_to_the_graph(f, parameter):
    x = Tensor(RNG.normal(size=(3, 3, 3)), requires_grad=True)
    y = f(x, parameter)
    seed = RNG.normal(size=y.shape)
    (before,) = gradients(y, [x], seed)
    if isinstance(parameter, np.ndarray):
        parameter[...] = ~parameter
    else:
        (parameter if isinstance(parameter, list) else parameter[0]).reverse()
    (after,) = gradients(y, [x], seed)
    assert after.tolist() == before.tolist()


def test_multi_dot_leaves_no_cycle_behind():
    gc.disable()
    try:
        x = Tensor(np.eye(2), requires_grad=True) * 2.0
        alive = weakref.ref(x)
        y = np.linalg.multi_dot([x, x, x])
        del x, y
        assert alive() is None
    finally:
        gc.enable()


def test_a_copy_has_a_gradient_of_its_own():
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    x.sum().backward()
    twin = copy.copy(x)
    twin.grad[0] = 9.0
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_copy_of_a_leaf_whose_gradient_has_a_history():
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    twin = copy.copy(x)
    assert twin.is_leaf
    assert twin.grad.data.tolist() == [3.0, 12.0]
    assert bp.gradients(twin.grad.sum(), [x])[0].tolist() == [6.0, 12.0]


def test_a_no_grad_that_threads_share_is_each_ones_own():
    off, x = bp.no_grad(), bp.Tensor(2.0, requires_grad=True)
    inside, entered, left = threading.Event(), threading.Event(), threading.Event()

    def other():
        with bp.no_grad():
            inside.wait(10)
            with off:
                entered.set()
                left.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    with off:
        inside.set()
        entered.wait(10)
    recorded = (x * x).requires_grad
    left.set()
    thread.join()
    assert recorded


def test_no_grad_does_not_decorate_what_runs_in_parts():
    def numbers():
        yield 1

    async def number():
        return 1

    async def more_numbers():
        yield 1

    for function in (numbers, number, more_numbers):
        with pytest.raises(TypeError, match="runs in parts, which a decorator does not reach"):
            bp.no_grad()(function)


def test_no_grad_can_be_entered_again_and_within_itself():
    off, x = bp.no_grad(), bp.Tensor(2.0, requires_grad=True)
    for _ in range(2):
        with off:
            with off:
                assert not (x * x).requires_grad
            assert not (x * x).requires_grad
        assert (x * x).requires_grad

    @off
    def countdown(n):
        return [(x * x).requires_grad] + (countdown(n - 1) if n else [])

    assert countdown(3) == [False] * 4
    assert (x * x).requires_grad


def test_what_is_entered_by_its_call_is_pickled_as_a_function_is():
    for entered in (bp.no_grad, bp.detect_nan):
        assert pickle.loads(pickle.dumps(entered)) is entered is copy.deepcopy(entered)
        assert inspect.signature(entered).parameters == {}
        assert entered.__doc__
