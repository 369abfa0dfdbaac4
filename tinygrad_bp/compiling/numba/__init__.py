"""A program as one function of loops that numba compiles."""

from .jit import check_numba, numba_step

__all__ = ["check_numba", "numba_step"]


def __dir__() -> list[str]:
    return __all__
