"""Words of other libraries: each is answered in one line, and each answer is true."""

import copy
import pickle
import re

import numpy as np
import pytest

import tinygrad_bp as bp
from tinygrad_bp.functional.losses import LOSSES
from tinygrad_bp.nn import ACTIVATIONS, INITIALIZATIONS
from tinygrad_bp.support.answers import keyword_advice, nearest
from tinygrad_bp.support.arguments import suggestion
from tinygrad_bp.support.meanings import ELSEWHERE, KEYWORDS, NAMES
from tinygrad_bp.support.words import ATTRIBUTES
from tinygrad_bp.train.metrics import METRICS

PACKAGES = ("data", "functional", "nn", "optim", "plot", "schedules", "train")


def owners():
    model = bp.nn.MLP([2, 3, 1], seed=0)
    history = bp.train.History()
    history.append({"loss": 1.0, "learning rate": 0.1})
    return {
        "Tensor": bp.Tensor([1.0, 2.0], requires_grad=True),
        "Module": model,
        "Optimizer": bp.optim.Adam(model.parameters()),
        "History": history,
        "Standardize": bp.data.Standardize(np.eye(2)),
        "bp": bp,
        **{f"bp.{name}": getattr(bp, name) for name in PACKAGES},
    }


TAKEN = (
    "axis callbacks dtype epochs init jac keep_grads keepdims loss lr max_norm optimizer path "
    "patience requires_grad return_inverse seed weight_decay"
)
ALL = [(kind, name) for kind, table in ATTRIBUTES.items() for name in table]
IDS = [f"{kind}.{name}" for kind, name in ALL]
STANDING_FOR = {
    "bp": "bp",
    "t": "Tensor",
    "z": "Tensor",
    "model": "Module",
    "optimizer": "Optimizer",
    "history": "History",
}


def test_the_table_is_large_and_in_order():
    assert ATTRIBUTES.keys() == owners().keys()
    assert len(ALL) > 150
    for table in (*ATTRIBUTES.values(), KEYWORDS, NAMES):
        assert list(table) == sorted(table)


@pytest.mark.parametrize(("kind", "name"), ALL, ids=IDS)
def test_a_name_of_another_library_is_answered_in_one_line(kind, name):
    owner = owners()[kind]
    assert not hasattr(owner, name)
    with pytest.raises(AttributeError) as raised:
        getattr(owner, name)
    said = str(raised.value)
    assert said.endswith(f" has no {name!r}: write {ATTRIBUTES[kind][name]}")
    assert "\n" not in said
    assert len(said) < 120
    assert (raised.value.name, raised.value.obj) == (name, owner)


@pytest.mark.parametrize(("kind", "name"), ALL, ids=IDS)
def test_what_an_answer_names_is_there(kind, name):
    answer, there = ATTRIBUTES[kind][name], owners()
    for root, path in re.findall(r"\b(bp|np|t|z|model|optimizer|history)((?:\.\w+)+)", answer):
        if (root, path) == ("model", ".name"):  # a name of the user's own
            continue
        thing = np if root == "np" else there[STANDING_FOR[root]]
        for part in path[1:].split("."):
            thing = getattr(thing, part)
    for keyword in re.findall(r"(\w+)=(?!=)", answer):
        assert keyword in TAKEN.split()


@pytest.mark.parametrize(
    ("kind", "name", "answer"),
    [
        ("Tensor", "strides", "t.data.strides"),
        ("Tensor", "tobytes", "t.data.tobytes"),
        ("Tensor", "sin", "np.sin(t)"),
        ("Tensor", "stack", "np.stack(t)"),
        ("bp", "zeros", "np.zeros"),
        ("bp", "exp", "np.exp"),
        ("bp", "softplus", "bp.functional.softplus"),
        ("bp", "ReLU", ATTRIBUTES["bp.nn"]["ReLU"]),
        ("bp.nn", "mse_loss", "bp.functional.mse_loss"),
        ("bp.optim", "cosine", "bp.schedules.cosine"),
        ("bp.functional", "Linear", "bp.nn.Linear"),
        ("bp.train", "MLP", "bp.nn.MLP"),
    ],
)
def test_what_numpy_or_another_package_has(kind, name, answer):
    said = f": write {re.escape(answer)}$" if answer else "$"
    with pytest.raises(AttributeError, match=f"^{kind} has no '{name}'{said}"):
        getattr(owners()[kind], name)


