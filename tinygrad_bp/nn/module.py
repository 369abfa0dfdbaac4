"""Module: what holds parameters, finds them, names them, and copies them in and out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from ..engine.tensor import Tensor
from ..support.answers import check_keywords, no_attribute
from ..support.arguments import flag
from ..support.state import matching_arrays, most_bytes
from .ran import note

Self = TypeVar("Self", bound="Module")
_OF_PARAMETERS = {"requires_grad", "trainable"}


class Module:
    """Something with parameters that can be called.

    A subclass sets its parameters and parts as attributes and defines ``forward``. Tensors,
    Modules, and lists, tuples and dictionaries of them are found without being registered, in the
    order in which they were set. Each Tensor is named after where it was found, for pictures and
    errors: ``layers.0.weight``. A Tensor that does not require grad is a buffer: not trained, but
    part of the state.

    Attributes
    ----------
    training : bool
        Whether it is in training mode or in evaluation mode: see `train` and `eval`.

    Examples
    --------
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope = Tensor(2.0, requires_grad=True)
    ...         self.intercept = Tensor(1.0, requires_grad=True)
    ...     def forward(self, x):
    ...         return self.slope * x + self.intercept
    >>> line = Line()
    >>> line(np.array([0.0, 1.0])).data.tolist()
    [1.0, 3.0]
    >>> [name for name, parameter in line.named_parameters()]
    ['slope', 'intercept']
    """

    training: bool = True
    changes: ClassVar[list[int]] = [0]  # how often an attribute of any module was set
    _joins: ClassVar[bool] = True  # whether it may do more than apply one part after the other

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "forward" in vars(cls) and "_joins" not in vars(cls):
            cls._joins = True

    if not TYPE_CHECKING:  # which knows the arguments of __init__ and the names that are there

        def __new__(cls, *inputs: Any, **keywords: Any) -> Any:
            """Refuse a keyword that ``__init__`` does not take, and say which is meant."""
            if keywords:
                check_keywords(cls.__init__, keywords, cls.__name__)
            return super().__new__(cls)

        def __getattr__(self, name: str) -> Any:
            raise no_attribute("Module", name, self, type(self).__name__)

    def forward(self, *inputs: Any) -> Any:
        """Compute the output. Each subclass says how."""
        raise NotImplementedError(f"{type(self).__name__} has to define forward(self, x)")

    def __call__(self, *inputs: Any, **parameters: Any) -> Any:
        """Run `forward`."""
        out = self.forward(*inputs, **parameters)
        if self._joins:
            note(self, (*inputs, *parameters.values()), out)
        return out

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OF_PARAMETERS:  # it would change nothing
            raise no_attribute("Module", name, self, type(self).__name__)
        super().__setattr__(name, value)
        Module.changes[0] += 1
        if isinstance(value, Tensor | Module | list | tuple | dict):
            for path, tensor in self.named_tensors().items():
                tensor.name = path

    def members(self) -> Iterable[tuple[str, Any]]:
        """What to look for Tensors in, by name: the attributes."""
        return vars(self).items()

    def named_modules(self) -> list[tuple[str, Module]]:
        """The module itself, after the empty path, and each one within it, once, after its path.

        Examples
        --------
        >>> from tinygrad_bp import nn
        >>> nn.Sequential(nn.Linear(2, 3), np.tanh, nn.Linear(3, 1)).named_modules()[1:]
        [('0', Linear(in_features=2, out_features=3)), ('2', Linear(in_features=3, out_features=1))]
        """
        return [
            (path, found) for path, found in _walk_attributes(self) if isinstance(found, Module)
        ]

    def named_tensors(self) -> dict[str, Tensor]:
        """Every leaf Tensor once, trained or a buffer, by the first path that leads to it."""
        tensors: dict[str, Tensor] = {}
        for path, found in _walk_attributes(self):
            if isinstance(found, Tensor):
                if path in tensors:
                    raise ValueError(f"two Tensors have the path {path!r}: give one another name")
                tensors[path] = found
        return tensors

    def named_parameters(self) -> list[tuple[str, Tensor]]:
        """Each Tensor that requires grad, once, after its path such as ``0.weight``."""
        return [item for item in self.named_tensors().items() if item[1].requires_grad]

    def parameters(self) -> list[Tensor]:
        """Each Tensor that requires grad, once.

        Examples
        --------
        >>> from tinygrad_bp import nn
        >>> len(nn.MLP([2, 16, 1]).parameters())
        4
        """
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Forget the gradients found so far."""
        waiting: list[Any] = [self]
        seen = set()
        for found in waiting:  # which grows while it is read; no path has to be written
            if isinstance(found, Tensor):
                if found.is_leaf:
                    found.grad = None
            elif isinstance(found, Module | list | tuple | dict) and id(found) not in seen:
                seen.add(id(found))
                if isinstance(found, Module):
                    waiting += [member for _, member in found.members()]
                else:
                    waiting += found.values() if isinstance(found, dict) else found

    def train(self: Self, mode: bool = True) -> Self:
        """Put this module and all within it into training mode, or with False into evaluation mode.

        Returns
        -------
        Module
            Itself.
        """
        mode = flag(mode, "mode")
        for _, module in self.named_modules():
            if module.training is not mode:  # for compiled steps look again at what was set
                module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Put this module and all within it into evaluation mode: the same output in every call.

        Examples
        --------
        >>> from tinygrad_bp import nn
        >>> nn.Sequential(nn.Dropout(0.5)).eval()(np.ones(3))
        array([1., 1., 1.])
        """
        return self.train(False)

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of every Tensor's values, by its path.

        Examples
        --------
        >>> from tinygrad_bp import nn
        >>> {name: array.shape for name, array in nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return {path: np.array(tensor._array) for path, tensor in self.named_tensors().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy in the values that `state_dict` gave, of a model with the same paths and shapes.

        Raises
        ------
        ValueError
            If a path is missing or unknown, a shape or type does not fit, or a number is not
            finite. The first of these are listed, and the model is left as it was.
        TypeError
            If ``state`` is not a dictionary.
        """
        tensors = self.named_tensors()
        for path, array in matching_arrays(state, tensors, type(self).__name__).items():
            tensors[path].data = array

    def _most_bytes(self) -> int:
        """How long a file of the state can be."""
        return most_bytes((name, tensor.size) for name, tensor in self.named_tensors().items())

    @recursive_repr("...")
    def __repr__(self) -> str:
        lines = [
            f"{path}: {part_label(part)}" for path, part in flat(self.members()) if _is_part(part)
        ]
        body = "".join(f"\n{line}" for line in lines).replace("\n", "\n  ")
        return f"{type(self).__name__}({body}\n)" if lines else f"{type(self).__name__}()"


