"""How a lecture writes it: names of adjoints, raised and lowered letters, hats and Greek."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any
from unicodedata import normalize

from ..support.arguments import suggestion

# What the adjoint of z^[2] is called, by the letter in front; of all else it is ∂J/∂W^[2].
NOTATIONS: dict[str, dict[str, str]] = {
    "grad": {},
    "delta": {"z": "δ", "s": "δ", "u": "δ"},
    "sensitivity": {"s": "δ"},
    "P": {"f": "P", "h": "δ"},
    "gamma": {"u": "δ", "s": "γ"},
}

_SMALL = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi"
_OTHERS = "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
_GREEK = dict(zip(f"{_SMALL} {_OTHERS}".split(), "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ", strict=True))
_RAISED = str.maketrans(
    "0123456789+-=()[]abcdefghijklmnoprstuvwxyzTLKN",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾⸢⸣ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀᴸᴷᴺ",
)
_LOWERED = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
_LEVELS = {chr(up): (chr(c), 1) for c, up in _RAISED.items()}
_LEVELS |= {chr(down): (chr(c), -1) for c, down in _LOWERED.items()}
_MARKS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}

_TEX_MARK = re.compile(r"\\(hat|bar|tilde)\s*(?:\{(\w)\}|(\w))")
_TEX_LETTER = re.compile(rf"\\({'|'.join(_GREEK)})(?![A-Za-z])\s?")
_WORD = re.compile(rf"(?<![A-Za-z_.\\])({'|'.join(_GREEK)})(?=[\d_^])")
_MARKED = re.compile(r"(?<![^\W_])([^\W\d_])_(hat|bar|tilde)(?![A-Za-z])")
_UP = re.compile(r"(?<=[\w)\u0300-\u036f])\^(?:\{([^{}]*)\}|(\[[^\[\]]*\]|\([^()]*\)|\w+))")
_DOWN = re.compile(
    r"(?<![\w.])([^\W\d_][\u0300-\u036f]?)_(?:\{([^{}]*)\}|([A-Za-z]{1,2}|\d{1,3})(?![A-Za-z\d]))"
)


def typeset(text: str) -> str:
    r"""The text with its names as they are printed; what Unicode has no letter for stays.

    Examples
    --------
    >>> typeset("W^[1]ᵀ"), typeset("f_2"), typeset("d_hat_1"), typeset(r"\delta^{l+1}")
    ('W⸢¹⸣ᵀ', 'f₂', 'd̂₁', 'δˡ⁺¹')
    >>> typeset("mse_loss x ^ y")
    'mse_loss x ^ y'
    """
    if not any(sign in text for sign in "^_\\"):
        return text
    text = _TEX_MARK.sub(lambda m: (m[2] or m[3]) + _MARKS[m[1]], text)
    text = _TEX_LETTER.sub(lambda m: _GREEK[m[1]], text)
    text = _WORD.sub(lambda m: _GREEK[m[1]], text)
    text = normalize("NFC", _MARKED.sub(lambda m: m[1] + _MARKS[m[2]], text))
    text = _DOWN.sub(
        lambda m: m[1] + _shift_letters(m[2] or m[3], _LOWERED, m[0][len(m[1]) :]), text
    )
    return _UP.sub(lambda m: _shift_letters(m[1] or m[2], _RAISED, m[0]), text)


def _shift_letters(letters: str, table: Any, otherwise: str) -> str:
    """The letters raised or lowered, if there is such a form of each."""
    return letters.translate(table) if all(ord(c) in table for c in letters) else otherwise


def levels(text: str) -> Iterator[tuple[str, int]]:
    """The runs of a text that was set, in ordinary letters: raised are 1, lowered -1.

    Few fonts have the raised and lowered letters of Unicode, and every page can move ordinary ones.

    Examples
    --------
    >>> list(levels("W⸢¹⸣ᵀ x₁"))
    [('W', 0), ('[1]T', 1), (' x', 0), ('1', -1)]
    """
    letters = (_LEVELS.get(letter, (letter, 0)) for letter in text)
    for level, run in groupby(letters, key=lambda letter: letter[1]):
        yield "".join(letter for letter, _ in run), level


def markup(text: str) -> str:
    """A text that was set, as HTML.

    Examples
    --------
    >>> markup("f₀ < 1")
    'f<sub>0</sub> &lt; 1'
    """
    tags = {1: "sup", -1: "sub"}
    runs = ((html.escape(run), tags.get(level)) for run, level in levels(text))
    return "".join(f"<{tag}>{run}</{tag}>" if tag else run for run, tag in runs)


def adjoint_names(notation: str | Mapping[str, str], output: str) -> Callable[[str], str]:
    """What to call the adjoint of a node, by the node's name.

    Parameters
    ----------
    notation : {"grad", "delta", "sensitivity", "P", "gamma"} or mapping
        One of a lecture's, or from names such as ``z^[2]``, or the letters that they begin with,
        to those of their adjoints.
    output : str
        What is differentiated.

    Raises
    ------
    ValueError
        If there is no notation of that name.

    Examples
    --------
    >>> name = adjoint_names("delta", "J")
    >>> name("z^[2]"), name("W^[2]")
    ('δ^[2]', '∂J/∂W^[2]')
    >>> adjoint_names("grad", "J")("x")
    'x.grad'
    """
    if isinstance(notation, Mapping):
        letters = notation
    elif notation in NOTATIONS:
        letters = NOTATIONS[notation]
    else:
        raise ValueError(f"unknown notation {notation!r}: {suggestion(notation, NOTATIONS)}")
    if notation == "grad":
        return "{}.grad".format

    def name(node: str) -> str:
        if node in letters:
            return letters[node]
        found = re.fullmatch(r"([^\W\d_]+)([\d_^#].*)", node)
        if found and found[1] in letters:
            return letters[found[1]] + found[2]
        return f"∂{output}/∂{node}"

    return name
