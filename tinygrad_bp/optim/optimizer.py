"""What all optimisers share: the parameters, the step size, clipping, and the count of steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.tensor import Tensor
from ..support.answers import check_keywords, check_takes, no_attribute
from ..support.arguments import kind_of, not_negative, positive, shown, some
from ..support.state import matching_arrays, most_bytes, plain_array
from ..support.structures import is_container, leaves
from ..support.warning import warn
from .norms import euclidean_norm
from .schedules import Schedule, checked_schedule, step_size

_OWN = {"_lr", "_memories", "_warned", "max_norm", "parameters", "steps", "weight_decay"}
_GIVEN = ("self", "data", "gradient", "memory", "lr")


class Optimizer:
    """What all optimisers share: the parameters, the step size, clipping, and the count of steps.

    A parameter's array is replaced, never written to, so graphs recorded before a step keep the
    values that they were computed from. A parameter whose ``grad`` is None is left alone.

    A subclass says in `move` where one parameter goes, and in ``memory_names`` what it remembers
    for it from step to step: arrays of the parameter's shape, or whole numbers, which
    ``count_names`` lists. These too are replaced, never written to. Where `move` treats every
    element on its own, ``elementwise = True`` beside it lets a compiled step call it once, on
    all parameters laid end to end.

    Parameters
    ----------
    parameters : iterable of Tensor, or containers of them
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
        The number of steps taken.

    Raises
    ------
    ValueError
        If there are no parameters, ``lr`` or ``max_norm`` is not positive, or another number is
        out of range.
    TypeError
        If a parameter is not a Tensor, or a number not a number.

    Examples
    --------
    An optimiser of one's own: steps of one length for every element, by the sign of its gradient.

    >>> class SignDescent(Optimizer):
    ...     def move(self, data, gradient, memory, lr):
    ...         return data - lr * np.sign(gradient)
    >>> x = Tensor([5.0, -5.0], requires_grad=True)
    >>> optimizer = SignDescent([x], lr=0.5)
    >>> (x * x).sum().backward()
    >>> optimizer.step()
    >>> x.data.tolist()
    [4.5, -4.5]
    """

    elementwise: bool = False
    option_names: tuple[str, ...] = ()
    memory_names: tuple[str, ...] = ()
    count_names: tuple[str, ...] = ()
    not_negative_names: tuple[str, ...] = ()

    if not TYPE_CHECKING:  # which knows the arguments of __init__ and the names that are there

        def __new__(cls, *inputs: Any, **keywords: Any) -> Any:
            """Refuse a keyword that ``__init__`` does not take, and say which is meant."""
            check_keywords(cls.__init__, keywords, cls.__name__)
            return super().__new__(cls)

        def __getattr__(self, name: str) -> Any:
            kind = type(self).__name__
            if name in _OWN and "_memories" not in vars(self):
                raise AttributeError(f"{kind}.__init__ must call super().__init__(parameters, lr)")
            raise no_attribute("Optimizer", name, self, kind)

        def __init_subclass__(cls, **keywords: Any) -> None:
            """Refuse a `move` that cannot be called with what it is given."""
            super().__init_subclass__(**keywords)
            check_takes(cls.move, _GIVEN, f"{cls.__name__}.move")

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float | Schedule = 0.01,
        weight_decay: float = 0.0,
        max_norm: float | None = None,
    ):
        self.parameters = _distinct_parameters(parameters)
        self.lr = lr
        self.weight_decay = not_negative(weight_decay, "weight_decay")
        self.max_norm = None if max_norm is None else positive(max_norm, "max_norm")
        self.steps = 0
        self._memories: list[dict[str, Any]] = [{} for _ in self.parameters]
        self._warned = False

    @property
    def lr(self) -> float | Schedule:
        """The step size, or the schedule that gives it."""
        return self._lr

    @lr.setter
    def lr(self, lr: float | Schedule) -> None:
        self._lr = checked_schedule(lr) if callable(lr) else positive(lr, "lr")

    @property
    def step_size(self) -> float:
        """The step size of the next step."""
        return step_size(self._lr, self.steps)

    def zero_grad(self) -> None:
        """Forget the gradients found so far."""
        for p in self.parameters:
            p._grad = None

    def gradient_norm(self) -> Any:
        """The length of all gradients, taken together as one vector: a number.

        Of arrays that are not NumPy's it is one of theirs, so that nothing has to be computed.

        Examples
        --------
        >>> from tinygrad_bp.optim import SGD
        >>> x = Tensor([3.0, 4.0], requires_grad=True)
        >>> (x * x / 2).sum().backward()
        >>> SGD([x], lr=0.1).gradient_norm()
        5.0
        """
        return euclidean_norm([_gradient(p) for p in self.parameters if p._grad is not None])

    def step(self) -> None:
        """Move every parameter that has a gradient by one step; if none has one, take no step.

        The first time that none has one, a warning says so. Everything is computed before anything
        is replaced, and an interruption restores what was there.

        Raises
        ------
        ValueError
            If a gradient was replaced by one of another shape or dtype, or the schedule gives
            no step size. No parameter has then moved.
        """
        lr = self.step_size
        moving = [(i, p) for i, p in enumerate(self.parameters) if p._grad is not None]
        if not moving:
            self._warn_of_no_gradient()
            return
        gradients = [_gradient(p) for _, p in moving]
        if self.max_norm is not None:
            gradients = _clip(gradients, self.max_norm)
        memories = list(self._memories)
        moved = []
        for (i, p), g in zip(moving, gradients, strict=True):
            memories[i] = dict(memories[i])
            moved.append((p, self._moved(p._array, g, memories[i], lr)))
        before = [(p, p._array) for _, p in moving], self._memories, self.steps
        try:
            for p, new in moved:
                p._replace(new)
            self._memories, self.steps = memories, self.steps + 1
        except BaseException:  # a signal's, for instance
            arrays, self._memories, self.steps = before
            for p, array in arrays:
                p._replace(array)
            raise

    def _moved(self, data: Any, gradient: Any, memory: dict[str, Any], lr: float) -> Any:
        """Where `move` takes a parameter, which must fit it; mistakes in `move` are explained."""
        name = f"{type(self).__name__}.move"
        try:
            new = self.move(data, gradient, memory, lr)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise ValueError(
                f"{name} writes into an array that it was given: make a new one, "
                "as in return data - lr * gradient"
            ) from error
        except KeyError as error:
            if error.args[0] in memory:
                raise
            asked = repr(error.args[0])
            raise LookupError(
                f"{name} asked for memory[{asked}], and memory is empty at first: "
                f"write memory.get({asked}, 0.0)"
            ) from error
        if isinstance(new, Tensor) or not hasattr(new, "dtype"):
            raise TypeError(f"{name} must return the parameter's new array, not {shown(new)}")
        if new.shape != data.shape or new.dtype != data.dtype:
            raise ValueError(
                f"{name} gave {new.dtype} of shape {new.shape} for a parameter that is "
                f"{data.dtype} of shape {data.shape}: they must agree"
            )
        return new

    def _warn_of_no_gradient(self) -> None:
        if not self._warned:
            self._warned = True
            warn(
                "step() found no gradient, so nothing moves: call backward() on a loss that "
                "depends on this optimizer's parameters first, and zero_grad() before that",
            )

    def move(self, data: Any, gradient: Any, memory: dict[str, Any], lr: float) -> Any:
        """The new values of one parameter: a subclass defines them.

        Parameters
        ----------
        data : array
            The values of the parameter, not to be written to.
        gradient : array
            Of the same shape. It may belong to the user, and is not to be written to.
        memory : dict
            What was remembered for this parameter, under ``memory_names``; empty at first. What
            is put into it is there at the next step.
        lr : float
            The step size.

        Returns
        -------
        array
            A new one of the shape and dtype of ``data``.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has to define move(self, data, gradient, memory, lr)"
        )

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of what was learned about the gradients so far, as arrays under their names.

        With the model's state it is all that a later run needs to go on as if it had not been
        interrupted. The options are not part of it: make the optimiser with the same ones.
        ``np.savez(path, **optimizer.state_dict())`` saves it.

        Examples
        --------
        >>> from tinygrad_bp.optim import SGD
        >>> x = Tensor([5.0], requires_grad=True)
        >>> optimizer = SGD([x], lr=0.1, momentum=0.9)
        >>> (x * x).sum().backward()
        >>> optimizer.step()
        >>> optimizer.state_dict()
        {'steps': array(1), '0.velocity': array([10.])}
        """
        if unknown := {name for memory in self._memories for name in memory} - {*self.memory_names}:
            names = ", ".join(map(repr, sorted(unknown)))
            raise ValueError(
                f"{type(self).__name__} remembers {names}, which load_state_dict would not know: "
                f"write memory_names = ({names},) in the class"
            )
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
            finite or counts below 0. The first of these are listed, and the optimiser is left as it
            was.
        TypeError
            If ``state`` is not a dictionary.
        """
        given = state if isinstance(state, Mapping) else {}
        copies = matching_arrays(state, self._state_layout(given), type(self).__name__)
        signs = {"steps", *self.count_names, *self.not_negative_names}
        counts = [name for name in copies if name.rpartition(".")[2] in signs]
        if wrong := [f"{name!r} below 0" for name in counts if (copies[name] < 0).any()]:
            raise ValueError(
                f"the state does not fit this {type(self).__name__}: it has {some(wrong)}"
            )
        self.steps = int(copies.pop("steps"))
        self._memories = [{} for _ in self.parameters]
        for name, array in copies.items():
            i, _, part = name.partition(".")
            self._memories[int(i)][part] = int(array) if part in self.count_names else array

    def _state_layout(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """An array of the shape and type of each that a state must have, by its name.

        A parameter that never had a gradient has no state; after a step at least one has.
        """
        names = self.memory_names
        places = range(len(self.parameters))
        remembered = [i for i in places if any(f"{i}.{part}" in given for part in names)]
        if not remembered and np.any(plain_array(given.get("steps", 0))):
            remembered = [0]
        expected: dict[str, Any] = {"steps": np.array(0)}
        for i in remembered:
            for part in names:
                like = expected["steps"] if part in self.count_names else self.parameters[i]._array
                expected[f"{i}.{part}"] = like
        return expected

    def _most_bytes(self) -> int:
        """How long a file of the state can be."""
        names = ("steps", *self.memory_names)
        return most_bytes((name, p.size) for p in self.parameters for name in names)

    def _snapshot(self) -> tuple[int, list[dict[str, Any]]]:
        """All that a step changes beside the parameters."""
        return self.steps, [dict(memory) for memory in self._memories]

    def _restore(self, snapshot: tuple[int, list[dict[str, Any]]]) -> None:
        """Undo the steps since a snapshot was taken."""
        self.steps, memories = snapshot
        self._memories = [dict(memory) for memory in memories]

    def __repr__(self) -> str:
        options = {name: getattr(self, name) for name in self.option_names}
        shown = "".join(f", {name}={value}" for name, value in options.items())
        count = len(self.parameters)
        return f"{type(self).__name__}({count} parameters, lr={self.step_size}{shown})"


def _clip(gradients: list[Any], max_norm: float) -> list[Any]:
    """The gradients, shortened together to ``max_norm`` if they are longer."""
    scale = max_norm / (euclidean_norm(gradients) + 1e-6)
    if isinstance(scale, float):
        return [g * scale for g in gradients] if scale < 1 else gradients
    return [g * np.fmin(scale, 1.0).astype(g.dtype) for g in gradients]


def _gradient(p: Tensor) -> Any:
    """The array of a parameter's gradient, which must fit the parameter."""
    g = p._grad._array if isinstance(p._grad, Tensor) else p._grad
    data = p._array
    if not hasattr(g, "dtype"):
        raise TypeError(f"the gradient of {p._called()} must be an array, not {shown(g)}")
    if g.shape != data.shape or g.dtype != data.dtype:
        raise ValueError(
            f"the gradient of {p._called()} and {data.dtype} "
            f"has shape {g.shape} and {g.dtype}: they must agree"
        )
    if type(g) is np.ndarray:  # the user's, and not for an optimiser to write to
        g = g.view()
        g.flags.writeable = False
    return g


def _distinct_parameters(parameters: Iterable[Tensor]) -> list[Tensor]:
    """The parameters, each once."""
    if isinstance(parameters, Tensor) or not isinstance(parameters, Iterable):
        raise TypeError(
            "parameters must be a list of Tensors such as model.parameters(), "
            f"not {kind_of(parameters)}"
        )
    parameters = parameters if is_container(parameters) else list(parameters)
    if isinstance(parameters, list) and any(
        isinstance(p, Mapping) and "params" in p for p in parameters
    ):
        raise TypeError("there are no groups of parameters: make an optimizer for each")
    found = leaves(parameters) if is_container(parameters) else list(parameters)
    if not found:
        raise ValueError(
            "there are no parameters to optimise: a model's must be Tensors that require grad, "
            "bp.Tensor(values, requires_grad=True), not plain arrays "
            "(or was a generator used up before?)"
        )
    for i, p in enumerate(found):
        if not isinstance(p, Tensor):
            cure = (
                "bp.Tensor(it, requires_grad=True)" if isinstance(p, np.ndarray) else "them alone"
            )
            raise TypeError(
                f"parameter {i} is not a Tensor but {kind_of(p)}: write {cure}, "
                "or of a model model.parameters()"
            )
        if not (p.requires_grad and p.is_leaf):
            raise ValueError(f"parameter {i}, {p._called()}, is not a leaf that requires grad")
    return list(dict.fromkeys(found))
