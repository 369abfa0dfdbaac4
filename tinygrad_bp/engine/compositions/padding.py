"""Functions that make an array longer, by what is in it or by constants: ``pad`` and ``repeat``.

The adjoint of each is a move as well: the slice that was padded, a sum over what was repeated.
"""

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from ..registry import compose
from ..rules.indexing import scatter_add
from ..rules.types import as_array, cast
from .rearranging import constant_array, moved

MOVING = ("constant", "edge", "reflect", "symmetric", "wrap")
COMPUTING = ("linear_ramp", "maximum", "mean", "median", "minimum", "empty")


@compose(np.pad)
def pad(array, pad_width, mode="constant", **keywords):
    """Zeros are put around; for everything else NumPy says which element goes where."""
    array = as_array(array)
    if mode in COMPUTING or callable(mode) or keywords.get("reflect_type", "even") != "even":
        raise TypeError(
            f"np.pad with mode={mode!r} and {keywords} has no derivative rule: "
            f"use {', '.join(MOVING)}, with reflect_type='even'"
        )
    if mode != "constant":
        return moved(lambda places: np.pad(places, pad_width, mode, **keywords), array)
    around = keywords.pop("constant_values", 0)
    if type(around) is int and around == 0 and not keywords and is_widths(pad_width):
        widths = np.broadcast_to(pad_width, (array.ndim, 2)).tolist()
        lengths = list(zip(widths, array.shape, strict=True))
        places = tuple(slice(before, before + n) for (before, _), n in lengths)
        return scatter_add(array, places, tuple(sum(width) + n for width, n in lengths))
    return moved(
        lambda places, new: np.pad(places, pad_width, constant_values=new, **keywords),
        array,
        cast(around, array.dtype),
    )


def is_widths(x):
    """Whether NumPy takes ``x`` for numbers of elements to be put before and after."""
    if isinstance(x, dict):
        return False
    x = np.asarray(x)
    return x.dtype.kind == "i" and bool(np.all(x >= 0))


@compose(np.repeat)
def repeat(a, repeats, axis=None):
    """Broadcast along a new axis after the one that gets longer."""
    a, repeats = as_array(a), np.asarray(constant_array(repeats))
    if axis is None or a.ndim == 0:
        a, axis = np.ravel(a), axis or 0
    if repeats.size != 1 or repeats.dtype.kind not in "iu" or repeats < 0:
        return moved(lambda places: np.repeat(places, repeats, axis), a)
    axis, times = normalize_axis_index(axis, a.ndim), int(repeats.item())
    before, after = a.shape[: axis + 1], a.shape[axis + 1 :]
    wide = np.broadcast_to(np.reshape(a, (*before, 1, *after)), (*before, times, *after))
    return np.reshape(wide, (*before[:-1], before[-1] * times, *after))
