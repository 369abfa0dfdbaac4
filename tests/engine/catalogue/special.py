"""Samples of SciPy's special functions; none where SciPy is not installed."""

import numpy as np

from .sample import Constant, Sample

try:
    from scipy import special

    from tinygrad_bp.engine.rules.special import zeta
except ImportError:
    special = None

x = np.array([[-2.3, -0.6, 0.4], [1.5, 0.8, 3.1]])
p = np.array([0.15, 0.5, 0.88])  # between 0 and 1
s = np.array([0.4, 1.3, 4.2])  # positive
t = np.array([[2.1], [0.7]])
far = np.array([-40.0, -8.0, 9.0])


def samples():
    """Each function where it is defined, alone and with inputs that are broadcast."""
    bessel = ["i0", "i1", "j0", "j1"]
    anywhere = ["expm1", "expit", "log_expit", "erf", "erfc", "ndtr", "log_ndtr", *bessel]
    positive = ["log1p", "gamma", "gammaln", "psi", "entr"]
    between = ["logit", "erfinv", "ndtri"]
    pairs = ["beta", "betaln", "xlogy", "xlog1py", "rel_entr", "kl_div"]
    for names, inputs in ((anywhere, (x, x[0, 0])), (positive, (s, t)), (between, (p, p[2]))):
        for name in names:
            yield from (Sample(getattr(special, name), (np.asarray(i),)) for i in inputs)
    for name in pairs:
        yield Sample(getattr(special, name), (s, s[::-1] + 0.3))
        yield Sample(getattr(special, name), (s, t))
    for name in ("expit", "log_expit", "log_ndtr"):
        yield Sample(getattr(special, name), (far,))
    for function in (special.iv, special.jv):
        yield Sample(function, (2, s))
        yield Sample(function, (Constant(np.array([0.5, 1.5, 3.0])), s))
    for name in bessel:
        yield Sample(getattr(special, name), (np.zeros(2),))
    for function in (special.gamma, special.gammaln, special.psi):
        yield Sample(function, (np.array([-0.4, -1.7, -2.2]),))
    yield Sample(zeta, (3, s))
    yield Sample(zeta, (Constant(np.array([2.0, 3.0, 4.0])), t))


SAMPLES = list(samples()) if special else []
