"""Functions whose results have no derivative to follow: they give plain arrays."""

import numpy as np

from ..registry import plain

plain(np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)
plain(np.isfinite, np.isinf, np.isnan, np.isneginf, np.isposinf, np.signbit)
plain(np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj)
plain(np.logical_and, np.logical_or, np.logical_xor, np.logical_not)
plain(np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert, np.left_shift, np.right_shift)
plain(np.gcd, np.lcm)
plain(np.argmax, np.argmin, np.argsort, np.argpartition, np.lexsort, np.searchsorted, np.digitize)
plain(np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.isin, np.ix_)
plain(np.diag_indices_from, np.tril_indices_from, np.triu_indices_from)
plain(np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like)
plain(np.array_equal, np.array_equiv, np.allclose, np.isclose, np.all, np.any)
plain(np.result_type, np.can_cast, np.min_scalar_type, np.common_type)
plain(np.may_share_memory, np.shares_memory)
plain(np.array_repr, np.array_str, np.array2string, np.save, np.savetxt, np.savez)
