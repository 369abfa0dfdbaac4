"""What numba's backend has forms for: all of the library's layers, losses, optimisers, functions.

The texts are run as plain Python, for compiling takes seconds a program; a few are compiled too.
"""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_bp as bp
from tests.engine.catalogue import SAMPLES_OF
from tinygrad_bp import functional, nn, optim
from tinygrad_bp.compiling import CompiledStep
from tinygrad_bp.compiling.numba import jit
from tinygrad_bp.compiling.numpy_code import loaded

from .test_steps import LOSSES, MODELS, OPTIMIZERS, batches, eager_step

pytest.importorskip("numba")


@pytest.fixture
def by_python(monkeypatch):
    def text_itself(source, signature):
        return loaded(source, "compiled step")["step"].py_func

    monkeypatch.setattr(jit, "compiled", text_itself)


class Words(nn.Module):
    """An embedding of whole numbers, found from the signs of the inputs."""

    def __init__(self, dtype):
        self.table = nn.Embedding(4, 3, seed=0, dtype=dtype)
        self.out = nn.Linear(3, 2, seed=1, dtype=dtype)

    def forward(self, x):
        return self.out(np.mean(self.table((x > 0).astype(int)), axis=1))


EVERY_MODEL = {**MODELS, "embedding": Words}
EVERY_MODEL |= {
    f.__name__: lambda dtype, f=f: nn.MLP([3, 5, 2], f, seed=1, dtype=dtype)
    for f in (functional.softmax, functional.log_softmax, functional.softplus, functional.gelu)
}
PAIRS = [
    (model, loss, optimizer)
    for (model, loss), optimizer in zip(
        itertools.product(EVERY_MODEL, LOSSES), itertools.cycle(OPTIMIZERS), strict=False
    )
    if (model, loss) != ("softplus", "sum")  # which runs away
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("model", "loss", "optimizer"), PAIRS)
def test_every_layer_loss_and_optimiser(by_python, model, loss, optimizer, dtype):
    loss, kind = LOSSES[loss]
    eager, compiled = EVERY_MODEL[model](dtype), EVERY_MODEL[model](dtype)
    one, two = (OPTIMIZERS[optimizer](m.parameters()) for m in (eager, compiled))
    step = CompiledStep(compiled, loss, two, backend="numba")
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    for X, y in itertools.islice(itertools.cycle(batches(kind, dtype, (4, 4))), 20):
        expected = eager_step(eager, loss, one, X, y)
        np.testing.assert_allclose(step(X, y), expected, rtol=tolerance, atol=tolerance)
    noise = model == "batch" and optimizer.startswith("adam")
    for (name, a), b in zip(
        eager.named_tensors().items(), compiled.named_tensors().values(), strict=True
    ):
        assert b.data.dtype == a.data.dtype
        if not (noise and name.endswith(("0.bias", "mean"))):  # a gradient of 0 but for rounding
            np.testing.assert_allclose(b.data, a.data, rtol=tolerance, atol=tolerance)
    assert "numba.njit" in step.source
    assert not step.recorded
    drawn = model == "dropout"  # by NumPy, before the step; all else has a form
    assert ("uniform has no numba form" in step.backend_note) == drawn
    assert step.backend_note.count("has no numba form") == drawn


class Called(nn.Module):
    """A call of one function of the catalogue, whose inputs are the parameters."""

    def __init__(self, sample):
        self.sample, self.inputs = sample, [bp.Tensor(x, requires_grad=True) for x in sample.arrays]
        for i, x in enumerate(self.inputs):
            setattr(self, f"p{i}", x)

    def forward(self, x):
        return self.sample.call(*self.inputs)


def total(found):
    """A number that all elements of all results lead to."""
    if isinstance(found, tuple | list):
        return sum(map(total, found))
    return np.sum(found * found * 0.5 + found)


