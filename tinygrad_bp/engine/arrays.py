"""The array that ``Tensor.data`` shows: it refuses to be written in place, and says what to do."""

from __future__ import annotations

from typing import Any

import numpy as np


class ReadOnlyArray(np.ndarray):
    """A NumPy array that is not written in place, because recorded graphs still need its values.

    Everything computed from it is an ordinary array. An augmented assignment makes a new array,
    so ``t.data -= step`` rebinds ``t.data`` and leaves the old one as it was.

    Examples
    --------
    >>> import tinygrad_bp as bp
    >>> t = bp.Tensor([1.0, 2.0], requires_grad=True)
    >>> before = t.data
    >>> t.data -= 0.5
    >>> before, t.data
    (ReadOnlyArray([1., 2.]), ReadOnlyArray([0.5, 1.5]))
    """

    def __setitem__(self, index: Any, value: Any) -> None:
        if not self.flags.writeable:
            raise ValueError(
                "the data of a Tensor is read-only, because recorded graphs still need it: "
                "update by rebinding, t.data = new_values (t.data -= step does that too)"
            )
        super().__setitem__(index, value)

    def __array_wrap__(
        self, array: np.ndarray, context: Any = None, return_scalar: bool = False
    ) -> Any:
        return array[()] if return_scalar else array.view(np.ndarray)

    # Each augmented assignment is the plain operation, so that it rebinds and writes nothing.
    __iadd__ = np.ndarray.__add__  # type: ignore[assignment]
    __isub__ = np.ndarray.__sub__  # type: ignore[assignment]
    __imul__ = np.ndarray.__mul__  # type: ignore[assignment]
    __itruediv__ = np.ndarray.__truediv__  # type: ignore[assignment]
    __ifloordiv__ = np.ndarray.__floordiv__  # type: ignore[assignment]
    __imod__ = np.ndarray.__mod__  # type: ignore[assignment]
    __ipow__ = np.ndarray.__pow__  # type: ignore[assignment]


def read_only(array: Any) -> ReadOnlyArray:
    """A read-only view of an array or NumPy scalar.

    Examples
    --------
    >>> import numpy as np
    >>> read_only(np.float64(2.0))
    ReadOnlyArray(2.)
    """
    view = np.asarray(array).view(ReadOnlyArray)
    view.setflags(write=False)
    return view
