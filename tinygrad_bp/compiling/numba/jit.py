"""A step compiled by numba, and kept on disk where numba can, so that it is compiled once."""

from __future__ import annotations

import glob
import hashlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ...support.files import write
from ..numpy_code import loaded
from ..program import CannotCompileError, Program, renamed
from ..recording import Layout
from .numba_code import StepText, step_text


def check_numba() -> None:
    """Refuse where numba cannot be imported, or SciPy, through which it multiplies matrices."""
    try:
        import numba  # noqa: F401
        import scipy.linalg  # noqa: F401
    except ImportError:
        raise ImportError(
            'backend="numba" needs numba and SciPy: pip install "tinygrad_bp[jit]", '
            'or use backend="numpy"'
        ) from None


def runner(text: StepText, program: Program, layout: Layout) -> Callable[..., Any]:
    """The function that runs a step, for arrays of the kinds that the program was recorded on."""
    from numba import types

    values = program.values
    batch, held, given = (
        [np.asarray(values[x]) for x in names] for names in (layout.batch, layout.held, text.given)
    )
    flats = [values[name].dtype for name in layout.flats]
    loss = np.asarray(renamed(program.outputs["loss"], values)).dtype
    signature = (
        *map(_type_of, batch),
        types.float64,
        *[types.int64] * len(layout.counts),
        *(_array(x, "A", readonly=True) for x in held),
        *(_array(x, readonly=True) for x in given),
        *(_array(np.empty(0, dtype)) for dtype in (*flats, *flats, *text.memories)),
        *[types.int64] * len(text.lengths),
    )
    run_compiled = compiled(text.source, signature)
    memories: list[Any] = [np.empty(size, dtype) for dtype, size in text.memories.items()]
    memories += text.lengths
    number, kinds = loss.type, [(x.shape, x.dtype) for x in held]
    if not layout.counts and not held and not given:

        def run_plain(batch, lr, counts, held, now, new):  # type: ignore[no-untyped-def]
            ok, value, norm = run_compiled(*batch, lr, *now, *new, *memories)
            return (number(value), norm) if ok else None

        return run_plain
    before = loaded(text.source, "compiled step")["before"] if given else _nothing

    def run(batch, lr, counts, held, now, new):  # type: ignore[no-untyped-def]
        if kinds and [(x.shape, x.dtype) for x in held] != kinds:
            return None
        drawn = before(*batch, *held)
        done = run_compiled(*batch, lr, *counts, *held, *drawn, *now, *new, *memories)
        return (number(done[1]), *done[2:]) if done[0] else None

    return run


def numba_step(program: Program, layout: Layout) -> tuple[tuple[str, Any, Any], str]:
    """The text of a step, what it reads of flat arrays, and what runs it; what NumPy computes."""
    text = step_text(program, layout)
    note = f"NumPy computes a part of it: {'; '.join(text.called)}" if text.called else ""
    return (text.source, _all, runner(text, program, layout)), note


def _nothing(*inputs: np.ndarray) -> tuple[()]:
    return ()


def _all(*flats: np.ndarray) -> tuple[np.ndarray, ...]:
    return flats


def _type_of(x: np.ndarray) -> Any:
    layout = "C" if x.flags.c_contiguous else "F" if x.flags.f_contiguous else "A"
    return _array(x, layout, readonly=True)  # which an array that can be written to is, too


def _array(x: np.ndarray, layout: str = "C", readonly: bool = False) -> Any:
    from numba import from_dtype, types

    kind: Any = types.Array  # whose own types name layouts that a text may hold
    return kind(from_dtype(x.dtype), x.ndim, layout, readonly=readonly)


def compiled(source: str, signature: Sequence[Any]) -> Callable[..., Any]:
    """The function ``step`` of a text, compiled for arguments of these types.

    It is kept in numba's folder for what it compiled; where nothing can be written, or what is
    there is damaged, it is compiled anew.
    """
    from numba.core import errors

    name = f"tinygrad_bp_step_{hashlib.sha256(source.encode()).hexdigest()[:24]}"
    try:
        path = _folder() / f"{name}.py"
        if not path.is_file() or path.read_bytes() != source.encode():
            write(path, source.encode())
        step = _module(source, path).step
        step.enable_caching()
        return _entry(step, signature)
    except Exception:  # numba does not say which errors a damaged file raises
        pass
    try:
        return _entry(loaded(source, "compiled step")["step"], signature)
    except errors.NumbaError as error:
        said = " ".join(str(error).split())[:200]
        raise CannotCompileError(f"numba cannot compile the step: {said}") from error


def _module(source: str, path: Path) -> ModuleType:
    """The module of a text that lies there, found by its name, as numba asks of what it keeps."""
    module = sys.modules[path.stem] = ModuleType(path.stem)
    exec(compile(source, path, "exec"), vars(module))
    return module


def _folder() -> Path:
    """The folder for texts of steps, which is made if need be."""
    from numba import config
    from numba.misc.appdirs import AppDirs

    root = (
        getattr(config, "CACHE_DIR", "") or AppDirs(appname="numba", appauthor=False).user_cache_dir
    )
    folder = Path(root) / "tinygrad_bp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _entry(step: Any, signature: Sequence[Any]) -> Callable[..., Any]:
    """Compile, and say so; the compiled function itself, which takes these types unasked."""
    kept = step.stats.cache_path and glob.glob(
        os.path.join(glob.escape(step.stats.cache_path), f"{step.py_func.__module__}*.nbi")
    )
    start = time.perf_counter()
    if not kept:
        print("numba compiles a step of training ...", end="", file=sys.stderr, flush=True)
    try:
        step.compile(tuple(signature))
    finally:
        if not kept:
            print(f" {time.perf_counter() - start:.1f} s", file=sys.stderr)
    return step.overloads[tuple(signature)].entry_point
