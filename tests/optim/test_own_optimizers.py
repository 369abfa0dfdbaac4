"""Optimisers of a user's own, steps that are whole or not at all, arrays that are not NumPy's."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.lib.mixins import NDArrayOperatorsMixin

import tinygrad_bp as bp
from tinygrad_bp.optim import SGD, Adam, AdamW, Optimizer
from tinygrad_bp.optim.norms import euclidean_norm


def leaf(values, **options):
    return bp.Tensor(values, requires_grad=True, **options)


class RMSprop(Optimizer):
    """An optimiser as a user writes it, from the docstrings alone."""

    memory_names = ("square", "steps")
    count_names = ("steps",)
    not_negative_names = ("square",)

    def __init__(self, parameters, lr=0.01, *, share=0.9, **options):
        super().__init__(parameters, lr, **options)
        self.share = share

    def move(self, data, gradient, memory, lr):
        g = gradient + self.weight_decay * data
        memory["steps"] = memory.get("steps", 0) + 1
        memory["square"] = self.share * memory.get("square", 0.0) + (1 - self.share) * g**2
        return data - lr * g / (np.sqrt(memory["square"]) + 1e-8)


def advance(optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        sum(((p - 3) ** 2).sum() for p in optimizer.parameters).backward()
        optimizer.step()


def test_an_optimizer_of_ones_own_steps_decays_clips_and_is_saved():
    first = RMSprop([leaf([5.0, 1.0]), leaf(2.0)], 0.1, weight_decay=0.01, max_norm=1.0)
    advance(first, 5)
    second = RMSprop([leaf(p.data) for p in first.parameters], 0.1, weight_decay=0.01, max_norm=1.0)
    second.load_state_dict(first.state_dict())
    assert set(first.state_dict()) == {"steps", "0.square", "0.steps", "1.square", "1.steps"}
    advance(first, 7)
    advance(second, 7)
    for p, q in zip(first.parameters, second.parameters, strict=True):
        assert p.data.tobytes() == q.data.tobytes()
    np.testing.assert_allclose(first.parameters[1].item(), 3, atol=0.2)
    state = first.state_dict()
    for name in ("0.square", "1.steps", "steps"):
        with pytest.raises(ValueError, match=f"it has '{name}' below 0"):
            second.load_state_dict({**state, name: -np.ones_like(state[name])})


def test_no_gradient_is_warned_of_once():
    optimizer = SGD([leaf(1.0)], 0.1)
    with pytest.warns(UserWarning, match=r"step\(\) found no gradient.*call backward") as caught:
        optimizer.step()
    assert caught[0].filename == __file__
    optimizer.step()
    assert optimizer.steps == 0


KINDS = {
    "momentum": lambda p: SGD(p, 0.1, 0.9),
    "clipped": lambda p: SGD(p, 0.1, 0.9, nesterov=True, weight_decay=0.1, max_norm=0.5),
    "Adam": lambda p: Adam(p, 0.1, weight_decay=0.1, max_norm=0.5),
    "AdamW": lambda p: AdamW(p, 0.1),
}


def state_of(optimizer):
    arrays = [p.data.tobytes() for p in optimizer.parameters]
    return arrays, {name: value.tolist() for name, value in optimizer.state_dict().items()}


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupt_anywhere_leaves_all_parameters_or_none(kind):
    """An interrupt is raised before each line of the library that a step runs, one at a time."""

    def interrupted(line):
        optimizer = KINDS[kind]([leaf([1.0, 2.0]), leaf(3.0), leaf([[4.0]])])
        advance(optimizer, 2)
        sum(((p - 3) ** 2).sum() for p in optimizer.parameters).backward()
        before, passed = state_of(optimizer), 0

        def trace(frame, event, argument):
            nonlocal passed
            if "tinygrad_bp" not in frame.f_code.co_filename:
                return None
            if event == "line":
                passed += 1
                if passed == line:
                    raise KeyboardInterrupt
            return trace

        sys.settrace(trace)
        try:
            optimizer.step()
        except KeyboardInterrupt:
            return before, state_of(optimizer)
        finally:
            sys.settrace(None)
        return before, None

    lines = 0
    while (states := interrupted(lines + 1))[1] is not None:
        before, after = states
        assert after == before
        lines += 1
    assert lines > 30


def test_an_error_in_one_update_moves_nothing():
    class Stumbling(Adam):
        def move(self, data, gradient, memory, lr):
            new = super().move(data, gradient, memory, lr)
            if np.ndim(data) == 2:
                raise FloatingPointError("stumbled")
            return new

    optimizer = Stumbling([leaf([1.0, 2.0]), leaf([[4.0]])], 0.1)
    before = state_of(optimizer)
    with pytest.raises(FloatingPointError, match="stumbled"):
        advance(optimizer, 1)
    assert state_of(optimizer) == before
    assert optimizer.steps == 0


# Arrays that are not NumPy's


class Opaque(NDArrayOperatorsMixin):
    """An array of another library, which never gives its values away."""

    def __init__(self, values):
        self.values = values

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    size = property(lambda self: self.values.size)
    dtype = property(lambda self: self.values.dtype)

    def astype(self, dtype):
        return Opaque(self.values.astype(dtype))

    def copy(self):
        return Opaque(self.values.copy())

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if keywords.get("out") or method != "__call__":
            raise TypeError(f"{ufunc.__name__}.{method} with {sorted(keywords)}")
        return self._called(ufunc, inputs, keywords)

    def __array_function__(self, function, types, inputs, keywords):
        return self._called(function, inputs, keywords)

    @staticmethod
    def _called(function, inputs, keywords):
        values = [x.values if isinstance(x, Opaque) else x for x in inputs]
        result = function(*values, **keywords)
        return Opaque(result) if isinstance(result, np.ndarray | np.generic) else result

    def _refuse(self, *_, **__):
        raise TypeError("a value was asked for")

    __array__ = __bool__ = __float__ = __int__ = __index__ = __len__ = __iter__ = _refuse


OTHER_KINDS = {
    **KINDS,
    "SGD": lambda p: SGD(p, 0.1),
    "gentle": lambda p: Adam(p, 0.1, max_norm=1e6),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_steps_on_arrays_that_give_no_value_away(kind, dtype):
    generator = np.random.default_rng(0)
    shapes = [(2, 3), (3,), ()]
    starts = [generator.normal(size=shape).astype(dtype) for shape in shapes]
    plain = OTHER_KINDS[kind]([leaf(x) for x in starts])
    other = OTHER_KINDS[kind]([leaf(Opaque(x)) for x in starts])
    for _ in range(5):
        for p, q in zip(plain.parameters, other.parameters, strict=True):
            g = generator.normal(size=p.shape).astype(dtype)
            p.grad, q.grad = g, Opaque(g)
        norm = other.gradient_norm()
        assert isinstance(norm, Opaque)
        assert norm.values == plain.gradient_norm()
        plain.step()
        other.step()
    for p, q in zip(plain.parameters, other.parameters, strict=True):
        assert isinstance(q._array, Opaque)
        assert q._array.values.tobytes() == p.data.tobytes()
        assert q.dtype == dtype


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_steps_on_dask_arrays_stay_lazy(kind):
    da = pytest.importorskip("dask.array")
    dask = pytest.importorskip("dask")

    def no_computing(*_, **__):
        raise AssertionError("something was computed")

    plain, lazy = leaf([1.0, -2.0, 3.0]), leaf(da.from_array(np.array([1.0, -2.0, 3.0]), chunks=2))
    one, other = OTHER_KINDS[kind]([plain]), OTHER_KINDS[kind]([lazy])
    with dask.config.set(scheduler=no_computing):
        for _ in range(3):
            plain.grad = np.array([1.0, 0.5, -4.0])
            lazy.grad = da.from_array(plain.grad, chunks=2)
            one.step()
            other.step()
    assert isinstance(lazy._array, da.Array)
    np.testing.assert_allclose(lazy._array.compute(), plain.data, rtol=1e-14)


@pytest.mark.parametrize(
    "values", [[0.0, 0.0], [1e200, -1e200], [1e-200, 3e-200], [np.inf, 1.0], [np.nan, 1.0], [2.0]]
)
def test_the_norm_of_any_numbers(values):
    arrays = [np.array([x]) for x in values]
    expected = np.hypot.reduce(np.array(values))
    np.testing.assert_allclose(euclidean_norm(arrays), expected, rtol=1e-15)
    np.testing.assert_allclose(
        euclidean_norm([Opaque(x) for x in arrays]).values, expected, rtol=1e-15
    )
    assert euclidean_norm([]) == euclidean_norm([np.zeros((0, 3))]) == 0.0
    halves = euclidean_norm([np.array([6e4, 6e4], np.float16)])
    np.testing.assert_allclose(halves, np.sqrt(2) * 6e4, rtol=1e-3)
    many = np.linspace(0.01, 0.1, 1000).astype(np.float16)  # squares are not taken in halves
    np.testing.assert_allclose(euclidean_norm([many]), euclidean_norm([many.astype(float)]), 1e-6)


def test_eps_is_another_name_for_epsilon():
    for kind in (Adam, AdamW):
        assert kind([leaf(1.0)], eps=1e-3).epsilon == 1e-3
        with pytest.raises(ValueError, match="eps must be positive, not 0"):
            kind([leaf(1.0)], eps=0)


@pytest.mark.parametrize("length", [1.0, 1.9, 2.0, 2.1, 1000.0])
def test_clipping_by_the_formula(length):
    p = leaf([0.0, 0.0])
    p.grad = length * np.array([0.6, 0.8])
    bp.optim.SGD([p], lr=1.0, max_norm=2.0).step()
    expected = -length * np.array([0.6, 0.8]) * min(1, 2 / (length + 1e-6))
    np.testing.assert_allclose(p.data, expected, rtol=1e-14)


def test_a_state_with_zeros_in_it_is_loaded():
    p = leaf([1.0, 2.0])
    first, second = Adam([p]), Adam([p])
    p.grad = np.array([0.0, 1.0])
    first.step()
    second.load_state_dict(first.state_dict())
    assert second.state_dict()["0.square"][0] == 0
    assert second.state_dict().keys() == first.state_dict().keys()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "it has no 'steps'$"),
        ({"steps": 0, "other": 1}, "it has unknown 'other'$"),
        ({"steps": 3}, r"it has no '0\.mean'; no '0\.square'; no '0\.steps'$"),
    ],
)
def test_what_a_state_lacks_is_named(state, message):
    with pytest.raises(ValueError, match=message):
        Adam([leaf(1.0), leaf(2.0)]).load_state_dict(state)


def test_other_libraries_names_are_answered():
    with pytest.raises(TypeError, match="lr"):
        Adam([leaf(1.0)], learning_rate=0.1)
    with pytest.raises(AttributeError, match="parameters"):
        Adam([leaf(1.0)]).param_groups  # noqa: B018


def moved_by(move, *, data=(1.0, 2.0), gradient=(1.0, 1.0), **attributes):
    """One step of an optimiser with this ``move``: the parameter afterwards."""
    kind = type("Own", (Optimizer,), {"move": move, **attributes})
    p = leaf(list(data))
    p.grad = np.array(gradient)
    kind([p], 0.5).step()
    return p.data


def test_what_a_move_may_not_give_is_named():
    cases = {
        "must return the parameter's new array, not None": lambda self, data, *more: None,
        "must return the parameter's new array, not Tensor": lambda self, data, *more: leaf(data),
        r"gave float64 of shape \(\) for": lambda self, data, *more: np.sum(data),
        r"gave float32 of shape \(2,\) for": lambda self, data, *more: data.astype("f4"),
    }
    for message, move in cases.items():
        with pytest.raises((TypeError, ValueError), match=message):
            moved_by(move)


def test_a_move_that_writes_into_what_it_was_given_is_refused():
    def into_data(self, data, gradient, memory, lr):
        data -= lr * gradient
        return np.asarray(data).__isub__(1.0)

    def into_the_gradient(self, data, gradient, memory, lr):
        gradient *= lr
        return data - gradient

    def wrong(self, data, gradient, memory, lr):
        raise ValueError("something else")

    for move in (into_data, into_the_gradient):
        with pytest.raises(ValueError, match="make a new one, as in return data - lr"):
            moved_by(move)
    with pytest.raises(ValueError, match=r"^something else$"):
        moved_by(wrong)


def test_a_memory_that_is_empty_at_first_is_explained():
    def asks(self, data, gradient, memory, lr):
        return data - memory["v"]

    def fails(self, data, gradient, memory, lr):
        memory["v"] = gradient
        raise KeyError("v")

    with pytest.raises(LookupError, match=r"memory\['v'\], and memory is empty at first"):
        moved_by(asks, memory_names=("v",))
    with pytest.raises(KeyError, match=r"^'v'$"):
        moved_by(fails, memory_names=("v",))


def test_a_move_takes_all_that_it_is_given():
    with pytest.raises(TypeError, match=r"Wrong\.move"):

        class Wrong(Optimizer):
            def move(self, data, gradient):
                return data


def test_subclasses_are_told_of_in_turn():
    told = []

    class Telling:
        def __init_subclass__(cls, **keywords):
            told.append((cls.__name__, keywords))
            super().__init_subclass__()

    class Own(SGD, Telling, of="a user"):
        pass

    assert told == [("Own", {"of": "a user"})]


def test_an_init_that_forgets_super_is_explained():
    class Unstarted(SGD):
        def __init__(self, parameters):
            self.rate = 0.1

    with pytest.raises(AttributeError, match=r"Unstarted\.__init__ must call super"):
        Unstarted([leaf(1.0)]).step()
    with pytest.raises(AttributeError, match="no 'steps_taken'"):
        Unstarted([leaf(1.0)]).steps_taken  # noqa: B018
    started = SGD([leaf(1.0)], 0.1)
    del started.max_norm
    with pytest.raises(AttributeError, match="no 'max_norm'"):
        started.max_norm  # noqa: B018


def test_groups_and_plain_arrays_are_not_parameters():
    p = leaf(1.0)
    with pytest.raises(TypeError, match="make an optimizer for each"):
        SGD([{"params": [p]}], 0.1)
    assert SGD([{"weight": p}], 0.1).parameters == [p]
    with pytest.raises(TypeError, match=r"write bp\.Tensor\(it, requires_grad=True\)"):
        SGD([np.ones(2)], 0.1)
    with pytest.raises(TypeError, match="write them alone"):
        SGD([p, "weight"], 0.1)
