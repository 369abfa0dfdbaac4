"""One training step of the same network, as a user of each library writes it.

Each peer is made from a task; its ``step`` takes one step of gradient descent, gradients forgotten
before it and the loss, as a Python number, given back. Libraries are imported where they are used.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np

from .tasks import LEARNING_RATE, Arrays, Task, settings


class ByHand:
    """Plain NumPy, as a careful person writes it, updated in place."""

    def __init__(self, task: Task):
        self.X, self.y = task.data()
        self.weights, self.biases = task.weights()
        self.loss = self.mse if task.loss == "mse" else self.cross_entropy

    def step(self) -> float:
        return self.learn(self.X, self.y)

    def learn(self, X: np.ndarray, y: np.ndarray) -> float:
        inputs, h = [X], X
        for W, b in zip(self.weights[:-1], self.biases[:-1], strict=True):
            z = h @ W.T
            z += b
            h = np.maximum(z, 0, out=z)
            inputs.append(h)
        out = h @ self.weights[-1].T
        out += self.biases[-1]
        value, g = self.loss(out, y)
        for i in reversed(range(len(self.weights))):
            h = inputs[i]
            by_weight, by_bias = g.T @ h, g.sum(axis=0)
            if i > 0:
                g = g @ self.weights[i]
                g *= h > 0
            by_weight *= LEARNING_RATE
            self.weights[i] -= by_weight
            by_bias *= LEARNING_RATE
            self.biases[i] -= by_bias
        return float(value)

    @staticmethod
    def mse(out: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
        difference = out - y
        return np.mean(difference * difference), difference * (2 / difference.size)

    @staticmethod
    def cross_entropy(out: np.ndarray, y: np.ndarray) -> tuple[Any, np.ndarray]:
        rows = np.arange(len(y))
        out -= out.max(axis=1, keepdims=True)
        p = np.exp(out)
        total = p.sum(axis=1, keepdims=True)
        loss = np.mean(np.log(total[:, 0]) - out[rows, y])
        p /= total
        p[rows, y] -= 1
        p /= len(y)
        return loss, p


class Ours:
    """tinygrad_bp, step by step."""

    def __init__(self, task: Task):
        import tinygrad_bp as bp

        self.X, self.y = task.data()
        self.model = bp.nn.MLP(task.sizes, "relu", dtype=task.dtype)
        for p, array in zip(self.model.parameters(), interleaved(*task.weights()), strict=True):
            p.data = array
        self.optimizer = bp.optim.SGD(self.model.parameters(), lr=LEARNING_RATE)
        self.loss = {
            "mse": bp.functional.mse_loss,
            "cross-entropy": bp.functional.cross_entropy,
        }[task.loss]

    def step(self) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(self.model(self.X), self.y)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class Compiled(Ours):
    """tinygrad_bp, with the whole step as one NumPy program, bit for bit."""

    options: ClassVar[dict[str, Any]] = {"backend": "numpy", "exact": True}

    def __init__(self, task: Task):
        import tinygrad_bp as bp

        super().__init__(task)
        self.program = bp.compile_step(self.model, self.loss, self.optimizer, **self.options)

    def step(self) -> float:
        return self.program(self.X, self.y)


class CompiledFreely(Compiled):
    """The same, where sums may be taken in another order."""

    options: ClassVar[dict[str, Any]] = {"backend": "numpy", "exact": False}


class CompiledByNumba(Compiled):
    """The same program as one function of numba's."""

    options: ClassVar[dict[str, Any]] = {"backend": "numba", "exact": False}


class Torch:
    """PyTorch, step by step."""

    def __init__(self, task: Task):
        import torch

        torch.set_num_threads(1)
        self.X, self.y = map(torch.from_numpy, task.data())
        layers: list[Any] = []
        for W, b in zip(*task.weights(), strict=True):
            layer = torch.nn.Linear(*reversed(W.shape), dtype=getattr(torch, task.dtype))
            layer.weight.data, layer.bias.data = torch.from_numpy(W), torch.from_numpy(b)
            layers += [layer, torch.nn.ReLU()]
        model = torch.nn.Sequential(*layers[:-1])
        self.optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
        F = torch.nn.functional
        loss_of = F.mse_loss if task.loss == "mse" else F.cross_entropy
        self.loss = lambda X, y: loss_of(model(X), y)

    def step(self) -> float:
        self.optimizer.zero_grad()
        loss = self.loss(self.X, self.y)
        loss.backward()
        self.optimizer.step()
        return loss.item()


class TorchCompile(Torch):
    """PyTorch with the model and its loss compiled."""

    def __init__(self, task: Task):
        import torch

        super().__init__(task)
        torch.compiler.reset()  # or the sizes of an earlier task would count as ones that vary
        self.loss = torch.compile(self.loss)


