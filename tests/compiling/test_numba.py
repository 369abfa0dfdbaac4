"""The step that numba compiles: over everything its text run by Python, and a few compiled.

Compiling takes seconds a program, so most tests run the same text as plain Python.
"""

import sys
from functools import partial

import numpy as np
import pytest

from tinygrad_bp import functional, nn, optim
from tinygrad_bp.compiling import CompiledStep
from tinygrad_bp.compiling.numba import jit
from tinygrad_bp.compiling.numpy_code import loaded

pytest.importorskip("numba")
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 5)), RNG.normal(size=(6, 3))
WORDS = RNG.integers(0, 7, (6, 2))
LABELS, SHARES = RNG.integers(0, 3, 6), (Y > 0) * 1.0


@pytest.fixture
def by_python(monkeypatch):
    def text_itself(source, signature):
        return loaded(source, "compiled step")["step"].py_func

    monkeypatch.setattr(jit, "compiled", text_itself)


def sgd(parameters):
    return optim.SGD(parameters, 0.05)


def perceptron(**options):
    return nn.MLP([5, 4, 3], seed=0, **options)


def between(function):
    return nn.Sequential(nn.Linear(5, 4, seed=0), function, nn.Linear(4, 3, seed=1))


def check(make, loss=functional.mse_loss, x=X, y=Y, optimizer=sgd, tolerance=1e-10, steps=20):
    """Train with and without the compiled step, and compare all that they leave behind."""
    eager, other = make(), make()
    ours, theirs = optimizer(eager.parameters()), optimizer(other.parameters())
    step = CompiledStep(other, loss, theirs, backend="numba")
    for _ in range(steps):
        ours.zero_grad()
        value = loss(eager(x), y)
        value.backward()
        ours.step()
        np.testing.assert_allclose(step(x, y), value.item(), rtol=tolerance, atol=tolerance)
    for (name, a), b in zip(
        eager.named_tensors().items(), other.named_tensors().values(), strict=True
    ):
        np.testing.assert_allclose(b.data, a.data, tolerance, tolerance, err_msg=name)
        assert b.data.dtype == a.data.dtype
    assert step.backend_note == ""
    assert "for i in range" in step.source
    return step


@pytest.mark.parametrize("activation", nn.ACTIVATIONS)
def test_activations(by_python, activation):
    check(lambda: perceptron(activation=activation))


@pytest.mark.parametrize("name", ["gelu", "silu", "leaky_relu", "log_softmax", "softmax"])
def test_functions(by_python, name):
    check(lambda: between(getattr(functional, name)))


