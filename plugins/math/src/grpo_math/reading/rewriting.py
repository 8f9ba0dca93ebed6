"""Rewrites what is written in words, marks or markup into the notation the tokenizer reads."""

from __future__ import annotations

import re

from grpo_math.patterns import Pattern

_MARKED_THOUSANDS = Pattern(
    r"(?<![\d.,_'])\d{1,3}(?:'\d{3})+(?![\d'])|(?<![\d.,_])\d{1,3}(?:_\d{3})+(?![\d_])"
)
_COUNTING = Pattern(
    r"(?:\{\s*\})?[_^]\s*\{?\s*(\w+)\s*\}?\s*(?:\\(?:mathrm|text)\s*\{\s*([CP])\s*\}|([CP]))"
    r"\s*_\s*\{?\s*(\w+)\s*\}?"
)
_INFIX = Pattern(r"\s*(\d{1,4})\s*([CP])\s*(\d{1,4})\s*")
_CHOOSE = Pattern(r"(?<![\w}])(\w{1,9})\s+choose\s+(\w{1,9})(?!\w)")
_ANGLED = Pattern(r"<\s*([^<>=]*,[^<>=]*)>")
_MARKUP = Pattern(r"</?(?:b|i|u|em|strong|span|p|sub|code)>|<br\s*/?>")
_LEAD = Pattern(
    r"\s*(?:(?:either|only|just|exactly|precisely|about|approximately|approx\.?|around|roughly"
    r"|nearly|almost|a total of)\s+(?=[-\d\\$(\[{])|an?\s+(?=\d+(?:\.\d+)?\s*\\?%))",
    re.IGNORECASE,
)
_NOUN = Pattern(
    r"\s*(?:the\s+)?(?:ordered\s+(?:pair|triple)s?|points?|pairs?|vector|interval|set|matrix|ratio"
    r"|coordinates|equation|year|number|value|values|line|sum|product)\s+(?:(?:is|are)\s+)?"
    r"(?=[\d\\$(\[{<-]|[a-zA-Z]\s*=)",
    re.IGNORECASE,
)
_INFERENCE = Pattern(
    r"\s*\$?\s*(?:\\(?:therefore|because|implies|Rightarrow|Longrightarrow)(?![a-zA-Z])|=>|∴|⇒)"
    r"\s*(?=\S)"
)
_LABEL = Pattern(
    r"\s*\$?\s*\\(?:text|mathrm|mbox)\s*\{(?:[^{}]*\b(?:is|are|equals)\s*:?"
    r"|\s*(?:final\s+)?(?:answer|ans|result|solution|at|when|for)\.?\s*[:=]?)\s*\}\s*(?=[\d\\$(\[{+-]|[a-zA-Z]\s*=)",
    re.IGNORECASE,
)
# Nothing but conditions may stand behind "for all": `2 for all n > 3, 1 for n = 2` has two values.
_CONDITIONS = (
    r"(?:(?!\b(?:for|if|otherwise|else)\b|\\forall|;|\\\\|\\q?quad\s*[\d\\(-]"
    r"|,(?!\s*(?:(?:[a-zA-Z](?:_\w+)?|\\[a-z]+)\s*(?:,|\\in\b|∈|[<>=≤≥≠]|\\(?:[gl]eq?|neq?)\b|$)"
    r"|(?:and|with|where|not)\b))).)*$"
)
_FOR_ALL = Pattern(
    r"(?<=[\w)}$])(?:[\s,~]|\\[\s,;:!]|\\q?quad\b)+(?:(?:\\(?:text|mathrm|mbox)\s*\{\s*)?"
    r"(?:for (?:all|every|any|each|some)\b|where\s+\S+(?:\s+and\s+\S+)?\s+(?:is|are|denotes?)\b"
    r"|where\s*\}?\s*\$?[a-zA-Z](?:_\w+)?(?:\s*,\s*[a-zA-Z](?:_\w+)?)*\s*(?:\\in\b|∈))"
    rf"|\\forall(?![a-zA-Z])){_CONDITIONS}",
    re.DOTALL,
)
_REMARK = Pattern(
    r"\s*(?:\\text\s*\{\s*)?\(\s*(?:=|\\approx|i\.e\.|or about|approx|about|rounded|to the nearest|"
    r"correct to)[^()]*\)\s*\}?\s*\$?\s*$",
    re.IGNORECASE,
)
_LENGTH = (
    r"(?:(?:\\[,;!~]|\\(?:text|mathrm)\s*\{|~)?\s*"
    r"([cmk]?m|in|inch(?:es)?|ft|feet|foot|yds?|yards?|(?:centi|milli|kilo)?met(?:er|re)s?|miles?)"
    r"\b\.?\s*\}?)?"
)
_SIDE = rf"(\d+(?:\.\d+)?)\s*{_LENGTH}"
_SIZE = Pattern(rf"{_SIDE}\s*(\bby\b|x|\\times\b)\s*{_SIDE}(?:\s*(?:by|x|\\times)\s*{_SIDE})?")
_ESTIMATE = Pattern(
    r"(?<=[\w)}])\s*\$?\s*,?\s+(?:\\text\s*\{\s*)?(?:or\s+|(?:which|that)\s+is\s+)?"
    r"(?:about|approximately|approx\.?|roughly)\s*\}?\s*\\?\$?-?\d[\d.,]*\s*\\?%?\s*\$?\s*$",
    re.IGNORECASE,
)
_EXACT_SIGNS = Pattern(r"[/\\√π^]")
_ENDLESS_TAIL = Pattern(r"(?<=\S)\s*=\s*-?\d*\.\d+\s*(?:\.\.\.|\\[lc]?dots)\s*$")
_OUT_OF = Pattern(r"(\d{1,9})\s+(?:in|out of)\s+(?:every\s+)?(\d{1,9})")
_LAKHS = Pattern(r"(?<![\d,.])\d{1,2}(?:,\d{2})+,\d{3}(?![\d,])")
_RUPEES = Pattern(r"(?<![A-Za-z])[Rr]s\.?\s*(?=\d)")
_THOUSANDS_OF = Pattern(r"(?<=\d)[kK]\s+(?=(?:dollars|euros|pounds|rupees|USD|EUR)\b)")
_DOLLARS_AND_CENTS = Pattern(r"\s*\\?\$(\d+)\s*(?:and|,)?\s+(\d{1,2})\s+cents?\s*\.?\s*")
_PHASOR = Pattern(
    r"(?<=[\d}])\s*\\angle\s*(?:\{(?=[^{}]*\\(?:circ|pi|frac))((?:[^{}]|\{[^{}]*\})*)\}"
    r"|(-?\s*(?:[\d.]+\s*(?:°|\^\s*(?:\\circ|\{\s*\\circ\s*\}))"
    r"|\\[dt]?frac\s*\{[^{}]*\}\s*\{[^{}]*\}|\d*\s*\\pi\b\s*(?:/\s*\d+)?)))"
)
_MATRIX_CALL = Pattern(r"(?:sp\.|sympy\.|np\.)?(?:[Mm]atrix|array)\s*\(\s*(\[.*\])\s*\)", re.DOTALL)
_ROWS = Pattern(r"\[\s*([-+\d./\s]+(?:;[-+\d./\s]+)+)\]")
_TEXT_SIGN = Pattern(r"\\text\s*\{\s*([()\[\],;])\s*\}")
_TURNED = Pattern(r"([)\]])\s*\^\s*\{?\s*(?:T|\\top|\\mathsf\{T\}|\\mathrm\{T\})\s*\}?\s*$")
_ITEM_LABEL = Pattern(
    r"\\text\s*\{\s*\((?:i{1,3}|iv|v|[a-e]|\d)\)\s*\}|(?:^|(?<=[,;]))\s*\((?:i{1,3}|iv|v)\)\s+"
)
_SEGMENT_BAR = Pattern(r"\\overline\s*\{\s*([A-Z]{2})\s*\}")
_THUS = Pattern(r"\s*(?:therefore|thus|hence|so)\s*,?\s+", re.IGNORECASE)
_BRACED_SYSTEM = Pattern(
    r"\\left\s*\\\{\s*\\begin\{(array|aligned|matrix)\}(?:\s*\{[lcr|\s]*\})?(.*?)\\end\{\1\}"
    r"\s*(?:\\right\s*\.)?",
    re.DOTALL,
)
_WHOLE_PARAMETER = Pattern(
    r"\s*(?:(?:,|\\quad|\\[ ,;!]|~)\s*)*(?:\\left)?"
    r"\(\s*([a-z])\s*\\in\s*(?:\\mathbb\s*\{?\s*|\\mathbf\s*\{?\s*)?([ZN])\s*\}?"
    r"\s*(?:\\right)?\)(?=\s*\$?\s*\.?\s*$)|,\s*([a-z])\s*\\in\s*Z(?=\s*\$?\s*\.?\s*$)"
)
_MEASURED = Pattern(
    r"\\(?:SI|qty)\s*(?:\[[^\[\]]*\])?\s*\{([^{}]*)\}\s*\{([^{}]*)\}|\\(?:num|ang)\s*\{([^{}]*)\}"
)
_PREFIX_MACRO = Pattern(
    r"\\(kilo|mega|giga|tera|hecto|deca|deci|centi|milli|micro|nano|pico|femto)\s*\\?"
)
_WORDS = (
    (Pattern(r"\bplus\s+or\s+minus\b|\bplus[-/]minus\b", re.IGNORECASE), r"\\pm "),
    (Pattern(r"\bis\s+(?:greater|more|larger)\s+than\s+or\s+equal\s+to\b"), r"\\ge "),
    (Pattern(r"\bis\s+(?:less|smaller)\s+than\s+or\s+equal\s+to\b"), r"\\le "),
    (Pattern(r"\bis\s+(?:strictly\s+)?(?:greater|more|larger)\s+than\b"), ">"),
    (Pattern(r"\bis\s+(?:strictly\s+)?(?:less|smaller)\s+than\b"), "<"),
    (Pattern(r"\s+(?:equals|is\s+equal\s+to)\s+(?=[-+\\\d({a-z])"), " = "),
    (Pattern(r"^\s*([a-zA-Z])\s+is\s+(?=[-+\\\d(])"), r"\1 = "),
    (Pattern(r"\bis\s+at\s+least\b"), r"\\ge "),
    (Pattern(r"\bis\s+at\s+most\b"), r"\\le "),
)  # fmt: skip

