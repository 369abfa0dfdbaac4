"""A program as one function of loops that numba compiles."""
