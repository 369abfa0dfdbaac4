"""Programs that once differed from the engine without a word, or ended in an error."""

import functools

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, nn, optim, train
from tinygrad_bp.compiling import CannotCompileError, CompiledStep

RNG = np.random.default_rng(0)
W = RNG.normal(size=(4, 3, 5))
w = bp.Tensor(RNG.normal(size=4), requires_grad=True)
v = bp.Tensor(RNG.normal(size=(3, 4, 2)), requires_grad=True)
big = bp.Tensor(W, requires_grad=True)
model = nn.MLP([4, 3], seed=0)
norm = nn.LayerNorm(4)


def transposed(x):
    z = big.transpose(1, 0, 2)
    r = (z * 2.0).reshape(12, 5)
    s = np.sum(np.sin(r) * x[:1])
    t = z * 3.0
    return s + np.sum(t * t)


def in_parts(x):
    a, b = np.split(np.exp(x), 2)
    c = np.sin(x)
    return np.sum(w[:2] * a * b) + np.sum(w * np.cos(c) * c)


def broadcast(x):
    a, b = np.broadcast_arrays(np.exp(x), np.cos(x)[:1])
    c = np.tanh(x)
    return np.sum(w * a * b * c) + np.sum(np.exp(c) * w)


FUNCTIONS = [
    transposed,
    in_parts,
    broadcast,
    lambda x: np.sum(w * np.full_like(x, np.max(x))),
    lambda x: np.mean(np.transpose(v, (0, 2, 1)) * 0.3) * x[0],
    lambda x: np.sum(x[np.newaxis] @ model[0].weight.T),
    lambda x: np.sum(model(x)),
    lambda x: np.sum(w[np.array([0, 2, 1])] * x[[0, 0, 1]]),
    lambda x: np.sum(w * np.ldexp(x, 3)),
    lambda x: np.sum(np.transpose(a=w * x)),
    lambda x: np.sum(np.abs(w * x) ** float(len(x) / 3)),
    lambda x: np.sum(w * np.fft.fft(x).real),
    lambda x: np.sum(bp.grad(lambda u: np.sum(u**3))(x) * w),
    lambda x: np.mean(norm(x) * w),
    lambda x: np.sum(w * x) if x[0] > 0 else np.sum(w * x * np.array([1.0, 2.0, 3.0, 4.0])),
    lambda x: np.sum((w * x).ravel() * np.outer(x, x)[0]),
    lambda x: np.sum(w.detach() * w * x),
]


@pytest.mark.parametrize("f", FUNCTIONS)
def test_a_compiled_function_is_the_function(f):
    program = bp.compile(f)
    inputs = [RNG.normal(size=4) for _ in range(4)]
    for x in inputs * 3:
        found = []
        for g in (f, program):
            for tensor in (w, v, big, *model.parameters()):
                tensor.grad = None
            value = g(x)
            value.backward()
            grads = [t.grad for t in (w, v, big, *model.parameters())]
            found.append([value.item(), *(None if g is None else g.tolist() for g in grads)])
        assert found[0] == found[1]
    assert program.programs


def test_tensors_made_anew_in_each_call():
    program = bp.compile(lambda x: np.sum(nn.LayerNorm(4)(x) * w))
    with pytest.raises(CannotCompileError, match="makes Tensors anew in each call"):
        [program(RNG.normal(size=4)) for _ in range(20)]


def test_a_compiled_function_within_another():
    inner = bp.compile(lambda x: np.sum(w * x))
    outer = bp.compile(lambda x: inner(x) ** 2)
    for _ in range(5):
        x = RNG.normal(size=4)
        inner(x)
        assert outer(x).item() == np.sum(w * x).item() ** 2


def test_what_a_function_closes_over_is_seen():
    scale, table, number = bp.Tensor(2.0, requires_grad=True), np.ones(3), 3.0

    def f(x):
        return np.sum(scale * x * table) * number

    program, x = bp.compile(f), np.arange(3.0)
    for _ in range(4):
        assert program(x).item() == f(x).item()
    table[1] = 10.0
    assert program(x).item() == f(x).item()
    number = 5.0
    assert program(x).item() == f(x).item()
    scale = bp.Tensor(-1.0, requires_grad=True)
    for _ in range(4):
        assert program(x).item() == f(x).item()


def test_an_object_is_no_argument():
    class Settings:
        scale = 2.0

    program = bp.compile(lambda x, settings: np.sum(w * x) * settings.scale)
    with pytest.raises(CannotCompileError, match="a Settings, whose attributes may change unseen"):
        program(np.ones(4), Settings())


class Trainer:
    def __init__(self):
        self.model = nn.MLP([3, 4, 2], dropout=0.5, seed=0)

    def loss(self, x):
        return np.sum(self.model(x) ** 2)


@pytest.mark.parametrize("wrap", [lambda t: t.loss, lambda t: functools.partial(Trainer.loss, t)])
def test_the_mode_of_a_model_that_an_object_holds(wrap):
    one, two = Trainer(), Trainer()
    program = bp.compile(wrap(one))
    x = RNG.normal(size=(5, 3))
    for mode in (False, False, False, True, True, True, False):
        one.model.train(mode)
        two.model.train(mode)
        assert program(x).item() == two.loss(x).item()


