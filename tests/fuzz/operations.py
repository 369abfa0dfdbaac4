"""What a random program is made of: calls of NumPy, in which names and constants are filled in.

``{v}`` and ``{w}`` are any two values that the program has, ``{same}`` one of the shape of ``{v}``;
``{c}`` is a constant or a buffer, and ``{b}`` a buffer, which may be written to after its use. A
call that NumPy refuses is left out of a program; so is one whose condition, the second entry of
its line, does not hold.
"""

from __future__ import annotations

ALWAYS = "True"
POSITIVE, INSIDE = "np.min({v}) > 0.05", "np.max(np.abs({v})) < 0.9"
AWAY, AWAY_TOO = "np.min(np.abs({v})) > 0.05", "np.min(np.abs({w})) > 0.05"


def calls(names: str, form: str, condition: str = ALWAYS) -> list[tuple[str, str]]:
    """The same form of call for several functions of NumPy."""
    return [(f"np.{name}{form}", condition) for name in names.split()]


ELEMENTWISE = [
    *calls(
        "negative positive sin cos tanh exp expm1 arctan arcsinh sinc square conjugate", "({v})"
    ),
    *calls("conjugate real absolute fabs rint floor sign fix nan_to_num copy", "({v})"),
    *calls("log sqrt log2 reciprocal log1p", "({v})", POSITIVE),
    *calls("arcsin arctanh arccos", "({v})", INSIDE),
    *calls("cbrt reciprocal", "({v})", AWAY),
    ("{v} ** 2", ALWAYS),
    ("{v} ** 3", ALWAYS),
]
REDUCING = [
    *calls("sum mean prod max min var std ptp median nansum nanmean nanprod nanmax", "({v})"),
    *calls("cumsum cumprod nancumsum sort ediff1d diff trapezoid linalg.norm trace", "({v})"),
    *calls("sum mean prod max min var std ptp median nanstd average", "({v}, axis=0)"),
    *calls("sum prod max median linalg.norm nanmedian", "({v}, axis=-1)"),
    *calls("cumsum cumprod sort diff", "({v}, axis=-1)"),
    *calls("sum max std", "({v}, axis=0, keepdims=True)"),
    ("np.var({v}, ddof=1)", "np.size({v}) > 1"),
    *calls("quantile", "({v}, 0.3)"),
    *calls("percentile", "({v}, [20, 75])"),
]
PAIRS = [
    *((f"{{v}} {sign} {{w}}", ALWAYS) for sign in "+-**"),
    ("{v} / {w}", AWAY_TOO),
    ("np.abs({v}) ** {w}", AWAY),
    *calls("hypot arctan2", "({v}, {w})", AWAY),
    *calls("maximum minimum logaddexp fmax", "({v}, {w})"),
    ("np.where({v} > 0.1, {v}, {w})", ALWAYS),
]
WITH_CONSTANTS = [
    *((f"{{v}} {sign} {{c}}", ALWAYS) for sign in "+-****"),
    *((f"{{c}} {sign} {{v}}", ALWAYS) for sign in "-**"),
    ("{v} / {c}", ALWAYS),
    ("{c} / {v}", AWAY),
    *[("{v} ** {c}", POSITIVE)] * 3,
    *[("{c} ** {v}", "np.min({c}) > 0")] * 3,
    ("np.float_power({v}, {c})", POSITIVE),
    ("{v} % {c}", ALWAYS),
    *calls("hypot arctan2 copysign", "({v}, {c})", AWAY),
    *calls("maximum minimum fmin logaddexp logaddexp2", "({v}, {c})"),
    ("np.clip({v}, -1, {c})", ALWAYS),
    ("np.where({c}, {v}, {w})", ALWAYS),
    ("np.where({v} > 0.1, {v}, {c})", ALWAYS),
    *calls("average", "({v}, weights={c})", "np.min({c}) > 0"),
    *calls("average", "({v}, axis=0, weights={c})", "np.min({c}) > 0"),
    ("np.interp({v}, [-2, 0, 3], np.array([1, 2, 0], np.uint8))", ALWAYS),
]
PRODUCTS = [
    *calls("dot outer matmul inner kron cross convolve", "({v}, {w})"),
    *calls("dot outer matmul multiply.outer convolve", "({v}, {c})"),
    ("{c} @ {v}", ALWAYS),
    ("np.einsum('ij,j->i', {v}, {w})", ALWAYS),
    ("np.einsum('i,i->', {v}, {c})", ALWAYS),
    ("np.tensordot({v}, {w}, 1)", ALWAYS),
]
_INDICES = ["0", "-1", "::-1", "1:", "..., None", "..., 0", "[0, 0, -1]", "None", "..., ::2"]
MOVING = [
    *((f"{{v}}[{index}]", ALWAYS) for index in _INDICES),
    ("{v}[{v} > 0]", "np.any({v} > 0)"),
    ("{v}.T", ALWAYS),
    ("{v}.reshape(-1)", ALWAYS),
    ("np.reshape({v}, (3, -1))", ALWAYS),
    *calls("ravel flip squeeze atleast_1d atleast_2d transpose tril triu", "({v})"),
    *calls("expand_dims flip", "({v}, axis=0)"),
    *calls("roll tile pad", "({v}, 1)"),
    *calls("repeat", "({v}, 2, axis=0)"),
    *calls("take", "({v}, [0, 0, 1])", "np.size({v}) > 1"),
    ("np.broadcast_to({v}, (2, *{v}.shape))", ALWAYS),
    ("np.split({v}, [1])[0]", ALWAYS),
    *calls("concatenate stack", "([{v}, {w}])"),
    *calls("concatenate stack", "([{v}, {c}, {same}], axis=-1)"),
    *calls("append", "({v}, {c})"),
    *calls("insert", "({v}, 0, {c})"),
]
GROUPS = [ELEMENTWISE, REDUCING, PAIRS, WITH_CONSTANTS, WITH_CONSTANTS, PRODUCTS, MOVING]

# The second is what the first is, worked out by hand.
TRANSFORMED: list[tuple[str, str]] = [
    ("grad(lambda t: np.sum(np.sin(t) * {v}))({same})", "np.cos({same}) * {v}"),
    ("value_and_grad(lambda t: np.sum(t * t * {same}))({v})[1]", "2 * {v} * {same}"),
    ("jvp(lambda t: np.exp(t) * {v}, ({same},), ({v},))[1]", "np.exp({same}) * {v} * {v}"),
    ("vjp(np.tanh, {v})[1]({same})[0]", "{same} / np.cosh({v}) ** 2"),
    ("hvp(lambda t: np.sum(t ** 3), {v}, {same})", "6 * {v} * {same}"),
]

WRITES = ["{b} += 1", "{b} *= 2", "{b}[...] = 3", "{b}[..., 0] = 2", "{b}.T[...] = 1"]

TYPES = [
    *("float64", "float32", "float16", "longdouble", "bool"),
    *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
]
NUMBERS = [1, 2, 3, 0, -1, 0.5, -2, 1.75, 7, 100, -128, 127, 200, 255]
KINDS = [
    *("number", "scalar", "0-d", "array", "list", "row", "column"),
    *("read-only", "strided", "view"),
]
SHAPES: list[tuple[int, ...]] = [(3,), (), (2, 3), (1, 3), (3, 1), (3, 3), (2, 1, 3)]