class Jax:
    """JAX with the whole step jitted, and the memory of the old parameters given away."""

    def __init__(self, task: Task):
        flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ.setdefault("XLA_FLAGS", flags)
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)  # arrays keep the types that they are given

        def loss(parameters: Any, X: Any, y: Any) -> Any:
            h = X
            for i, (W, b) in enumerate(parameters):
                h = (jax.nn.relu(h) if i else h) @ W.T + b
            if task.loss == "mse":
                return jnp.mean((h - y) ** 2)
            rows = jnp.arange(len(y))
            return jnp.mean(jax.nn.logsumexp(h, axis=1) - h[rows, y])

        def step(parameters: Any, X: Any, y: Any) -> Any:
            value, grads = jax.value_and_grad(loss)(parameters, X, y)
            moved = jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, grads)
            return value, moved

        self.program = jax.jit(step, donate_argnums=0)
        self.X, self.y = map(jnp.asarray, task.data())
        weights, biases = task.weights()
        pairs = zip(map(jnp.array, weights), map(jnp.array, biases), strict=True)
        self.parameters = list(pairs)

    def step(self) -> float:
        value, self.parameters = self.program(self.parameters, self.X, self.y)
        return float(value)


class Autograd:
    """autograd, whose derivatives are of functions of NumPy's arrays."""

    def __init__(self, task: Task):
        import autograd.numpy as anp
        from autograd import value_and_grad

        self.X, self.y = task.data()
        self.parameters = interleaved(*task.weights())

        def loss(parameters: Any, X: Any, y: Any) -> Any:
            h = X
            for i in range(0, len(parameters), 2):
                h = anp.dot(anp.maximum(h, 0) if i else h, parameters[i].T) + parameters[i + 1]
            if task.loss == "mse":
                return anp.mean((h - y) ** 2)
            h = h - anp.max(h, axis=1, keepdims=True)
            return anp.mean(anp.log(anp.sum(anp.exp(h), axis=1)) - h[np.arange(len(y)), y])

        self.value_and_grad = value_and_grad(loss)

    def step(self) -> float:
        value, grads = self.value_and_grad(self.parameters, self.X, self.y)
        for p, g in zip(self.parameters, grads, strict=True):
            p -= LEARNING_RATE * g
        return float(value)


class MyGrad:
    """MyGrad, NumPy's arrays with a memory as ours."""

    def __init__(self, task: Task):
        import mygrad
        from mygrad.nnet.activations import relu
        from mygrad.nnet.losses import softmax_crossentropy

        self.X, self.y = task.data()
        self.parameters = list(map(mygrad.tensor, interleaved(*task.weights())))
        self.relu = relu

        def mse(out: Any, y: Any) -> Any:
            return mygrad.mean((out - y) ** 2)

        self.loss = mse if task.loss == "mse" else softmax_crossentropy

    def step(self) -> float:
        h: Any = self.X
        for i in range(0, len(self.parameters), 2):
            h = self.relu(h) if i else h
            h = h @ self.parameters[i].T + self.parameters[i + 1]
        loss = self.loss(h, self.y)
        loss.backward()
        for p in self.parameters:
            p.data -= LEARNING_RATE * p.grad
            p.null_grad()
        return loss.item()


class ScikitLearn:
    """scikit-learn's own perceptron, by ``partial_fit``."""

    def __init__(self, task: Task):
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        self.X, self.y = task.data()
        self.scale, options = 1, settings(task)
        if task.loss == "mse":  # of which it takes a half
            self.scale, self.y = 2, self.y[:, 0]
            options["learning_rate_init"] *= 2
            self.model = MLPRegressor(**options)
            self.model.partial_fit(self.X, self.y)
        else:
            self.model = MLPClassifier(**options)
            self.model.partial_fit(self.X, self.y, classes=np.arange(task.sizes[-1]))
        set_weights(self.model, task)

    def step(self) -> float:
        self.model.partial_fit(self.X, self.y)
        return float(self.model.loss_ * self.scale)


def interleaved(weights: Arrays, biases: Arrays) -> Arrays:
    """Weight, bias, weight, bias."""
    return [array for pair in zip(weights, biases, strict=True) for array in pair]


def set_weights(model: Any, task: Task) -> None:
    """Let a perceptron of scikit-learn's interface, which was made ready, start as all peers do."""
    weights, biases = task.weights()
    model.coefs_, model.intercepts_ = [np.ascontiguousarray(W.T) for W in weights], biases


HAND = "NumPy by hand"
PEERS: dict[str, tuple[Callable[[Task], Any], str]] = {  # each with the module that it needs
    HAND: (ByHand, "numpy"),
    "ours, eager": (Ours, "tinygrad_bp"),
    "ours, compiled": (Compiled, "tinygrad_bp"),
    "ours, exact=False": (CompiledFreely, "tinygrad_bp"),
    "ours, numba": (CompiledByNumba, "numba"),
    "JAX, jit": (Jax, "jax"),
    "PyTorch": (Torch, "torch"),
    "torch.compile": (TorchCompile, "torch"),
    "MyGrad": (MyGrad, "mygrad"),
    "autograd": (Autograd, "autograd"),
    "scikit-learn": (ScikitLearn, "sklearn"),
}


def chosen(names: Iterable[str] | None = None) -> dict[str, Callable[[Task], Any]]:
    """The peers that can be timed, or those of them that are named; NumPy by hand is one always.

    The others are named on a line each.
    """
    asked = list(PEERS) if names is None else [HAND, *(n for n in names if n != HAND)]
    if unknown := [name for name in asked if name not in PEERS]:
        raise SystemExit(f"unknown peers {unknown}: there are {list(PEERS)}")
    makers = {}
    for name in asked:
        make, module = PEERS[name]
        if importlib.util.find_spec(module) is None:
            print(f"left out: {name}, {module} is not installed")
        else:
            makers[name] = make
    return makers