_ROOTS = {"square": 2, "cube": 3, "fourth": 4}
_ROOT_OF = Pattern(
    r"(?:\\text\s*\{\s*)?(?:the )?(square|cube|fourth) root of(?:\s*\})?\s+(\d+)(?:\s*\})?",
    re.IGNORECASE,
)
_TO_THE = Pattern(
    r"(?<!\d)(\d{1,30}) to the (?:power (?:of )?(\d{1,9})|(\d{1,9})(?:st|nd|rd|th) power)(?!\d)"
)
_CHANGED = Pattern(r"(\d+(?:\.\d+)?)\s+(squared|cubed|factorial)")
_CHANGES = {"squared": "^2", "cubed": "^3", "factorial": "!"}
_OWNER = Pattern(r"(?<=[a-z])'s(?= [a-zA-Z])")
_QUANTIFIED = Pattern(
    r"[\s$]*(?:\\(?:neg|lnot)\s*)?(?:[a-zA-Z]\s*:\s*)?\\(?:forall|exists)(?![a-zA-Z])"
)
_NEGATIVE = Pattern(r"\s*(?:negative|minus)\s+(?=[$€£]?\.?\d)", re.IGNORECASE)
_RECURRING = Pattern(r"(\d+)\.(\d)\s+(?:recurring|repeating)")


