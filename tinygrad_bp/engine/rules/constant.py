"""Functions without a derivative: those that give plain arrays, and those that are refused."""

import numpy as np

from ..registry import plain, refuse

refuse(np.frexp, "its mantissa jumps; use np.log2 or np.ldexp")
refuse(np.nextafter, "it counts floating-point numbers; use t.data to leave the graph")
refuse(np.spacing, "it measures floating-point numbers; use t.data to leave the graph")
plain(np.linalg.matrix_rank)
refuse(np.linalg.eig, "its results are complex; use np.linalg.eigh of a symmetric matrix")
refuse(np.linalg.eigvals, "its results are complex; use np.linalg.eigvalsh of a symmetric matrix")
plain(np.einsum_path)
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
for writing in (np.copyto, np.fill_diagonal, np.place, np.put, np.putmask):
    refuse(writing, "it writes in place; use np.where(mask, new, t)")
refuse(np.put_along_axis, "it writes in place; use bp.functional.put_along_axis")
for jumping in (np.unique, np.union1d, np.intersect1d, np.setdiff1d, np.setxor1d):
    refuse(jumping, "the number of its values jumps; use np.sort, or t.data to leave the graph")
refuse(np.trim_zeros, "the number of its values jumps; use a slice, such as t[2:-1]")
for counting in (np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges):
    refuse(counting, "counts do not change but in jumps; use t.data to leave the graph")
refuse(np.apply_along_axis, "it cuts plain pieces; use np.stack([f(row) for row in t])")
refuse(np.apply_over_axes, "it needs plain arrays; call the function with axis=, one by one")
refuse(np.piecewise, "it writes into a plain array; use np.select or np.where")
