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
        self.views: list[np.ndarray] = []
        self._watched: list[np.ndarray] = []
        self._prepared: dict[Callable[..., Any], Any] = {}
        self._lay_out(groups)
        self._unheld = self._counts()  # nobody holds any yet

    def _lay_out(self, groups: Sequence[Group]) -> None:
        for group in groups:
            flat = np.empty(group.size, group.dtype)
            self.flats.append(flat)
            self.views += group.parts(flat)
            for name in group.memory:
                flat = np.empty(group.size, group.dtype)
                self.flats.append(flat)
                parts = group.parts(flat)
                self._watched += parts
                for i, part in zip(group.places, parts, strict=True):
                    self.memories[i][name] = part
        self._watched += [*self.flats, *self.views]

    def _counts(self) -> list[int]:
        return list(map(sys.getrefcount, self._watched))

    def is_free(self) -> bool:
        """Whether nobody holds any part of it."""
        return list(map(sys.getrefcount, self._watched)) == self._unheld

    def prepared(self, views_of: Callable[..., Any]) -> Any:
        """The views of these arrays that a program reads, which are made once."""
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
        self._places = [i for group in groups for i in group.places]
        self.moving = [optimizer.parameters[i] for i in self._places]
        self.still = [i for i in range(len(optimizer.parameters)) if i not in self._places]
        self.now: StateSet | None = None  # that was put last
        self._sets: list[StateSet] = []

    def holds(self, found: StateSet) -> bool:
        """Whether a set is what the parameters and the optimiser hold now."""
        return self.optimizer._memories is found.memories and all(
            map(operator.is_, map(_ARRAY, self.moving), found.views)
        )

    def put(self, found: StateSet) -> None:
        """Let the parameters and the optimiser hold what is in a set."""
        for tensor, view in zip(self.moving, found.views, strict=True):
            tensor._array = view
            tensor._grad = None
        for place in self.still:
            found.memories[place] = self.optimizer._memories[place]
        self.optimizer._memories = found.memories
        self.now = found

    def turn(self, views_of: Callable[..., Any]) -> Turn:
        """From what is held now to a set of which nobody holds any part."""
        now = self.now
        if now is None or not self.holds(now):
            now = self._copied()
        return Turn(self, now, self._free(now), views_of)

    def _copied(self) -> StateSet:
        """A set with a copy of what somebody else has put in place."""
        found = self._free(self.now)
        memories = self.optimizer._memories
        for tensor, place, view in zip(self.moving, self._places, found.views, strict=True):
            _fill(view, tensor._array)
            for name, part in found.memories[place].items():
                if isinstance(part, np.ndarray) and name in memories[place]:
                    _fill(part, memories[place][name])
        self.now = None  # it is nobody's yet
        return found

    def _free(self, taken: StateSet | None) -> StateSet:
        """Another set than one, of which nobody holds any part."""
        for found in self._sets:
            if found is not taken and found is not self.now and found.is_free():
                return found
        found = StateSet(self.groups, self.optimizer)
        self._sets = [*self._sets[-_MOST_SETS:], found]
        return found


class Turn:
    """A set of flat arrays that is read, and another that is written.

    Attributes
    ----------
    reads : tuple
        What a program reads of the first.
    writes : list of array
        The flat arrays of the second.
    """

    def __init__(self, state: State, now: StateSet, new: StateSet, views_of: Callable[..., Any]):
        self.state, self.now, self.new = state, now, new
        self.reads, self.writes = now.prepared(views_of), new.flats

    def is_ready(self) -> bool:
        """Whether the first set is what is held now, and nobody holds any part of the second."""
        return self.state.holds(self.now) and self.new.is_free()


def _fill(view: np.ndarray, values: Any) -> None:
    view.flags.writeable = True  # for the flat array is
    view[...] = values
    view.flags.writeable = False


def kinds_of(memories: list[dict[str, Any]], counts: tuple[str, ...]) -> tuple[Any, ...]:
    """The names of each parameter's memory; counts of steps by which of them agree.

    A program is told the counts themselves.
    """
    first: dict[Any, int] = {}
    return tuple(
        tuple((n, first.setdefault((n, v), len(first))) if n in counts else n for n, v in m.items())
        for m in memories
    )
