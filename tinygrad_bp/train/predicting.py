"""What a model gives for all rows, a bounded number of them at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..data.rows import finite
from ..engine.recording import no_grad
from ..engine.tensor import Tensor
from ..nn import Module, evaluating
from ..support.answers import keyword_advice
from ..support.arguments import shown

CHUNK = 4096  # rows that are evaluated at once, so that memory stays bounded


@keyword_advice
def predict(model: Module, X: Any) -> Any:
    """The outputs of the model in evaluation mode for all rows of X, as an array.

    Nothing is recorded, and afterwards every layer is in the mode in which it was. X of a wider
    type than the model's is narrowed to it.

    Raises
    ------
    TypeError
        If the model is no Module, or X does not hold real numbers.
    ValueError
        If X has no rows or a number that is not finite, or the model makes another number of rows
        of it.

    Examples
    --------
    >>> from tinygrad_bp import nn
    >>> predict(nn.MLP([2, 4, 3], seed=0), np.zeros((10, 2))).shape
    (10, 3)
    """
    if not isinstance(model, Module):
        raise TypeError(f"the model must be a Module, such as nn.MLP, not {shown(model)}")
    return predict_rows(model, narrow(finite(X, "X"), model, "X"))


def predict_rows(model: Module, X: Any) -> Any:
    """The same for rows that were checked; an error names them."""
    if len(X) <= CHUNK:
        with evaluating(model), no_grad():
            return _call_model(model, X)
    parts = []
    for start in range(0, len(X), CHUNK):
        part = X[start : start + CHUNK]
        try:
            parts.append(predict_rows(model, part))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"rows {start} to {start + len(part) - 1}: {error}") from error
    return np.concatenate(parts)


def _call_model(model: Module, X: Any) -> Any:
    """The model's outputs for rows, checked to be as many."""
    outputs = model(X)
    if not isinstance(outputs, Tensor) or outputs.shape[:1] != X.shape[:1]:
        raise ValueError(
            f"of X of shape {X.shape} the model must make a Tensor of {len(X)} rows, "
            f"not {getattr(outputs, 'shape', outputs)}"
            f"{': one row alone is X[np.newaxis]' if X.ndim == 1 else ''}"
        )
    return outputs.numpy()


def own_type(model: Module) -> np.dtype | None:
    """The type of the numbers that a model holds, if they are all of one."""
    tensors = model.named_tensors().values()
    types = {tensor.dtype for tensor in tensors if tensor.dtype.kind == "f"}
    return types.pop() if len(types) == 1 else None


def narrow(array: Any, model: Module, name: str) -> Any:
    """Real numbers in no wider type than the model's."""
    dtype = own_type(model)
    if array.dtype.kind != "f" or dtype is None or np.promote_types(array.dtype, dtype) == dtype:
        return array
    with np.errstate(over="ignore"):  # what is too large is infinite, which is refused
        return finite(array.astype(dtype), name)
