"""Networks with scikit-learn's interface, for its pipelines and searches."""

try:
    import sklearn  # noqa: F401  # looked for once, so that one error names the extra
except ImportError:
    raise ImportError(
        'the estimators need scikit-learn 1.6 or later: pip install "tinygrad_bp[sklearn]"'
    ) from None

from .classifier import MLPClassifier
from .regressor import MLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
]


def __dir__() -> list[str]:
    return __all__
