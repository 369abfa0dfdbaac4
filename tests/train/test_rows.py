"""Which rows a training takes, and in which order."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tests.train.training import Table, X, Y, fitted
from tinygrad_bp import nn, optim, train


def test_training_takes_rows_by_their_numbers_whatever_their_labels():
    expected = fitted(X, Y, batch_size=5).loss
    assert (fitted(Table(X), Table(Y), batch_size=5).loss == expected).all()


@pytest.mark.parametrize(
    ("X_held_out", "y_held_out", "message"),
    [
        (np.full((3, 2), np.nan), np.zeros((3, 1)), r"^validation data: X must be finite"),
        (np.zeros((3, 2)), np.zeros((4, 1)), r"^validation data: X has 3 rows and y 4"),
        (np.zeros((3, 5)), np.zeros((3, 1)), r"^validation data: linear of"),
    ],
)
def test_an_error_in_the_validation_data_says_so(X_held_out, y_held_out, message):
    with pytest.raises(ValueError, match=message):
        fitted(X, Y, validation=(X_held_out, y_held_out))


def test_every_kind_of_seed_has_orders_of_its_own():
    def ends(seed):
        model = nn.MLP([2, 4, 1], seed=0)
        fitted(X, Y, model=model, batch_size=5, seed=seed)
        return model.parameters()[0].data.tolist()

    children = np.random.SeedSequence(0).spawn(2)
    seeds = [0, 1, *children, np.random.RandomState(0), np.random.default_rng(0)]
    found = [ends(seed) for seed in seeds]
    assert all(a != b for i, a in enumerate(found) for b in found[:i])
    assert ends(np.random.RandomState(0)) == found[4]


def test_parameters_that_are_not_trained_do_not_pile_up_gradients():
    model = nn.MLP([2, 4, 1], seed=0)
    optimizer = optim.SGD(model.parameters()[2:], 1e-9)
    train.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=5, progress=False)
    bp.functional.mse_loss(model(X), Y).backward()
    twice = model.parameters()[0].grad
    model.zero_grad()
    bp.functional.mse_loss(model(X), Y).backward()
    np.testing.assert_allclose(twice, 2 * model.parameters()[0].grad, rtol=1e-5)
