"""Formulas are true: the text that pictures print, read as mathematics, gives what code gives.

A derivative is stated twice, as code that is right to the last digit, and as text for a reader.
"""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from tinygrad_bp.engine.registry import RULES
from tinygrad_bp.engine.signatures import full_name

from .catalogue import SAMPLES_OF
from .catalogue.sample import _walk

FROM_NUMPY = "cos sin cosh sinh exp log sign floor trunc"
FROM_SCIPY = "expit digamma i0 i1 iv j0 j1 jv"
TOKEN = re.compile(r"\d+|⁻¹|⁻ᵀ|[²ⁿᵀ√π]|[A-Za-z_]+\d?|[-+*/×@^(),<>=]|\s+")


def functions():
    """What a formula may name, by name; those of rules of SciPy's where it is installed."""
    known = {name: getattr(np, name) for name in FROM_NUMPY.split()}
    for rule in RULES.values():
        if rule.name in ("sigmoid", "bessel", "zeta"):
            known[rule.name] = rule.function
    try:
        from scipy import special
    except ImportError:
        return known
    names = FROM_SCIPY.split()
    known |= {name: getattr(special, name) for name in names}
    return {**known, "trigamma": lambda x: special.polygamma(1, x)}


class Formula:
    """A reader of a line of mathematics: sums, products side by side, powers, functions, cases."""

    def __init__(self, text: str, names: dict):
        self.names, self.functions = names, functions()
        text, _, condition = text.partition(" if ")
        self.condition = condition.replace("x is finite", "x - x = 0")
        self.start(text)

    def start(self, text):
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != text:
            raise SyntaxError(text)

    def value(self):
        result = self.sum()
        self.expect_end()
        if self.condition:
            left, relation, right = re.split(r" ([<>=]) ", self.condition)
            sides = []
            for side in (left, right):
                self.start(side)
                sides.append(self.sum())
                self.expect_end()
            compare = {"<": np.less, ">": np.greater, "=": np.equal}[relation]
            result = result * compare(*sides)
        return result

    def expect_end(self):
        if self.tokens:
            raise SyntaxError(f"left over: {''.join(self.tokens)}")

    def skip_space(self):
        while self.tokens[0].isspace():
            self.tokens.pop(0)

    def next(self, *kinds, spaces=True):
        """Whether the next token is one of these; spaces before it are passed over."""
        if spaces and self.tokens and self.tokens[0].isspace():
            rest = self.tokens[1:]
        else:
            rest = self.tokens
        if rest and rest[0] in kinds:
            self.tokens = rest[1:]
            return rest[0]
        return None

    def sum(self):
        result = -self.product() if self.next("-") else self.product()
        while sign := self.next("+", "-"):
            term = self.product()
            result = result + term if sign == "+" else result - term
        return result

    def product(self, spaces=True):
        """Factors side by side, with or without spaces between; within a root without."""
        result = self.power()
        while self.tokens:
            sign = self.next("/", "×", "@", spaces=spaces) if spaces else None
            if not sign and not self.begins_factor(spaces):
                return result
            factor = self.power()
            if sign == "@":
                result = result @ factor
            else:
                result = result / factor if sign == "/" else result * factor
        return result

    def begins_factor(self, spaces):
        rest = [t for t in self.tokens[:2] if spaces and not t.isspace()] or self.tokens[:1]
        return bool(rest) and (rest[0].isalnum() or rest[0] in "√π(") and not rest[0].isspace()

    def power(self):
        result = self.atom()
        while mark := self.next("²", "ⁿ", "^", "ᵀ", "⁻¹", "⁻ᵀ", spaces=False):
            if mark == "^":
                result = result ** self.atom()
            elif mark in "²ⁿ":
                result = result ** (2 if mark == "²" else self.names["n"])
            else:
                result = result if mark == "ᵀ" else np.linalg.inv(result)
                result = result if mark == "⁻¹" else np.swapaxes(result, -1, -2)
        return result

    def atom(self):
        self.skip_space()
        token = self.tokens.pop(0)
        if token == "(":
            result = self.sum()
            assert self.next(")")
            return result
        if token == "√":
            return np.sqrt(self.product(spaces=False))
        if token == "π":
            return math.pi
        if token.isdigit():
            return float(token)
        if token in self.names:
            return self.names[token]
        if token not in self.functions:
            raise SyntaxError(f"what is {token}?")
        return self.functions[token](*self.arguments())

    def arguments(self):
        if not self.next("(", spaces=False):
            self.skip_space()
            return [self.product(spaces=False)]  # cos πx
        arguments = [self.sum()]
        while self.next(","):
            arguments.append(self.sum())
        assert self.next(")")
        return arguments


