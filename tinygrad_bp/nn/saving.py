"""Files of parameters: a model or an optimiser is written to one, and read from it, whole."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

from ..support.answers import keyword_advice
from ..support.arguments import kind_of, shown, some
from ..support.files import open_to_read, writable_path, write
from .formats import FORMATS, State
from .module import Module


class Stateful(Protocol):
    """What gives its state as a dictionary of arrays and takes it back: a model, an optimiser."""

    def state_dict(self) -> State:
        """A copy of the state."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy a state in, whole or not at all."""


Target = TypeVar("Target", bound=Stateful)


@keyword_advice
def save(state: Stateful | Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the parameters of a model to a file, whole or not at all.

    ``.npz`` is NumPy's own format: `numpy.load` reads it. ``.safetensors`` is read by PyTorch and
    many others. The names are those of `Module.state_dict`, which for a `Sequential` are those of
    PyTorch's: ``0.weight``. Both hold a checksum, so that a damaged file is not loaded.

    A training that is to be resumed needs two files, ``save(model, "model.npz")`` and
    ``save(optimizer, "optimizer.npz")``.

    Parameters
    ----------
    state : Module, Optimizer or dict
        What has a ``state_dict()``, or a dictionary of arrays.
    path : path
        The suffix chooses the format.

    Raises
    ------
    ValueError
        If the suffix is neither of these, an array does not hold finite real numbers, or the format
        cannot hold it or its name.
    OSError
        If the file cannot be written. An earlier file is then left as it was.

    Examples
    --------
    >>> import tempfile
    >>> from tinygrad_bp import nn
    >>> model, twin = nn.MLP([2, 3, 1], seed=0), nn.MLP([2, 3, 1], seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/model.npz")
    ...     twin = load(twin, f"{folder}/model.npz")
    >>> bool((model(np.ones(2)) == twin(np.ones(2))).all())
    True
    """
    path = writable_path(path, FORMATS)
    if not isinstance(state, Mapping):
        if isinstance(state, type) or not hasattr(state, "state_dict"):
            raise TypeError(
                f"save(model, path) needs a model or a dictionary first, not {shown(state)}"
            )
        state = state.state_dict()
    cannot_hold, pack, _ = FORMATS[path.suffix.lower()]
    arrays = {name: np.asarray(value) for name, value in state.items()}
    wrong = [
        why for name, array in arrays.items() if (why := _not_a_state(name, array, state[name]))
    ]
    wrong = wrong or [why for item in arrays.items() if (why := cannot_hold(*item))]
    if wrong:
        raise ValueError(f"this state cannot be saved as {path.suffix}: {some(wrong)}")
    write(path, pack(arrays))


@keyword_advice
def load(target: Target, path: str | os.PathLike[str]) -> Target:
    """Copy the parameters in a file into a model with the same names and shapes.

    Nothing in a file is ever executed, so that a file from a stranger can do no harm.

    The model is in evaluation mode afterwards: `BatchNorm` and `Dropout` do the same in every
    call. Call ``model.train()`` to go on training it by hand; `train.fit` does.

    Parameters
    ----------
    target : Module or Optimizer
        What has a ``load_state_dict``. It is not changed if the file does not fit.
    path : path
        A file that `save` wrote, or another program in one of its formats.

    Returns
    -------
    Module or Optimizer
        ``target``.

    Raises
    ------
    ValueError
        If the file is damaged, or not of its suffix's format; or what `Module.load_state_dict`
        refuses.
    OSError
        If the file cannot be read.
    """
    if isinstance(target, type) or not hasattr(target, "load_state_dict"):
        raise TypeError(f"load(model, path) needs a model first, not {shown(target)}")
    most = target._most_bytes() if hasattr(target, "_most_bytes") else None
    state = _read(path, most)
    try:
        target.load_state_dict(state)
    except ValueError as error:
        raise ValueError(f"cannot load {os.fspath(path)!r}: {error}") from None
    if isinstance(target, Module):
        target.eval()
    return target


def read_state(path: str | os.PathLike[str]) -> State:
    """The arrays in a file that `save` wrote, by their names.

    Raises
    ------
    ValueError, OSError
        As `load` does.
    """
    return _read(path, None)


def _read(path: str | os.PathLike[str], most: int | None) -> State:
    """The arrays in a file, which may have no more than ``most`` bytes, if that is known."""
    with open_to_read(path, FORMATS) as (suffix, file, size):
        _, _, unpack = FORMATS[suffix]
        try:
            if most is not None and size > most:
                raise ValueError(f"{size:,} bytes, where this state needs {most:,} at most")
            return unpack(file, size, most)
        except Exception as error:  # a damaged file can break a parser in any way
            why = (str(error) or type(error).__name__).splitlines()[0]
            raise ValueError(
                f"cannot load {os.fspath(path)!r}: it is damaged or no {suffix} file ({why})"
            ) from None


def _not_a_state(name: Any, array: np.ndarray, given: Any) -> str:
    """Why an array, made of what was given, or its name could not be loaded again, or nothing."""
    if not (isinstance(name, str) and name.isprintable()):
        return f"name {name!r} is no printable text"
    if array.dtype.kind not in "biuf":
        if isinstance(given, Mapping) or hasattr(given, "state_dict"):
            return f"{name!r} holds {kind_of(given)}: save it in a file of its own"
        return f"{name!r} holds {array.dtype}, not real numbers"
    return "" if np.isfinite(array).all() else f"{name!r} holds nan or infinity"
