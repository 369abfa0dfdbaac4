"""Aliasing: a recorded array never changes, and nobody shares a gradient that can be written."""

import numpy as np
import pytest

import tinygrad_bp as bp


def leaf(value, **options):
    return bp.Tensor(value, requires_grad=True, **options)


# What goes in is copied, what comes out belongs to its tensor alone


def test_the_callers_later_writes_do_not_reach_a_tensor():
    array = np.array([1.0, 2.0])
    x = leaf(array)
    y = x * x
    array[:] = 100.0
    y.sum().backward()
    assert np.array_equal(x.data, [1.0, 2.0])
    assert np.array_equal(x.grad, [2.0, 4.0])


def test_the_callers_later_writes_do_not_reach_data_that_was_assigned():
    x, new = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    x.data = new
    new[:] = 100.0
    assert np.array_equal(x.data, [3.0, 4.0])


def test_making_a_tensor_leaves_the_callers_array_writable():
    array = np.array([1.0, 2.0])
    x = leaf(array)
    x.data = array
    (x * array + np.reshape(x * 1.0, (2,))).sum().backward(np.ones(()))
    array[0] = 5.0
    assert array[0] == 5.0


@pytest.mark.parametrize(
    "f",
    [
        lambda x, y: x + y,
        lambda x, y: (x + y) + (x + y),
        lambda x, y: (x + y) * 3.0,
        lambda x, y: np.stack([x, y]),
        lambda x, y: np.concatenate([x, y]),
        lambda x, y: x.reshape(-1) + y.reshape(-1),
        lambda x, y: +x + y[:],
        lambda x, y: x.T + y.T,
        lambda x, y: x - (-y),
        lambda x, y: np.where(True, x, y) + y,
    ],
    ids=[
        "add",
        "twice",
        "product",
        "stack",
        "concatenate",
        "reshape",
        "slices",
        "transpose",
        "signs",
        "where",
    ],
)
@pytest.mark.parametrize("keep_grads", [False, True])
def test_gradients_share_no_memory_and_can_be_written(f, keep_grads):
    x, y = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
    out = f(x, y)
    seed = np.full(out.shape, 2.0)
    out.backward(seed, keep_grads=keep_grads)
    kept = [x.grad, y.grad, seed, *([out.grad] if keep_grads else [])]
    for i, a in enumerate(kept):
        assert a.flags.writeable
        for b in kept[i + 1 :]:
            assert not np.shares_memory(a, b)
    before = [a.copy() for a in kept]
    x.grad *= 0.5
    assert all(np.array_equal(a, b) for a, b in zip(kept[1:], before[1:], strict=True))


def test_a_sum_gives_gradients_that_can_be_written():
    """The derivative of a sum is one number, repeated: it has to become an array of its own."""
    x, y = leaf([1.0, 2.0, 3.0]), leaf([1.0, 2.0, 3.0])
    (x + y).sum().backward()
    assert not np.shares_memory(x.grad, y.grad)
    x.grad[0] = 7.0
    assert np.array_equal(x.grad, [7.0, 1.0, 1.0])
    assert np.array_equal(y.grad, [1.0, 1.0, 1.0])


def test_a_gradient_of_a_leaf_that_is_the_output():
    x, seed = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    x.backward(seed)
    seed[:] = 0.0
    assert np.array_equal(x.grad, [3.0, 4.0])
    x.grad[:] = 9.0
    assert np.array_equal(x.data, [1.0, 2.0])


def test_changing_the_seed_afterwards_changes_nothing():
    for kind in (np.array, bp.Tensor):
        x, array = leaf([1.0, 2.0]), np.array([3.0, 4.0])
        y = x + 1.0
        y.backward(kind(array), keep_grads=True)
        array[:] = 0.0
        assert np.array_equal(x.grad, [3.0, 4.0])
        assert np.array_equal(y.grad, [3.0, 4.0])


def test_changing_the_seed_afterwards_changes_no_derivative_of_the_gradient():
    x, seed = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    (first,) = bp.gradients(x * x * x, [x], seed, create_graph=True)
    seed[:] = 0.0
    assert np.array_equal(bp.gradients(first.sum(), [x])[0], [18.0, 48.0])


