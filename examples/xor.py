"""XOR by the bare engine: two layers, their gradients, and a step downhill."""

import numpy as np

from tinygrad_bp import Tensor

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = np.array([[0.0], [1.0], [1.0], [0.0]])

rng = np.random.default_rng(0)
W1, b1 = (
    Tensor(rng.normal(size=(2, 8)), requires_grad=True),
    Tensor(np.zeros(8), requires_grad=True),
)
W2, b2 = (
    Tensor(rng.normal(size=(8, 1)), requires_grad=True),
    Tensor(np.zeros(1), requires_grad=True),
)

for step in range(1001):
    p = (np.tanh(X @ W1 + b1) @ W2 + b2).sigmoid()
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    loss.backward()
    for parameter in (W1, b1, W2, b2):
        parameter.data -= 0.5 * parameter.grad
        parameter.zero_grad()
    if step % 200 == 0:
        print(f"step {step:4}   loss {loss.item():.4f}   p {p.data.ravel().round(3)}")
