"""A program as one function of loops that numba compiles.

`lowering` opens a program up into lines that loops can be made of, by the tables of `openings` and
`products`, and sees through what only `moves` elements. `loops` says which lines share a loop, and
what is kept in arrays; `nests`, and for lines that loop by themselves `alone`, write the loops, in
the words of `calling` and `typed`. `numba_code` puts the text together, and `jit` compiles it. What
has no form in numba is NumPy's to compute: `hosting`.
"""

from .jit import check_numba, numba_step

__all__ = ["check_numba", "numba_step"]


def __dir__() -> list[str]:
    return __all__
