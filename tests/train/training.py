"""A small training, for the tests of this folder and others."""

import numpy as np

from tinygrad_bp import data, nn, optim, train


def fitted(X, y, lr=0.1, epochs=2, model=None, **options):
    model = model or nn.MLP([2, 4, 1], seed=0)
    optimizer = optim.SGD(model.parameters(), lr)
    options = {"loss": "mse", "progress": False, "seed": 0} | options
    return train.fit(model, X, y, optimizer=optimizer, epochs=epochs, **options)


X, Y = data.linear(20, features=2, seed=0)


class Table:
    """An array whose indexing goes by labels, as that of a pandas Series does."""

    def __init__(self, values):
        self.values = np.asarray(values)
        self.dtype, self.shape, self.ndim = self.values.dtype, self.values.shape, self.values.ndim

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)

    def __len__(self):
        return len(self.values)

    def __getitem__(self, rows):
        return self.values[::-1][rows]  # labelled from the end
