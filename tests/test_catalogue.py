"""The generic suite: every registered function, on every sample, by every check."""

from __future__ import annotations

import pytest

from tinygrad_bp.registry import COMPOSITIONS, RULES, Each, full_name

from .catalogue import ALL_SAMPLES, SAMPLES_OF, checks

of_every_sample = pytest.mark.parametrize("sample", ALL_SAMPLES, ids=str)


@of_every_sample
def test_first_order(sample):
    checks.first_order(sample)
    checks.tensor_mode(sample)


@of_every_sample
def test_second_order(sample):
    if sample.order >= 2:
        checks.second_order(sample)


@of_every_sample
def test_linearity_and_forward_mode(sample):
    checks.linear(sample)
    checks.forward_mode(sample)


@of_every_sample
def test_single_precision(sample):
    checks.single_precision(sample)


@pytest.mark.parametrize("sample", [s for s in ALL_SAMPLES if s.holomorphic], ids=str)
def test_complex_step(sample):
    checks.complex_step(sample)


def test_every_registered_function_has_a_sample():
    missing = [full_name(f) for f in (*RULES, *COMPOSITIONS) if not SAMPLES_OF[f]]
    assert not missing, f"add samples to tests/catalogue for {', '.join(sorted(missing))}"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_every_derivative_has_a_formula(rule):
    if isinstance(rule.derivatives, Each):
        assert len(rule.formulas) == 1
    else:
        differentiable = [i for i, d in enumerate(rule.derivatives) if d is not None]
        assert len(rule.formulas) > max(differentiable)
    assert all(isinstance(formula, str) and formula for formula in rule.formulas)
