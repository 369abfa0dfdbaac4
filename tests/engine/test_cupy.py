"""On a GPU, through CuPy: every function is right or refused, and networks' are right."""

from __future__ import annotations

import pytest

from tinygrad_bp.engine.signatures import full_name

from .catalogue import SAMPLES_OF
from .foreign import RIGHT, WRONG, outcome

cupy = pytest.importorskip("cupy", reason="CuPy, which needs a GPU, is not installed")
if not cupy.cuda.is_available():
    pytest.skip("CuPy is installed, and there is no GPU", allow_module_level=True)


@pytest.mark.parametrize("function", SAMPLES_OF, ids=full_name)
def test_a_function_over_cupy_is_right_or_refused(function):
    found = {outcome(sample, cupy.asarray, cupy.asnumpy) for sample in SAMPLES_OF[function]}
    assert WRONG not in found
    home = getattr(function, "__module__", None) or ""  # a ufunc's is None, a method's a pair
    assert found == {RIGHT} or not home.startswith("tinygrad_bp.functional")
