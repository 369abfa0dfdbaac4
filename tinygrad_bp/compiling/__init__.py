"""Computations as straight-line NumPy programs: the engine, run on arrays that record each call."""

from .functions import CompiledFunction, compile
from .program import CannotCompileError
from .steps import CompiledStep, compile_step

__all__ = ["CannotCompileError", "CompiledFunction", "CompiledStep", "compile", "compile_step"]


def __dir__() -> list[str]:
    return __all__
