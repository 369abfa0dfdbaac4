"""What beginners write, and the words that put them right: one clear line for each mistake."""

from __future__ import annotations

import copy  # noqa: F401  # the mistakes use it
import math  # noqa: F401
import re
import warnings

import numpy as np
import pytest

import tinygrad_bp as bp


class Plain(bp.nn.Module):
    """It holds an array, where a Tensor is meant."""

    def __init__(self):
        self.w = np.ones(3)


class Written(bp.optim.Optimizer):
    """It writes in place."""

    def move(self, data, gradient, memory, lr):
        data -= lr * gradient
        return data


class Forgotten(bp.optim.Optimizer):
    """It gives nothing back."""

    def move(self, data, gradient, memory, lr):
        data = data - lr * gradient


class Summed(bp.optim.Optimizer):
    """What it gives does not fit the parameter."""

    def move(self, data, gradient, memory, lr):
        return np.sum(data - lr * gradient)


class Unprepared(bp.optim.Optimizer):
    """It takes for granted what is not there at first."""

    memory_names = ("v",)

    def move(self, data, gradient, memory, lr):
        memory["v"] = 0.9 * memory["v"] + gradient
        return data - lr * memory["v"]


class Unnamed(bp.optim.Optimizer):
    """It remembers what it has no name for."""

    def move(self, data, gradient, memory, lr):
        memory["v"] = gradient
        return data - lr * gradient


class Unstarted(Unnamed):
    """It does not begin as all optimisers do."""

    def __init__(self, parameters):
        self.share = 0.9


def step(kind):
    """The first step of an optimiser."""
    t = bp.Tensor([1.0, 2.0], requires_grad=True)
    (t * t).sum().backward()
    optimizer = kind([t])
    optimizer.step()
    return optimizer


def ruled(derivative, function=lambda x: x * 2):
    """A function with a rule of one's own."""
    recordable = bp.primitive(function)
    bp.rule(recordable, derivative)
    return recordable


def names():
    """What the mistakes are made with."""
    X = np.random.default_rng(0).normal(size=(20, 3))
    y = X.sum(axis=1, keepdims=True)
    m = bp.nn.MLP([3, 4, 1], seed=0)
    history = bp.train.History()
    history.append({"loss": 1.0})

    def of(model, lr=0.1):
        return bp.optim.SGD(model.parameters(), lr=lr)

    def fit(*data, **options):
        return bp.train.fit(*data, **({"progress": False} | options))

    def learn(**options):
        return fit(m, X, y, loss="mse", optimizer=of(m), epochs=1, **options)

    return globals() | {
        "t": bp.Tensor([1.0, 2.0, 3.0], requires_grad=True),
        "clf": bp.nn.MLP([3, 4, 2], seed=0),
        "other": bp.nn.MLP([3, 1], seed=0),
        "labels": (y[:, 0] > 0).astype(int),
        "names": np.where(y[:, 0] > 0, "yes", "no"),
        "history": lambda: history,
        **{"X": X, "y": y, "m": m, "of": of, "fit": fit, "learn": learn},
    }