@pytest.mark.parametrize(
    ("name", "y"),
    [
        ("mse_loss", Y),
        ("huber_loss", Y * 3),
        ("cross_entropy", LABELS),
        ("binary_cross_entropy_with_logits", SHARES),
        ("binary_cross_entropy_with_logits", SHARES.astype(int)),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_losses(by_python, name, y, dtype):
    y = y.astype(dtype) if y.dtype == float else y
    tolerance = 1e-10 if dtype == np.float64 else 1e-4
    loss = getattr(functional, name)
    check(lambda: perceptron(dtype=dtype), loss, X.astype(dtype), y, tolerance=tolerance)


def test_binary_cross_entropy(by_python):
    def make():
        return nn.Sequential(nn.Linear(5, 3, seed=0), functional.sigmoid)

    check(make, functional.binary_cross_entropy, X, SHARES)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: optim.SGD(p, 0.05, momentum=0.9),
        lambda p: optim.SGD(p, 0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
        lambda p: optim.SGD(p, 0.05, max_norm=0.1),
        lambda p: optim.SGD(p, optim.schedules.cosine(0.1, 20)),
        lambda p: optim.Adam(p, 0.05, max_norm=0.1),
        lambda p: optim.Adam(p, 0.05, weight_decay=0.1, betas=(0.8, 0.9), epsilon=1e-6),
        lambda p: optim.AdamW(p, 0.05, weight_decay=0.1),
    ],
)
def test_optimisers(by_python, optimizer):
    check(perceptron, optimizer=optimizer)


def test_elements_that_two_arrays_of_integers_choose(by_python):
    def loss(output, y):
        return functional.mse_loss(output[np.arange(6), LABELS - 3], y[:, 0])

    check(perceptron, loss)


@pytest.mark.parametrize("normalization", ["layer", "batch"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_normalisation(by_python, normalization, dtype):
    x, y, tolerance = X.astype(dtype), Y.astype(dtype), 1e-10 if dtype == np.float64 else 1e-4
    check(
        partial(perceptron, normalization=normalization, dtype=dtype), x=x, y=y, tolerance=tolerance
    )


@pytest.mark.parametrize(
    ("middle", "features", "x"),
    [
        (lambda t: t, 5, WORDS[:, 0]),
        (lambda t: np.mean(t, axis=1), 5, WORDS),
        (lambda t: np.reshape(t, (6, 10)), 10, WORDS),
    ],
    ids=["one", "their mean", "side by side"],
)
def test_words(by_python, middle, features, x):
    def make():
        return nn.Sequential(nn.Embedding(7, 5, seed=0), middle, nn.Linear(features, 3, seed=0))

    check(make, x=x)


@pytest.mark.parametrize(
    "loss",
    [
        lambda p, t: functional.mse_loss(p, t) + np.sum(np.abs(p)) * 0.1,
        lambda p, t: np.mean((p - t) ** 4 + np.maximum(p, t)),
        lambda p, t: -np.mean(functional.log_softmax(p)[np.arange(6), LABELS]),
    ],
)
def test_own_losses(by_python, loss):
    check(perceptron, loss)


@pytest.mark.parametrize(
    "x",
    [
        X[:1],
        RNG.normal(size=(12, 10))[::2, ::2],
        np.asfortranarray(X),
        np.broadcast_to(X[:1], X.shape),
    ],
    ids=["one row", "strided", "by columns", "read-only"],
)
def test_batches_of_all_kinds(by_python, x):
    check(perceptron, x=x, y=Y[: len(x)])


@pytest.mark.parametrize("sizes", [[5, 1, 3], [5, 70, 1, 3], [1, 4, 3], [2, 3, 3], [70, 70, 3]])
def test_products_of_all_kinds(by_python, sizes):
    x = RNG.normal(size=(6, sizes[0]))
    check(lambda: nn.MLP(sizes, seed=0, activation="tanh"), x=x)


def test_a_value_that_is_not_finite_is_told_by_the_engine(by_python):
    step = check(perceptron, steps=3)
    for bad in (np.nan, np.inf):
        x = X.copy()
        x[1, 2] = bad
        assert np.isnan(step(x, Y)) or np.isinf(step(x, Y))


def compared(make, x=X, steps=5):
    """The step of a model, held against the engine's."""
    eager, other = make(), make()
    ours, theirs = sgd(eager.parameters()), sgd(other.parameters())
    step = CompiledStep(other, functional.mse_loss, theirs, backend="numba")
    for _ in range(steps):
        ours.zero_grad()
        loss = functional.mse_loss(eager(x), Y)
        loss.backward()
        ours.step()
        np.testing.assert_allclose(step(x, Y), loss.item(), rtol=1e-12)
    return step


def test_what_has_no_form_is_named_and_computed_by_numpy(folder):
    """Here as numba compiles it: before the step, within it, and what has a form in many ways."""

    def middle(x):
        x = np.sort(np.concatenate([x[:, :2], np.cumsum(x, axis=1)[:, 2:]], axis=1), axis=1)
        first = np.argmax(x, axis=1) if isinstance(x, np.ndarray) else np.argmax(x.data, axis=1)
        return x * first[:, np.newaxis] + np.einsum("ij,jk->ik", x, np.ones((4, 4)))

    step = compared(
        lambda: nn.Sequential(
            nn.Linear(5, 4, seed=0), nn.Dropout(0.3, seed=1), middle, nn.Linear(4, 3, seed=1)
        )
    )
    assert step.backend_note.startswith("NumPy computes a part of it: ")
    assert "uniform has no numba form (" in step.backend_note
    assert "argsort has no numba form (test_numba.py:" in step.backend_note
    assert step.backend_note.count("has no numba form") == 2
    assert "def before(" in step.source
    assert "with numba.objmode():" in step.source
    assert not step.recorded


def test_what_numpy_would_have_to_compute_most_of_runs_on_numpy(by_python):
    def middle(x):
        for _ in range(9):
            x = np.sort(x, axis=1) * 0.9
        return x

    step = compared(lambda: between(middle))
    assert step.backend_note.startswith("this program runs on NumPy: argsort has no numba form (")
    assert "numba" not in step.source


def test_a_missing_numba_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    model = perceptron()
    with pytest.raises(ImportError, match=r"pip install \"tinygrad_bp\[jit\]\""):
        CompiledStep(model, functional.mse_loss, sgd(model.parameters()), backend="numba")


@pytest.fixture
def folder(monkeypatch, tmp_path):
    from numba import config

    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def trained(steps=3):
    model = nn.Linear(5, 3, seed=0)
    step = CompiledStep(model, loss_of_relu, sgd(model.parameters()), backend="numba")
    return step, [step(X, Y) for _ in range(steps)]


def loss_of_relu(output, y):
    return functional.mse_loss(functional.relu(output), y)


def eager_losses(steps=3):
    model = nn.Linear(5, 3, seed=0)
    optimizer, losses = sgd(model.parameters()), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of_relu(model(X), Y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_compiled_once_said_so_and_kept(folder, capsys):
    step, losses = trained()
    np.testing.assert_allclose(losses, eager_losses(), rtol=1e-14)
    assert "numba compiles a step of training ..." in capsys.readouterr().err
    assert len(list(folder.rglob("*.nbi"))) == 1
    assert trained()[1] == losses  # found again
    assert capsys.readouterr().err == ""
    sizes = [18, 18, 1000]
    bad = X.copy()
    bad[0, 0] = np.nan
    arrays = [np.ones(size) for size in sizes]
    ok, loss, _ = loaded(step.source, "step")["step"](bad, Y, 0.1, *arrays, 3)
    assert ok
    assert np.isnan(loss)  # a maximum passes it on
    for kept in [*folder.rglob("*.nbi"), *folder.rglob("*.nbc")]:
        kept.write_bytes(b"damaged")
    for text in folder.rglob("tinygrad_bp_step*.py"):
        text.write_text("damaged")
    assert trained()[1] == losses


def test_a_folder_that_cannot_be_written_to_is_done_without(monkeypatch, tmp_path):
    from numba import config

    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "file"))
    np.testing.assert_allclose(trained()[1], eager_losses(), rtol=1e-14)


def test_guards(by_python):
    """A question about a value has both answers, each with its program."""

    def loss(output, y):
        kind = functional.huber_loss if np.sum(y) > 0 else functional.mse_loss
        return kind(output, y)

    model = perceptron()
    step = CompiledStep(model, loss, sgd(model.parameters()), backend="numba")
    for _ in range(3):
        for y in (Y + 1, Y - 1):
            expected = loss(model(X), y).item()
            np.testing.assert_allclose(step(X, y), expected, rtol=1e-13)
    assert step.programs == 2
    assert "if not (" in step.source or "if (" in step.source
