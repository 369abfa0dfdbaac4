"""Functions whose results have no derivative to follow: they give plain arrays."""

import numpy as np

from ..registry import plain

plain(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
plain(np.isfinite, np.isinf, np.isnan, np.signbit)
plain(np.argmax, np.argmin, np.argsort, np.nonzero, np.count_nonzero, np.searchsorted)
plain(np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.full_like, np.empty_like)
plain(np.array_equal, np.allclose, np.isclose, np.all, np.any)