def flat(
    members: Iterable[tuple[str, Any]], within: tuple[int, ...] = ()
) -> Iterator[tuple[str, Any]]:
    """The members, with what lists and dictionaries hold as members of their own: ``layers.0``."""
    for path, member in members:
        if not isinstance(member, list | tuple | dict):
            yield path, member
        elif id(member) not in within:  # itself
            items = member.items() if isinstance(member, dict) else enumerate(member)
            inner = ((f"{path}.{key}", item) for key, item in items)
            yield from flat(inner, (*within, id(member)))


def _walk_attributes(
    module: Module, path: str = "", seen: set[int] | None = None
) -> Iterator[tuple[str, Module | Tensor]]:
    """A module, its leaf Tensors and what its parts hold, each after the first path to it."""
    seen = {id(module)} if seen is None else seen
    yield path, module
    for name, member in flat(module.members()):
        if id(member) not in seen:
            inner = f"{path}.{name}" if path else name
            if isinstance(member, Module):
                seen.add(id(member))
                yield from _walk_attributes(member, inner, seen)
            elif isinstance(member, Tensor) and member.is_leaf:
                seen.add(id(member))
                yield inner, member


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a model into evaluation mode for a while, and each of its parts back afterwards.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> model = nn.Sequential(nn.Dropout(0.5))
    >>> with evaluating(model):
    ...     model(np.ones(3))
    array([1., 1., 1.])
    >>> model.training
    True
    """
    parts = [part for _, part in model.named_modules()] if isinstance(model, Module) else []
    before = [part.training for part in parts]
    for part in parts:
        part.training = False
    try:
        yield
    finally:
        for part, training in zip(parts, before, strict=True):
            part.training = training


def _is_part(member: Any) -> bool:
    return isinstance(member, Tensor) or callable(member)


def part_label(part: Any) -> str:
    """How the text of a model shows a part: a Tensor without its numbers, a function by name."""
    if isinstance(part, Tensor):
        return f"{part.dtype} {part.shape}"
    return repr(part) if isinstance(part, Module) else getattr(part, "__name__", repr(part))
