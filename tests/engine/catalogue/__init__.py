"""The catalogue: for each registered function, sample calls where its rules are checked."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from tinygrad_bp.engine.registry import COMPOSITIONS, RULES

from .sample import Sample

_modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]

ALL_SAMPLES: list[Sample] = [s for m in _modules for s in getattr(m, "SAMPLES", ())]


def key(function: Any) -> Any:
    """What the registry files a function under: ``np.add.reduce`` is ``(np.add, "reduce")``."""
    owner = getattr(function, "__self__", None)
    return (owner, function.__name__) if hasattr(owner, "nin") else function


SAMPLES_OF: dict[Any, list[Sample]] = {function: [] for function in (*RULES, *COMPOSITIONS)}
for _sample in ALL_SAMPLES:
    for _function in {key(_sample.function), *map(key, _sample.covers)}:
        SAMPLES_OF.setdefault(_function, []).append(_sample)
