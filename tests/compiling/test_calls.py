"""What compiled steps and functions are to their callers: shown, copied, used by threads."""

import copy
import pickle
import threading
import warnings

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, nn, optim
from tinygrad_bp.compiling import CompiledStep

X, Y = np.random.default_rng(0).normal(size=(5, 3)), np.ones((5, 2))


def perceptron():
    return nn.MLP([3, 4, 2], seed=0)


def test_another_thread_uses_the_model_while_a_step_is_recorded():
    """It sees the values, for predictions and for gradients, and the recording sees nothing."""
    model, twin = perceptron(), perceptron()
    recording, used = threading.Event(), threading.Event()

    def loss(output, y):
        if type(output) is bp.Tensor and threading.current_thread() is thread:
            recording.set()
            assert used.wait(60)
        return functional.mse_loss(output, y)

    optimizer = optim.SGD(model.parameters(), 0.1)
    step = CompiledStep(model, loss, optimizer)
    losses = []

    def train():
        losses.extend(step(X, Y) for _ in range(4))

    thread = threading.Thread(target=train)
    thread.start()
    try:
        assert recording.wait(60)
        assert model(X).data.tolist() == twin(X).data.tolist()
        assert np.asarray(model[0].weight.data).tolist() == twin[0].weight.data.tolist()
        assert float(np.sum(model[0].weight.data)) == np.sum(twin[0].weight.data)
        value = functional.mse_loss(model(X), Y)
    finally:
        used.set()
        thread.join()
    value.backward()  # of what was recorded meanwhile
    expected = functional.mse_loss(twin(X), Y)
    expected.backward()
    assert value.item() == expected.item() == losses[0]
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        np.testing.assert_array_equal(a.grad, b.grad)
        assert type(a.grad) is np.ndarray
    assert step.programs == 1
    assert not step.recorded


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("options", [{}, {"max_norm": 1.0}])
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_numbers_that_are_not_finite_do_what_they_do_to_the_engine(bad, options, backend):
    if backend == "numba":
        pytest.importorskip("numba")

    def trained(compiled):
        model = perceptron()
        optimizer = optim.SGD(model.parameters(), 0.1, **options)
        step = CompiledStep(model, functional.mse_loss, optimizer, backend=backend)
        values, warned = [], set()
        for i in range(6):
            x = X.copy()
            if i == 4:
                x[0, 0] = bad
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                if compiled:
                    values.append(step(x, Y))
                else:
                    optimizer.zero_grad()
                    loss = functional.mse_loss(model(x), Y)
                    loss.backward()
                    optimizer.step()
                    values.append(loss.item())
            warned |= {(i, str(w.message)) for w in caught}
        return values, warned, [p.data for p in model.parameters()], optimizer.steps

    ours, theirs = trained(True), trained(False)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
    assert theirs[1] <= ours[1]
    assert bool(theirs[1]) == bool(ours[1])
    for a, b in zip(ours[2], theirs[2], strict=True):
        np.testing.assert_array_equal(a, b)
    assert ours[3] == theirs[3]


def squares(x, w):
    return np.sum((w * x) ** 2)


@bp.compile
def decorated(x, w):
    return np.sum(w * x)


W = bp.Tensor(np.arange(3.0), requires_grad=True)


def test_what_a_compiled_function_shows():
    program = bp.compile(squares)
    assert repr(program) == "<CompiledFunction of squares by numpy: no program yet>"
    for _ in range(3):
        program(np.ones(3), W)
    assert repr(program).startswith("<CompiledFunction of squares by numpy: 1 program, the last of")
    assert "\n" not in repr(program)


def test_what_a_compiled_step_shows():
    model = perceptron()
    step = CompiledStep(model, functional.mse_loss, optim.Adam(model.parameters(), 0.1))
    assert repr(step) == "<CompiledStep of MLP, mse_loss, Adam by numpy: no program yet>"
    for rows in (5, 5, 5, 4, 4):
        step(X[:rows], Y[:rows])
    assert repr(step).startswith("<CompiledStep of MLP, mse_loss, Adam by numpy: 2 programs, the")


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_of_a_step_trains_a_model_of_its_own(again):
    model = perceptron()
    step = CompiledStep(model, functional.mse_loss, optim.Adam(model.parameters(), 0.1))
    for _ in range(4):
        step(X, Y)
    other = again(step)
    kept = [p.numpy() for p in model.parameters()]
    found = [other(X, Y) for _ in range(4)]
    for p, before in zip(model.parameters(), kept, strict=True):
        np.testing.assert_array_equal(p.data, before)
    assert found == [step(X, Y) for _ in range(4)]
    assert other.programs == 1
    assert {type(other.loss), other.backend, other.exact} == {type(step.loss), "numpy", True}


@pytest.mark.parametrize("again", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_of_a_function_gives_the_same(again):
    program = bp.compile(squares, buffers=False)
    for _ in range(3):
        program(np.ones(3), W)
    other = again(program)
    assert other is not program
    assert [other(np.ones(3), W).item() for _ in range(3)] == [5.0] * 3
    assert (other.programs, other.buffers) == (1, False)
    assert again(decorated) is decorated


def test_a_loss_that_cannot_be_saved_is_said_by_pickle():
    model = perceptron()
    step = CompiledStep(model, lambda out, y: np.mean(out), optim.SGD(model.parameters(), 0.1))
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(step)


class Settings:
    """An object of a user's."""

    def __init__(self, scale, table=None):
        self.scale, self.table, self.calls = scale, table, 0


SETTINGS = Settings(2.0)


def of_a_global(x):
    return np.sum(W * x) * SETTINGS.scale


class Scaled:
    """An object that can be called, and counts its calls."""

    def __init__(self):
        self.scale, self.calls = 2.0, 0

    def __call__(self, x):
        self.calls += 1
        return np.sum(W * x) * self.scale

    def loss(self, x):
        return np.sum(W * x) * self.scale


def of_a_closure():
    settings = Settings(2.0)
    return settings, lambda x: sum([np.sum(W * x) * settings.scale for _ in range(1)])


def of_an_array():
    settings = Settings(1.0, np.full(3, 2.0))
    return settings, lambda x: np.sum(W * x * settings.table)


def of_an_object():
    scaled = Scaled()
    return scaled, scaled


def of_a_method():
    scaled = Scaled()
    return scaled, scaled.loss


@pytest.mark.parametrize(
    "make", [lambda: (SETTINGS, of_a_global), of_a_closure, of_an_array, of_an_object, of_a_method]
)
def test_numbers_in_attributes_that_a_function_reads_are_seen(make):
    settings, f = make()
    program, x = bp.compile(f), np.ones(3)
    for scale in (2.0, 2.0, 2.0, 5.0, 5.0, 5.0, 2.0):
        settings.scale = scale
        if getattr(settings, "table", None) is not None:
            settings.table[:] = scale
        assert program(x).item() == 3.0 * scale
    assert program.programs == 2
    settings.scale = 2.0
