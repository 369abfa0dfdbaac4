"""PyTorch, an independent computation: the same layers, and a reader of the files.

Where the environment says TINYGRAD_BP_REQUIRE_TORCH=1, PyTorch must be there.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp import nn
from tinygrad_bp.functional import cross_entropy

if os.environ.get("TINYGRAD_BP_REQUIRE_TORCH") == "1":
    import torch
else:
    torch = pytest.importorskip("torch")

import safetensors.torch


def rng(seed=0):
    return np.random.default_rng(seed)


def loaded(theirs, ours):
    """PyTorch's layer with our parameters."""
    theirs = theirs.double()
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in ours.state_dict().items()})
    return theirs


def agree(ours, theirs, x, g):
    """Values, gradients, and gradients of a function of the gradients are the same."""
    integer = x.dtype.kind == "i"
    x, y = bp.Tensor(x, requires_grad=not integer), torch.tensor(x, requires_grad=not integer)
    out, expected = ours(x), theirs(y)
    np.testing.assert_allclose(out.data, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    inputs = [*([] if integer else [x]), *ours.parameters()]
    variables = [*([] if integer else [y]), *theirs.parameters()]
    cubes, their_cubes = (out**3 * g).sum(), (expected**3 * torch.from_numpy(g)).sum()
    first = bp.gradients(cubes, inputs, create_graph=True)
    their_first = torch.autograd.grad(their_cubes, variables, create_graph=True)
    squares = sum((f**2).sum() for f in first)
    second = bp.gradients(squares, inputs)
    their_second = torch.autograd.grad(sum((f**2).sum() for f in their_first), variables)
    for found, right in [*zip(first, their_first), *zip(second, their_second)]:  # noqa: B905
        found = found.data if isinstance(found, bp.Tensor) else found
        right = right.detach().numpy()
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9 * np.abs(right).max())


def disturbed(layer):
    for i, p in enumerate(layer.parameters()):
        p.data = rng(i).normal(size=p.shape)
    return layer


def test_batch_norm():
    ours = disturbed(nn.BatchNorm(4, momentum=0.3, epsilon=0.01))
    theirs = loaded(torch.nn.BatchNorm1d(4, momentum=0.3, eps=0.01), ours)
    for seed in range(3):
        agree(ours, theirs, rng(seed).normal(seed, 2, size=(5, 4)), rng(9).normal(size=(5, 4)))
    for name, array in ours.state_dict().items():
        np.testing.assert_allclose(array, theirs.state_dict()[name].numpy(), rtol=1e-12)
    agree(ours.eval(), theirs.eval(), rng(7).normal(size=(3, 4)), rng(9).normal(size=(3, 4)))


@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 3, 4)])
def test_layer_norm(shape):
    ours = disturbed(nn.LayerNorm(4, epsilon=0.01))
    theirs = loaded(torch.nn.LayerNorm(4, eps=0.01), ours)
    agree(ours, theirs, rng().normal(2, 3, size=shape), rng(9).normal(size=shape))


def test_embedding():
    ours = nn.Embedding(6, 3, seed=0)
    theirs = loaded(torch.nn.Embedding(6, 3), ours)
    agree(ours, theirs, np.array([[5, 1, 5], [0, 5, 1]]), rng(9).normal(size=(2, 3, 3)))


def test_a_network():
    ours = nn.MLP([5, 8, 3], "tanh", normalization="batch", seed=0)
    layers = torch.nn.Linear(5, 8), torch.nn.BatchNorm1d(8), torch.nn.Tanh(), torch.nn.Linear(8, 3)
    theirs = loaded(torch.nn.Sequential(*layers), ours)
    x, labels = rng().normal(size=(6, 5)), rng(1).integers(3, size=6)
    loss = cross_entropy(ours(x), labels)
    loss.backward()
    expected = torch.nn.functional.cross_entropy(
        theirs(torch.from_numpy(x)), torch.from_numpy(labels)
    )
    expected.backward()
    np.testing.assert_allclose(loss.item(), expected.item(), rtol=1e-12)
    for p, q in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(p.grad, q.grad.numpy(), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_pytorch_reads_our_files(tmp_path, suffix, dtype):
    ours = nn.MLP([4, 8, 3], "relu", seed=0, dtype=dtype)
    path = tmp_path / f"model{suffix}"
    nn.save(ours, path)
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    theirs = theirs.double() if dtype == np.float64 else theirs
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            state = {name: torch.from_numpy(array) for name, array in file.items()}
    else:
        state = safetensors.torch.load_file(path)
    theirs.load_state_dict(state)
    x = rng().normal(size=(5, 4)).astype(dtype)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(x).data, expected, rtol=1e-5 if dtype == np.float32 else 1e-13)


def test_we_read_a_file_of_pytorch(tmp_path):
    theirs = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    safetensors.torch.save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    ours = nn.load(nn.MLP([4, 8, 3], seed=0, dtype=np.float32), tmp_path / "model.safetensors")
    x = rng().normal(size=(5, 4)).astype(np.float32)
    expected = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(x).data, expected, rtol=1e-5, atol=1e-6)
