"""Functions of single elements that are made of others: quotients with rests, clipping, types."""

import numpy as np

from ..registry import compose
from ..rules.piecewise import at_least, at_most
from ..rules.types import cast


@compose(np.divmod)
def divmod_(x, y):
    return np.floor_divide(x, y), np.remainder(x, y)


@compose(np.modf)
def modf(x):
    whole = np.trunc(x)
    return x - whole, whole


@compose(np.clip)
def clip(a, a_min=None, a_max=None, *, min=None, max=None):
    """Compose so that the derivative is 1 within the bounds and at them, 0 outside.

    Beyond a bound that is nan there is only nan.
    """
    lower = min if a_min is None else a_min
    upper = max if a_max is None else a_max
    if lower is not None:
        a = at_least(a, lower)
    return a if upper is None else at_most(a, upper)


@compose(np.astype)
def numpy_astype(x, dtype, copy=True):
    return cast(x, dtype)
