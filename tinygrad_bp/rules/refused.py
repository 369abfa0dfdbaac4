"""Functions that are refused, each with the reason and with what to use instead."""

import numpy as np

from ..registry import refuse

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
