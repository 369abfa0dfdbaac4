"""Optimisers: what moves parameters down their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from ..support.arguments import below_one, flag, not_negative, positive, shown, some
from ..support.state import fitting, plain
from .schedules import Schedule, step_size


class Optimizer:
    """What all optimisers share: the parameters, the step size, clipping, and the count of steps.

    A parameter's array is replaced, never written to, so graphs recorded before a step keep the
    values that they were computed from. A parameter whose ``grad`` is None is left alone.

    A subclass says in ``_moved`` where one parameter goes, and in ``_memory_names`` which arrays
    it remembers for it from step to step. These too are replaced, never written to.

    Parameters
    ----------
    parameters : iterable of Tensor
        Leaves that require grad; one that occurs twice is updated once.
    lr : float or function
        The step size, or a function of the number of steps taken so far that gives it, such as
        those of `tinygrad_bp.schedules`. It can be set between steps: ``optimizer.lr = 0.01``.
    weight_decay : float
        The strength of the pull towards zero.
    max_norm : float, optional
        Gradients longer than this, all taken together as one vector, are shortened to it:
        ``g · min(1, max_norm / (‖g‖ + 1e-6))``. Pascanu, Mikolov and Bengio, "On the difficulty
        of training recurrent neural networks", ICML 2013.

    Attributes
    ----------
    steps : int
        How many were taken.

    Raises
    ------
    ValueError
        If there are no parameters, ``lr`` or ``max_norm`` is not positive, or another number is
        out of range.
    TypeError
        If a parameter is not a Tensor, or a number not a number.
    """

    _option_names: tuple[str, ...] = ()
    _memory_names: tuple[str, ...] = ()

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule,
        weight_decay: float,
        max_norm: float | None,
    ):
        self.parameters = _checked_parameters(parameters)
        self.lr = lr
        self.weight_decay = not_negative(weight_decay, "weight_decay")
        self.max_norm = None if max_norm is None else positive(max_norm, "max_norm")
        self.steps = 0
        self._memories: list[dict[str, Any]] = [{} for _ in self.parameters]

    @property
    def lr(self) -> float | Schedule:
        """The step size, or the schedule that gives it."""
        return self._lr

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        self._lr = lr if callable(lr) else positive(lr, "lr")

    @property
    def step_size(self) -> float:
        """The step size of the next step."""
        return step_size(self._lr, self.steps)

    def zero_grad(self) -> None:
        """Forget the gradients found so far."""
        for p in self.parameters:
            p.grad = None

    def gradient_norm(self) -> float:
        """The length of all gradients, taken together as one vector.

        Examples
        --------
        >>> x = Tensor([3.0, 4.0], requires_grad=True)
        >>> (x * x / 2).sum().backward()
        >>> SGD([x], lr=0.1).gradient_norm()
        5.0
        """
        return _norm([_gradient(p) for p in self.parameters if p.grad is not None])

    def step(self) -> None:
        """Move every parameter that has a gradient by one step; if none has one, take no step.

        Raises
        ------
        ValueError
            If a gradient was replaced by one of another shape or dtype, or the schedule gives
            no step size. Nothing has moved then.
        """
        lr = self.step_size
        moving = [
            (p, _gradient(p), memory)
            for p, memory in zip(self.parameters, self._memories, strict=True)
            if p.grad is not None
        ]
        scale = 1.0
        if self.max_norm is not None:
            scale = self.max_norm / (_norm([g for _, g, _ in moving]) + 1e-6)
        for p, g, memory in moving:
            p._replace(self._moved(p._array, g * scale if scale < 1 else g, memory, lr))
        self.steps += bool(moving)

    def _moved(self, data: Any, g: Any, memory: dict[str, Any], lr: float) -> Any:
        """A new array for a parameter; ``g`` may be the user's, and is not to be written to."""
        raise NotImplementedError(f"{type(self).__name__} has to define _moved")

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of what was learned about the gradients so far, as arrays under their names.

        With the model's state it is all that a later run needs to go on as if it had not been
        interrupted. The options are not part of it: make the optimiser with the same ones.
        ``np.savez(path, **optimizer.state_dict())`` saves it.

        Examples
        --------
        >>> x = Tensor([5.0], requires_grad=True)
        >>> optimizer = SGD([x], lr=0.1, momentum=0.9)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> optimizer.state_dict()
        {'steps': array(1), '0.velocity': array([10.])}
        """
        state = {"steps": np.array(self.steps)}
        for i, memory in enumerate(self._memories):
            state |= {f"{i}.{name}": np.array(value) for name, value in memory.items()}
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy in what `state_dict` gave, of an optimiser of the same kind and parameters.

        Raises
        ------
        ValueError
            If something is missing or unknown, a shape or type does not fit, or a number is not
            finite or counts below 0. The first are listed, and the optimiser is as it was.
        TypeError
            If ``state`` is not a dictionary.
        """
        given = state if isinstance(state, Mapping) else {}
        copies = fitting(state, self._expected(given), type(self).__name__)
        counts = [name for name in copies if name.endswith(("steps", "square"))]
        if wrong := [f"{name!r} below 0" for name in counts if (copies[name] < 0).any()]:
            raise ValueError(
                f"the state does not fit this {type(self).__name__}: it has {some(wrong)}"
            )
        self.steps = int(copies.pop("steps"))
        self._memories = [{} for _ in self.parameters]
        for name, array in copies.items():
            i, _, part = name.partition(".")
            self._memories[int(i)][part] = array

    def _expected(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """An array of the shape and type of each that a state must have, by its name.

        A parameter that never had a gradient has none. Once a step was taken, one had.
        """
        names = self._memory_names
        places = range(len(self.parameters))
        remembered = [i for i in places if any(f"{i}.{part}" in given for part in names)]
        if not remembered and np.any(plain(given.get("steps", 0))):
            remembered = [0]
        expected: dict[str, Any] = {"steps": np.array(0)}
        for i in remembered:
            for part in names:
                like = expected["steps"] if part == "steps" else self.parameters[i]._array
                expected[f"{i}.{part}"] = like
        return expected

    def _snapshot(self) -> tuple[int, list[dict[str, Any]]]:
        """All that a step changes beside the parameters."""
        return self.steps, [dict(memory) for memory in self._memories]

    def _restore(self, snapshot: tuple[int, list[dict[str, Any]]]) -> None:
        """Undo the steps since a snapshot was taken."""
        self.steps, memories = snapshot
        self._memories = [dict(memory) for memory in memories]

    def __repr__(self) -> str:
        options = {name: getattr(self, name) for name in self._option_names}
        shown = "".join(f", {name}={value}" for name, value in options.items())
        count = len(self.parameters)
        return f"{type(self).__name__}({count} parameters, lr={self.step_size}{shown})"


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, weight decay and clipping.

    With gradient g, each step is, for a parameter p with velocity v::

        g = g + weight_decay * p
        v = momentum * v + g        (at first v = g)
        p = p - lr * v              (Nesterov: p - lr * (g + momentum * v))

    Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)",
    Soviet Mathematics Doklady 27 (1983) 372; Sutskever, Martens, Dahl and Hinton, "On the
    importance of initialization and momentum in deep learning", ICML 2013.

    Parameters
    ----------
    parameters, lr, weight_decay, max_norm
        As in `Optimizer`. The decay acts as if ``weight_decay / 2 * (p ** 2).sum()`` were part
        of the loss (L2; for L1 see `functional.l1_penalty`).
    momentum : float
        How much of the velocity is kept.
    nesterov : bool
        Look ahead along the velocity. It needs a momentum.

    Examples
    --------
    >>> x = Tensor(5.0, requires_grad=True)
    >>> optimizer = SGD([x], lr=0.1)
    >>> for _ in range(100):
    ...     optimizer.zero_grad()
    ...     ((x - 3) ** 2).backward()
    ...     optimizer.step()
    >>> round(x.item(), 6)
    3.0
    """

    _option_names = ("momentum", "weight_decay", "nesterov", "max_norm")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        *,
        nesterov: bool = False,
        max_norm: float | None = None,
    ):
        super().__init__(parameters, lr, weight_decay, max_norm)
        self.momentum = not_negative(momentum, "momentum")
        self.nesterov = flag(nesterov, "nesterov")
        if nesterov and not self.momentum:
            raise ValueError("nesterov=True needs a momentum above 0, such as momentum=0.9")
        self._memory_names = ("velocity",) if self.momentum else ()

    def _moved(self, data: Any, g: Any, memory: dict[str, Any], lr: float) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * data
        if self.momentum:
            v = memory["velocity"] * self.momentum if memory else np.zeros_like(g)
            v += g
            memory["velocity"] = v
            g = g + self.momentum * v if self.nesterov else v
        new = g * -lr
        new += data
        return new


class Adam(Optimizer):
    """Steps scaled by running means of the gradient and of its square.

    With gradient g, step t of a parameter p is, from m = v = 0::

        g = g + weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g²
        p = p - lr * (m / (1 - beta1^t)) / (√(v / (1 - beta2^t)) + epsilon)

    The divisions by 1 - beta^t undo the pull of the means towards the zeros that they started
    from. Kingma and Ba, "Adam: A method for stochastic optimization", ICLR 2015.

    Parameters
    ----------
    parameters, lr, weight_decay, max_norm
        As in `Optimizer`. The decay acts as if ``weight_decay / 2 * (p ** 2).sum()`` were part
        of the loss; see also `AdamW`.
    betas : pair of float
        How much of the two means is kept, each less than 1.
    epsilon : float
        What keeps the division finite where gradients are 0.

    Examples
    --------
    >>> x = Tensor(5.0, requires_grad=True)
    >>> optimizer = Adam([x], lr=0.1)
    >>> for _ in range(500):
    ...     optimizer.zero_grad()
    ...     ((x - 3) ** 2).backward()
    ...     optimizer.step()
    >>> round(x.item(), 6)
    3.0
    """

    _option_names = ("betas", "epsilon", "weight_decay", "max_norm")
    _memory_names = ("mean", "square", "steps")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
    ):
        super().__init__(parameters, lr, weight_decay, max_norm)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"betas must be a pair of numbers, not {betas!r}")
        self.betas = below_one(betas[0], "betas[0]"), below_one(betas[1], "betas[1]")
        self.epsilon = positive(epsilon, "epsilon")

    def _moved(self, data: Any, g: Any, memory: dict[str, Any], lr: float) -> Any:
        if self.weight_decay:
            g = g + self.weight_decay * data
        return self._scaled(data, g, memory, lr)

    def _scaled(self, data: Any, g: Any, memory: dict[str, Any], lr: float) -> Any:
        """``data`` after Adam's step along ``g``."""
        if not memory:
            memory.update(mean=np.zeros_like(data), square=np.zeros_like(data), steps=0)
        t, (beta1, beta2) = int(memory["steps"]) + 1, self.betas
        m, v = memory["mean"] * beta1, memory["square"] * beta2
        m += (1 - beta1) * g
        v += (1 - beta2) * (g * g)
        memory.update(mean=m, square=v, steps=t)
        correction = math.sqrt(1 - beta2**t)
        size = np.sqrt(v)
        size += self.epsilon * correction
        new = m / size
        new *= -lr * correction / (1 - beta1**t)
        new += data
        return new


