"""Memory and threads: a graph dies with its output, and recording is each thread's own affair."""

import gc
import sys
import threading
import tracemalloc
import weakref
from contextlib import contextmanager

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.engine.backprop import topological_order


def leaf(value, **options):
    return bp.Tensor(value, requires_grad=True, **options)


@contextmanager
def no_collector():
    """What dies in here dies by reference count, so it was in no cycle."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_thread(function, *arguments):
    """Run a function in a thread of its own, and give what it gave or raise what it raised."""
    result = []

    def run():
        try:
            result.append((function(*arguments), None))
        except BaseException as error:
            result.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = result[0]
    if error is not None:
        raise error
    return value


def network(seed=0):
    rng = np.random.default_rng(seed)
    model = bp.nn.MLP([4, 6, 3], activation="tanh", seed=seed)
    return model, rng.normal(size=(8, 4)), rng.integers(3, size=8)


def watched(output):
    """Weak references to every node of the graph that was computed."""
    return [weakref.ref(node) for node in topological_order(output) if not node.is_leaf]


# Memory


@pytest.mark.parametrize(
    "backward", [None, {}, {"keep_grads": True}, {"create_graph": True}], ids=str
)
def test_the_graph_dies_with_its_output(backward):
    model, X, labels = network()
    with no_collector():
        loss = bp.functional.cross_entropy(model(X), labels)
        nodes = watched(loss)
        assert len(nodes) >= 4
        if backward is not None:
            loss.backward(**backward)
            model.zero_grad()  # with create_graph, gradients remember the graph: that is their use
        del loss
        assert not [ref() for ref in nodes if ref() is not None]


def test_the_graph_of_a_derivative_dies_with_it():
    with no_collector():
        x = leaf([0.5, 1.5])
        y = (np.tanh(x) * x**3).sum()
        (first,) = bp.gradients(y, [x], create_graph=True)
        (second,) = bp.gradients(first.sum(), [x], create_graph=True)
        nodes = watched(second)
        del y, first, second
        assert not [ref() for ref in nodes if ref() is not None]


def test_a_gradient_taken_by_a_function_leaves_nothing_behind():
    with no_collector():
        seen = []

        def f(x):
            y = np.sin(x) * x
            seen.extend([weakref.ref(x), weakref.ref(y)])
            return y

        bp.grad(bp.grad(f))(2.0)
        assert not [ref() for ref in seen if ref() is not None]


def test_an_error_in_the_forward_pass_keeps_no_graph_alive():
    with no_collector():
        x = leaf([1.0, 2.0])
        y = x * 2.0
        node = weakref.ref(y)
        with pytest.raises(ValueError, match="add"):
            y + np.ones(3)
        del y
        assert node() is None


def test_a_part_of_the_graph_outlives_the_rest():
    x = leaf([1.0, 2.0])
    with no_collector():
        kept = x * x
        rest = kept.sum() * 3.0
        top = weakref.ref(rest)
        rest.backward()
        del rest
        assert top() is None
    kept.sum().backward()
    assert np.array_equal(x.grad, [8.0, 16.0])


def test_nothing_is_recorded_for_what_needs_no_gradient():
    with no_collector():
        x = bp.Tensor([1.0, 2.0])
        y = x * 2.0
        first = weakref.ref(y)
        z = y + 1.0
        del y
        assert first() is None
        assert z.inputs == ()


def test_two_thousand_training_steps_hold_memory_flat():
    model, X, labels = network()
    optimizer = bp.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    def train(steps):
        for _ in range(steps):
            optimizer.zero_grad()
            bp.functional.cross_entropy(model(X), labels).backward()
            optimizer.step()

    with no_collector():
        train(50)
        tracemalloc.start()
        try:
            train(50)
            before, _ = tracemalloc.get_traced_memory()
            train(2000)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < 20_000  # one step's graph alone is more


# no_grad


def test_no_grad_as_a_context():
    x = leaf(2.0)
    with bp.no_grad():
        y = x * x
        assert isinstance(y, bp.Tensor)
        assert not y.requires_grad
        assert y.inputs == ()
        assert leaf(1.0).requires_grad
    assert (x * x).requires_grad


def test_no_grad_as_a_decorator():
    @bp.no_grad()
    def predict(x):
        """Say what it does."""
        return x * x

    x = leaf(2.0)
    for _ in range(2):  # more than once
        assert not predict(x).requires_grad
    assert predict(predict(x)).item() == 16.0
    assert predict.__name__ == "predict"
    assert predict.__doc__ == "Say what it does."
    assert (x * x).requires_grad


def test_no_grad_nests():
    x = leaf(2.0)
    with bp.no_grad():
        with bp.no_grad():
            assert not (x * x).requires_grad
        assert not (x * x).requires_grad
    assert (x * x).requires_grad


def test_no_grad_is_restored_when_its_block_raises():
    x = leaf(2.0)
    with pytest.raises(KeyError), bp.no_grad():
        raise KeyError
    assert (x * x).requires_grad

    @bp.no_grad()
    def fail():
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (x * x).requires_grad


def test_recording_is_restored_when_a_derivative_raises():
    x = leaf([1.0, 2.0])
    y = x * x
    for create_graph in (False, True):
        with pytest.raises(ValueError, match="shape"):
            y.backward(np.ones(3), create_graph=create_graph)
        with bp.no_grad(), pytest.raises(ValueError, match="shape"):
            y.backward(np.ones(3), create_graph=create_graph)
        assert (x * x).requires_grad


def test_a_pass_under_no_grad_still_differentiates_what_was_recorded():
    x = leaf(3.0)
    y = x * x
    with bp.no_grad():
        y.backward()
        assert not (x * x).requires_grad, "the pass turned recording on"
    assert x.grad == 6.0


def test_a_derivative_asked_for_with_its_graph_has_one_under_no_grad_too():
    x = leaf(3.0)
    y = x * x * x
    with bp.no_grad():
        y.backward(create_graph=True)
        (found,) = bp.gradients(y, [x], create_graph=True)
    for first in (x.grad, found):
        assert bp.gradients(first, [x]) == [18.0]


def test_no_grad_in_a_generator_lasts_from_one_yield_to_the_next():
    """It is the thread's, not the function's: a generator that pauses inside it leaves it on."""
    x = leaf(2.0)

    def batches():
        for _ in range(2):
            with bp.no_grad():
                prepared = x * x
            yield prepared

    for batch in batches():
        assert not batch.requires_grad
        assert (x * x).requires_grad


def test_no_grad_does_not_reach_another_thread():
    x = leaf(2.0)
    with bp.no_grad():
        assert in_thread(lambda: (x * x).requires_grad)
        assert not (x * x).requires_grad


def test_no_grad_of_another_thread_does_not_reach_this_one():
    x, inside, checked = leaf(2.0), threading.Event(), threading.Event()

    def hold():
        with bp.no_grad():
            inside.set()
            assert checked.wait(10)
            return (x * x).requires_grad

    found = []
    thread = threading.Thread(target=lambda: found.append(hold()))
    thread.start()
    assert inside.wait(10)
    try:
        assert (x * x).requires_grad
    finally:
        checked.set()
        thread.join()
    assert found == [False]


def test_a_backward_pass_in_another_thread_does_not_reach_this_one():
    x = leaf(2.0)
    y = x * x
    in_thread(y.backward)
    in_thread(lambda: y.backward(create_graph=True))
    assert (x * x).requires_grad


# Threads


def trained(seed):
    model, X, labels = network(seed)
    optimizer = bp.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(60):
        optimizer.zero_grad()
        loss = bp.functional.cross_entropy(model(X), labels)
        loss.backward(create_graph=step % 3 == 0)
        optimizer.step()
        with bp.no_grad():
            model(X)
    return [p.numpy() for p in model.parameters()]


def test_two_threads_that_train_two_models_give_what_one_thread_gives():
    expected = [trained(seed) for seed in range(2)]
    found, start = [None, None], threading.Barrier(2)

    def run(seed):
        start.wait(10)
        found[seed] = trained(seed)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ours, theirs in zip(found, expected, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_threads_may_share_a_leaf_and_no_gradient_is_lost():
    x, start = leaf([1.0, 2.0]), threading.Barrier(4)

    def run():
        start.wait()
        for _ in range(600):
            (x * 3).sum().backward()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert x.grad.tolist() == [7200.0, 7200.0]


def test_a_pass_that_interrupts_the_accumulation_of_another_does_not_wait_for_it():
    x, other = leaf([1.0, 2.0]), leaf(1.0)
    five = other * 5

    class Interrupting:
        def __add__(self, g):
            five.backward()  # as the handler of a signal might
            return g * other.grad

    def run():
        y = x * 3
        x.grad = Interrupting()
        y.sum().backward()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert x.grad.tolist() == [15.0, 15.0]


def test_threads_may_share_a_model_to_predict():
    model, X, _ = network()
    expected = model(X).numpy()
    found = [in_thread(lambda: model(X).numpy()) for _ in range(4)]
    assert all(np.array_equal(f, expected) for f in found)
