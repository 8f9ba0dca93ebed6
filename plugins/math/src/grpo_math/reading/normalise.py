"""Brings LaTeX, plain and Unicode notation to one plain-ASCII LaTeX-like form."""

from __future__ import annotations

import unicodedata

from grpo_math.limits import OverLimitError
from grpo_math.options import Options
from grpo_math.patterns import Pattern
from grpo_math.reading.rewriting import rewrite

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣʸ", "0123456789+-=()nixy", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₒₓₙₖₘ", "0123456789+-=()aeoxnkm", strict=True))
_FRACTIONS = {
    "½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5),
    "⅗": (3, 5), "⅘": (4, 5), "⅙": (1, 6), "⅚": (5, 6), "⅐": (1, 7), "⅛": (1, 8), "⅜": (3, 8),
    "⅝": (5, 8), "⅞": (7, 8), "⅑": (1, 9), "⅒": (1, 10),
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ϵ": "epsilon",
    "ζ": "zeta", "η": "eta", "θ": "theta", "ϑ": "theta", "ι": "iota", "κ": "kappa",
    "λ": "lambda", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "υ": "upsilon", "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma",
    "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi",
    "Ψ": "Psi", "Ω": "Omega", "μ": "mu", "µ": "mu",
}  # fmt: skip
_SIGNS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "‒": "-", "﹣": "-", "－": "-", "⁄": "/",
    "∕": "/", "×": r"\times ", "✕": r"\times ", "⨯": r"\times ", "÷": r"\div ", "·": r"\cdot ",
    "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "∗": "*", "√": r"\sqrt ", "∛": r"\cbrt ",
    "∜": r"\fourthroot ", "∞": r"\infty ", "≤": r"\le ", "⩽": r"\le ", "≥": r"\ge ",
    "⩾": r"\ge ", "≠": r"\ne ", "≈": r"\approx ", "≃": r"\approx ", "≅": r"\cong ",
    "∼": r"\sim ", "≡": r"\equiv ", "∪": r"\cup ", "∩": r"\cap ", "∈": r"\in ", "∉": r"\notin ",
    "∅": r"\emptyset ", "⌀": r"\emptyset ", "∖": r"\setminus ", "⊂": r"\subset ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}",
    "ℂ": r"\mathbb{C}", "±": r"\pm ", "∓": r"\mp ", "⌊": r"\lfloor ", "⌋": r"\rfloor ",
    "⌈": r"\lceil ", "⌉": r"\rceil ", "⟨": r"\langle ", "⟩": r"\rangle ", "〈": r"\langle ",
    "〉": r"\rangle ", "∣": "|", "｜": "|", "‖": "|", "∧": r"\land ", "∨": r"\lor ",
    "∀": r"\forall ", "∃": r"\exists ", "¬": r"\neg ", "⇔": r"\iff ", "⟹": r"\implies ",
    "→": r"\to ", "⇒": r"\implies ", "∠": r"\angle ", "△": r"\triangle ", "∑": r"\sum ",
    "∏": r"\prod ", "∫": r"\int ", "′": "'", "’": "'", "‘": "'", "″": '"', "“": '"',
    "”": '"', "º": "°", "˚": "°", "∘": "°", "℃": "°C", "℉": "°F", "，": ", ", "、": ", ",
    "；": "; ", "。": ".", "：": ":", "∶": ":", "（": "(", "）": ")", "［": "[", "］": "]",
    "【": "(", "】": ")", "｛": "{", "｝": "}", "￥": "¥", "％": "%", "＝": "=", "＋": "+",
    "＜": "<", "＞": ">", "　": " ", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ",
    "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\u2061": "",
    "\u2062": "", "\u00ad": "", "\ufe0f": "", "½": "", "ℯ": "e", "ⅇ": "e", "ⅈ": "i", "ⅉ": "i",
    "ℓ": "l", "⋯": "...", "…": "...",
}  # fmt: skip
_TRANSLATION = {
    **{ord(sign): text for sign, text in _SIGNS.items()},
    **{ord(sign): f"\\{name} " for sign, name in _GREEK.items()},
    **{ord(sign): f" \\frac{{{a}}}{{{b}}}" for sign, (a, b) in _FRACTIONS.items()},
}
_SUPER_RUN = Pattern(f"[{''.join(_SUPERSCRIPTS)}]+")
_SUB_RUN = Pattern(f"[{''.join(_SUBSCRIPTS)}]+")
_CIRCLED = Pattern("[①-⑳]{2,}")
_AMPERSAND = Pattern(r"&\s*(=|<|>|\\[lg]e)|(=)\s*&")
_EMPTY_GROUP = Pattern(r"(?<=[\d}])\{\}|(?<=\w)\{\}(?=\s*[\^_])|(?<=\\sqrt)\{\}(?=\s*\{)")
_MAX_LINES = 12
_LINE = Pattern(r"[a-zA-Z]\w{0,3}\s*=[^=,;]{1,60}|[-+]?\d[\d./]*")
_CONTROL = Pattern(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")
_COSMETIC = Pattern(
    r"\\(?:left|right|middle)\s*\.(?!\d)"
    r"|\\(?:left|right|middle|[bB]igg?[lrm]?|displaystyle|textstyle|scriptstyle|limits|nolimits"
    r"|boldsymbol|bm|mathopen|mathclose|mathord|mathstrut|strut|rm|bf|it|tt|normalsize|large"
    r"|Large|small|color\s*\{\w*\}|protect|allowbreak|nobreak|underline|uline)(?![a-zA-Z])"
    r"|\\(?:textcolor|colorbox)\s*\{\w*\}"
    r"|\\[hv]space\*?\s*\{[^{}]*\}|\\(?:h|v)?phantom\s*\{[^{}]*\}|\\tag\*?\s*\{[^{}]*\}|\\!"
)
_SPACES = Pattern(
    r"\\(?:[,;:> ]|(?:quad|qquad|thinspace|medspace|thickspace|enspace|space|nobreakspace)"
    r"(?![a-zA-Z]))|~|&nbsp;|\\?\n|\\q?quad"
)
_CIRCLE = r"(?:\\(?:circ|degree)(?![a-zA-Z])|°)"
_CHINESE_OR = Pattern(r"(?<=[\w)\]}])(?:或者|或)(?=[a-zA-Z\\({\[])")
_CHINESE_AND = Pattern(r"(?<=[\w)\]}])(?:并且|且)(?=[a-zA-Z\\({\[])")
_PART_OF = Pattern(r"(?<!\d)(\d{1,30}) ?(?:分之|分の|분의) ?(\d{1,30})(?!\d)")
_BRACED_POINT = Pattern(r"(?<=\d)\{\.\}(?=\d)")
_OVERLINED = Pattern("(?:[0-9][\u0304\u0305])+")
_CHINESE_QUANTIFIER = Pattern(
    r"([\s$]*(?:(?:\\neg\s*)?[a-zA-Z]\s*:\s*)?)"
    r"(存在|对?于?(?:任意|任何|所有|一切)的?)\s*(?=\$?[a-zA-Z])"
)
_CHINESE_SUCH_THAT = Pattern(r"([,:;])\s*(?:使得?|都有|恒有|均有|总有|有)")
_CHINESE_ABOUT = Pattern(r"^\s*(?:大约|约)(?:为|是)?\s*(?=[-\d\\$])")
_DEGREE = Pattern(
    rf"\^\s*\{{\s*{_CIRCLE}\s*\}}|\^\s*{_CIRCLE}|\\(?:text)?degree(?![a-zA-Z])"
    r"|(?<=[\d}])\s*\\deg(?![a-zA-Z])"
)
_MATH = Pattern(r"\$(?!\s)([^$]*[^$\s\\,:;+\-])\$")
_SPACED_MATH = Pattern(r"\$\s+([^$]*?)\s+\$(?!\s*\d)")
_DELIMITERS = Pattern(r"(?<!\\)\\[()\[\]]")
_ADJACENT_BOXES = Pattern(r"\}\s*\\boxed(?=\s*\{)")
_DOTS = Pattern(r"\\[lc]?dots[bcmo]?(?![a-zA-Z])")
_UNBRACED = Pattern(r"\\(math[a-z]{2,4}|text|vec)\s+([A-Za-z])(?![a-zA-Z])")
_TIMES_TEN = Pattern(r"(?<=\d)\s*[xX]\s*(?=10\s*\^)")
_THIN_COMMA = Pattern(r",\s*\\!\s*(?=\d)")
_DOUBLED = Pattern(
    r"\\\\(?:d?frac|left|begin|sqrt|leq?|geq?|pi|cdot|text|infty|boxed|in|cup|times|circ|pm)"
    r"(?![a-zA-Z])"
)
_ROW_END = Pattern(r"\\cr(?![a-zA-Z])|\\\\\s*\[\s*-?[\d.]+\s*(?:pt|em|ex|mm|cm|in)\s*\]")
_LETTER_DEGREE = Pattern(
    r"(?<=\d)\s*\^\s*\{?\s*(?:\\(?:text|mathrm)\s*\{\s*o\s*\}|o(?![a-z]))\s*\}?"
)
# One search tells whether any of the steps that take out commands has something to do.
_UNTIDY = Pattern(
    r"\\(?:[()\[\]!/]|[lc]?dots|(?:math[a-z]{2,4}|text|vec)\s+[A-Za-z]|boxed|left|right|middle"
    r"|[bB]ig|displaystyle|textstyle|scriptstyle|limits|nolimits|boldsymbol|bm|math(?:open|close|ord"
    r"|strut)|strut|rm|bf|it|tt|normalsize|large|Large|small|color|protect|allowbreak|nobreak|"
    r"underline|uline|textcolor|hspace|vspace|[hv]?phantom|tag|colon)"
)
_WRAPPERS = (
    ("\\(", "\\)"), ("\\[", "\\]"), ("**", "**"), ("__", "__"), ("`", "`"), ("*", "*"), ('"', '"'),
    ("$$", "$$"),
)  # fmt: skip
_WRAPPING = frozenset('\\*_`"${')
_BOX = Pattern(r"^\\(?:boxed|fbox|framebox|text|textbf|mathbf|mathrm|mbox|ensuremath|bold)"
                  r"\s*(?=\{)")  # fmt: skip
_MODULO = Pattern(
    r"\(\s*(?:\\(?:bmod|mod|text\s*\{\s*mod\s*\}|mathrm\s*\{mod\})|mod)\s*(\w+)\s*\)"
    r"|\\pmod\s*(\w+)"
)
_TRAILING = " \t\r.,;:。"


def translate_unicode(text: str) -> str:
    """Write signs and styled letters in ASCII or LaTeX; other letters stay."""
    text = _CIRCLED.sub(lambda m: ", ".join(m.group()), text)
    if "\u0304" in text or "\u0305" in text:
        text = _OVERLINED.sub(lambda m: f"\\overline{{{m.group()[::2]}}}", text)
    text = _SUPER_RUN.sub(lambda m: "^{" + "".join(_SUPERSCRIPTS[c] for c in m.group()) + "}", text)
    text = _SUB_RUN.sub(lambda m: "_{" + "".join(_SUBSCRIPTS[c] for c in m.group()) + "}", text)
    text = text.translate(_TRANSLATION)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_TRANSLATION)
        text = "".join(str(int(c)) if c.isdecimal() else c for c in text)
    return text