def rewrite(text: str) -> str:
    """Rewrite an answer whose signs are ASCII; each step is skipped where it cannot act.

    Args:
        text: An answer, still with its math delimiters.

    Returns:
        The same answer with words, marks and markup in notation.
    """
    if "'s " in text and "=" in text:
        text = _OWNER.sub("s", text)
    if "'" in text or "_" in text:
        text = _MARKED_THOUSANDS.sub(lambda m: re.sub("['_]", "", m.group()), text)
        if "C" in text or "P" in text:
            text = _COUNTING.sub(lambda m: f"{m[2] or m[3]}({m[1]},{m[4]})", text)
    if ("C" in text or "P" in text) and (infix := _INFIX.fullmatch(text)):
        return f"{infix[2]}({infix[1]},{infix[3]})"
    if "<" in text:
        text = _MARKUP.sub("", text)
        angled = _ANGLED.fullmatch(text.strip(" $")) if "," in text else None
        text = f"\\langle {angled[1]} \\rangle" if angled else text
    if text.lstrip().startswith("+-"):
        text = "\\pm " + text.lstrip()[2:]
    if "[" in text and ("([" in text or ";" in text):
        text = _rewrite_rows(text)
    if "..." in text or "dots" in text:
        text = _ENDLESS_TAIL.sub("", text)
    if text[:1] in {"(", "["} and "^" in text:
        text = _TURNED.sub(r"\1", text)
    if "(" in text and text.rstrip(" $}").endswith(")"):
        shorter = _REMARK.sub("", text)
        text = shorter if shorter.strip() else text
    if ("bout" in text or "pprox" in text or "ough" in text) and (tail := _ESTIMATE.search(text)):
        exact = text[: tail.start()]
        text = exact if _EXACT_SIGNS.search(exact) else text
    if "\\" in text:
        text = _INFERENCE.sub("", text, 1) if _INFERENCE.match(text) else text
        text = _LABEL.sub("", text, 1) if _LABEL.match(text) else text
        if "\\overline" in text and ("\\parallel" in text or "\\perp" in text or "\\cong" in text):
            text = _SEGMENT_BAR.sub(r"\1", text)
        if "\\angle" in text:
            text = _PHASOR.sub(lambda m: f" cis({m[1] or m[2]})", text)
        if "\\SI" in text or "\\qty" in text or "\\num" in text or "\\ang" in text:
            text = _MEASURED.sub(_rewrite_measured, text)
        text = text.replace("\\AA", "Å") if "\\AA" in text else text
        text = text.replace("\\surd", "\\sqrt") if "\\surd" in text else text
        text = text.replace("\\uppi", "\\pi") if "\\uppi" in text else text
        text = text.replace("\\\\$", "$") if "\\\\$" in text else text
        if "\\in" in text:
            text = _WHOLE_PARAMETER.sub(
                lambda m: f", {m[1] or m[3]} \\in \\mathbb{{{m[2] or 'Z'}}}", text
            )
        text = _ITEM_LABEL.sub("", text)
        text = _TEXT_SIGN.sub(r"\1", text)
        text = _BRACED_SYSTEM.sub(r"\\begin{cases}\2\\end{cases}", text)
    elif text.startswith("=>"):
        text = text[2:]
    worded = " " in text or "Rs" in text or "rs." in text or "₹" in text
    return _rewrite_words(text) if worded else text


