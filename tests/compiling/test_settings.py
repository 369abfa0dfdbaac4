"""What modules and losses read besides Tensors may change between two steps, and is seen."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, nn, optim
from tinygrad_bp.compiling import CompiledStep
from tinygrad_bp.compiling.step_code import StepProgram

from .test_steps import eager_step

OF_THE_MODULE = {"scale": 1.0}


class Reading(nn.Module):
    """A module of a user's, which reads all kinds of things."""

    def __init__(self):
        self.inner, self.out = nn.Linear(3, 4, seed=0), nn.Linear(4, 2, seed=1)
        self.array, self.number, self.pair = np.ones(4), np.float64(1.0), (1.0, "more")
        self.numbers, self.options = [1.0, [1.0]], {"scale": 1.0}
        self.activation, self.layers = np.tanh, [np.tanh]
        self.held = SimpleNamespace(scale=1.0, inner=SimpleNamespace(share=1.0))

    def forward(self, x):
        x = self.activation(self.inner(x)) * self.array * self.number * self.pair[0]
        x = x * self.numbers[0] * self.numbers[1][0] * self.options["scale"]
        x = x * self.held.scale * self.held.inner.share * OF_THE_MODULE["scale"]
        return self.out(self.layers[0](x))


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model, "array", np.full(4, 2.0)),
        lambda model: model.array.fill(2.0),
        lambda model: setattr(model, "number", np.float64(2.0)),
        lambda model: setattr(model, "pair", (2.0, "more")),
        lambda model: setattr(model, "activation", np.sin),
        lambda model: model.numbers.__setitem__(0, 2.0),
        lambda model: model.numbers[1].__setitem__(0, 2.0),
        lambda model: model.options.update(scale=2.0),
        lambda model: model.layers.__setitem__(0, np.sin),
        lambda model: model.layers.__setitem__(0, nn.Linear(4, 4, seed=2)),
        lambda model: setattr(model.held, "scale", 2.0),
        lambda model: setattr(model.held.inner, "share", 2.0),
        lambda model: OF_THE_MODULE.update(scale=2.0),
    ],
)
def test_what_a_module_reads_besides_tensors_may_change(change):
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(5, 3)), generator.normal(size=(5, 2))

    def losses(compiled):
        OF_THE_MODULE.update(scale=1.0)
        model = Reading()
        optimizer = optim.SGD(model.parameters(), 0.1)
        step = CompiledStep(model, functional.mse_loss, optimizer)
        for i in range(8):
            if i == 4:
                assert not compiled or not step.recorded
                change(model)
            yield (
                step(X, y) if compiled else eager_step(model, functional.mse_loss, optimizer, X, y)
            )

    assert list(losses(True)) == list(losses(False))
    OF_THE_MODULE.update(scale=1.0)


def test_another_activation_among_the_layers_is_another_program():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(5, 3)), generator.normal(size=(5, 2))
    models = [nn.MLP([3, 4, 2], "tanh", seed=0) for _ in range(2)]
    optimizers = [optim.SGD(model.parameters(), 0.1) for model in models]
    step = CompiledStep(models[0], functional.mse_loss, optimizers[0])
    for i in range(8):
        if i == 4:
            for model in models:
                model.layers = (model[0], np.sin, model[2])
        assert step(X, y) == eager_step(models[1], functional.mse_loss, optimizers[1], X, y)


def test_a_dictionary_that_a_loss_closes_over_may_change():
    weight = bp.Tensor([1.0, 2.0], requires_grad=True)
    options, losses = {"scale": 1.0}, []
    program = bp.compile(lambda: np.sum(weight * weight) * options["scale"] + 0 * len(losses))
    assert [program().item() for _ in range(3)] == [5.0] * 3
    options["scale"] = 2.0
    assert [program().item() for _ in range(3)] == [10.0] * 3


@pytest.mark.parametrize("line", range(1, 6))
def test_an_interruption_while_a_program_is_taken_does_not_lose_it(line):
    model = nn.MLP([3, 4, 2], "tanh", seed=0)
    step = CompiledStep(model, functional.mse_loss, optim.SGD(model.parameters(), 0.1))
    X, y = np.ones((5, 3)), np.zeros((5, 2))
    losses = [step(X, y) for _ in range(3)]
    left = [line]

    def interrupt(frame, event, argument):
        if frame.f_code is not StepProgram.compute.__code__:
            return None
        left[0] -= event == "line"
        if not left[0]:
            sys.settrace(None)
            raise KeyboardInterrupt
        return interrupt

    sys.settrace(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            step(X, y)
    finally:
        sys.settrace(None)
    assert step(X, y) < losses[-1]
    assert not step.recorded