NEEDS = {"plt": "matplotlib", "plot": "matplotlib", "estimators": "sklearn", "frame": "pandas"}
MISTAKES = """
bp.Tensor("abc")  ⇒  a Tensor holds numbers, not <U3: 'abc'
bp.Tensor([1, "a"])  ⇒  a Tensor holds numbers, not <U21: [1, 'a']
bp.Tensor(None)  ⇒  a Tensor holds numbers, not object: None
bp.Tensor({"a": 1})  ⇒  a Tensor holds numbers, not object: {'a'
bp.Tensor(np.arange(3), requires_grad=True)  ⇒  only real floating Tensors can require
bp.Tensor(1j, requires_grad=True)  ⇒  only real floating Tensors can require
bp.Tensor([True, False], requires_grad=True)  ⇒  only real floating Tensors can require
bp.tensor([1.0])  ⇒  write bp.Tensor(values
bp.Value(2.0)  ⇒  write bp.Tensor(2.0, requires_grad=True)
bp.Variable(2.0)  ⇒  write bp.Tensor(values
bp.zeros(3)  ⇒  write np.zeros
bp.randn(3)  ⇒  write
bp.sin(t)  ⇒  write np.sin
bp.exp(t)  ⇒  write np.exp
bp.relu(t)  ⇒  write bp.functional.relu(t)
bp.MSELoss()  ⇒  write bp.functional.mse_loss(outputs, y)
bp.device("cuda")  ⇒  write nothing: a Tensor works where its
bp.manual_seed(0)  ⇒  write seed=0 where it is asked for
bp.backward(t)  ⇒  write z.backward()
t.backward()  ⇒  a Tensor of shape (3,) has 3 elements
(t * 2).backward()  ⇒  a Tensor of shape (3,) has 3 elements
bp.Tensor(3.0).backward()  ⇒  a Tensor of shape () does not depend on a
(t * t).sum().backward(np.ones(3))  ⇒  needs grad of its shape, not (3,)
t[0] = 1.0  ⇒  use np.where(mask, new, t), or for a leaf
t += 1  ⇒  a Tensor of shape (3,) is a leaf, which an
t.data[0] = 5.0  ⇒  use recorded graphs still need it: update
t.add_(1)  ⇒  write a recorded array never changes: t =
t.view(3, 1)  ⇒  write t.reshape(shape)
t.dim()  ⇒  write t.ndim
t.numel()  ⇒  write t.size
t.cuda()  ⇒  write bp.Tensor(cupy_array): a Tensor
t.to("cpu")  ⇒  write t.astype(dtype)
t.float()  ⇒  write t.astype(np.float32)
len(bp.Tensor(1.0))  ⇒  has no length
for x in bp.Tensor(1.0): pass  ⇒  a Tensor without axes cannot be iterated
np.array([t[0], t[1]])  ⇒  use t.data for its values, np.stack([...])
np.array(t)  ⇒  use t.data for its values, np.stack([...])
np.asarray(t * 2)  ⇒  use t.data for its values, np.stack([...])
plt.plot(t * 2)  ⇒  use t.data
plt.plot(t)  ⇒  use t.data
z = np.zeros(3); z += t  ⇒  write into out= (or do array += Tensor)
np.add(t, 1, out=np.zeros(3))  ⇒  write into out= (or do array += Tensor)
t @ np.ones((2, 2))  ⇒  matmul of Tensor (3,) and ndarray (2, 2)
t + np.ones(4)  ⇒  add of Tensor (3,) and ndarray (4,)
np.dot(t, np.ones(4))  ⇒  dot of Tensor (3,) and ndarray (4,)
t.reshape(2, 2)  ⇒  reshape of Tensor (3,): cannot reshape
t.reshape(5)  ⇒  reshape of Tensor (3,): cannot reshape
t.sum(axis=1)  ⇒  sum of Tensor (3,): axis 1 is out of
t.sum(dim=0)  ⇒  write axis=
t.mean(axis="rows")  ⇒  mean of Tensor (3,): 'str' object cannot
np.concatenate([t, 1.0])  ⇒  must have same number of dimensions, but
np.stack([t, np.ones(4)])  ⇒  must have the same shape
np.sort(t).backward()  ⇒  a Tensor of shape (3,) has 3 elements
np.fft.fft(t)  ⇒  use t.data to leave the graph
np.unique(t)  ⇒  use np.sort, or t.data to leave the graph
np.random.normal(t)  ⇒  use t.data for its values, np.stack([...])
np.apply_along_axis(np.sum, 0, t)  ⇒  use np.stack([f(row) for row in t])
np.vectorize(lambda v: v * 2)(t)  ⇒  use t.data for its values, np.stack([...])
t * None  ⇒  multiply of Tensor (3,): unsupported
t * [1, 2]  ⇒  multiply of Tensor (3,): operands could
t.sigmod()  ⇒  has no 'sigmod'
t.requires_grad_()  ⇒  write t.requires_grad = True
t.detach_()  ⇒  write t.detach()
t.clone()  ⇒  write t.copy()
t.pow(2)  ⇒  write t ** n
t.unsqueeze(0)  ⇒  write np.expand_dims(t, axis), or t[
bp.grad(3)  ⇒  use z.backward(), or gradients(z, [x])
bp.grad(np.sin)("a")  ⇒  cannot differentiate by an argument of
bp.grad(np.sin)(np.arange(3))  ⇒  cannot differentiate by an argument of
bp.grad(np.sin)(np.arange(3.0))  ⇒  use jacobian or vjp
bp.grad(lambda x: None)(1.0)  ⇒  the function gave NoneType; to be
bp.grad(lambda x: float(x))(1.0)  ⇒  use t.detach().item() for the number
bp.grad(lambda x: math.sin(x))(1.0)  ⇒  use t.detach().item() for the number
bp.grad(lambda x: x, argnums=1)(1.0)  ⇒  must be an int, or a tuple of ints, that
bp.grad(lambda x: x, argnum=0)(1.0)  ⇒  write argnums=
bp.grad(lambda x: [x, x])(1.0)  ⇒  use jacobian or vjp
bp.hessian(lambda x: x)(np.ones(2))  ⇒  use jacobian or vjp
bp.hvp(lambda x: x.sum(), np.ones(2), np.ones(3))  ⇒  tangents of shapes [(3,)] do not fit
bp.gradcheck(lambda x: float(x) * x, 2.0)  ⇒  use t.detach().item() for the number
bp.draw(3)  ⇒  needs Tensors, or a function that returns
bp.draw(m)  ⇒  a model is drawn at work: give it rows, as
bp.draw(t, "z.jpg")  ⇒  must end in one of .svg, .png, .pdf, .dot
bp.draw(t, "/nowhere/z.svg")  ⇒  write '/nowhere/z.svg': the folder
bp.draw(t, path=3)  ⇒  must be text or a path, not int
bp.draw(t, backwards=True)  ⇒  did you mean backward=?
bp.trace(3)  ⇒  a graph belongs to a Tensor, not to int
bp.trace(m)  ⇒  a graph belongs to a Tensor, not to MLP
bp.trace(t)  ⇒  a Tensor of shape (3,) has 3 elements
bp.nn.MLP(3)  ⇒  must hold those of the input and the
bp.nn.MLP(3, [4, 4, 1])  ⇒  write MLP([3, 4, 4, 1])
bp.nn.MLP([3])  ⇒  must hold those of the input and the
bp.nn.MLP([3, 0, 1])  ⇒  must be at least 1, not 0
bp.nn.MLP([3, 2.5, 1])  ⇒  must be an integer, not 2.5
bp.nn.MLP(3, 4, 1)  ⇒  write MLP([3, 4, 1])
bp.nn.MLP([3, 1], "rely")  ⇒  did you mean 'relu'? known are gelu
bp.nn.MLP([3, 1], activation="swish")  ⇒  did you mean 'silu'? known are gelu
bp.nn.MLP([3, 1], activation=None)  ⇒  did you mean 'identity'? known are gelu
bp.nn.MLP([3, 1], activation=bp.nn.ReLU())  ⇒  write bp.functional.relu, the function
bp.nn.MLP([3, 1], dropout=50)  ⇒  must be from 0 to less than 1, not 50
bp.nn.MLP([3, 1], dropout="0.5")  ⇒  must be a number, not '0.5'
bp.nn.MLP([3, 1], seed="a")  ⇒  must be an integer from 0 on, a Generator
bp.nn.MLP([3, 1], random_state=0)  ⇒  write seed=
bp.nn.MLP([3, 1], dtype=int)  ⇒  only real floating Tensors can require
bp.nn.MLP([3, 1], normalization="batchnorm")  ⇒  did you mean 'batch'? known are batch
bp.nn.Linear(3, 2, bias="no")  ⇒  must be True or False, not 'no'
bp.nn.Dense(3)  ⇒  write bp.nn.Linear(inputs, outputs)
bp.nn.Conv2d(3, 2, 3)  ⇒  write a Module of your own: its forward
bp.nn.LSTM(3, 2)  ⇒  write a Module of your own: its forward
bp.nn.ReLU()  ⇒  write bp.functional.relu, the function
bp.nn.Parameter(np.ones(3))  ⇒  write bp.Tensor(values
bp.nn.ModuleList([])  ⇒  write a list: Modules in one are found by
bp.nn.Sequential([bp.nn.Linear(2, 3)])  ⇒  write Sequential(*layers)
bp.nn.Sequential(bp.nn.Linear, np.tanh)  ⇒  layer 0 is not a function but the class
bp.nn.Sequential(bp.nn.Linear(2, 3), "relu")  ⇒  write bp.functional.relu
bp.nn.Sequential(bp.nn.Linear(2, 3), bp.nn.Linear(4, 1))(np.ones((5, 2)))  ⇒  takes rows of 4
m("a")  ⇒  takes rows of 3 numbers, and x has shape
m([[1, 2]])  ⇒  takes rows of 3 numbers, and x has shape
m.fit(X, y)  ⇒  write bp.train.fit(model, X, y, loss=...
m.predict(X)  ⇒  write bp.train.predict(model, X)
m.layers[0].weights  ⇒  write layer.weight, or model.parameters()
m.to("cuda")  ⇒  write dtype= where the layers are made
m.summary()  ⇒  write bp.nn.summary(model, input_shape)
m.load("a.npz")  ⇒  write bp.nn.load(model, path)
m.load_state_dict({})  ⇒  has no '0.weight'; no '0.bias'; no
m.load_state_dict({"0.weight": np.ones((1, 1))})  ⇒  has no '0.bias'; no '2.weight'; no
bp.nn.save(m, "model.txt")  ⇒  must end in one of .npz, .safetensors
bp.nn.load(m, "missing.npz")  ⇒  cannot read 'missing.npz': No such file or
bp.optim.SGD(Plain().parameters(), lr=0.1)  ⇒  must be Tensors that require grad
bp.optim.SGD(m, lr=0.1)  ⇒  must be a list of Tensors such as
bp.optim.SGD(m.parameters(), lr=-1)  ⇒  must be positive, not -1
bp.optim.SGD(m.parameters(), lr="0.1")  ⇒  must be a number, not '0.1'
bp.optim.SGD(m.parameters(), learning_rate=0.1)  ⇒  write lr=
bp.optim.Adam(m.parameters(), betas=0.9)  ⇒  must be a pair of numbers, not 0.9
bp.optim.Adam(m.parameters(), betas=(0.9, 1.0))  ⇒  must be from 0 to less than 1, not 1.0
bp.optim.adam(m.parameters())  ⇒  write bp.optim.Adam(model.parameters())
bp.optim.RMSprop(m.parameters())  ⇒  write bp.optim.Adam(model.parameters())
bp.optim.SGD([np.ones(3)], lr=0.1)  ⇒  write bp.Tensor(it, requires_grad=True)
bp.optim.SGD([t * 2], lr=0.1)  ⇒  parameter 0, a Tensor of shape (3,), is
bp.optim.SGD(m.parameters(), lr=0.1).param_groups  ⇒  write optimizer.parameters and
bp.schedules.cosine(0.1, 0)  ⇒  must be at least 1, not 0
bp.schedules.StepLR(0.1)  ⇒  write bp.schedules.step(lr, every)
bp.functional.mse(t, t)  ⇒  write bp.functional.mse_loss(outputs, y)
bp.functional.mse_loss(np.ones((3, 1)), np.ones(3))  ⇒  predictions have shape (3, 1) and targets
bp.functional.mse_loss(t, [1, 2])  ⇒  mse_loss of Tensor (3,): predictions have
bp.functional.mse_loss(t, "a")  ⇒  mse_loss of Tensor (3,): predictions have
bp.functional.mse_loss(t, t, reduction="avg")  ⇒  mse_loss of Tensor (3,) and Tensor (3,)
bp.functional.cross_entropy(np.ones((2, 3)), np.ones((2, 3)))  ⇒  use np.argmax(labels, axis=-1)
bp.functional.cross_entropy(np.ones((2, 3)), np.array([1.0, 2.0]))  ⇒  use labels.astype(int)
bp.functional.cross_entropy(np.ones((2, 3)), np.array([1, 3]))  ⇒  must be 0 to 2, and position 1
bp.functional.cross_entropy(np.ones((2, 3)), np.array(["a", "b"]))  ⇒  must be integers, not <U1
bp.functional.cross_entropy(np.ones((2, 3)), np.array([[1], [2]]))  ⇒  use labels[:, 0]
bp.functional.cross_entropy(np.ones((2, 1)), np.array([0, 1]))  ⇒  one logit is for
bp.functional.binary_cross_entropy(np.array([1.5]), np.array([1]))  ⇒  must be probabilities, 0 to 1
bp.functional.binary_cross_entropy_with_logits(np.ones((3, 1)), np.ones(3))  ⇒  predictions have
bp.functional.binary_cross_entropy_with_logits(np.ones(3), np.array([0, 1, 2]))  ⇒  must be
bp.functional.softmax(t, dim=0)  ⇒  write axis=
bp.functional.dropout(t)  ⇒  write bp.nn.Dropout(probability)
bp.functional.l1_penalty(m)  ⇒  write model.parameters()
bp.functional.l1_penalty(3)  ⇒  must be a list of Tensors or arrays, not 3
fit(m, X, y[:, 0], loss="mse", optimizer=of(m), epochs=1)  ⇒  mse_loss of Tensor (20, 1) and ndarray
fit(m, X, y, "mse", of(m), 1)  ⇒  takes model, X, y in this order, and the
fit(m, X, y, loss="mean_squared", optimizer=of(m), epochs=1)  ⇒  unknown loss 'mean_squared': known
fit(m, X, y, loss="crossentropy", optimizer=of(m), epochs=1)  ⇒  use labels[:, 0]
fit(m, X, y, loss="bce", optimizer=of(m), epochs=1)  ⇒  must be probabilities, 0 to 1, and
fit(m, X, y, loss=bp.functional.mse_loss(m(X), y), optimizer=of(m), epochs=1)  ⇒  must be a function
fit(m, X, y, loss="mse", optimizer="adam", epochs=1)  ⇒  must be one of optim's, such as
fit(m, X, y, loss="mse", optimizer=bp.optim.SGD, epochs=1)  ⇒  must be one of optim's, such as
fit(m, X, y, loss="mse", optimizer=of(other), epochs=1)  ⇒  the optimizer has none of the model's
fit(m, X, y, loss="mse", optimizer=of(m), epochs="10")  ⇒  must be an integer, not '10'
fit(m, X, y, loss="mse", optimizer=of(m), epochs=0)  ⇒  must be at least 1, not 0
learn(batch_size=0)  ⇒  must be at least 1, not 0
learn(verbose=0)  ⇒  write progress=
learn(validation=X)  ⇒  must be a pair of arrays (X, y), or a
learn(validation=20)  ⇒  validation=20 of 20 rows must leave rows
learn(validation=1.0)  ⇒  validation=1.0 of 20 rows must leave rows
learn(metrics="accuracy")  ⇒  write metrics=['accuracy']
learn(metrics=["accuracy"])  ⇒  accuracy counts classes, whole numbers
learn(metrics=["f1"])  ⇒  unknown metric 'f1': known are accuracy
learn(patience=2, monitor="acc")  ⇒  unknown monitor 'acc': known are loss
learn(callbacks=print)  ⇒  write callbacks=[it]
learn(early_stopping=True)  ⇒  write patience=
learn(sample_weight=[1, 2])  ⇒  must hold one number for each of 20 rows
learn(class_weight="auto")  ⇒  class_weight is for targets that are class
fit(m, X, y, loss="mse", optimizer=of(m, 1e6), epochs=300)  ⇒  diverged in epoch 4, batch 1
fit(m, X.T, y, loss="mse", optimizer=of(m), epochs=1)  ⇒  needs its own of y
fit(m, X[:3], y, loss="mse", optimizer=of(m), epochs=1)  ⇒  needs its own of y
fit(m, X, None, loss="mse", optimizer=of(m), epochs=1)  ⇒  must be an array with rows, not None
fit(m, frame, y, loss="mse", optimizer=of(m), epochs=1)  ⇒  must hold real numbers, and its column
fit(m, X * np.nan, y, loss="mse", optimizer=of(m), epochs=1)  ⇒  must be finite, and X[0, 0] is nan
fit(m, [], [], loss="mse", optimizer=of(m), epochs=1)  ⇒  must have rows, and it has shape (0,)
fit(clf, X, names, loss="cross_entropy", optimizer=of(clf), epochs=1)  ⇒  must hold real numbers
fit(clf, X, y, loss="cross_entropy", optimizer=of(clf), epochs=1)  ⇒  use labels[:, 0]
fit(clf, X, labels + 1, loss="cross_entropy", optimizer=of(clf), epochs=1)  ⇒  must be 0 to 1, and
fit(clf, X, np.eye(2)[labels], loss="cross_entropy", optimizer=of(clf), epochs=1)  ⇒  use
fit(lambda x: x, X, y, loss="mse", optimizer=of(m), epochs=1)  ⇒  must be a Module, such as nn.MLP
fit(bp.nn.MLP, X, y, loss="mse", optimizer=of(m), epochs=1)  ⇒  must be a Module, such as nn.MLP
history()["accuracy"]  ⇒  unknown column 'accuracy': known are loss
history()["los"]  ⇒  did you mean 'loss'? known are loss
history()["val_loss"]  ⇒  unknown column 'validation loss': known are loss
history().history  ⇒  write history itself: history["loss"] is a
history().accuracy  ⇒  write history["accuracy"]
history().plot("h.jpg")  ⇒  must end in one of .png, .svg, .pdf
history()[0]  ⇒  unknown column 0: known are loss
bp.train.predict(X, m)  ⇒  must be a Module, such as nn.MLP
bp.train.predict(m, X[0])  ⇒  of X of shape (3,) the model must make a
bp.train.predict(m, "a")  ⇒  must hold real numbers, not <U1
bp.train.evaluate(m, X, y)  ⇒  write bp.train.predict(model, X), and
bp.data.train_test_split(X, y, test_size=1.5)  ⇒  test_size=1.5 of 20 rows must leave rows
bp.data.train_test_split(X, y, test_size=0)  ⇒  test_size=0 of 20 rows must leave rows on
bp.data.train_test_split(X, y, random_state=0)  ⇒  write seed=
bp.data.train_test_split(X, y, stratify=True)  ⇒  must have one label for each of 20 rows
bp.data.batches(X, y, 0)  ⇒  must be at least 1, not 0
next(bp.data.batches(X[:3], y, 2))  ⇒  needs its own of y
bp.data.moon(100)  ⇒  has no 'moon'
bp.data.moons("100")  ⇒  must be an integer, not '100'
bp.data.Standardize(X)(X[:, :2])  ⇒  these rows were scaled to shape (3,) each
bp.data.StandardScaler()  ⇒  write bp.data.Standardize(X_train)
bp.data.one_hot([0.5])  ⇒  must be integers, not float64
bp.data.one_hot(["a"])  ⇒  must be integers, not <U1
bp.plot.decision_boundary(m, X, y)  ⇒  must have shape (n, 2) to be drawn, not
bp.plot.regression_fit(m, X, y)  ⇒  must have shape (n,) or (n, 1), not (20
bp.plot.loss_curves([1, 2])  ⇒  what is drawn is a History, as fit gives
bp.plot.weights(np.tanh)  ⇒  must hold finite numbers, not object of
bp.plots  ⇒  write bp.plot
bp.estimators.MLPClassifier(epochs=10)  ⇒  write max_iter=
bp.estimators.MLPClassifier(hidden_layer_sizes="big").fit(X, labels)  ⇒  must be an integer, not 'b'
bp.estimators.MLPClassifier(activation="rely").fit(X, labels)  ⇒  did you mean 'relu'? known are
bp.estimators.MLPClassifier(solver="rmsprop").fit(X, labels)  ⇒  unknown solver 'rmsprop': known are
bp.estimators.MLPClassifier().predict(X)  ⇒  This MLPClassifier instance is not fitted
bp.vmap(np.sin)  ⇒  write a batch: functions of NumPy take
with bp.no_grad(): (t * t).sum().backward()  ⇒  a Tensor of shape () does not depend on a
with bp.no_grad: pass  ⇒  write with bp.no_grad()
with bp.detect_nan: pass  ⇒  write with bp.detect_nan()
bp.no_grad(lambda x: x)  ⇒  write @bp.no_grad()
bp.grad(lambda x: x.item() * 2)(1.0)  ⇒  use t itself, or t.detach().item() for a
bp.grad(lambda x: sum(x.tolist()))(np.ones(2))  ⇒  use t itself, or t.detach().tolist() for a
bp.grad(lambda x: x.numpy().sum())(np.ones(2))  ⇒  use t itself, or t.detach().numpy() for a
bp.gradients(t.sum(), [t.data])  ⇒  a Tensor is differentiated by Tensors, and this is a ReadOnly
bp.functional.mse_loss(t)  ⇒  mse_loss of a Tensor needs targets=, which is left out
bp.jit(np.sin)  ⇒  write bp.compile(f), or bp.compile_step(
learn(schedule=bp.schedules.constant(0.1))  ⇒  write lr=bp.schedules.cosine(0.01, steps) where
learn(lr=0.1)  ⇒  write optimizer=bp.optim.Adam(model.parameters()
learn(learning_rate=0.1)  ⇒  write optimizer=bp.optim.Adam(model.parameters()
learn(monitor="val_accuracy", patience=2)  ⇒  give metrics=['accuracy'] and validation= too
learn(monitor="val_loss", patience=2)  ⇒  give validation= too
fit(m, X, y)  ⇒  fit needs loss, optimizer, epochs: fit(model, X, y, loss=...,
of(m, bp.schedules.cosine)  ⇒  call it, lr=bp.schedules.cosine(lr, steps)
of(m, lambda: 0.1)  ⇒  a schedule is a function of one argument, the number
bp.nn.load("model.npz")  ⇒  load needs path: load(target, path)
bp.nn.save(m)  ⇒  save needs path: save(state, path)
step(Written)  ⇒  make a new one, as in return data - lr * gradient
step(Forgotten)  ⇒  Forgotten.move must return the parameter's new array, not None
step(Summed)  ⇒  Summed.move gave float64 of shape () for a parameter that is float64
step(Unprepared)  ⇒  write memory.get('v', 0.0)
step(Unstarted)  ⇒  Unstarted.__init__ must call super().__init__(parameters, lr)
step(Unnamed).state_dict()  ⇒  write memory_names = ('v',) in the class
bp.compile_step(m, bp.functional.mse_loss, Forgotten(m.parameters()))(X, y)  ⇒  must return the
bp.Tensor([1.0, 2.0], True)  ⇒  Tensor takes data, and the rest by name: requires_grad=
bp.Tensor([1.0, 2.0], require_grad=True)  ⇒  Tensor has no require_grad=: write requires_grad=
bp.Tensor([[1.0, 2.0], [3.0]])  ⇒  a Tensor holds rows of one length, not [[1.0, 2.0], [3.0]]
bp.softplus(t)  ⇒  write bp.functional.softplus
bp.ReLU()  ⇒  write bp.functional.relu, the function
bp.Optimizer(m.parameters())  ⇒  write bp.optim.Optimizer
bp.random.seed(0)  ⇒  write np.random.default_rng(seed)
bp.set_seed(0)  ⇒  write seed=0 where it is asked for
bp.make_dot(t)  ⇒  write bp.draw(z)
bp.derivative(np.sin)  ⇒  write bp.grad(f), or bp.elementwise_grad(f)
bp.functional.MSELoss()(t, t)  ⇒  write bp.functional.mse_loss(outputs, y)
bp.functional.accuracy(t, t)  ⇒  write bp.train.metrics.accuracy(outputs, y)
bp.functional.cross_entropy(clf(X), labels, ignore_index=-1)  ⇒  cross_entropy has no ignore_index=
bp.optim.Adagrad(m.parameters())  ⇒  write bp.optim.Adam(model.parameters())
bp.optim.clip_grad_norm_(m.parameters(), 1.0)  ⇒  write max_norm= where the optimizer is made
bp.optim.SGD([{"params": m.parameters()}], lr=0.1)  ⇒  make an optimizer for each
bp.optim.SGD(m.state_dict(), lr=0.1)  ⇒  of a model model.parameters()
of(m).get_lr()  ⇒  write optimizer.step_size
bp.schedules.cosine(0.1, T_max=10)  ⇒  cosine has no T_max=: write steps=
bp.schedules.exponential(0.1, gamma=0.9)  ⇒  exponential has no gamma=: write factor=
bp.schedules.linear(0.1, 10)  ⇒  write any function of the step
bp.nn.MLP([3, 4, 1], ["relu", "tanh"])  ⇒  all hidden layers have one activation
bp.nn.MLP({3, 4, 1})  ⇒  a set has no order: write MLP([3, 8, 2])
bp.nn.MLP([3, 4, 1], batch_norm=True)  ⇒  MLP has no batch_norm=: write normalization=
bp.nn.MLP([3, 4, 1], final_activation="sigmoid")  ⇒  write output_activation=
bp.nn.Sequential(layers=[bp.nn.Linear(3, 2)])  ⇒  Sequential has no layers=: it takes no keywords
m.backward()  ⇒  write loss.backward(), of a loss
m.clone()  ⇒  write copy.deepcopy(model)
m.count_params()  ⇒  write bp.nn.summary(model, input_shape)
m.freeze()  ⇒  write p.requires_grad = False for p in
m.score(X, y)  ⇒  write a metric of bp.train.predict(
m.predict_proba(X)  ⇒  write bp.functional.softmax(bp.train.predict(
learn(device="cuda")  ⇒  write nothing: a model works where its arrays live
learn(test_size=0.2)  ⇒  fit has no test_size=: write validation=
learn(mode="min")  ⇒  write nothing: whether it is to grow is
learn(grad_clip=1.0)  ⇒  write max_norm= where the optimizer is
learn(save_best=True)  ⇒  write callbacks=[lambda model, history: bp.nn.save(
bp.train.EarlyStopping(patience=3)  ⇒  write patience= of bp.train.fit
history().best_epoch  ⇒  write history["loss"].argmin()
history().to_pandas()  ⇒  write pandas.DataFrame(history.rows)
bp.data.to_categorical(labels)  ⇒  write bp.data.one_hot(labels)
bp.data.read_csv("a.csv")  ⇒  write pandas.read_csv(path), or np.genfromtxt
bp.data.one_hot(labels, num_classes=2)  ⇒  one_hot has no num_classes=: write classes=
bp.data.Standardize(X)(X[0])  ⇒  one row alone is X[np.newaxis]
bp.plot.confusion_matrix(labels, labels)  ⇒  write sklearn.metrics.ConfusionMatrixDisplay
bp.plot.loss(history())  ⇒  write bp.plot.loss_curves(history)
t.reshape()  ⇒  t.reshape needs a shape: t.reshape(2, -1)
bp.grad(np.sin, 1.0)  ⇒  where is told afterwards, grad(f)(x)
bp.grad(np.sin)(None)  ⇒  cannot differentiate by an argument that is None
bp.grad(np.sin, wrt=0)  ⇒  grad has no wrt=: write argnums=
bp.gradcheck(t)  ⇒  functions are differentiated here, not a Tensor
bp.gradients(3.0, [t])  ⇒  a Tensor is differentiated by Tensors, and this is a float
bp.primitive(3)  ⇒  a function is made recordable, and 3 is none
ruled(lambda g, out, x: 2)(t).sum().backward()  ⇒  a derivative of a rule gave 2: it gives g times
ruled(lambda g, out, x: None)(t).sum().backward()  ⇒  a derivative of a rule gave None
ruled(lambda g, out, x: np.ones(4))(t).sum().backward()  ⇒  a derivative of a rule gave shape (4,)
ruled(lambda g, out, x: g, lambda x, y: x * y)(t, t)  ⇒  with y= has no derivative rule
ruled(lambda g, out, x, y: g * y, lambda x, y: x * y)(t, t)  ⇒  has no derivative by y=
bp.rule(lambda x: x, lambda g, out, x: g)  ⇒  write @bp.primitive above its def
bp.Tensor(t * 2)  ⇒  use t.detach()
t.data = np.ones(4)  ⇒  a Tensor of shape (3,) cannot take data of
(t * 2).data = np.ones(3)  ⇒  a Tensor of shape (3,) was computed; only
copy.deepcopy(t * 2)  ⇒  use t.data
t.to_numpy()  ⇒  write t.numpy()
t.detach().backward()  ⇒  a Tensor of shape (3,) does not depend on
bp.gradients(t, t)  ⇒  differentiate by a list of Tensors
bp.nn.Linear(3)  ⇒  Linear needs out_features: Linear(3, out_features)
bp.nn.Linear(3, 2, activation="relu")  ⇒  write bp.nn.Sequential(layer, bp.functional.relu)
bp.nn.MLP([3, 4, 1], loss="mse")  ⇒  write bp.train.fit(model, X, y
bp.nn.summary(m)  ⇒  summary needs input_shape: summary(model, input_shape)
bp.nn.summary(3, 3)  ⇒  needs a Module, not an int
bp.nn.save({"model": m, "optimizer": of(m)}, "both.npz")  ⇒  'model' holds an MLP: save
bp.nn.save({"model": m.state_dict()}, "nested.npz")  ⇒  holds a dict: save it in a file of its
m.trainable = False  ⇒  write p.requires_grad = False for p in model.parameters()
m.requires_grad = False  ⇒  write p.requires_grad = False for p in model.parameters()
bp.nn.Module()(X)  ⇒  Module has to define forward(self, x)
bp.optim.Adam(m)  ⇒  such as model.parameters(), not an MLP
bp.optim.Optimizer([t]).move(1, 2, {}, 0.1)  ⇒  has to define move(self, data, gradient, memory, lr)
type("O", (bp.optim.Optimizer,), {"move": lambda self, p: p})  ⇒  and this one takes (self, p)
fit(m, X, y, loss=lambda out: out.sum(), optimizer=of(m), epochs=1)  ⇒  called with (outputs, t
fit(m, X, y, loss=lambda o, t: None, optimizer=of(m), epochs=1)  ⇒  not None: return it
fit(m, X, y, loss=lambda o, t: np.mean(o.data - t), optimizer=of(m), epochs=1)  ⇒  without .data
fit(m, X, y, loss=lambda o, t: o - t, optimizer=of(m), epochs=1)  ⇒  reduce it, for instance by
learn(metrics=[lambda o: 1.0])  ⇒  is called with (outputs, targets), and this one takes (o)
learn(callbacks=[lambda history: None])  ⇒  a callback is called with (model, history)
bp.jvp(np.sin, 1.0)  ⇒  jvp needs tangents: jvp(f, primals, tangents)
bp.hvp(np.sum, np.ones(2))  ⇒  hvp needs tangents: hvp(f, primals, tangents)
bp.vjp(np.sin)  ⇒  vjp needs what the function takes: out, pullback = vjp(f, x)
bp.grad(lambda x: x)(x=1.0)  ⇒  write grad(f)(x), not grad(f)(x=x)
bp.compile(np.sin, backend="numba")  ⇒  write bp.compile_step(model, loss, optimizer, backend=...)
bp.compile(3)  ⇒  compile takes a function, not an int
bp.compile_step(m, bp.functional.mse_loss, of(m), "numba")  ⇒  and the rest by name: backend=
bp.draw(lambda x: x * 2)  ⇒  a function is drawn at work: give it numbers, as in draw(f, 2.0)
bp.draw(np.sin)  ⇒  a function is drawn at work: give it numbers, as in draw(f, 2.0)
bp.draw("z.svg", t)  ⇒  write draw(z, "z.svg"), or draw([y, z]) of several Tensors
t.draw()  ⇒  write bp.draw(t)
bp.plot.decision_boundary(X, labels, m)  ⇒  the model must be a Module or a function, not array
bp.plot.decision_boundary(m, X, labels, "a.png")  ⇒  and the rest by name: path=
bp.plot.decision_boundary(m, X, labels, title="Moons")  ⇒  write figure.axes[0].set_title(text)
bp.plot.loss_curves(history(), theme="black")  ⇒  unknown theme 'black'
bp.paths(t, 3)  ⇒  paths lead to a Tensor of the graph, not to 3
"""
TABLE = [line.split("  ⇒  ") for line in MISTAKES.strip().splitlines()]