def steps_of(sample, backend, count=4):
    """The losses of some steps, and the model that they leave; None if they cannot be taken."""
    model = Called(sample)
    optimizer = optim.SGD(model.inputs, 1e-3)
    if backend is None:
        values = []
        for _ in range(count):
            optimizer.zero_grad()
            loss = total(model(np.ones(1)))
            loss.backward()
            optimizer.step()
            values.append(loss.item())
        return values, model, None
    step = CompiledStep(model, total, optimizer, backend=backend)
    return [step(np.ones(1)) for _ in range(count)], model, step


FUNCTIONS = {
    str(samples[0]): samples[0]
    for samples in SAMPLES_OF.values()
    if samples and all(x.dtype == np.float64 for x in samples[0].arrays) and samples[0].arrays
    if samples[0].function.__name__ != "times_sparse"  # SciPy's matrix is no array of NumPy's
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_of_the_library(by_python, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values at the edge of a domain
        try:
            expected, eager, _ = steps_of(FUNCTIONS[name], None)
        except (TypeError, ValueError, RuntimeError):
            pytest.skip("it gives no real number to descend")
        found, model, step = steps_of(FUNCTIONS[name], "numba")
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    for a, b in zip(eager.inputs, model.inputs, strict=True):
        np.testing.assert_allclose(b.data, a.data, rtol=1e-10)
    assert "runs on NumPy" not in step.backend_note
    if np.isfinite(expected).all():
        assert "numba.njit" in step.source


@st.composite
def chosen(draw):
    """A shape and an index of all kinds into it: integers, slices, new axes, arrays of integers."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    common = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    index = []
    for length in shape[: draw(st.integers(1, len(shape)))]:
        kind = draw(st.sampled_from(["slice", "backwards", "integer", "array"]))
        if kind == "slice":
            start = draw(st.integers(0, length - 1))
            index.append(slice(start, None, draw(st.integers(1, 2))))
        elif kind == "backwards":
            index.append(slice(None, None, -1))
        elif kind == "integer":
            index.append(draw(st.integers(-length, length - 1)))
        else:
            wide = draw(st.sampled_from([common, common[-1:], (1,)]))
            count = int(np.prod(wide))
            values = st.lists(st.integers(-length, length - 1), min_size=count, max_size=count)
            index.append(np.array(draw(values)).reshape(wide))
    if draw(st.booleans()):
        index.insert(draw(st.integers(0, len(index))), None)
    if draw(st.booleans()) and len(index) < 4:
        index.append(Ellipsis)
    return shape, tuple(index)


class Read(nn.Module):
    """The elements at an index, whose adjoint adds to what was read."""

    def __init__(self, shape, index, told):
        self.table = bp.Tensor(np.sin(np.arange(np.prod(shape))).reshape(shape), requires_grad=True)
        self.index, self.told = index, told

    def forward(self, x):
        index = tuple(
            np.where(x > 0, part, part) if self.told and isinstance(part, np.ndarray) else part
            for part in self.index
        )
        found = self.table[index]
        return np.cos(found) * found + np.sum(self.table)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(chosen(), st.booleans())
def test_elements_of_every_index(case, told):
    """Read, and added to in the adjoint, where arrays of integers are constants or computed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            jit, "compiled", lambda source, _: loaded(source, "compiled step")["step"].py_func
        )
        found = []
        for backend in ("numpy", "numba"):
            model = Read(*case, told)
            step = CompiledStep(
                model, lambda out: np.mean(out**2), optim.SGD([model.table], 0.1), backend=backend
            )
            found.append([[step(np.ones(1)) for _ in range(4)], model.table.data.tolist()])
            assert not step.recorded
        assert step.backend_note == ""
        for a, b in zip(*found, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-13)


def test_long_lists_of_places_are_left_to_numpy(by_python):
    """They would be constants of the text."""
    found = []
    for columns in (4, 400):
        model = nn.Linear(3, columns, seed=0)
        step = CompiledStep(
            model,
            lambda out, y: np.mean(np.roll(out, 1, axis=1) * out),
            optim.SGD(model.parameters(), 0.1),
            backend="numba",
        )
        for _ in range(3):
            step(np.ones((20, 3)), np.ones(1))
        found.append((step.backend_note.count("has no numba form"), len(step.source) < 20_000))
    assert found == [(0, True), (2, True)]