class AdamW(Adam):
    """Adam with a weight decay that its scaling does not touch.

    Before Adam's step, which is taken without decay, a parameter shrinks::

        p = p - lr * weight_decay * p

    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Parameters
    ----------
    parameters, lr, betas, epsilon, weight_decay, max_norm
        As in `Adam`; ``weight_decay`` is 0.01 unless given.

    Examples
    --------
    >>> x = Tensor([5.0], requires_grad=True)
    >>> optimizer = AdamW([x], lr=0.1, weight_decay=0.5)
    >>> x.grad = np.array([0.0])
    >>> optimizer.step()
    >>> x.data.tolist()
    [4.75]
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
        max_norm: float | None = None,
    ):
        super().__init__(
            parameters,
            lr,
            betas=betas,
            epsilon=epsilon,
            weight_decay=weight_decay,
            max_norm=max_norm,
        )

    def _moved(self, data: Any, g: Any, memory: dict[str, Any], lr: float) -> Any:
        return self._scaled(data * (1 - lr * self.weight_decay), g, memory, lr)


def _norm(gradients: Iterable[Any]) -> float:
    wide = [g if g.dtype.itemsize > 2 else g.astype(np.float32) for g in gradients]
    square = sum(float(np.vdot(g, g)) for g in wide)
    if 1e-30 < square < math.inf:
        return math.sqrt(square)
    largest = float(np.max([np.max(np.abs(g), initial=0.0) for g in wide], initial=0.0))
    if not 0 < largest < math.inf:
        return largest
    scaled = [g.astype(np.float64) / largest for g in wide]  # whose squares are neither 0 nor inf
    return largest * math.sqrt(sum(float(np.vdot(g, g)) for g in scaled))


def _gradient(p: Tensor) -> Any:
    """The array of a parameter's gradient, which must fit the parameter."""
    g = p.grad._array if isinstance(p.grad, Tensor) else p.grad
    data = p._array
    if not hasattr(g, "dtype"):
        raise TypeError(f"the gradient of {p._called()} must be an array, not {shown(g)}")
    if g.shape != data.shape or g.dtype != data.dtype:
        raise ValueError(
            f"the gradient of {p._called()} and {data.dtype} "
            f"has shape {g.shape} and {g.dtype}: they must agree"
        )
    return g


def _checked_parameters(parameters: Iterable[Tensor]) -> list[Tensor]:
    """The parameters, each once."""
    if isinstance(parameters, Tensor) or not isinstance(parameters, Iterable):
        raise TypeError(
            "parameters must be a list of Tensors such as model.parameters(), "
            f"not a {type(parameters).__name__}"
        )
    found = list(parameters)
    if not found:
        raise ValueError("there are no parameters to optimise (was a generator used up before?)")
    for i, p in enumerate(found):
        if not isinstance(p, Tensor):
            raise TypeError(f"parameter {i} is not a Tensor but a {type(p).__name__}")
        if not (p.requires_grad and p.is_leaf):
            raise ValueError(f"parameter {i}, {p._called()}, is not a leaf that requires grad")
    return list(dict.fromkeys(found))
