"""Files of parameters: ``.npz`` and ``.safetensors``. Both hold numbers alone, never code."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np

from ..support.arguments import shown, some
from ..support.files import checked, read, write

State = dict[str, np.ndarray]

MOST_INFLATION = 100  # times its size that a file may unpack to; parameters hardly compress


class Stateful(Protocol):
    """What gives its state as a dictionary of arrays and takes it back: a model, an optimiser."""

    def state_dict(self) -> State:
        """A copy of the state."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy a state in, whole or not at all."""


Target = TypeVar("Target", bound=Stateful)


def save(state: Stateful | Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write the parameters of a model to a file, whole or not at all.

    ``.npz`` is NumPy's own format: `numpy.load` reads it. ``.safetensors`` is read by PyTorch and
    many others (extra ``safetensors``). The names are those of `Module.state_dict`, which for a
    `Sequential` are those of PyTorch's: ``0.weight``.

    Parameters
    ----------
    state : Module, Optimizer or dict
        What has a ``state_dict()``, or a dictionary of arrays.
    path : path
        The suffix chooses the format.

    Raises
    ------
    ValueError
        If the suffix is another, or an array does not hold finite real numbers.
    OSError
        If the file cannot be written. What was there before is then still there.
    ImportError
        If the package safetensors is needed and missing.

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
    path = checked(path, _FORMATS)
    if not isinstance(state, Mapping):
        if isinstance(state, type) or not hasattr(state, "state_dict"):
            raise TypeError(
                f"save(model, path) needs a model or a dictionary first, not {shown(state)}"
            )
        state = state.state_dict()
    arrays = _arrays(state)
    pack, _ = _FORMATS[path.suffix.lower()]
    write(path, pack(arrays))


def load(target: Target, path: str | os.PathLike[str]) -> Target:
    """Copy the parameters in a file into a model with the same names and shapes.

    Nothing in a file is ever run, so one from a stranger can do no more harm than be refused.

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
    ImportError
        If the package safetensors is needed and missing.
    """
    if isinstance(target, type) or not hasattr(target, "load_state_dict"):
        raise TypeError(f"load(model, path) needs a model first, not {shown(target)}")
    state = read_state(path)
    try:
        target.load_state_dict(state)
    except ValueError as error:
        raise ValueError(f"cannot load {os.fspath(path)!r}: {error}") from None
    return target


def read_state(path: str | os.PathLike[str]) -> State:
    """The arrays in a file that `save` wrote, by their names.

    Raises
    ------
    ValueError, OSError, ImportError
        As `load` does.
    """
    suffix, content = read(path, _FORMATS)
    _, unpack = _FORMATS[suffix]
    try:
        return unpack(content)
    except ImportError:
        raise
    except Exception as error:  # a damaged file can break a parser in any way
        why = (str(error) or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"cannot load {os.fspath(path)!r}: it is damaged or no {suffix} file ({why})"
        ) from None


def _arrays(state: Mapping[str, Any]) -> State:
    """The state as arrays of finite real numbers, which is what can be loaded again."""
    arrays = {name: np.asarray(value) for name, value in state.items()}
    names = [name for name in arrays if not (isinstance(name, str) and name.isprintable())]
    wrong = [f"name {name!r} is no printable text" for name in names]
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            wrong.append(f"{name!r} holds {array.dtype}, not real numbers")
        elif not np.isfinite(array).all():
            wrong.append(f"{name!r} holds nan or infinity")
    if wrong:
        raise ValueError(f"this state cannot be saved: {some(wrong)}")
    return arrays


def _pack_npz(arrays: State) -> bytes:
    """What `numpy.savez` writes, under any name: it would take ``file`` for its own argument."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return content.getvalue()


def _unpack_npz(content: bytes) -> State:
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MOST_INFLATION * len(content):
            raise ValueError(f"{len(content)} bytes would unpack to {unpacked}")
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            if name in arrays:
                raise ValueError(f"it holds {name!r} twice")
            file = io.BytesIO(archive.read(member))
            arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays


def _safetensors() -> Any:
    try:
        import safetensors.numpy  # an extra
    except ImportError:
        raise ImportError(
            "a .safetensors file needs the package safetensors: pip install safetensors"
        ) from None
    return safetensors.numpy


def _pack_safetensors(arrays: State) -> bytes:
    # In the order of C, which the package takes for granted.
    ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return _safetensors().save(ordered)


def _unpack_safetensors(content: bytes) -> State:
    return _safetensors().load(content)


_FORMATS: dict[str, tuple[Callable[[State], bytes], Callable[[bytes], State]]] = {
    ".npz": (_pack_npz, _unpack_npz),
    ".safetensors": (_pack_safetensors, _unpack_safetensors),
}
