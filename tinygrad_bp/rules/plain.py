"""Functions whose results have no derivative to follow: they give plain arrays."""

import numpy as np

from ..registry import plain

plain(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
plain(np.isfinite, np.isinf, np.isnan, np.isneginf, np.isposinf, np.signbit)
plain(np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj)
plain(np.logical_and, np.logical_or, np.logical_xor, np.logical_not)
plain(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift)
plain(np.gcd, np.lcm)
plain(np.argmax, np.argmin, np.argsort, np.nonzero, np.count_nonzero, np.searchsorted)
plain(np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.full_like, np.empty_like)
plain(np.array_equal, np.allclose, np.isclose, np.all, np.any)