def _rewrite_measured(match: re.Match[str]) -> str:
    r"""Write ``\SI{9.8}{\meter\per\second\squared}`` of siunitx as a number and a unit."""
    if match[3] is not None:
        return match[3] + ("^{\\circ}" if match[0].startswith("\\ang") else "")
    unit = _PREFIX_MACRO.sub(r" \1", match[2]).replace("\\per", "/").replace("\\squared", "^2")
    unit = unit.replace("\\cubed", "^3").replace("\\", " ")
    return f"{match[1]} \\text{{{unit}}}"


def _rewrite_words(text: str) -> str:
    if ("for " in text or "where " in text or "\\forall" in text) and not _QUANTIFIED.match(text):
        text = _FOR_ALL.sub("", text)
    if "₹" in text or "Rs" in text or "rupee" in text:
        text = _LAKHS.sub(lambda m: m.group().replace(",", ""), text)
    if "Rs" in text or "rs" in text:
        text = _RUPEES.sub("₹", text)
    if "choose" in text:
        text = _CHOOSE.sub(r"\\binom{\1}{\2}", text)
    if " root of " in text:
        text = _ROOT_OF.sub(lambda m: f"\\sqrt[{_ROOTS[m[1].lower()]}]{{{m[2]}}}", text)
    if " to the " in text:
        text = _TO_THE.sub(r"\1^{\2\3}", text)
    if "plus" in text.lower() or " is " in text or " equal" in text:
        for pattern, sign in _WORDS:
            text = pattern.sub(sign, text)
    if text[:1].isalpha() or text[:1] == " ":
        for pattern in (_THUS, _LEAD, _NOUN):
            match = pattern.match(text)
            text = text[match.end() :] if match else text
        text = _NEGATIVE.sub("-", text, 1) if _NEGATIVE.match(text) else text
    elif text[:1].isdigit():
        if (changed := _CHANGED.fullmatch(text.strip(" ."))) is not None:
            return changed[1] + _CHANGES[changed[2]]
        if (recurring := _RECURRING.fullmatch(text.strip(" ."))) is not None:
            return f"{recurring[1]}.\\overline{{{recurring[2]}}}"
        text = _OUT_OF.sub(r"\1/\2", text) if _OUT_OF.fullmatch(text.strip(" .")) else text
        if (size := _SIZE.fullmatch(text.strip(" ."))) is not None:
            return _rewrite_size(size) or text
        text = _THOUSANDS_OF.sub(" thousand ", text)
    elif "cent" in text and (money := _DOLLARS_AND_CENTS.fullmatch(text)) is not None:
        return f"{money[1]} dollars and {money[2]} cents"
    return text


def _rewrite_size(match: re.Match[str]) -> str:
    """Write ``10 cm by 5 cm`` and ``10 cm × 5 cm`` as a list; empty for a mere product."""
    first, unit, sign, second, other, third, last = match.groups()
    shared = last or other
    if not shared if sign == "by" else not (unit and other and (last or not third)):
        return ""
    sides = [(first, unit), (second, other), (third, last)]
    return ", ".join(f"{number} {name or shared}" for number, name in sides if number)


def _rewrite_rows(text: str) -> str:
    """Write ``[1 2; 3 4]`` and ``Matrix([[1, 2], [3, 4]])`` as matrices."""
    bare = text.strip(" $.")
    called = _MATRIX_CALL.fullmatch(bare)
    if called:
        return called[1]
    rows = _ROWS.fullmatch(bare)
    if rows is None or not any(len(row.split()) > 1 for row in rows[1].split(";")):
        return text
    body = " \\\\ ".join(" & ".join(row.split()) for row in rows[1].split(";"))
    return f"\\begin{{pmatrix}} {body} \\end{{pmatrix}}"