def cases():
    for function, rule in RULES.items():
        if isinstance(rule.derivatives, tuple):
            for position, derivative in enumerate(rule.derivatives):
                if derivative is not None:
                    yield function, position


def is_read(rule, position):
    """Whether a formula is mathematics, and not in words."""
    text = rule.formulas[position]
    any_value = (
        np.array([[2.0, 1.0], [1.0, 3.0]]) if "ᵀ" in text or "@" in text else np.float64(0.5)
    )
    names = dict.fromkeys(names_of(rule, position), any_value)
    try:
        with np.errstate(all="ignore"):
            Formula(text, names).value()
    except SyntaxError:
        return False
    return True


def names_of(rule, position):
    """The names of the inputs, as the derivative calls them; x and y are the first two."""
    code = rule.derivatives[position].__code__
    own = code.co_varnames[2 : 2 + rule.arity]
    return ["g", "out", *"xy"[: rule.arity], *own, "n"]


def points(function, rule):
    """The inputs of the function's samples without keywords, all numbers finite."""
    for sample in SAMPLES_OF[function]:
        if sample.function is function and len(sample.inputs) == rule.arity:
            inputs, keywords = _walk((sample.inputs, sample.parameters), lambda x: x)
            inputs = [np.asarray(x) if isinstance(x, list | float | int) else x for x in inputs]
            numbers = [x for x in inputs if isinstance(x, np.ndarray)]
            finite = all(np.all(np.isfinite(x)) for x in numbers)
            if (finite or function is np.nan_to_num) and not keywords:
                yield inputs


def compare(function, position):
    """Compare text and code where the function is sampled; give how often that was possible."""
    rule, compared = RULES[function], 0
    text, random = rule.formulas[position], np.random.default_rng(3)
    tokens = TOKEN.findall(text)
    for inputs in points(function, rule):
        if {"@", "ᵀ"} & set(tokens) and any(np.ndim(x) != 2 for x in inputs):
            continue  # as it is written, the formula is that of matrices
        out = rule.function(*inputs)
        g = random.uniform(0.5, 1.5, np.shape(out))
        n = inputs[-1] if rule.derivatives[-1] is None else np.size(inputs[0])
        names = dict(zip(names_of(rule, position), [g, out, *inputs[:2], *inputs, n], strict=True))
        found = Formula(text, names).value()
        found = found if "g" in tokens else g * found
        expected = rule.derivatives[position](g, out, *inputs)
        if not isinstance(function, np.ufunc) and np.shape(found) != np.shape(expected):
            continue  # the formula is that of one shape
        there = np.isfinite(found)  # elsewhere the code knows the limit
        sides = (np.where(there, side, 0) for side in (found, expected))
        assert np.allclose(*sides, 1e-9, 3e-9), f"{text} is {found}, and the code {expected}"
        compared += np.any(there)
    return compared


READ = [(f, i) for f, i in cases() if is_read(RULES[f], i)]


@pytest.mark.parametrize(
    ("function", "position"), READ, ids=[f"{full_name(f)}-{i}" for f, i in READ]
)
def test_text_and_code_say_the_same(function, position):
    with np.errstate(all="ignore"):
        compared = compare(function, position)
    assert compared or not isinstance(function, np.ufunc)


def test_every_elementwise_formula_is_read():
    """Of the others, most say in words which elements go where."""
    unread = [RULES[f].name for f, i in cases() if isinstance(f, np.ufunc) and (f, i) not in READ]
    assert unread == []
    assert len(READ) > 80


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 / (2 out)", 0.125),
        ("-x² / √π", -9 / math.sqrt(math.pi)),
        ("cos πx out", -4.0),
        ("1 if x > out", 0.0),
        ("2 exp(-x²/2) / √2π", 2 * math.exp(-4.5) / math.sqrt(2 * math.pi)),
    ],
)
def test_the_reader(text, value):
    assert Formula(text, {"x": 3.0, "out": 4.0}).value() == pytest.approx(value)


def test_a_wrong_formula_is_noticed(monkeypatch):
    monkeypatch.setattr(RULES[np.sqrt], "formulas", ("1 / (3 out)",))
    with pytest.raises(AssertionError, match="and the code"):
        compare(np.sqrt, 0)
