"""How weights start: drawn so that signals keep their size from layer to layer.

Each function takes a generator, the length n of the input rows and the length m of the output
rows, and gives a matrix of shape (m, n), as in ``z = W x``. `functools.partial` sets a parameter to
another value than its default: ``init=partial(orthogonal, gain=2.0)``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from ..support.arguments import finite_number, shown, size

# As text, because NumPy loads its random numbers only when they are asked for.
Initialization: TypeAlias = "Callable[[np.random.Generator, int, int], np.ndarray]"


def he(generator: np.random.Generator, inputs: int, outputs: int, slope: float = 0.0) -> np.ndarray:
    """Normal weights of variance 2 / n: signals keep their size through ReLU layers.

    Of variance 2 / ((1 + slope²) n) for an activation of that slope below zero, a leaky ReLU.
    He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> he(np.random.default_rng(0), 2, 3).shape
    (3, 2)
    """
    _check_arguments(generator, inputs, outputs, slope=slope)
    deviation = math.sqrt(2 / ((1 + slope**2) * inputs))
    return generator.normal(0, deviation, (outputs, inputs))


def he_uniform(
    generator: np.random.Generator, inputs: int, outputs: int, slope: float = 0.0
) -> np.ndarray:
    """Uniform weights of the same variance as those of `he`.

    Examples
    --------
    >>> bool(np.abs(he_uniform(np.random.default_rng(0), 6, 4)).max() <= 1)
    True
    """
    _check_arguments(generator, inputs, outputs, slope=slope)
    limit = math.sqrt(6 / ((1 + slope**2) * inputs))
    return generator.uniform(-limit, limit, (outputs, inputs))


def xavier(
    generator: np.random.Generator, inputs: int, outputs: int, gain: float = 1.0
) -> np.ndarray:
    """Uniform weights of variance 2 gain² / (n + m), for tanh and sigmoid.

    Signals keep their size forward, and gradients backward, as nearly as both can be had.
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010.

    Examples
    --------
    >>> bool(np.abs(xavier(np.random.default_rng(0), 2, 4)).max() <= 1)
    True
    """
    _check_arguments(generator, inputs, outputs, gain=gain)
    limit = gain * math.sqrt(6 / (inputs + outputs))
    return generator.uniform(-limit, limit, (outputs, inputs))


def xavier_normal(
    generator: np.random.Generator, inputs: int, outputs: int, gain: float = 1.0
) -> np.ndarray:
    """Normal weights of the same variance as those of `xavier`.

    Examples
    --------
    >>> xavier_normal(np.random.default_rng(0), 2, 4).shape
    (4, 2)
    """
    _check_arguments(generator, inputs, outputs, gain=gain)
    deviation = gain * math.sqrt(2 / (inputs + outputs))
    return generator.normal(0, deviation, (outputs, inputs))


def lecun(
    generator: np.random.Generator, inputs: int, outputs: int, gain: float = 1.0
) -> np.ndarray:
    """Normal weights of variance gain² / n: a sum of n signals is as large as each of them.

    LeCun, Bottou, Orr and Müller, "Efficient BackProp", in "Neural networks: tricks of the
    trade", Springer 1998, section 4.6.

    Examples
    --------
    >>> lecun(np.random.default_rng(0), 2, 4).shape
    (4, 2)
    """
    _check_arguments(generator, inputs, outputs, gain=gain)
    return generator.normal(0, gain * math.sqrt(1 / inputs), (outputs, inputs))


def lecun_uniform(
    generator: np.random.Generator, inputs: int, outputs: int, gain: float = 1.0
) -> np.ndarray:
    """Uniform weights of the same variance as those of `lecun`.

    Examples
    --------
    >>> bool(np.abs(lecun_uniform(np.random.default_rng(0), 3, 4)).max() <= 1)
    True
    """
    _check_arguments(generator, inputs, outputs, gain=gain)
    limit = gain * math.sqrt(3 / inputs)
    return generator.uniform(-limit, limit, (outputs, inputs))


def orthogonal(
    generator: np.random.Generator, inputs: int, outputs: int, gain: float = 1.0
) -> np.ndarray:
    """A random matrix whose columns, or rows if there are fewer, are orthogonal, of length gain.

    A deep linear network then keeps the lengths of signals and of gradients exactly; for ReLU,
    which halves the squares, take ``gain=math.sqrt(2)``. Saxe, McClelland and Ganguli, "Exact
    solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR 2014.
    Every such matrix is as likely as any other (Mezzadri, "How to generate random matrices from
    the classical compact groups", Notices of the AMS 54 (2007) 592).

    Examples
    --------
    >>> W = orthogonal(np.random.default_rng(0), 3, 5)
    >>> np.allclose(W.T @ W, np.eye(3))
    True
    """
    _check_arguments(generator, inputs, outputs, gain=gain)
    rows, columns = max(inputs, outputs), min(inputs, outputs)
    q, r = np.linalg.qr(generator.normal(size=(rows, columns)))
    q *= np.sign(np.diagonal(r))  # without this, the signs would be those of the algorithm
    return gain * (q if outputs >= inputs else q.T)


def zero(generator: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Zeros, for a layer that adds nothing at first; a hidden layer cannot start so.

    All its units would get the same gradient, and stay equal for ever.

    Examples
    --------
    >>> zero(np.random.default_rng(0), 3, 2)
    array([[0., 0., 0.],
           [0., 0., 0.]])
    """
    _check_arguments(generator, inputs, outputs)
    return np.zeros((outputs, inputs))


def _check_arguments(generator: object, inputs: int, outputs: int, **factor: float) -> None:
    """Refuse arguments that no weights can be drawn with."""
    if not isinstance(generator, np.random.Generator):
        raise TypeError(f"generator must be a Generator, not {shown(generator)}")
    size(inputs, "inputs")
    size(outputs, "outputs")
    for name, value in factor.items():
        finite_number(value, name)


INITIALIZATIONS: dict[str, Initialization] = {
    "he": he,
    "he_uniform": he_uniform,
    "lecun": lecun,
    "lecun_uniform": lecun_uniform,
    "orthogonal": orthogonal,
    "xavier": xavier,
    "xavier_normal": xavier_normal,
    "zero": zero,
    # Other names of the same, which PyTorch and Keras use.
    "glorot": xavier,
    "glorot_normal": xavier_normal,
    "glorot_uniform": xavier,
    "kaiming": he,
    "kaiming_normal": he,
    "kaiming_uniform": he_uniform,
    "xavier_uniform": xavier,
    "zeros": zero,
}
