"""Words of other libraries, and what is written here in their place: one table, for errors alone.

PyTorch's, Keras's, micrograd's, autograd's and JAX's names for what has another name here.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

_IN_PLACE = "a recorded array never changes: t = t {0} x makes another; t.data = new updates a leaf"

ATTRIBUTES: dict[str, dict[str, str]] = {
    "Tensor": {
        "add_": _IN_PLACE.format("+"),
        "argwhere": "np.argwhere(t)",
        "bmm": "t @ other",
        "cat": "np.concatenate([t, other])",
        "chunk": "np.split(t, parts)",
        "clamp": "t.clip(low, high)",
        "clone": "t.copy()",
        "contiguous": "t itself: it always is",
        "cpu": "t itself: it is there already",
        "cuda": "bp.Tensor(cupy_array): a Tensor works where its array lives",
        "detach_": "t.detach()",
        "dim": "t.ndim",
        "div": "t / other",
        "double": "t.astype(np.float64)",
        "expand": "np.broadcast_to(t, shape)",
        "float": "t.astype(np.float32)",
        "gather": "np.take_along_axis(t, indices, axis)",
        "grad_fn": "t.rule, the function that made it; t.inputs are what it was made of",
        "half": "t.astype(np.float16)",
        "index_select": "np.take(t, indices, axis)",
        "log_softmax": "bp.functional.log_softmax(t)",
        "logsumexp": "bp.functional.logsumexp(t)",
        "long": "t.astype(int)",
        "masked_fill": "np.where(mask, value, t)",
        "mm": "t @ other",
        "mul": "t * other",
        "mul_": _IN_PLACE.format("*"),
        "neg": "-t",
        "norm": "np.linalg.norm(t)",
        "numel": "t.size",
        "permute": "t.transpose(axes)",
        "pow": "t ** n",
        "requires_grad_": "t.requires_grad = True",
        "retain_grad": "z.backward(keep_grads=True)",
        "retain_graph": "nothing: the graph is kept, and z.backward() may be called again",
        "softmax": "bp.functional.softmax(t)",
        "softplus": "bp.functional.softplus(t)",
        "sub": "t - other",
        "sub_": _IN_PLACE.format("-"),
        "t": "t.T",
        "to": "t.astype(dtype)",
        "topk": "np.sort(t)[-k:]",
        "type": "t.astype(dtype)",
        "unsqueeze": "np.expand_dims(t, axis), or t[:, np.newaxis]",
        "value": "t.data, or t.item() for a number",
        "values": "t.data",
        "view": "t.reshape(shape)",
        "view_as": "t.reshape(other.shape)",
        "zero_": "np.zeros_like(t), or t.zero_grad() for its gradient",
    },
    "Module": {
        "add": "bp.nn.Sequential(first, second): all the layers at once",
        "add_module": "model.name = part: attributes are found by themselves",
        "children": "model.named_modules()",
        "compile": "bp.train.fit(model, X, y, loss=..., optimizer=..., epochs=...)",
        "cpu": "model itself: it is there already",
        "cuda": "model itself: it works where its arrays live",
        "evaluate": "bp.train.predict(model, X), and compare with y",
        "fit": "bp.train.fit(model, X, y, loss=..., optimizer=..., epochs=...)",
        "get_weights": "model.state_dict()",
        "load": "bp.nn.load(model, path)",
        "load_weights": "bp.nn.load(model, path)",
        "modules": "model.named_modules()",
        "named_children": "model.named_modules()",
        "predict": "bp.train.predict(model, X)",
        "register_buffer": "model.name = bp.Tensor(values): without grad, it is a buffer",
        "register_parameter": "model.name = bp.Tensor(values, requires_grad=True)",
        "requires_grad_": "p.requires_grad = False for p in model.parameters()",
        "save": "bp.nn.save(model, path)",
        "save_weights": "bp.nn.save(model, path)",
        "set_weights": "model.load_state_dict(state)",
        "summary": "bp.nn.summary(model, input_shape)",
        "to": "dtype= where the layers are made",
        "trainable_weights": "model.parameters()",
        "weights": "model.parameters()",
    },
    "Optimizer": {
        "add_param_group": "another optimizer for the other parameters",
        "apply_gradients": "optimizer.step()",
        "learning_rate": "optimizer.lr",
        "minimize": "loss.backward(), then optimizer.step()",
        "param_groups": "optimizer.parameters and optimizer.lr",
        "params": "optimizer.parameters",
        "update": "optimizer.step()",
        "zero_grads": "optimizer.zero_grad()",
    },
    "History": {
        "accuracy": 'history["accuracy"]',
        "columns": "history.names",
        "epoch": "range(len(history))",
        "history": 'history itself: history["loss"] is a column, history.names are all',
        "items": "history.names, and history[name]",
        "keys": "history.names",
        "lr": "history.learning_rate",
        "save": "history.to_csv(path)",
        "val_accuracy": 'history["validation accuracy"]',
        "val_loss": 'history["validation loss"]',
    },
    "bp.nn": {
        "BCELoss": "bp.functional.binary_cross_entropy_with_logits(outputs, y), of logits",
        "BCEWithLogitsLoss": "bp.functional.binary_cross_entropy_with_logits(outputs, y)",
        "BatchNorm1d": "bp.nn.BatchNorm(features)",
        "BatchNormalization": "bp.nn.BatchNorm(features)",
        "CrossEntropyLoss": "bp.functional.cross_entropy(outputs, y)",
        "Dense": "bp.nn.Linear(inputs, outputs)",
        "Flatten": "lambda x: x.reshape(len(x), -1)",
        "Identity": "np.positive",
        "Input": "nothing: bp.nn.Linear(inputs, outputs) says how many inputs there are",
        "Layer": "bp.nn.Linear(inputs, outputs)",
        "LayerNormalization": "bp.nn.LayerNorm(features)",
        "LogSoftmax": "bp.functional.log_softmax, the function, among layers",
        "MSELoss": "bp.functional.mse_loss(outputs, y)",
        "ModuleDict": "a dictionary: Modules in one are found by themselves",
        "ModuleList": "a list: Modules in one are found by themselves",
        "Neuron": "bp.nn.Linear(inputs, 1)",
        "Parameter": "bp.Tensor(values, requires_grad=True)",
        "ParameterList": "a list: Tensors in one are found by themselves",
        "ReLU": 'bp.functional.relu, the function, among layers; or bp.nn.MLP(sizes, "relu")',
        "Sigmoid": "bp.functional.sigmoid, the function, among layers",
        "Softmax": "bp.functional.softmax, the function, among layers; the losses take logits",
        "Softplus": "bp.functional.softplus, the function, among layers",
        "Tanh": 'np.tanh, the function, among layers; or bp.nn.MLP(sizes, "tanh")',
        "functional": "bp.functional",
        "init": 'init="he", or another of bp.nn.INITIALIZATIONS, where a layer is made',
        "relu": "bp.functional.relu",
        "sigmoid": "bp.functional.sigmoid",
        "softmax": "bp.functional.softmax",
        "tanh": "np.tanh",
    },
    "bp.optim": {
        "RMSprop": "bp.optim.Adam(model.parameters())",
        "adam": "bp.optim.Adam(model.parameters())",
        "adamw": "bp.optim.AdamW(model.parameters())",
        "lr_scheduler": "bp.schedules: lr=bp.schedules.cosine(...) where the optimizer is made",
        "sgd": "bp.optim.SGD(model.parameters(), lr=0.1)",
    },
    "bp.train": {
        "evaluate": "bp.train.predict(model, X), and compare with y",
        "train": "bp.train.fit(model, X, y, loss=..., optimizer=..., epochs=...)",
    },
    "bp.functional": {
        "bce": "bp.functional.binary_cross_entropy_with_logits(outputs, y)",
        "binary_cross_entropy": "bp.functional.binary_cross_entropy_with_logits(outputs, y)",
        "mse": "bp.functional.mse_loss(outputs, y)",
        "nll_loss": "bp.functional.cross_entropy(outputs, y), of logits",
    },
    "bp": {
        "Adam": "bp.optim.Adam(parameters)",
        "GradientTape": "z.backward(): what requires grad is recorded by itself",
        "Linear": "bp.nn.Linear(inputs, outputs)",
        "MLP": "bp.nn.MLP(sizes)",
        "Module": "bp.nn.Module",
        "SGD": "bp.optim.SGD(parameters, lr=0.1)",
        "Sequential": "bp.nn.Sequential(layers)",
        "Value": "bp.Tensor(2.0, requires_grad=True)",
        "Variable": "bp.Tensor(values, requires_grad=True)",
        "array": "np.array(values), or bp.Tensor(values, requires_grad=True)",
        "backward": "z.backward()",
        "cat": "np.concatenate([t, other])",
        "checkpoint": "nothing: the graph is kept whole",
        "custom_vjp": "bp.primitive and bp.rule",
        "defvjp": "bp.rule(function, lambda g, out, x: ...)",
        "fit": "bp.train.fit(model, X, y, loss=..., optimizer=..., epochs=...)",
        "from_numpy": "bp.Tensor(array)",
        "hessian_vector_product": "bp.hvp(f, x, v)",
        "jacfwd": "bp.jacobian(f)",
        "jacrev": "bp.jacobian(f)",
        "load": "bp.nn.load(model, path)",
        "make_jvp": "bp.jvp(f, x, v)",
        "make_vjp": "bp.vjp(f, x)",
        "manual_seed": "seed=0 where it is asked for: bp.nn.MLP(sizes, seed=0)",
        "numpy": "import numpy as np: NumPy's own functions take Tensors",
        "relu": "bp.functional.relu(t)",
        "save": "bp.nn.save(model, path)",
        "sigmoid": "bp.functional.sigmoid(t)",
        "softmax": "bp.functional.softmax(t)",
        "tensor": "bp.Tensor(values, requires_grad=True)",
        "vmap": "a batch: functions of NumPy take many rows at once",
    },
}

# Keywords, with those that mean the same here, in one function or another.
KEYWORDS: dict[str, tuple[str, ...]] = {
    "beta1": ("betas", "beta_1"),
    "criterion": ("loss",),
    "dim": ("axis",),
    "dims": ("axis",),
    "early_stopping": ("patience",),
    "eps": ("epsilon",),
    "eta": ("lr",),
    "gradient": ("grad",),
    "hidden_layer_sizes": ("sizes",),
    "in_features": ("inputs",),
    "input_dim": ("inputs", "sizes"),
    "keepdim": ("keepdims",),
    "kernel_initializer": ("init",),
    "layers": ("sizes",),
    "learning_rate": ("lr",),
    "loss_fn": ("loss",),
    "max_epochs": ("epochs",),
    "max_grad_norm": ("max_norm",),
    "max_iter": ("epochs",),
    "n_epochs": ("epochs",),
    "num_epochs": ("epochs",),
    "optim": ("optimizer",),
    "out_features": ("outputs",),
    "params": ("parameters",),
    "random_state": ("seed",),
    "rng": ("seed",),
    "step_size": ("lr",),
    "units": ("outputs",),
    "valid": ("validation",),
    "validation_data": ("validation",),
    "verbose": ("progress",),
}

# Names of losses, metrics, activations and initializations, with those that mean the same here.
NAMES: dict[str, tuple[str, ...]] = {
    "acc": ("accuracy",),
    "bce": ("binary_cross_entropy",),
    "bce_with_logits": ("binary_cross_entropy",),
    "binary_accuracy": ("accuracy",),
    "binary_crossentropy": ("binary_cross_entropy",),
    "categorical_accuracy": ("accuracy",),
    "categorical_crossentropy": ("cross_entropy",),
    "ce": ("cross_entropy",),
    "crossentropy": ("cross_entropy",),
    "glorot": ("xavier",),
    "glorot_normal": ("xavier_normal",),
    "glorot_uniform": ("xavier",),
    "kaiming": ("he",),
    "kaiming_normal": ("he",),
    "kaiming_uniform": ("he_uniform",),
    "l2": ("mse",),
    "linear": ("identity",),
    "log_loss": ("cross_entropy",),
    "logistic": ("sigmoid",),
    "mean_absolute_error": ("mae",),
    "mean_squared_error": ("mse",),
    "nll": ("cross_entropy",),
    "none": ("identity",),
    "r2_score": ("r2",),
    "sparse_categorical_accuracy": ("accuracy",),
    "sparse_categorical_crossentropy": ("cross_entropy",),
    "squared_error": ("mse",),
    "xavier_uniform": ("xavier",),
    "zeros": ("zero",),
}

# Functions of SciPy that convert to arrays at once, so that no rule is ever asked for.
SCIPY: dict[str, str] = {
    "log_softmax": "bp.functional.log_softmax(t, axis=None)",
    "logsumexp": "bp.functional.logsumexp(t, axis=None)",
    "polygamma": "the derivatives of scipy.special.digamma",
    "softmax": "bp.functional.softmax(t, axis=None)",
}

# Functions in their own right, which are no misspelling of another that looks like them.
_OTHERS = {"elu", "gelu", "hinge", "leaky_relu", "mish", "prelu", "selu", "silu", "swish"}


def no_attribute(kind: str, name: str, owner: Any, called: str = "") -> AttributeError:
    """The error for a name that is not there: what to write here, if another library has it.

    Where it is only misspelled, Python itself shows what is near in ``owner``.

    Examples
    --------
    >>> print(no_attribute("Tensor", "view", None))
    Tensor has no 'view': write t.reshape(shape)
    >>> print(no_attribute("Module", "layrs", None, "Line"))
    Line has no 'layrs'
    """
    answer = ATTRIBUTES[kind].get(name) or _of_numpy(kind, name)
    said = f"{called or kind} has no {name!r}" + (f": write {answer}" if answer else "")
    return AttributeError(said, name=name, obj=owner)


def _of_numpy(kind: str, name: str) -> str | None:
    """What NumPy has under a name that is looked for in a Tensor, or in the package."""
    if kind == "Tensor" and hasattr(np.ndarray, name):
        return f"t.data.{name}"
    if kind in {"Tensor", "bp"} and callable(vars(np).get(name)):
        return f"np.{name}(t)" if kind == "Tensor" else f"np.{name}"
    return None


def answering(kind: str, package: str) -> Callable[[str], NoReturn]:
    """The ``__getattr__`` of a package, which answers the names that are not there.

    Examples
    --------
    >>> answering("bp.optim", "tinygrad_bp.optim")("sgd")
    Traceback (most recent call last):
        ...
    AttributeError: bp.optim has no 'sgd': write bp.optim.SGD(model.parameters(), lr=0.1)
    """

    def __getattr__(name: str) -> NoReturn:  # noqa: N807  # it is what Python asks for
        raise no_attribute(kind, name, sys.modules.get(package))

    return __getattr__


def instead_of_scipy() -> str | None:
    """What to use in place of the function of SciPy that is running, if one is."""
    frame = inspect.currentframe()
    while frame:
        name = frame.f_code.co_name
        if name in SCIPY and frame.f_globals.get("__name__", "").startswith("scipy."):
            return f"use {SCIPY[name]} in place of scipy.special.{name}"
        frame = frame.f_back
    return None


def nearest(name: str, known: Collection[str], meanings: Mapping[str, Any] = NAMES) -> str | None:
    """What ``name`` means among the known names, or else the one spelled most like it.

    Examples
    --------
    >>> nearest("bce", ["mse", "binary_cross_entropy"]), nearest("rlu", ["relu", "tanh"])
    ('binary_cross_entropy', 'relu')
    >>> nearest("gelu", ["relu", "tanh"])
    """
    small = {word.lower(): word for word in known}
    for meaning in meanings.get(name.lower(), ()):
        if meaning in small:
            return small[meaning]
    if name.lower() in _OTHERS:
        return None
    near = difflib.get_close_matches(name.lower(), small, n=1)
    return small[near[0]] if near else None


def check_keywords(function: Callable[..., Any], keywords: Collection[str], name: str) -> None:
    """Refuse a keyword that a function does not take, with the one that is meant.

    Examples
    --------
    >>> check_keywords(lambda model, epochs, lr: 0, ["learning_rate"], "fit")
    Traceback (most recent call last):
        ...
    TypeError: fit has no learning_rate=: write lr=
    """
    taken = inspect.signature(function).parameters.values()
    known = [p.name for p in taken if p.kind in {p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD}]
    if any(p.kind is p.VAR_KEYWORD for p in taken):
        return
    for keyword in keywords:
        if keyword not in known:
            known = [word for word in known if word != "self"]
            raise TypeError(f"{name} has no {keyword}=: {_instead(keyword, known)}")


def _instead(keyword: str, known: Collection[str]) -> str:
    near = nearest(keyword, known, KEYWORDS)
    if near and near in KEYWORDS.get(keyword, ()):
        return f"write {near}="
    return f"did you mean {near}=?" if near else f"it takes {', '.join(known)}"


def told_keywords(function: F) -> F:
    """Decorate a function, whose errors then say which keyword is meant.

    Examples
    --------
    >>> @told_keywords
    ... def fit(model, validation=None):
    ...     pass
    >>> fit(None, validation_data=1)
    Traceback (most recent call last):
        ...
    TypeError: fit has no validation_data=: write validation=
    """

    @functools.wraps(function)
    def called(*inputs: Any, **keywords: Any) -> Any:
        if keywords:
            check_keywords(function, keywords, function.__name__)
        return function(*inputs, **keywords)

    return called  # type: ignore[return-value]  # of the same arguments
