"""XOR by the bare engine: two layers, their gradients, and a step downhill."""

import numpy as np

from tinygrad_bp import Tensor

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([[0], [1], [1], [0]])

rng = np.random.default_rng(0)
start = rng.normal(size=(2, 8)), np.zeros(8), rng.normal(size=(8, 1)), np.zeros(1)
W1, b1, W2, b2 = parameters = [Tensor(array, requires_grad=True) for array in start]

for step in range(1001):
    p = (np.tanh(X @ W1 + b1) @ W2 + b2).sigmoid()
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    loss.backward()
    for parameter in parameters:
        parameter.data -= 0.5 * parameter.grad
        parameter.zero_grad()
    if step % 200 == 0:
        print(f"step {step:4}   loss {loss.item():.4f}   p {p.data.ravel().round(3)}")