def test_protocols_that_are_not_followed_are_still_not_there():
    for owner in owners().values():
        assert not hasattr(owner, "__dlpack__")
        assert not hasattr(owner, "_no_such_thing")
    model = owners()["Module"]
    for same in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), copy.copy(model)):
        assert np.array_equal(same(np.ones(2)).data, model(np.ones(2)).data)


def test_a_class_of_ones_own_is_called_by_its_name():
    class Line(bp.nn.Module):
        def __init__(self, slope, *, steep=False):
            self.slope = slope

    assert Line(2.0, steep=True).slope == 2.0
    with pytest.raises(AttributeError, match=r"^Line has no 'predict': write bp.train.predict"):
        _ = Line(1.0).predict
    with pytest.raises(TypeError, match=r"^Line has no steap=: did you mean steep=\?$"):
        Line(1.0, steap=True)
    with pytest.raises(TypeError, match=r"^Line has no wide=: it takes slope, steep$"):
        Line(1.0, wide=True)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'slope'"):
        Line()

    class Open(bp.nn.Module):
        def __init__(self, **options):
            self.options = options

    assert Open(verbose=1).options == {"verbose": 1}


def test_the_error_within_a_property_is_not_hidden():
    class Line(bp.nn.Module):
        @property
        def slope(self):
            return self.layrs[0]

    with pytest.raises(AttributeError, match=r"^Line has no 'layrs'$"):
        _ = Line().slope


model = bp.nn.MLP([2, 1], seed=0)
X, y = np.ones((4, 2)), np.ones((4, 1))


def fit(**keywords):
    optimizer = bp.optim.SGD(model.parameters(), lr=0.1)
    return bp.train.fit(model, X, y, optimizer=optimizer, **keywords)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fit(loss="mse", epochs=1, verbose=0), "fit has no verbose=: write progress="),
        (lambda: fit(loss="mse", epochs=1, validation_data=(X, y)), "write validation="),
        (lambda: fit(criterion="mse", epochs=1), "fit has no criterion=: write loss="),
        (lambda: fit(loss="mse", n_epochs=1), "fit has no n_epochs=: write epochs="),
        (lambda: fit(loss="mse", epochs=1, random_state=0), "write seed="),
        (lambda: fit(loss="mse", epochs=1, batch_sise=2), "did you mean batch_size="),
        (
            lambda: bp.optim.SGD(model.parameters(), learning_rate=0.1),
            "SGD has no learning_rate=: write lr=",
        ),
        (lambda: bp.optim.AdamW(params=model.parameters()), "AdamW has no params=: write param"),
        (lambda: bp.nn.Linear(2, units=1), "Linear has no units=: write outputs="),
        (lambda: bp.nn.MLP([2, 1], random_state=0), "MLP has no random_state=: write seed="),
        (lambda: bp.nn.MLP(3, [4, 4, 1]), "all sizes go into one list: write MLP([3, 4, 4, 1])"),
        (lambda: bp.draw(model), "a model is drawn at work: give it rows, as in draw(model, X)"),
        (lambda: bp.data.moons(noise=0.1, random_state=0), "moons has no random_state=: write se"),
        (lambda: bp.grad(np.sum, argnum=0), "grad has no argnum=: write argnums="),
        (
            lambda: bp.hessian(np.sum, has_axu=True),
            "has no has_axu=: did you mean has_aux=",
        ),
        (lambda: bp.Tensor(X).sum(dim=0), "np.sum has no dim=: write axis="),
        (lambda: bp.Tensor(X).mean(0, keepdim=True), ": write keepdims="),
        (lambda: bp.functional.softmax(bp.Tensor(X), dim=0), ": write axis="),
    ],
)
def test_a_keyword_of_another_library_names_the_one_here(call, said):
    with pytest.raises(TypeError, match=re.escape(said)) as raised:
        call()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_an_estimator_is_called_by_its_own_name(kind):
    pytest.importorskip("sklearn")
    message = f"^{kind} has no epochs=: write max_iter=$"
    with pytest.raises(TypeError, match=message):
        getattr(bp.estimators, kind)(epochs=3)


