"""The checker is itself checked: every rule is made wrong in many ways, and each must be noticed.

A mutant counts where its term differs from the right one on some sample: transposing a symmetric
matrix or scaling a derivative that is zero changes nothing, and is no mutant.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import pytest

from tinygrad_bp.engine.backprop import unbroadcast
from tinygrad_bp.engine.registry import RULES, Each
from tinygrad_bp.engine.signatures import full_name

from .catalogue import SAMPLES_OF, checks

count: Counter[str] = Counter()


def transposed(term):
    square = term.ndim > 1 and term.shape[-1] == term.shape[-2]
    return np.swapaxes(term, -1, -2) if square else term


MUTATIONS = {
    "scaled": lambda term: 1.01 * term,
    "of the wrong sign": lambda term: -term,
    "zero": np.zeros_like,
    "shifted": lambda term: term + 1,
    "transposed": transposed,
    "first axis flipped": lambda term: np.flip(term, 0) if term.ndim else term,
    "last axis flipped": lambda term: np.flip(term, -1) if term.ndim else term,
    "rolled": lambda term: np.roll(term, 1),
}


class Mutant:
    """The derivatives of a rule with one of them mutated, which note if that changed anything."""

    def __init__(self, derivatives, position, mutation):
        self.derivatives, self.position, self.mutation = derivatives, position, mutation
        self.called: set[int] = set()
        self.changed = False

    def __getitem__(self, position):
        derivative = self.derivatives[position]
        return derivative and self._spied(derivative, position)

    def _spied(self, derivative, position):
        def mutated(g, *arguments, **parameters):
            self.called.add(position)
            right = derivative(g, *arguments, **parameters)
            if position != self.position:
                return right
            wrong = self.mutation(np.asarray(right))
            inputs = arguments[1] if isinstance(self.derivatives, Each) else arguments[1:]
            terms = [np.asarray(unbroadcast(t, inputs[position])) for t in (right, wrong)]
            self.changed |= not np.allclose(*terms, rtol=1e-6, atol=1e-6)
            return wrong

        return mutated


def differentiable_positions(rule, samples, monkeypatch):
    """The inputs with a derivative, each of which some sample has to differentiate by."""
    spy = Mutant(rule.derivatives, None, None)
    with monkeypatch.context() as patch:
        patch.setattr(rule, "derivatives", spy)
        for sample in samples:
            checks.pulled_back(sample, sample.arrays)
    if isinstance(rule.derivatives, Each):
        assert len(spy.called) > 1, "no sample has more than one input"
    else:
        missing = {i for i, d in enumerate(rule.derivatives) if d is not None} - spy.called
        assert not missing, f"no sample differentiates by input {missing}"
    return sorted(spy.called)


def is_killed(rule, mutant, samples, monkeypatch):
    """Whether some sample of the rule shows that the mutant is wrong."""
    with monkeypatch.context() as patch:
        patch.setattr(rule, "derivatives", mutant)
        for sample in samples:
            try:
                checks.first_order(sample)
            except AssertionError:
                return True
    return False


@pytest.mark.parametrize("function", RULES, ids=full_name)
def test_every_mutant_of_a_rule_is_killed(function, monkeypatch):
    rule, samples = RULES[function], SAMPLES_OF[function]
    survivors = []
    for position in differentiable_positions(rule, samples, monkeypatch):
        for name, mutation in MUTATIONS.items():
            mutant = Mutant(rule.derivatives, position, mutation)
            killed = is_killed(rule, mutant, samples, monkeypatch)
            count["killed"] += killed
            count["made"] += mutant.changed
            if mutant.changed and not killed:
                survivors.append(f"by input {position}, {name}")
    assert not survivors, f"{len(samples)} samples do not notice that the derivative is {survivors}"


def test_the_count(capsys):
    with capsys.disabled():
        made = f"\n{count['made']} mutants of {len(RULES)} rules made, {count['killed']} killed"
        print(made, file=sys.stderr)  # which is shown where tests run in several processes too
    assert count["killed"] == count["made"]
