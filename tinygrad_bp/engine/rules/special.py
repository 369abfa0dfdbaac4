"""Rules of SciPy's special functions. Loaded when one meets a Tensor; nothing here imports SciPy
before. What is no ufunc (``logsumexp``, ``softmax``, ``log_softmax``, ``polygamma``) does not ask
for a rule: the first three are in `tinygrad_bp.functional`.
"""

import math

import numpy as np
from scipy import special

from ..registry import primitive, rule

ROOT_PI, ROOT_2_PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)

rule(special.expm1, lambda g, out, x: g * np.exp(x), formula=["exp x"])

rule(special.log1p, lambda g, out, x: g / (1 + x), formula=["1 / (1 + x)"])

# Logistic

rule(special.expit, lambda g, out, x: g * out * special.expit(-x), formula=["out (1 - out)"])

rule(special.log_expit, lambda g, out, x: g * special.expit(-x), formula=["expit(-x)"])

rule(special.logit, lambda g, out, x: g / (x * (1 - x)), formula=["1 / (x (1 - x))"])

# Normal distribution

rule(special.erf, lambda g, out, x: g * 2 / ROOT_PI * np.exp(-x * x), formula=["2 exp(-x²) / √π"])

rule(
    special.erfc, lambda g, out, x: g * -2 / ROOT_PI * np.exp(-x * x), formula=["-2 exp(-x²) / √π"]
)

rule(
    special.erfinv,
    lambda g, out, x: g * ROOT_PI / 2 * np.exp(out * out),
    formula=["√π exp(out²) / 2"],
)

rule(
    special.ndtr, lambda g, out, x: g / ROOT_2_PI * np.exp(-x * x / 2), formula=["exp(-x²/2) / √2π"]
)

rule(
    special.log_ndtr,
    lambda g, out, x: g / ROOT_2_PI * np.exp(-x * x / 2 - out),
    formula=["exp(-x²/2 - out) / √2π"],
)

rule(
    special.ndtri,
    lambda g, out, x: g * ROOT_2_PI * np.exp(out * out / 2),
    formula=["√2π exp(out²/2)"],
)

# Gamma function


@primitive
def zeta(s, q):
    """Hurwitz's zeta function, Σ (k + q)^-s; trigamma is ``zeta(2, x)``."""
    return special.zeta(s, q)


rule(zeta, None, lambda g, out, s, q: -g * s * zeta(s + 1, q), formula=["none", "-s zeta(s+1, q)"])

rule(special.gamma, lambda g, out, x: g * out * special.psi(x), formula=["out digamma x"])

rule(special.gammaln, lambda g, out, x: g * special.psi(x), formula=["digamma x"])

rule(special.psi, lambda g, out, x: g * zeta(2, x), formula=["trigamma x"])  # SciPy's digamma

rule(
    special.betaln,
    lambda g, out, x, y: g * (special.psi(x) - special.psi(x + y)),
    lambda g, out, x, y: g * (special.psi(y) - special.psi(x + y)),
    formula=["digamma x - digamma(x + y)", "digamma y - digamma(x + y)"],
)

rule(
    special.beta,
    lambda g, out, x, y: g * out * (special.psi(x) - special.psi(x + y)),
    lambda g, out, x, y: g * out * (special.psi(y) - special.psi(x + y)),
    formula=["out (digamma x - digamma(x + y))", "out (digamma y - digamma(x + y))"],
)

# Entropy; 0 log 0 is 0, and does not change with what is in the logarithm


def ratio_or_zero(x, y):
    """``x / y``, and 0 where both are."""
    return x / np.where((x == 0) & (y == 0), 1, y)


rule(
    special.xlogy,
    lambda g, out, x, y: g * np.log(y),
    lambda g, out, x, y: g * ratio_or_zero(x, y),
    formula=["log y", "x / y"],
)

rule(
    special.xlog1py,
    lambda g, out, x, y: g * np.log1p(y),
    lambda g, out, x, y: g * ratio_or_zero(x, 1 + y),
    formula=["log(1 + y)", "x / (1 + y)"],
)

rule(special.entr, lambda g, out, x: -g * (np.log(x) + 1), formula=["-log x - 1"])

rule(
    special.rel_entr,
    lambda g, out, x, y: g * (np.log(x / y) + 1),
    lambda g, out, x, y: -g * ratio_or_zero(x, y),
    formula=["log(x / y) + 1", "-x / y"],
)

rule(
    special.kl_div,
    lambda g, out, x, y: g * np.log(x / y),
    lambda g, out, x, y: g * (1 - ratio_or_zero(x, y)),
    formula=["log(x / y)", "1 - x / y"],
)

# Bessel functions

rule(special.i0, lambda g, out, x: g * special.i1(x), formula=["i1 x"])

rule(
    special.i1,
    lambda g, out, x: g * 0.5 * (special.i0(x) + special.iv(2, x)),
    formula=["(i0 x + iv(2, x)) / 2"],
)

rule(special.j0, lambda g, out, x: -g * special.j1(x), formula=["-j1 x"])

rule(
    special.j1,
    lambda g, out, x: g * 0.5 * (special.j0(x) - special.jv(2, x)),
    formula=["(j0 x - jv(2, x)) / 2"],
)

rule(
    special.iv,
    None,
    lambda g, out, v, x: g * 0.5 * (special.iv(v - 1, x) + special.iv(v + 1, x)),
    formula=["none", "(iv(v-1, x) + iv(v+1, x)) / 2"],
)

rule(
    special.jv,
    None,
    lambda g, out, v, x: g * 0.5 * (special.jv(v - 1, x) - special.jv(v + 1, x)),
    formula=["none", "(jv(v-1, x) - jv(v+1, x)) / 2"],
)