def test_a_seed_is_not_changed_by_the_pass():
    x, seed = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    for _ in range(3):
        (x + x).backward(seed)
    assert np.array_equal(seed, [3.0, 4.0])
    assert np.array_equal(x.grad, [18.0, 24.0])


def test_changing_a_gradient_changes_neither_data_nor_other_gradients_nor_the_graph():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    z = x * y
    z.sum().backward()
    x.grad[:] = 100.0  # the array that was y's values, times one
    assert np.array_equal(y.data, [3.0, 4.0])
    x.zero_grad()
    y.zero_grad()
    z.sum().backward()
    assert np.array_equal(x.grad, [3.0, 4.0])
    assert np.array_equal(y.grad, [1.0, 2.0])


def test_a_gradient_that_was_kept_does_not_grow_with_the_next_pass():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    y.backward()
    first = x.grad
    y.backward()
    assert np.array_equal(first, [2.0, 4.0])
    assert np.array_equal(x.grad, [4.0, 8.0])


def test_gradients_of_zero_axes_are_arrays_that_can_be_written():
    x = leaf(3.0)
    (x * x).backward()
    assert type(x.grad) is np.ndarray
    x.grad *= 0.5
    x.grad[...] += 1.0
    assert x.grad == 4.0


def test_what_gradients_returns_can_be_written_and_shares_nothing():
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    z = x + y
    by_x, by_y, by_z = bp.gradients(z, [x, y, z], [1.0, 1.0])
    by_x[0] = 7.0
    assert np.array_equal(by_y, [1.0, 1.0])
    assert np.array_equal(by_z, [1.0, 1.0])
    by_x, by_y, again = bp.gradients((x + y) * 3.0, [x, y, x], [1.0, 1.0])
    by_x[0] = 7.0
    assert np.array_equal(by_y, [3.0, 3.0])
    assert np.array_equal(again, [3.0, 3.0])
    (spread,) = bp.gradients(x.sum(), [x])
    spread[0] = 5.0
    assert np.array_equal(spread, [5.0, 1.0])


# A recorded array refuses to be written


def writes():
    def item(data):
        data[0] = 1

    def part(data):
        data[0:1][0] = 1

    def fill(data):
        data.fill(0.0)

    def sort(data):
        data.sort()

    def out(data):
        np.add(data, 1.0, out=data)

    def copyto(data):
        np.copyto(data, 0.0)

    def flat(data):
        data.flat[0] = 1

    def view(data):
        data.view(np.ndarray)[0] = 1

    def asarray(data):
        np.asarray(data)[0] = 1

    def flag(data):
        data.setflags(write=True)

    return [item, part, fill, sort, out, copyto, flat, view, asarray, flag]


@pytest.mark.parametrize("write", writes(), ids=lambda write: write.__name__)
@pytest.mark.parametrize("kind", ["leaf", "constant", "interior", "view", "detached", "rebound"])
def test_writing_to_data_raises_where_it_is_done(write, kind):
    x = leaf([3.0, 1.0, 2.0])
    tensor = {
        "leaf": x,
        "constant": bp.Tensor([3.0, 1.0, 2.0]),
        "interior": x * 2.0,
        "view": x[:],
        "detached": x.detach(),
        "rebound": leaf([0.0, 0.0, 0.0]),
    }[kind]
    if kind == "rebound":
        tensor.data = np.array([3.0, 1.0, 2.0])
    before = tensor.numpy()
    with pytest.raises(ValueError, match=r"read-only|WRITEABLE"):
        write(tensor.data)
    assert np.array_equal(tensor.data, before)


def test_the_error_says_how_to_update():
    x = leaf([1.0, 2.0])
    with pytest.raises(ValueError, match=r"read-only.*t\.data = new"):
        x.data[0] = 1
    with pytest.raises(TypeError, match=r"in place.*np\.where.*t\.data"):
        x[0] = 1


def test_numpy_gives_a_copy_that_can_be_written():
    x = leaf([1.0, 2.0])
    copy = x.numpy()
    copy[0] = 5.0
    assert np.array_equal(x.data, [1.0, 2.0])
    copy = leaf(3.0).numpy()
    copy[...] = 5.0