@pytest.mark.parametrize(("code", "words"), TABLE, ids=[code for code, _ in TABLE])
def test_a_mistake_is_answered_in_one_clear_line(code, words):
    scope = names()
    for word, package in NEEDS.items():
        if re.search(rf"\b{word}\b", code):
            pytest.importorskip(package)
    if "plt" in code:
        from matplotlib import pyplot

        scope["plt"] = pyplot
    if "frame" in code:
        from pandas import DataFrame

        scope["frame"] = DataFrame(scope["X"], columns=["a", "b", "c"]).assign(b="x")
    warnings.simplefilter("ignore")  # until the test ends
    with pytest.raises(Exception, match=re.escape(words)) as raised:
        exec(code, scope)
    if "plt" in scope:
        scope["plt"].close("all")
    assert "\n" not in str(raised.value)


WARNINGS = """
x = t - 0.1; x.grad  ⇒  After x = x - lr * x.grad x is no leaf any more: write x.data -= lr * x.grad
bp.grad(lambda x: x.data * 2)(1.0)  ⇒  it used plain numbers, t.data or what
bp.jacobian(lambda x: bp.train.predict(m, x))(X[:2])  ⇒  use t itself, model(t) and a loss
bp.grad(lambda x: (x * x).backward() or x.grad)(3.0)  ⇒  it used plain numbers, t.grad or what
of(m).step()  ⇒  call backward() on a loss
float(t[0])  ⇒  use t.detach().item() for the number
"""
WARNED = [line.split("  ⇒  ") for line in WARNINGS.strip().splitlines()]


