"""Samples of the functions that networks need."""

import numpy as np

from tinygrad_bp.functional import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    gelu,
    huber_loss,
    leaky_relu,
    linear,
    log_softmax,
    logsumexp,
    mae_loss,
    mse_loss,
    silu,
    softmax,
)
from tinygrad_bp.functional.classes import softmax_error

from .sample import Constant, Sample

rng = np.random.default_rng(5)
rows, batch = rng.normal(size=(5, 3)), rng.normal(size=(2, 5, 3))
weight, bias = rng.normal(size=(4, 3)), rng.normal(size=4)
logits, labels = rng.normal(size=(5, 4)), np.array([3, 0, 0, 2, 1])
targets, probabilities = rng.normal(size=(5, 4)), rng.uniform(0.1, 0.9, size=(5, 4))
ratios = rng.uniform(0.1, 0.9, size=(5, 4))
one = np.array(0.7)
REDUCTIONS = ("mean", "sum", "none")

SAMPLES = [
    *(Sample(linear, (x, weight, bias), holomorphic=True) for x in (rows[0], rows, batch)),
    Sample(linear, (rows, weight)),
    Sample(linear, (batch, weight, None)),
    Sample(linear, (rows, weight, one)),
    Sample(linear, (rows, weight[:1], bias[:1])),
    Sample(linear, (Constant(rows), weight, bias)),
    *(Sample(f, (logits,)) for f in (softmax, log_softmax, logsumexp)),
    *(Sample(f, (logits[0],)) for f in (softmax, log_softmax, logsumexp)),
    *(
        Sample(f, (batch,), {"axis": axis})
        for f in (softmax, log_softmax, logsumexp)
        for axis in (0, (0, -1), None)
    ),
    Sample(logsumexp, (batch,), {"axis": 1, "keepdims": True}),
    *(Sample(cross_entropy, (logits, labels), {"reduction": r}) for r in REDUCTIONS),
    *(Sample(cross_entropy, (logits[0], 2), {"reduction": r}) for r in REDUCTIONS),
    Sample(softmax_error, (logits, labels)),
    Sample(softmax_error, (logits[0], 2)),
    *(Sample(mse_loss, (logits, targets), {"reduction": r}) for r in REDUCTIONS),
    Sample(mse_loss, (logits[0], Constant(targets[0]))),
    Sample(mse_loss, (one, np.array(0.2))),
    *(
        Sample(cross_entropy, (logits, labels), {"reduction": r, "weight": (0.5, 0, 2, 1)})
        for r in REDUCTIONS
    ),
    *(Sample(huber_loss, (logits, targets), {"reduction": r}) for r in REDUCTIONS),
    Sample(huber_loss, (logits, targets), {"delta": 0.25}),
    *(Sample(mae_loss, (logits, targets), {"reduction": r}) for r in REDUCTIONS),
    *(Sample(binary_cross_entropy, (probabilities, ratios), {"reduction": r}) for r in REDUCTIONS),
    *(
        Sample(f, (x, ratios), {"reduction": r, "weight": (0.5, 2.0)})
        for f, x in (
            (binary_cross_entropy, probabilities),
            (binary_cross_entropy_with_logits, logits),
        )
        for r in REDUCTIONS
    ),
    *(Sample(f, (x,)) for f in (silu, gelu, leaky_relu) for x in (one, logits)),
    *(
        Sample(binary_cross_entropy_with_logits, (logits, probabilities), {"reduction": r})
        for r in REDUCTIONS
    ),
    Sample(binary_cross_entropy_with_logits, (rows[:, 0], np.array([0, 1, 1, 0, 1]))),
]
