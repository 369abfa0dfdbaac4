"""Arrays of another library, which speak NumPy's protocols, get the gradients that NumPy's get."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import functional, optim
from tinygrad_bp.engine.signatures import full_name

from .catalogue import SAMPLES_OF
from .foreign import RIGHT, WRONG, Stranger, bare, outcome

# Adjoints that are written into zeros of NumPy's, or checks that ask for a value.
NAMES = """
getitem np.array_split np.average np.bincount np.block np.choose np.compress np.convolve
np.correlate np.cross np.cumprod np.cumulative_prod np.delete np.diag np.diagflat np.diagonal
np.diff np.dsplit np.ediff1d np.extract np.flip np.fliplr np.flipud np.gradient np.hsplit np.insert
np.interp np.lib.stride_tricks.sliding_window_view np.linalg.cond np.linalg.cross
np.linalg.diagonal np.linalg.lstsq np.linalg.qr np.linalg.slogdet np.linalg.svd
np.linalg.trace np.linalg.vecdot np.matvec np.maximum.accumulate np.meshgrid
np.minimum.accumulate np.multiply.accumulate np.nancumprod np.pad np.partition np.quantile
np.repeat np.resize np.roll np.rot90 np.select np.sort np.split np.take np.take_along_axis
np.tile np.trace np.trapezoid np.unstack np.vander np.vecdot np.vecmat np.vsplit
on_diagonal orthonormal put_along_axis scatter_add sign_and_logabsdet singular_vectors
solution times_sparse np.polyval np.unwrap
"""
MAY_REFUSE = set(NAMES.split())


def both(compute, *arrays):
    """The gradients of a number, from NumPy's arrays and from those of the other library."""
    for wrap in (np.asarray, Stranger):
        inputs = [bp.Tensor(wrap(x), requires_grad=True) for x in arrays]
        compute(*inputs).backward()
        assert wrap is np.asarray or all(isinstance(x.data, Stranger) for x in inputs)
        yield [bare(x.grad) for x in inputs]


@pytest.mark.parametrize(
    "compute",
    [
        lambda x, y: (x * y).sum(),
        lambda x, y: (np.sin(x) + y / x).sum(),
        lambda x, y: (y - x).reshape((3, 2)).sum(),
        lambda x, y: np.maximum(x, y).sum(),
    ],
)
def test_a_number_that_was_broadcast_gets_the_sum(compute):
    arrays = np.array(0.5), np.array([[1.0, -2.0, 3.0], [0.25, 0.75, -1.0]])
    for one, other in zip(*both(compute, *arrays), strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, rtol=1e-15)


def test_an_index_that_names_a_place_twice_is_added_twice_or_refused():
    x = bp.Tensor(Stranger([1.0, 2.0, 3.0]), requires_grad=True)
    y = x[np.array([0, 0, 2])].sum()
    try:
        y.backward()
    except TypeError:
        assert x.grad is None
    else:
        np.testing.assert_array_equal(bare(x.grad), [2.0, 0.0, 1.0])


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: optim.SGD(p, 0.1),
        lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda p: optim.Adam(p, 0.1, weight_decay=0.01),
        lambda p: optim.AdamW(p, 0.1),
    ],
)
def test_optimisers_remember(optimizer):
    results = []
    for wrap in (np.asarray, Stranger):
        x = bp.Tensor(wrap([1.0, -2.0]), requires_grad=True)
        steps = optimizer([x])
        for _ in range(5):
            steps.zero_grad()
            (x * x * x + x).sum().backward()
            steps.step()
        results.append(bare(x.data))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-14)


@pytest.mark.parametrize("function", SAMPLES_OF, ids=full_name)
def test_every_function_is_right_or_refused(function):
    found = {outcome(sample, Stranger, bare) for sample in SAMPLES_OF[function]}
    assert WRONG not in found
    assert found == {RIGHT} or full_name(function) in MAY_REFUSE


def test_nothing_of_networks_refuses():
    names = {name for name in functional.__all__ if name != "put_along_axis"}
    assert not names & MAY_REFUSE


def test_a_stranger_gives_no_value_away():
    x = Stranger([1.0])
    for ask in (np.asarray, float, int, bool, list):
        with pytest.raises(TypeError):
            ask(x)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_nobody_can_see_to_be_wrong_has_loss_infinity(label):
    logits, labels = Stranger(np.zeros((2, 3))), Stranger(np.array([0, label]))
    assert bare(functional.cross_entropy(logits, labels)) == np.inf


@pytest.mark.parametrize(
    "loss",
    [
        functional.cross_entropy,
        lambda z, y: functional.cross_entropy(z, y, weight=[1.0, 2.0, 0.5]),
        lambda z, y: functional.mse_loss(z, y[:, np.newaxis] * np.ones(3)),
        lambda z, y: functional.huber_loss(z, y[:, np.newaxis] * np.ones(3)),
        lambda z, y: functional.binary_cross_entropy_with_logits(
            z, y[:, np.newaxis] % np.full(3, 2)
        ),
        lambda z, y: functional.binary_cross_entropy_with_logits(
            z, y[:, np.newaxis] % np.full(3, 2), weight=[0.5, 2.0]
        ),
    ],
)
def test_a_network_trains_on_what_is_elsewhere(loss):
    rng = np.random.default_rng(0)
    X, y, W, b = rng.normal(size=(7, 2)), np.arange(7) % 3, rng.normal(size=(3, 2)), np.ones(3)

    def step(wrap):
        leaves = [bp.Tensor(wrap(p), requires_grad=True) for p in (W, b)]
        value = loss(functional.tanh(functional.linear(wrap(X), *leaves)), wrap(y))
        return [bare(value.data), *(bare(g) for g in bp.gradients(value, leaves))]

    for found, expected in zip(step(Stranger), step(np.asarray), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-16)
