"""Callbacks and Ctrl-C end a training between epochs, and nothing is lost."""

import signal

import numpy as np
import pytest

import tinygrad_bp as bp
from tests.train.training import X, Y, fitted
from tinygrad_bp import nn


def test_a_callback_that_looks_at_the_model_in_use_does_not_end_its_training():
    modes = []
    model = nn.Sequential(nn.Linear(2, 1, seed=0), nn.Dropout(0.5, seed=0))

    def loss(outputs, targets):
        modes.append(model.training)
        return bp.functional.mse_loss(outputs, targets)

    look = [lambda model, history: model.eval()]
    fitted(X, Y, model=model, loss=loss, epochs=3, callbacks=look)
    assert modes == [False, True, True, True, False]


@pytest.mark.parametrize(("told", "epochs"), [(np.True_, 1), (True, 1), (1, 4), (None, 4)])
def test_a_callback_ends_a_training_with_true_of_either_kind(told, epochs):
    assert len(fitted(X, Y, epochs=4, callbacks=[lambda *_: told])) == epochs


def test_an_interrupt_in_a_callback_comes_after_the_epoch_was_judged():
    def interrupt(model, history):
        if len(history) == 3:
            raise KeyboardInterrupt

    history = fitted(X, Y, lr=0.01, epochs=9, patience=2, callbacks=[interrupt])
    assert history.stopped == "interrupted in epoch 4; the model is as after epoch 3"


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler])
def test_a_training_gives_the_handler_of_ctrl_c_back(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        fitted(X, Y)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_training_that_was_told_to_take_no_signal_takes_none():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        history = fitted(X, Y, callbacks=[lambda *_: signal.raise_signal(signal.SIGINT)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.stopped == "all 2 epochs done"


def test_ctrl_c_at_the_very_end_loses_nothing():
    class Pressed(nn.MLP):
        def eval(self):
            signal.raise_signal(signal.SIGINT)
            return super().eval()

    model = Pressed([2, 4, 1], seed=0)
    history = fitted(X, Y, model=model, patience=5)
    assert len(history) == 2
    assert not model.training
    assert history.stopped.endswith("the model is as after epoch 2")
