"""States of optimisers, norms of gradients and the ends of schedules."""

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import optim


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": np.array(-1)}, "'steps' below 0"),
        ({"0.steps": np.array(-1)}, r"'0\.steps' below 0"),
        ({"0.square": np.array([-1.0, 1.0])}, r"'0\.square' below 0"),
        ({"0.mean": np.array([np.nan, 1.0])}, r"'0\.mean' with nan or infinity in it"),
    ],
)
def test_an_optimisers_state_that_no_training_gives_is_refused(changed, message):
    x = bp.Tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.Adam([x], 0.1)
    x.grad = np.ones(2)
    optimizer.step()
    state = optimizer.state_dict()
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(state | changed)
    assert all((state[name] == value).all() for name, value in optimizer.state_dict().items())


@pytest.mark.parametrize("state", [None, 5, [("steps", 1)]])
def test_an_optimisers_state_is_a_dictionary(state):
    optimizer = optim.SGD([bp.Tensor(1.0, requires_grad=True)], 0.1)
    with pytest.raises(TypeError, match="a state is a dictionary of arrays, not a"):
        optimizer.load_state_dict(state)


@pytest.mark.parametrize(("steps", "rise"), [(1, 0.3), (2, 0.3), (3, 0.9), (7, 0.99), (100, 0.0)])
def test_one_cycle_ends_where_it_should(steps, rise):
    alpha = bp.schedules.one_cycle(1.0, steps, rise=rise)
    assert alpha(steps) == pytest.approx(4e-6)
    assert alpha(steps - 1) == pytest.approx(4e-6 if steps > 1 else 1.0)


@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        *((np.float16, size) for size in (1e-5, 1e-4, 1.0, 1e4)),
        *((np.float32, size) for size in (1e-30, 1e-5, 1.0, 1e30)),
        *((np.float64, size) for size in (1e-200, 1e-30, 1.0, 1e30, 1e200)),
    ],
)
def test_the_norm_of_gradients_of_every_size(dtype, size):
    p = bp.Tensor(np.zeros(2, dtype), requires_grad=True)
    p.grad = np.array([3 * size, 4 * size], dtype)
    length = np.hypot(*p.grad.astype(np.longdouble))
    assert optim.SGD([p], 0.1).gradient_norm() == pytest.approx(float(length), rel=1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_adam_does_not_take_the_state_of_another_kind(momentum):
    p, q = (bp.Tensor([1.0], requires_grad=True) for _ in range(2))
    sgd, adam = optim.SGD([p], 0.1, momentum), optim.Adam([q], 0.1)
    for x, optimizer in ((p, sgd), (q, adam)):
        x.grad = np.ones(1)
        optimizer.step()
    before = adam.state_dict()
    with pytest.raises(ValueError, match=r"does not fit this Adam: it has no '0.mean'"):
        adam.load_state_dict(sgd.state_dict())
    assert adam.state_dict() == before
    with pytest.raises(TypeError, match="a state is a dictionary of arrays"):
        adam.load_state_dict(None)


def test_without_a_gradient_no_step_is_taken_and_counted():
    optimizer = optim.Adam([bp.Tensor([1.0], requires_grad=True)], 0.1)
    with pytest.warns(UserWarning, match="found no gradient"):
        optimizer.step()
    assert optimizer.steps == 0
    optimizer.load_state_dict(optimizer.state_dict())


@pytest.mark.parametrize("zeros_first", [True, False])
def test_the_norm_of_gradients_is_nan_where_one_is(zeros_first):
    p, q = (bp.Tensor([0.0], requires_grad=True) for _ in range(2))
    p.grad, q.grad = np.zeros(1), np.array([np.nan])
    assert np.isnan(optim.SGD([p, q] if zeros_first else [q, p], 0.1).gradient_norm())
