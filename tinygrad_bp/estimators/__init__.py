"""Networks with scikit-learn's interface, for its pipelines and searches."""

from .perceptrons import MLPClassifier, MLPRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
]


def __dir__() -> list[str]:
    return __all__