def find_closing(text: str, start: int) -> int:
    """Find the brace that closes the one at ``start``; -1 if there is none."""
    depth = 0
    at = start
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
            continue
        if char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return -1


def _unwrap(text: str) -> str:
    for _ in range(12):
        before = text
        text = text.strip()
        if text.endswith("\\") and not text.endswith("\\\\"):
            text = text[:-1].rstrip()
        if text in {"{}", "\\{\\}", "{ }"}:
            return "\\emptyset"
        text = (text if text.endswith("...") else text.rstrip(_TRAILING)).lstrip(" \t=:")
        if not text or text[0] not in _WRAPPING:
            break
        for opening, closing in _WRAPPERS:
            size = len(opening)
            if (
                len(text) > 2 * size
                and text.startswith(opening)
                and text.endswith(closing)
                and opening not in text[size : -len(closing)]
            ):
                text = text[size : -len(closing)]
        box = _BOX.match(text)
        start = box.end() if box else 0
        if text[start : start + 1] == "{" and find_closing(text, start) == len(text) - 1:
            is_set = not box and any(sign in text for sign in ",|:")
            text = text if is_set else text[start + 1 : -1]
        if text == before:
            break
    return text


def normalise(text: str, options: Options) -> str:
    """Bring an answer to the form the tokenizer reads.

    Args:
        text: One answer, as LaTeX, plain text or Unicode in any mix.
        options: For the limit on its length.

    Returns:
        ASCII where the signs have an ASCII or LaTeX form; other letters stay.

    Raises:
        OverLimitError: The text is too long.
    """
    if len(text) > options.max_chars:
        raise OverLimitError(f"the answer has more than {options.max_chars} characters")
    if not text.isascii():
        text = translate_unicode(text)
        if len(text) > 2 * options.max_chars:  # one sign may stand for many
            raise OverLimitError(f"the answer has more than {2 * options.max_chars} characters")
        text = _CHINESE_AND.sub(" 且 ", _PART_OF.sub(r"\2/\1", text))
        text = _CHINESE_OR.sub(" 或 ", _CHINESE_ABOUT.sub("", text))
        if (bound := _CHINESE_QUANTIFIER.match(text)) is not None:
            sign = "\\exists " if bound[2] == "存在" else "\\forall "
            text = bound[1] + sign + _CHINESE_SUCH_THAT.sub(r"\1 ", text[bound.end() :])
    if not text.isprintable():
        text = _CONTROL.sub(" ", _join_lines(text) if "\n" in text else text)
    if "10" in text:
        text = _TIMES_TEN.sub(r"\\times ", text)
    if "+/-" in text:
        text = text.replace("+/-", "\\pm ")
    text = rewrite(text)
    if (
        "\\" in text
        or "$" in text
        or "{" in text
        or "^" in text
        or "~" in text
        or "\n" in text
        or "&" in text
    ):
        text = _normalise_notation(text)
    return _unwrap(text)


