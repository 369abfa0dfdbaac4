"""A small training, for the tests of this folder and others."""

from tinygrad_bp import data, nn, optim, train


def fitted(X, y, lr=0.1, epochs=2, model=None, **options):
    model = model or nn.MLP([2, 4, 1], seed=0)
    optimizer = optim.SGD(model.parameters(), lr)
    options = {"loss": "mse", "progress": False, "seed": 0} | options
    return train.fit(model, X, y, optimizer=optimizer, epochs=epochs, **options)


X, Y = data.linear(20, features=2, seed=0)
