"""PyTorch's optimisers and schedules, an independent computation: fifty steps are the same.

Where the environment says TINYGRAD_BP_REQUIRE_TORCH=1, PyTorch must be there.
"""

import os

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import optim, schedules

if os.environ.get("TINYGRAD_BP_REQUIRE_TORCH") == "1":
    import torch
else:
    torch = pytest.importorskip("torch")

STEPS = 50
OPTIONS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 0.5, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"betas": (0.5, 0.9), "epsilon": 1e-4}),
    ("Adam", {"weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "betas": (0.8, 0.99)}),
]


def networks():
    model = bp.nn.MLP([3, 8, 1], "tanh", seed=0)
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    theirs = theirs.double()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in model.state_dict().items()})
    return model, theirs


def their_names(options):
    return {{"epsilon": "eps"}.get(name, name): value for name, value in options.items()}


def same(model, theirs):
    for p, q in zip(model.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("max_norm", [None, 1.0])
@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_fifty_steps(kind, options, max_norm):
    """From the same gradients: in fifty steps, training itself would magnify their rounding."""
    X = np.random.default_rng(0).normal(size=(20, 3))
    y = np.sin(X.sum(axis=1, keepdims=True))
    model, theirs = networks()
    optimizer = getattr(optim, kind)(model.parameters(), lr=0.02, max_norm=max_norm, **options)
    theirs_too = getattr(torch.optim, kind)(theirs.parameters(), lr=0.02, **their_names(options))
    lengths = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        bp.functional.mse_loss(model(X), y).backward()
        for p, q in zip(model.parameters(), theirs.parameters(), strict=True):
            q.grad = torch.tensor(p.grad)
        lengths.append(optimizer.gradient_norm())
        optimizer.step()
        if max_norm:
            length = torch.nn.utils.clip_grad_norm_(theirs.parameters(), max_norm)
            np.testing.assert_allclose(lengths[-1], length.item(), rtol=1e-12)
        theirs_too.step()
    assert max(lengths) > 1 > min(lengths)  # some were clipped and some not
    same(model, theirs)


@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
def test_fifty_steps_of_training(kind):
    X = np.random.default_rng(0).normal(size=(20, 3))
    y = np.sin(X.sum(axis=1, keepdims=True))
    model, theirs = networks()
    optimizer = getattr(optim, kind)(model.parameters(), lr=0.02)
    theirs_too = getattr(torch.optim, kind)(theirs.parameters(), lr=0.02)
    for _ in range(STEPS):
        optimizer.zero_grad()
        bp.functional.mse_loss(model(X), y).backward()
        optimizer.step()
        theirs_too.zero_grad()
        torch.nn.functional.mse_loss(theirs(torch.from_numpy(X)), torch.from_numpy(y)).backward()
        theirs_too.step()
    same(model, theirs)


@pytest.mark.parametrize(("kind", "options"), [("SGD", {"momentum": 0.9}), ("Adam", {})])
def test_a_parameter_that_has_a_gradient_only_now_and_then(kind, options):
    p, q = (bp.Tensor([1.0, -2.0], requires_grad=True) for _ in range(2))
    theirs = [torch.tensor([1.0, -2.0], dtype=torch.float64, requires_grad=True) for _ in range(2)]
    optimizer = getattr(optim, kind)([p, q], lr=0.05, **options)
    theirs_too = getattr(torch.optim, kind)(theirs, lr=0.05, **options)
    for t in range(STEPS):
        optimizer.zero_grad()
        theirs_too.zero_grad()
        (p**2 + (q**4 if t % 3 else 0)).sum().backward()
        (theirs[0] ** 2 + (theirs[1] ** 4 if t % 3 else 0)).sum().backward()
        optimizer.step()
        theirs_too.step()
    for ours, other in zip((p, q), theirs, strict=True):
        np.testing.assert_allclose(ours.data, other.detach().numpy(), rtol=1e-12, atol=1e-12)


def test_float32_stays_float32_and_is_the_same_to_its_digits():
    p = bp.Tensor(np.array([1.0, -2.0], np.float32), requires_grad=True)
    q = torch.tensor([1.0, -2.0], requires_grad=True)
    optimizer = optim.AdamW([p], lr=schedules.cosine(0.05, 80))
    theirs = torch.optim.AdamW([q], lr=0.05)
    clock = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 80)
    for _ in range(STEPS):
        optimizer.zero_grad()
        theirs.zero_grad()
        (p**4).sum().backward()
        (q**4).sum().backward()
        optimizer.step()
        theirs.step()
        clock.step()
    assert p.data.dtype == np.float32
    np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=1e-5)


SCHEDULES = {
    "step": (
        schedules.step(0.1, every=7, factor=0.5),
        lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.5),
    ),
    "exponential": (
        schedules.exponential(0.1, factor=0.9),
        lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9),
    ),
    "cosine": (
        schedules.cosine(0.1, steps=STEPS, final=0.01),
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, STEPS, 0.01),
    ),
    "one cycle": (
        schedules.one_cycle(0.1, steps=STEPS),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, STEPS, cycle_momentum=False),
    ),
    "one cycle, another": (
        schedules.one_cycle(0.1, steps=STEPS, rise=0.5, start=0.1, final=0.001),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(
            o,
            0.1,
            STEPS,
            pct_start=0.5,
            div_factor=10,
            final_div_factor=100,
            cycle_momentum=False,
        ),
    ),
    "warm-up": (
        schedules.warm_up(0.1, steps=10),
        lambda o: torch.optim.lr_scheduler.LinearLR(o, 0.1, 1.0, 9),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_step_sizes(name):
    ours, make_theirs = SCHEDULES[name]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = make_theirs(optimizer)
    for t in range(STEPS):
        assert ours(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12, abs=1e-12), t
        optimizer.step()
        if t < STEPS - 1:
            theirs.step()