# Updates rebind


def update_by_subtracting(x):
    x.data -= 0.1


def update_by_assigning(x):
    x.data = x.data - 0.1


def update_by_multiplying(x):
    x.data *= -3.0


@pytest.mark.parametrize(
    "update", [update_by_subtracting, update_by_assigning, update_by_multiplying]
)
@pytest.mark.parametrize("value", [2.0, [2.0, 3.0]], ids=["scalar", "vector"])
def test_an_update_rebinds_and_the_older_graph_keeps_its_gradient(update, value):
    x = leaf(value)
    before, kept = x.numpy(), x.data
    y = (x**3).sum()
    update(x)
    assert not np.array_equal(x.data, before)
    assert np.array_equal(kept, before)
    y.backward()
    assert np.array_equal(x.grad, 3 * before**2)


@pytest.mark.parametrize("value", [2.0, [2.0, 3.0]], ids=["scalar", "vector"])
def test_the_second_derivative_is_taken_at_the_old_point_too(value):
    x = leaf(value)
    before = x.numpy()
    y = (x**3).sum()
    x.data -= 0.1
    (first,) = bp.gradients(y, [x], create_graph=True)
    assert np.array_equal(first.data, 3 * before**2)
    x.data -= 0.1
    (second,) = bp.gradients(first.sum(), [x], create_graph=True)
    assert np.allclose(second.data, 6 * before, rtol=1e-15)
    x.data -= 0.1
    (third,) = bp.gradients(second.sum(), [x])
    assert np.allclose(third, np.full_like(before, 6.0), rtol=1e-15)


def test_a_constant_that_is_replaced_keeps_its_old_value_in_the_older_graph():
    x, c = leaf([1.0, 2.0]), bp.Tensor([3.0, 4.0])
    y = (x * x * c).sum()
    c.data = [0.0, 0.0]
    (first,) = bp.gradients(y, [x], create_graph=True)
    assert np.array_equal(first.data, [6.0, 16.0])
    (second,) = bp.gradients(first.sum(), [x])
    assert np.array_equal(second, [6.0, 8.0])


def test_the_same_leaf_before_and_after_an_update_in_one_graph():
    x = leaf(2.0)
    y = x * x
    x.data = 5.0
    z = y * x  # old² times new
    (first,) = bp.gradients(z, [x], create_graph=True)
    assert first.item() == 2 * 2.0 * 5.0 + 2.0**2
    z.backward()
    assert x.grad == 24.0


def test_an_optimizer_step_between_forward_and_backward():
    model = bp.nn.MLP([3, 5, 1], activation="tanh", seed=0)
    X = np.random.default_rng(0).normal(size=(4, 3))
    parameters = list(model.parameters())

    def gradients_of(loss):
        model.zero_grad()
        loss.backward()
        return [p.grad.copy() for p in parameters]

    early, late = (model(X) ** 2).sum(), (model(X) ** 2).sum()
    expected = gradients_of(early)
    bp.optim.SGD(parameters, lr=0.5, momentum=0.9).step()
    found = gradients_of(late)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    moved = gradients_of((model(X) ** 2).sum())
    assert not any(np.array_equal(a, b) for a, b in zip(moved, expected, strict=True))


def test_an_assignment_keeps_shape_and_precision():
    x = leaf(np.float32([1, 2]), name="w")
    x.data = [3, 4]
    assert x.dtype == np.float32
    with pytest.raises(ValueError, match=r"'w' of shape \(2,\).*shape \(3,\)"):
        x.data = [1, 2, 3]
    assert np.array_equal(x.data, [3, 4])


def test_what_was_computed_cannot_be_replaced():
    y = leaf([1.0, 2.0]) * 2.0
    with pytest.raises(ValueError, match="computed; only a leaf's data"):
        y.data = [0.0, 0.0]


def test_detached_values_cannot_reach_back():
    x = leaf([1.0, 2.0])
    apart = x.detach()
    assert not apart.requires_grad
    apart.data = [5.0, 5.0]
    assert np.array_equal(x.data, [1.0, 2.0])
    y = (x * x.detach()).sum()
    y.backward()
    assert np.array_equal(x.grad, [1.0, 2.0])
