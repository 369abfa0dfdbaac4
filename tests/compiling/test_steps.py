"""A compiled step of training gives to the last bit what the engine and the optimiser give."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, nn, optim
from tinygrad_bp.compiling import CannotCompileError, CompiledStep

MODELS = {
    activation: lambda dtype, a=activation: nn.MLP([3, 5, 4, 2], a, seed=1, dtype=dtype)
    for activation in nn.networks.ACTIVATIONS
}
MODELS |= {
    f.__name__: lambda dtype, f=f: nn.MLP([3, 5, 2], f, seed=1, dtype=dtype)
    for f in (functional.silu, functional.gelu, functional.leaky_relu, np.sin)
}
MODELS |= {
    "dropout": lambda dtype: nn.MLP([3, 6, 2], dropout=0.3, seed=1, dtype=dtype),
    "batch": lambda dtype: nn.MLP([3, 6, 2], normalization="batch", seed=1, dtype=dtype),
    "layer": lambda dtype: nn.MLP([3, 6, 2], normalization="layer", seed=1, dtype=dtype),
    "no bias": lambda dtype: nn.MLP([3, 6, 2], bias=False, seed=1, dtype=dtype),
}
NUMBERS, SHARES, LABELS = "numbers", "shares", "labels"
LOSSES = {
    "mse": (functional.mse_loss, NUMBERS),
    "huber": (functional.huber_loss, NUMBERS),
    "sum": (lambda o, t: functional.mse_loss(o, t, "sum"), NUMBERS),
    "l1": (lambda o, t: functional.mse_loss(o, t) + 0.1 * functional.l1_penalty([o]), NUMBERS),
    "bce": (functional.binary_cross_entropy_with_logits, SHARES),
    "cross_entropy": (functional.cross_entropy, LABELS),
    "weighted": (lambda o, t: functional.cross_entropy(o, t, weight=[1.0, 3.0]), LABELS),
    "log_softmax": (lambda o, t: -np.mean(functional.log_softmax(o)[:, 0]), LABELS),
}
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, 0.05),
    "momentum": lambda p: optim.SGD(p, 0.05, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, 0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
    "clipped": lambda p: optim.SGD(p, 0.05, max_norm=0.2),
    "adam": lambda p: optim.Adam(p, 0.01),
    "adam, all options": lambda p: optim.Adam(
        p, 0.01, weight_decay=0.1, max_norm=0.5, betas=(0.8, 0.99), epsilon=1e-4
    ),
    "adamw, scheduled": lambda p: optim.AdamW(p, optim.schedules.cosine(0.01, 30)),
}
CASES = [
    *((model, "mse", "sgd") for model in MODELS),
    *(("relu", loss, "momentum") for loss in LOSSES),
    *(("tanh", "mse", optimizer) for optimizer in OPTIMIZERS),
    *itertools.product(("batch", "dropout"), ("cross_entropy",), ("adam", "clipped")),
]


def batches(kind, dtype, sizes=(7, 7, 7, 4)):
    generator = np.random.default_rng(0)
    for n in sizes:
        targets = {
            NUMBERS: generator.normal(size=(n, 2)).astype(dtype),
            SHARES: generator.integers(0, 2, (n, 2)).astype(dtype),
            LABELS: generator.integers(0, 2, n),
        }
        yield generator.normal(size=(n, 3)).astype(dtype), targets[kind]


def eager_step(model, loss, optimizer, X, y):
    optimizer.zero_grad()
    value = loss(model(X), y)
    value.backward()
    optimizer.step()
    return value.item()


def state(model, optimizer):
    both = {**model.state_dict(), **{f"of {k}": v for k, v in optimizer.state_dict().items()}}
    return {name: (array.dtype, array.shape, array.tobytes()) for name, array in both.items()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("model", "loss", "optimizer"), CASES)
def test_a_hundred_steps_are_the_same_to_the_last_bit(model, loss, optimizer, dtype):
    loss, kind = LOSSES[loss]
    eager, compiled = MODELS[model](dtype), MODELS[model](dtype)
    one, two = (OPTIMIZERS[optimizer](m.parameters()) for m in (eager, compiled))
    step = CompiledStep(compiled, loss, two)
    data = list(batches(kind, dtype))
    for X, y in data * 25:
        assert step(X, y) == eager_step(eager, loss, one, X, y)
    assert state(compiled, two) == state(eager, one)
    assert step.programs >= 2  # one for each shape of batch, and none is recorded again and again
    assert step.programs <= 4


def line(seed=0):
    model = nn.MLP([2, 3, 1], seed=seed)
    return model, optim.SGD(model.parameters(), 0.1, momentum=0.5)


X, Y = np.random.default_rng(3).normal(size=(5, 2)), np.ones((5, 1))


def steps(count=4, loss=functional.mse_loss):
    model, optimizer = line()
    step = CompiledStep(model, loss, optimizer)
    for _ in range(count):
        step(X, Y)
    return model, optimizer, step


def test_what_somebody_holds_never_changes():
    model, _, step = steps()
    held, seen = [], []
    for _ in range(12):
        held += [p.data for p in model.parameters()] + [functional.mse_loss(model(X), Y)]
        seen += [np.array(getattr(x, "data", x)) for x in held[len(seen) :]]
        step(X, Y)
    for now, then in zip(held, seen, strict=True):
        np.testing.assert_array_equal(np.asarray(getattr(now, "data", now)), then)
    graph, other = held[4], line()[0]
    graph.backward()
    for p, values in zip(other.parameters(), seen[:4], strict=True):
        p.data = values
    functional.mse_loss(other(X), Y).backward()
    for p, q in zip(model.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.grad, q.grad)


def test_what_is_put_in_place_between_two_steps_is_seen():
    model, optimizer, step = steps()
    twin, other = line()
    for _ in range(4):
        eager_step(twin, functional.mse_loss, other, X, Y)
    for change in (
        lambda m, o: setattr(m[0].weight, "data", m[0].weight.data * 2),
        lambda m, o: m.load_state_dict(line(seed=5)[0].state_dict()),
        lambda m, o: o.load_state_dict({k: v * 2 for k, v in o.state_dict().items()}),
        lambda m, o: setattr(o, "lr", 0.01),
        lambda m, o: setattr(o, "momentum", 0.25),
        lambda m, o: eager_step(m, functional.mse_loss, o, X, Y),
    ):
        change(model, optimizer)
        change(twin, other)
        for _ in range(4):
            assert step(X, Y) == eager_step(twin, functional.mse_loss, other, X, Y)
        assert state(model, optimizer) == state(twin, other)


def test_training_and_evaluation_mode_are_two_programs():
    model = nn.MLP([2, 4, 1], dropout=0.5, seed=0)
    step = CompiledStep(model, functional.mse_loss, optim.SGD(model.parameters(), 0.1))
    for _ in range(3):
        step(X, Y)
    model.eval()
    for _ in range(3):
        step(X, Y)
    assert step.programs == 2


def test_a_branch_on_a_value_becomes_a_guard():
    class Gated(nn.Module):
        def __init__(self):
            self.w = bp.Tensor([1.0, -1.0], requires_grad=True)

        def forward(self, x):
            z = x @ self.w
            return z * 3 if np.mean(z) > 0 else -z

    def loss(out, y):
        return np.mean((out - y) ** 2)

    eager, compiled = Gated(), Gated()
    one, two = (optim.SGD(m.parameters(), 0.01) for m in (eager, compiled))
    step, y = CompiledStep(compiled, loss, two), np.zeros(5)
    for sign in (1, -1, 1, 1, -1, -1, 1, -1):
        rows = np.abs(X) * [sign * 2, sign * 0.1]
        assert step(rows, y) == eager_step(eager, loss, one, rows, y)
    assert step.programs == 2


def test_noise_that_no_buffer_holds_is_an_error_that_names_the_line():
    generator = np.random.default_rng(0)

    def loss(out, y):
        return functional.mse_loss(out + generator.normal(size=out.shape), y)  # here

    model, optimizer = line()
    step = CompiledStep(model, loss, optimizer)
    for _ in range(2):  # the first, before there is a velocity, is of another kind
        step(X, Y)
    before = state(model, optimizer)
    with pytest.raises(CannotCompileError, match=r"two calls computed differently \(test_steps.py"):
        step(X, Y)
    assert state(model, optimizer) == before


TAKEN = "taken out of the computation"


@pytest.mark.parametrize(
    ("loss", "why"),
    [
        (
            lambda o, t: functional.mse_loss(o * float(o.data[0, 0]), t),
            "taken out of the computation",
        ),
        (lambda o, t: functional.mse_loss(o * np.asarray(o.detach().data).max(), t), TAKEN),
        (
            lambda o, t: functional.mse_loss(o * o.detach().numpy(), t),
            "taken out of the computation",
        ),
        (lambda o, t: functional.mse_loss(o * o.data.item(), t), TAKEN),
    ],
    ids=["float", "asarray", "numpy", "item"],
)
def test_a_value_that_is_taken_out_is_refused(loss, why):
    model = nn.MLP([2, 1], seed=0)
    step = CompiledStep(model, loss, optim.SGD(model.parameters(), 0.1))
    before = state(model, step.optimizer)
    with pytest.raises(CannotCompileError, match=why):
        step(X[:1], Y[:1])
    assert state(model, step.optimizer) == before


@pytest.mark.parametrize("warm", [0, 4])
@pytest.mark.parametrize("label", [3, -1])
def test_a_wrong_label_is_the_engine_s_error(label, warm):
    model = nn.MLP([2, 3], seed=0)
    step = CompiledStep(model, functional.cross_entropy, optim.SGD(model.parameters(), 0.1))
    labels = np.array([0, 1, 2, 0, 1])
    for _ in range(warm):
        step(X, labels)
    before = state(model, step.optimizer)
    with pytest.raises(ValueError, match=f"0 to 2, and position 4 holds {label}"):
        step(X, np.array([0, 1, 2, 0, label]))
    assert state(model, step.optimizer) == before


def test_targets_that_are_not_finite_are_the_engine_s_error():
    _, _, step = steps()
    wrong = Y.copy()
    wrong[2] = np.nan
    with pytest.raises(ValueError, match="targets must be finite"):
        step(X, wrong)


def test_an_interruption_leaves_all_of_a_step_or_nothing(monkeypatch):
    model, optimizer, step = steps()
    before = state(model, optimizer)
    program = step._variants.of(tuple(step._key((X, Y))))[0]
    monkeypatch.setattr(type(program.state), "put", _interrupted)
    with pytest.raises(KeyboardInterrupt):
        step(X, Y)
    assert state(model, optimizer) == before
    monkeypatch.undo()
    twin, other = line()
    for _ in range(4):
        eager_step(twin, functional.mse_loss, other, X, Y)
    assert step(X, Y) == eager_step(twin, functional.mse_loss, other, X, Y)
    assert state(model, optimizer) == state(twin, other)


def _interrupted(self, new):
    self.moving[0]._array = new.views[0]
    raise KeyboardInterrupt


def test_a_handler_that_steps_within_a_step_gets_a_step_of_its_own():
    _, _, step = steps()
    program = step._variants.of(tuple(step._key((X, Y))))[0]
    run = program._idle[0]
    inner = []

    def run_twice(*arguments):
        if not inner:
            inner.append(None)
            inner[0] = step(X, Y)
        return run(*arguments)

    program._idle[0] = run_twice
    outer = step(X, Y)
    assert outer == inner[0]  # both began from the same parameters, and neither saw the other's
    assert np.isfinite(step(X, Y))


def test_an_optimizer_of_one_s_own_compiles():
    class SignDescent(optim.Optimizer):
        memory_names = ("last",)

        def move(self, data, gradient, memory, lr):
            last = memory.get("last", np.zeros_like(gradient))
            memory["last"] = gradient
            return data - lr * np.sign(gradient + last) * np.max(np.abs(gradient))

    models = [nn.MLP([2, 3, 1], seed=0) for _ in range(2)]
    one, two = (SignDescent(m.parameters(), 0.01) for m in models)
    step = CompiledStep(models[1], functional.mse_loss, two)
    for _ in range(6):
        assert step(X, Y) == eager_step(models[0], functional.mse_loss, one, X, Y)
    assert state(models[1], two) == state(models[0], one)
    assert step.programs == 1


def test_an_optimizer_with_a_step_of_its_own_is_refused():
    class Odd(optim.SGD):
        def step(self):
            super().step()

    model = nn.MLP([2, 1], seed=0)
    with pytest.raises(CannotCompileError, match="Odd has a step of its own"):
        CompiledStep(model, functional.mse_loss, Odd(model.parameters(), 0.1))


def test_the_source_runs_on_its_own_and_is_the_same_each_time(tmp_path):
    _, _, step = steps()
    assert step.source == steps()[2].source
    lines = step.source.splitlines()
    assert [text for text in lines if text.startswith(("import", "from"))] == ["import numpy as np"]
    path = tmp_path / "step.py"
    path.write_text(step.source)
    subprocess.run([sys.executable, "-W", "error", path], check=True)


def test_embedding_scatters_its_gradient():
    def model(seed=0):
        return nn.Sequential(nn.Embedding(5, 3, seed=seed), lambda x: np.mean(x, axis=1))

    eager, compiled = model(), model()
    one, two = (optim.Adam(m.parameters(), 0.1) for m in (eager, compiled))
    step = CompiledStep(compiled, functional.cross_entropy, two)
    words = np.array([[0, 1, 1], [4, 2, 0]])
    for _ in range(5):
        assert step(words, np.array([0, 2])) == eager_step(
            eager, functional.cross_entropy, one, words, np.array([0, 2])
        )
    assert state(compiled, two) == state(eager, one)
    with pytest.raises(ValueError, match="0 to 4"):
        step(np.array([[0, 1, 1], [4, -2, 0]]), np.array([0, 2]))


def test_a_frozen_parameter_stays():
    eager, compiled = nn.MLP([2, 3, 1], seed=0), nn.MLP([2, 3, 1], seed=0)
    optimizers = []
    for model in (eager, compiled):
        optimizers.append(optim.Adam(model.parameters(), 0.1))
        model[0].weight.requires_grad = False
    step = CompiledStep(compiled, functional.mse_loss, optimizers[1])
    for _ in range(5):
        assert step(X, Y) == eager_step(eager, functional.mse_loss, optimizers[0], X, Y)
    assert state(compiled, optimizers[1]) == state(eager, optimizers[0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_losses_that_are_not_finite_make_no_programs():
    model = nn.MLP([2, 3, 1], seed=0)
    step = CompiledStep(model, functional.mse_loss, optim.SGD(model.parameters(), 1e6))
    with np.errstate(all="ignore"):
        losses = [step(X, Y) for _ in range(200)]
    assert not np.isfinite(losses[-1])
    assert step.programs == 1


def test_many_kinds_of_batches():
    model = nn.MLP([2, 3, 1], seed=0)
    step = CompiledStep(model, functional.mse_loss, optim.SGD(model.parameters(), 0.1))
    generator = np.random.default_rng(0)
    sizes = [n for n in range(1, 100) for _ in range(3)]  # more than are kept
    for n in sizes:
        step(generator.normal(size=(n, 2)), np.ones((n, 1)))
    assert step.programs <= 64
    batches = [(generator.normal(size=(n, 2)), np.ones((n, 1))) for n in range(100, 200)]
    with pytest.raises(CannotCompileError, match="64 calls in a row were each of another kind"):
        list(itertools.starmap(step, batches))