def steps_of(make, loss, optimizer, changes, batches):
    """The state after the steps, with and without compiling."""
    found = []
    for compiled in (True, False):
        net = make()
        chosen = optimizer(net.parameters())
        step = CompiledStep(net, loss, chosen)
        for i, batch in enumerate(batches):
            changes(i, net, chosen)
            if compiled:
                step(*batch)
            else:
                chosen.zero_grad()
                loss(net(batch[0]), *batch[1:]).backward()
                chosen.step()
        state = {**net.state_dict(), **chosen.state_dict()}
        found.append({k: x.tobytes() for k, x in state.items()})
    return found


X, Y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))


def frozen(i, net, optimizer):
    net[0].weight.requires_grad = not 4 <= i < 9


def begun_momentum(i, net, optimizer):
    optimizer.momentum = 0.9 if i >= 5 else 0.0


def other_chance(i, net, optimizer):
    next(m for _, m in net.named_modules() if isinstance(m, nn.Dropout)).p = 0.5 if i < 5 else 0.2


def other_statistics(i, net, optimizer):
    normal = next(m for _, m in net.named_modules() if isinstance(m, nn.BatchNorm))
    normal.momentum = 0.1 if i < 5 else 0.9


def other_weight(i, net, optimizer):
    if i == 6:
        net[0].bias.data = net[0].bias.data + 1
        net[0].weight = bp.Tensor(np.ones((4, 3)), requires_grad=True)


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({}, frozen),
        ({}, begun_momentum),
        ({"dropout": 0.5}, other_chance),
        ({"normalization": "batch"}, other_statistics),
        ({}, other_weight),
    ],
)
def test_what_is_changed_between_steps_is_seen(options, changes):
    compiled, eager = steps_of(
        lambda: nn.MLP([3, 4, 2], seed=0, **options),
        functional.mse_loss,
        lambda p: optim.SGD(p, 0.1),
        changes,
        [(X, Y)] * 14,
    )
    assert compiled == eager


def test_freezing_under_adam():
    compiled, eager = steps_of(
        lambda: nn.MLP([3, 4, 2], seed=0),
        functional.mse_loss,
        lambda p: optim.Adam(p, 0.1),
        frozen,
        [(X, Y)] * 14,
    )
    assert compiled == eager


def test_a_rate_of_one_s_own():
    class Warm(optim.SGD):
        @property
        def step_size(self):
            return 0.05 / (1 + self.steps)

    compiled, eager = steps_of(
        lambda: nn.MLP([3, 4, 2], seed=0),
        functional.mse_loss,
        lambda p: Warm(p, 0.1),
        lambda *given: None,
        [(X, Y)] * 8,
    )
    assert compiled == eager


class Branches(nn.Module):
    def __init__(self):
        self.a = bp.Tensor(1.0, requires_grad=True)
        self.b = bp.Tensor(-1.0, requires_grad=True)

    def forward(self, x):
        if len(x) == 1:
            return x * self.a
        return x * self.b if len(x) == 2 else x * self.a * self.b


@pytest.mark.parametrize("seed", range(8))
def test_parameters_that_take_part_in_different_steps(seed):
    sizes = np.random.default_rng(seed).integers(1, 4, 40).repeat(3)
    batches = [(np.ones((n, 1)) * i, np.ones((n, 1))) for i, n in enumerate(sizes.tolist())]
    compiled, eager = steps_of(
        Branches,
        lambda o, t: np.mean((o - t) ** 2),
        lambda p: optim.Adam(p, 0.01),
        lambda *given: None,
        batches,
    )
    assert compiled == eager


class Remembering(nn.Module):
    def __init__(self):
        self.linear = nn.Linear(3, 2, seed=0)
        self.last = bp.Tensor(np.zeros(3))

    def forward(self, x):
        self.last.data = x[0] if not isinstance(x, bp.Tensor) else x.data[0]
        return self.linear(x)


def test_a_buffer_keeps_what_it_was_given():
    net = Remembering()
    step = CompiledStep(net, functional.mse_loss, optim.SGD(net.parameters(), 0.1))
    batch = X.copy()
    for _ in range(5):
        step(batch, Y)
    batch[:] = 99.0
    assert net.last.data.tolist() == X[0].tolist()


def written(x):
    z = x.copy()
    z[:, 0] = 0.0
    return z - x


def added_in_place(x):
    z = np.exp(x)
    c = z[1:]
    c += 1
    return z


def through_a_view(x):
    z = np.exp(x)
    z.T[0] = 2.0
    return z


@pytest.mark.parametrize("prepare", [written, added_in_place, through_a_view])
def test_arrays_that_a_model_writes_into(prepare):
    class Prepared(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(3, 2, seed=0)

        def forward(self, x):
            return self.linear(prepare(x))

    found = []
    for compile in (True, False):
        net = Prepared()
        history = train.fit(
            *(net, X, Y),
            **{"loss": "mse", "optimizer": optim.SGD(net.parameters(), 0.1), "epochs": 20},
            progress=False,
            compile=compile,
        )
        found.append(history.loss.tolist())
    assert found[0] == found[1]