@pytest.mark.parametrize(("code", "words"), WARNED, ids=[code for code, _ in WARNED])
def test_what_may_be_meant_is_done_with_a_warning_in_one_clear_line(code, words):
    with pytest.warns(Warning, match=re.escape(words)) as caught:
        exec(code, names())
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)


def test_values_that_are_looked_at_do_no_harm_where_the_result_follows_the_variable():
    """A look at the numbers decides, counts or prints; the warnings would be errors."""

    def f(x):
        sign = 1.0 if x.data.sum() > 0 else -1.0
        return sign * (x * bp.stop_gradient(x)).sum() + len(str(x.detach().item()))

    assert bp.grad(f)(3.0) == 3.0
    assert bp.hessian(lambda x: 2.0 * x)(1.0) == 0.0  # a slope that does not depend on x
    assert bp.grad(lambda x: 3.0)(1.0) == 0.0
    assert bp.hessian(lambda x: 2.0 * x + len(str(x.data)))(1.0) == 0.0
    along = lambda x: bp.jvp(bp.functional.relu, x, 1.0)[1]  # noqa: E731
    assert bp.jvp(along, 2.0, 1.0) == (1.0, 0.0)  # a slope that is constant
    inner = bp.grad(lambda x: x * bp.grad(lambda y: y * x.data)(2.0))
    assert inner(3.0) == 3.0


def test_the_table_is_large_and_without_doubles():
    assert len({code for code, _ in TABLE}) == len(TABLE) > 200