def _join_lines(text: str) -> str:
    """Write values that stand in a line each as a list."""
    lines = [line.strip(" \t\r$.,;") for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not 2 <= len(lines) <= _MAX_LINES or not all(map(_LINE.fullmatch, lines)):
        return text
    return ", ".join(lines)


def _normalise_notation(text: str) -> str:
    """Take out delimiters, spacing and cosmetics; most steps are skipped for most texts."""
    if "\\cr" in text or "\\\\[" in text or "\\\\ [" in text:
        text = _ROW_END.sub(r"\\\\", text)
    if "{}" in text:
        text = _EMPTY_GROUP.sub("", text)
    if "\\\\" in text and _DOUBLED.search(text):
        text = text.replace("\\\\", "\\")
    if "$" in text:
        text = text.replace("\\$", "¤").replace("$$", "$").strip()
        if text.startswith("$") and text.endswith("$") and text.count("$") == 2:
            text = text[1:-1]
        text = _MATH.sub(r" \1 ", text)
        text = _SPACED_MATH.sub(r" \1 ", text).replace("¤", "$")
    if "\\" in text and _UNTIDY.search(text):
        text = _DOTS.sub("...", text)
        text = _UNBRACED.sub(lambda m: f"\\{m[1]}{{{m[2]}}}", text)
        text = _DELIMITERS.sub(" ", text)
        if "\\boxed" in text:
            text = _ADJACENT_BOXES.sub("}, \\\\boxed", text)
        text = _THIN_COMMA.sub(",", text)
        text = _COSMETIC.sub("", text).replace("\\/", "").replace("\\colon", ":")
    text = text.replace("{,}", ",").replace("{:}", ":")
    if "{.}" in text:
        text = _BRACED_POINT.sub(".", text)
    if "&" in text:
        text = _AMPERSAND.sub(r"\1\2", text)
    if "mod" in text:
        text = _MODULO.sub(lambda m: f"\\pmod{{{m[1] or m[2]}}}", text)
    if "\\\\" not in text:
        text = _SPACES.sub(" ", text)
    else:
        text = "\\\\".join(_SPACES.sub(" ", part) for part in text.split("\\\\"))
    if "o" in text and "^" in text:
        text = _LETTER_DEGREE.sub("°", text)
    return _DEGREE.sub("°", text)
