"""What a graph keeps belongs to it, and recording goes on and off where it is told to."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import inspect
import pickle
import threading
import weakref

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import Tensor, gradients, no_grad
from tinygrad_bp.engine.recording import is_recording

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


@pytest.mark.parametrize("seed", range(20))
def test_contexts_enter_and_leave_in_any_order_and_for_each_other(seed):
    """A context is that of a thread or a task; one records if all that it entered has been left."""
    generator = np.random.default_rng(seed)
    contexts = [contextvars.Context() for _ in range(3)]
    opened = []
    for _ in range(60):
        one = int(generator.integers(3))
        if opened and generator.random() < 0.5:
            _, entered = opened.pop(int(generator.integers(len(opened))))
            contexts[one].run(entered.__exit__, None, None, None)
        else:
            opened.append((one, no_grad()))
            contexts[one].run(opened[-1][1].__enter__)
        for place, context in enumerate(contexts):
            assert context.run(is_recording) == all(place != owner for owner, _ in opened)


def test_a_generator_that_one_task_begins_and_another_closes():
    async def numbers():
        with no_grad():
            yield is_recording()

    async def in_tasks(begin_apart, end_apart):
        async def begun():
            return await anext(generator)

        generator = numbers()
        assert not await (asyncio.create_task(begun()) if begin_apart else begun())
        assert is_recording() == begin_apart
        await (asyncio.create_task(generator.aclose()) if end_apart else generator.aclose())
        assert is_recording()

    for begin_apart in (False, True):
        for end_apart in (False, True):
            asyncio.run(in_tasks(begin_apart, end_apart))


def test_tasks_and_their_threads_keep_what_they_began_with():
    async def later():
        await asyncio.sleep(0)
        return is_recording()

    async def program():
        with no_grad():
            inside = asyncio.create_task(later())
            copied = await asyncio.to_thread(is_recording)
            fresh = await asyncio.get_running_loop().run_in_executor(None, is_recording)
        together = await asyncio.gather(inside, later(), asyncio.to_thread(is_recording))
        return copied, fresh, *together

    assert asyncio.run(program()) == (False, True, False, True, True)


def test_what_is_entered_by_its_call_is_pickled_as_a_function_is():
    for entered in (bp.no_grad, bp.detect_nan):
        assert pickle.loads(pickle.dumps(entered)) is entered is copy.deepcopy(entered)
        assert inspect.signature(entered).parameters == {}
        assert entered.__doc__