def test_every_keyword_of_the_table_is_answered():
    for keyword, meanings in KEYWORDS.items():
        for meaning in meanings:
            scope = {"keyword_advice": keyword_advice}
            exec(f"@keyword_advice\ndef f(other, {meaning}): pass", scope)
            with pytest.raises(TypeError, match=f"^f has no {keyword}=: write {meaning}=$"):
                scope["f"](**{keyword: 1})


def test_what_is_said_elsewhere_names_the_place():
    homes = {
        "compile": lambda **keywords: bp.compile(np.sum, **keywords),
        "decision_boundary": lambda **keywords: bp.plot.decision_boundary(model, X, y, **keywords),
        "fit": lambda **keywords: fit(loss="mse", epochs=1, **keywords),
        "Linear": lambda **keywords: bp.nn.Linear(2, 1, **keywords),
        "MLP": lambda **keywords: bp.nn.MLP([2, 1], **keywords),
    }
    pytest.importorskip("matplotlib")
    for (keyword, name), answer in ELSEWHERE.items():
        told = re.escape(f"{name} has no {keyword}=: write {answer}")
        with pytest.raises(TypeError, match=told):
            homes[name](**{keyword: 1})
        for path in re.findall(r"bp\.[\w.]+(?=\()", answer):
            assert callable(eval(path))


def test_what_is_given_by_its_place_and_has_a_name_only():
    message = "^fit takes model, X, y in this order, and the rest by name: loss=, optimizer=, "
    with pytest.raises(TypeError, match=message):
        bp.train.fit(model, X, y, "mse")


def test_a_keyword_of_the_table_that_is_known_is_taken():
    @keyword_advice
    def f(dim, axis=0):
        return dim

    assert f(dim=3) == 3
    assert f(4) == 4


def test_an_error_from_within_is_the_functions_own_and_it_is_called_once():
    calls = []

    @keyword_advice
    def f(a, *, b=0):
        calls.append(a)
        return len(a, b)

    with pytest.raises(TypeError, match=r"^len\(\) takes exactly one argument"):
        f([])
    with pytest.raises(TypeError, match="got multiple values for argument 'a'"):
        f(1, a=2)
    assert calls == [[]]


KNOWN = {**LOSSES, **METRICS, **ACTIVATIONS, **INITIALIZATIONS}


@pytest.mark.parametrize("name", NAMES)
def test_did_you_mean_knows_the_names_of_other_libraries(name):
    for meaning in NAMES[name]:
        assert meaning in KNOWN
        assert suggestion(name, [meaning, "other"]).startswith(f"did you mean {meaning!r}? ")
        assert suggestion(name.upper(), [meaning]).startswith(f"did you mean {meaning!r}? ")


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (lambda: fit(loss="mse", epochs=1, metrics=["acuracy"]), "accuracy"),
        (lambda: fit(loss="cross_entrpy", epochs=1), "cross_entropy"),
        (lambda: bp.nn.MLP([2, 1], activation="logistic"), "sigmoid"),
    ],
)
def test_where_such_names_are_given(call, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'"):
        call()


def test_another_function_is_not_taken_for_a_misspelling():
    assert nearest("gelu", ["relu", "tanh"]) is None
    assert nearest("rleu", ["relu", "tanh"]) == "relu"
    assert suggestion("gelu", ["relu"]) == "known are relu"
