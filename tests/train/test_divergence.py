"""A step that diverges is taken back, and what is left is what the last good step left."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tests.train.training import X, Y, fitted
from tinygrad_bp import nn, optim, train


@pytest.mark.parametrize("batch_size", [None, 7])
def test_a_last_step_to_infinity_is_taken_back(batch_size):
    model = nn.MLP([2, 4, 1], seed=0)
    steps = 3 if batch_size else 1

    def leap(t):
        return 1e308 if t == steps - 1 else 0.01

    before = []
    optimizer = optim.SGD(
        model.parameters(), lambda t: before.append(model.state_dict()) or leap(t)
    )
    with pytest.raises(train.DivergenceError, match=f"epoch 1, batch {steps}: .* infinite"):
        train.fit(
            model,
            X,
            Y * 1e3,
            loss="mse",
            optimizer=optimizer,
            epochs=1,
            batch_size=batch_size,
            progress=False,
        )
    after = model.state_dict()
    assert all((before[-1][name] == after[name]).all() for name in after)


def test_targets_too_large_for_a_loss_diverge_without_a_warning():
    with pytest.raises(train.DivergenceError, match="epoch 1, batch 1"):
        fitted(X, Y * 1e200)


def test_a_loss_without_gradient_leaves_the_running_statistics():
    model = nn.MLP([2, 4, 1], normalization="batch", seed=0)
    before = model.state_dict()
    with pytest.raises(ValueError, match="the loss must be computed from the outputs"):
        fitted(X, Y, model=model, loss=lambda outputs, targets: bp.Tensor(1.0))
    assert all((before[name] == array).all() for name, array in model.state_dict().items())


def test_a_training_does_not_end_with_a_loss_that_overflows():
    model = nn.MLP([2, 4, 1], seed=0)
    before = model.state_dict()
    with pytest.raises(train.DivergenceError, match="epoch 1, batch 1: after it, mse_loss"):
        fitted(X, Y, model=model, lr=1e120, epochs=1)
    assert all((model.state_dict()[name] == array).all() for name, array in before.items())


def test_what_diverges_takes_the_optimiser_back_too():
    model = nn.Linear(2, 1, seed=0)
    optimizer = optim.SGD(model.parameters(), 0.1, momentum=0.9)
    options = {"loss": "mse", "optimizer": optimizer, "epochs": 1, "progress": False}
    train.fit(model, X, Y, **options)
    before = optimizer.state_dict()
    optimizer.lr = 1.7e308
    with pytest.raises(train.DivergenceError):
        train.fit(model, 100 * X, Y, **options)
    assert {name: array.tolist() for name, array in optimizer.state_dict().items()} == {
        name: array.tolist() for name, array in before.items()
    }


def test_patience_goes_back_to_the_best_epoch_when_the_training_diverges():
    model = nn.MLP([2, 8, 1], "tanh", seed=0)
    optimizer = optim.Adam(model.parameters(), lambda t: 0.01 if t < 50 else 1e200)
    states = []
    with pytest.raises(train.DivergenceError) as caught:
        train.fit(
            model,
            X,
            Y,
            loss="mse",
            optimizer=optimizer,
            epochs=100,
            batch_size=5,
            patience=50,
            seed=0,
            callbacks=[lambda model, _: states.append(model.state_dict())],
            progress=False,
        )
    history = caught.value.history
    best = int(np.argmin(history.loss))
    assert history.stopped.endswith(f"; the model is as after epoch {best + 1}")
    assert optimizer.steps == 4 * (best + 1)
    assert all((model.state_dict()[name] == a).all() for name, a in states[best].items())


def test_a_training_whose_loss_grew_says_so():
    history = fitted(X, Y, lr=5.0, epochs=3)
    assert history.loss[-1] > history.loss[0]
    assert history.stopped == "all 3 epochs done, but the loss grew: try a smaller step size"


def test_a_parameter_outside_the_model_is_trained_and_taken_back():
    model, scale = nn.Linear(2, 1, seed=0), bp.Tensor(1.0, requires_grad=True)
    optimizer = optim.SGD([*model.parameters(), scale], 0.1)

    def loss(outputs, targets):
        return bp.functional.mse_loss(outputs * scale, targets)

    options = {"loss": loss, "optimizer": optimizer, "epochs": 1, "progress": False}
    train.fit(model, X, Y, **options)
    before = scale.item()
    assert before != 1.0
    optimizer.lr = 1e300
    with pytest.raises(train.DivergenceError):
        train.fit(model, X, Y, **options)
    assert scale.item() == before
