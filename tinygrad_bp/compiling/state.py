"""What a step of training changes: parameters laid end to end in flat arrays, and their memories.

A recorded array never changes. So a step reads one set of flat arrays and writes the next into
another, of which a reference count says that nobody holds any part of it.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..optim import Optimizer

_ARRAY = operator.attrgetter("_array")
_MOST_SETS = 6  # that are kept: those that somebody holds may be many


class Group:
    """Parameters that take the same step: of one type, and remembered for the same time.

    Attributes
    ----------
    places : list of int
        Which of the optimiser's parameters they are.
    memory : tuple of str
        The arrays that are remembered for each.
    """

    def __init__(self, places: list[int], optimizer: Optimizer):
        self.places = places
        arrays = [optimizer.parameters[i]._array for i in places]
        self.dtype, self.shapes = arrays[0].dtype, [a.shape for a in arrays]
        self.ends = np.cumsum([a.size for a in arrays]).tolist()
        self.size = self.ends[-1]
        counts = optimizer.count_names
        self.remembers = tuple(sorted(optimizer._memories[places[0]]))
        self.memory = tuple(n for n in optimizer.memory_names if n not in counts)

    def parts(self, flat: np.ndarray) -> list[np.ndarray]:
        """The arrays in a flat one, which nobody can write to through them."""
        starts = [0, *self.ends[:-1]]
        views = [
            flat[a:b].reshape(shape)
            for a, b, shape in zip(starts, self.ends, self.shapes, strict=True)
        ]
        for view in views:
            view.flags.writeable = False
        return views


class StateSet:
    """The flat arrays of all groups, with the views that parameters and memories hold of them."""

    def __init__(self, groups: Sequence[Group], optimizer: Optimizer):
        self.flats: list[np.ndarray] = []
        self.memories: list[dict[str, Any]] = [{} for _ in optimizer.parameters]
        self.places: list[int] = []
        self.views: list[np.ndarray] = []
        self.remembered: list[np.ndarray] = []
        for group in groups:
            flat = np.empty(group.size, group.dtype)
            self.flats.append(flat)
            self.views += group.parts(flat)
            self.places += group.places
            for name in group.memory:
                flat = np.empty(group.size, group.dtype)
                self.flats.append(flat)
                parts = group.parts(flat)
                self.remembered += parts
                for i, part in zip(group.places, parts, strict=True):
                    self.memories[i][name] = part
        self._watched = [*self.flats, *self.views, *self.remembered]
        self._unheld: list[int] = []  # counted by `is_free` when first asked: nobody holds any yet
        self._prepared: dict[Callable[..., Any], Any] = {}

    def _counts(self) -> list[int]:
        return list(map(sys.getrefcount, self._watched))

    def is_free(self) -> bool:
        """Whether nobody holds any part of it."""
        if not self._unheld:
            self._unheld = self._counts()
        return self._counts() == self._unheld

    def prepared(self, views_of: Callable[..., Any]) -> Any:
        """What a program reads of these arrays, which is taken once."""
        found = self._prepared.get(views_of)
        if found is None:
            before = self._counts()
            found = self._prepared[views_of] = views_of(*self.flats)
            more = zip(self._counts(), before, self._unheld, strict=True)
            self._unheld = [count + now - then for now, then, count in more]
        return found


class State:
    """The parameters and memories of an optimiser, in one of several sets of flat arrays.

    Parameters
    ----------
    optimizer : Optimizer
    groups : list of Group
        Of the parameters that move.
    """

    def __init__(self, optimizer: Optimizer, groups: list[Group]):
        self.optimizer, self.groups = optimizer, groups
        self.moving = [optimizer.parameters[i] for group in groups for i in group.places]
        moving = {i for group in groups for i in group.places}
        self.still = [i for i in range(len(optimizer.parameters)) if i not in moving]
        self._sets: list[StateSet] = []
        self._current: StateSet | None = None

    def current(self) -> StateSet:
        """The set that holds what the parameters and the optimiser hold now."""
        current = self._current
        if (
            current is not None
            and self.optimizer._memories is current.memories
            and all(map(operator.is_, map(_ARRAY, self.moving), current.views))
        ):
            return current
        return self._copied()

    def _copied(self) -> StateSet:
        """A set with a copy of what somebody else has put in place."""
        found = self.free()
        memories = self.optimizer._memories
        for tensor, place, view in zip(self.moving, found.places, found.views, strict=True):
            _fill(view, tensor._array)
            for name, part in found.memories[place].items():
                if isinstance(part, np.ndarray) and name in memories[place]:
                    _fill(part, memories[place][name])
        self._current = None  # it is nobody's yet
        return found

    def free(self, *taken: StateSet) -> StateSet:
        """A set of which nobody holds any part."""
        for found in self._sets:
            if found not in taken and found is not self._current and found.is_free():
                return found
        found = StateSet(self.groups, self.optimizer)
        found.is_free()
        self._sets = [*self._sets[-_MOST_SETS:], found]
        return found

    def put(self, new: StateSet) -> None:
        """Let the parameters and the optimiser hold what is in a set."""
        for tensor, view in zip(self.moving, new.views, strict=True):
            tensor._array, tensor.grad = view, None
        for place in self.still:
            new.memories[place] = self.optimizer._memories[place]
        self.optimizer._memories = new.memories
        self._current = new


def _fill(view: np.ndarray, values: Any) -> None:
    view.flags.writeable = True  # for the flat array is
    view[...] = values
    view.flags.writeable = False


def kinds_of(memories: list[dict[str, Any]], counts: tuple[str, ...]) -> tuple[Any, ...]:
    """What is remembered of each parameter, with counts as whether they agree.

    A program is told the counts themselves.
    """
    first: dict[Any, int] = {}
    return tuple(
        tuple((n, first.setdefault((n, v), len(first))) if n in counts else n for n, v in m.items())
        for m in memories
    )
