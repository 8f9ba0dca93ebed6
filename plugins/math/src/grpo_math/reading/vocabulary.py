"""The names the expression reader knows: functions, constants, Greek letters, relation signs."""

from __future__ import annotations

from grpo_math.wording import words

FUNCTIONS = {
    name: name
    for name in words(
        "sin cos tan cot sec csc sinh cosh tanh coth sech csch exp ln log sqrt abs floor ceil sign "
        "gcd lcm max min det arg erf gamma zeta"
    )
} | {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec",
    "arccsc": "acsc", "asin": "asin", "acos": "acos", "atan": "atan", "arsinh": "asinh",
    "arcosh": "acosh", "artanh": "atanh", "arcsinh": "asinh", "arccosh": "acosh",
    "arctanh": "atanh", "asinh": "asinh", "acosh": "acosh", "atanh": "atanh", "tg": "tan",
    "ctg": "cot", "arctg": "atan", "lg": "lg", "lb": "lb", "cosec": "csc",
    "cosech": "csch", "ceiling": "ceil",
    "cbrt": "cbrt", "sgn": "sign", "cis": "cis", "Re": "re", "Im": "im", "factorial": "factorial",
    "fourthroot": "root4", "binomial": "binom", "comb": "binom", "nCr": "binom", "root": "nroot",
    "arcsinhyp": "asinh", "Log": "ln", "conjugate": "conj", "acot": "acot", "asec": "asec",
    "acsc": "acsc", "arcsech": "asech", "arccsch": "acsch", "arccoth": "acoth", "asech": "asech",
    "acsch": "acsch", "acoth": "acoth", "arsech": "asech", "arcsch": "acsch", "arcoth": "acoth",
    "Abs": "abs", "Max": "max", "Min": "min",
}  # fmt: skip
INVERSE = {
    "sin": "asin", "cos": "acos", "tan": "atan", "cot": "acot", "sec": "asec", "csc": "acsc",
    "sinh": "asinh", "cosh": "acosh", "tanh": "atanh", "sech": "asech", "csch": "acsch",
    "coth": "acoth",
}  # fmt: skip
TWO_ARGUMENTS = frozenset({"gcd", "lcm", "max", "min", "binom", "nroot", "log", "gamma"})

CONSTANTS = {
    "pi": "pi", "e": "e", "i": "i", "oo": "oo", "infty": "oo", "infinity": "oo", "inf": "oo",
    "Infinity": "oo", "INFINITY": "oo", "exponentialE": "e", "imaginaryI": "i", "Pi": "pi",
    "imath": "i", "mathrm{e}": "e",
}  # fmt: skip
GREEK = frozenset(
    words(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu "
        "xi rho varrho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi "
        "Sigma Phi Psi Omega ell hbar partial nabla jmath aleph"
    )
)
GREEK_FORMS = {"varepsilon": "epsilon", "vartheta": "theta", "varphi": "phi", "varrho": "rho",
               "ell": "l"}  # fmt: skip
FRACTIONS = frozenset({"\\frac", "\\dfrac", "\\tfrac", "\\cfrac", "\\sfrac", "\\nicefrac"})
BINOMIALS = frozenset({"\\binom", "\\dbinom", "\\tbinom"})
TIMES = frozenset({"*", "\\cdot", "\\times", "\\ast", "\\bullet", "\\cdotp", "\\star"})
OVER = frozenset({"/", "\\div", "\\over"})
ACCENTS = frozenset(
    words(
        "\\hat \\bar \\tilde \\widehat \\overrightarrow \\overline \\underline \\dot \\ddot "
        "\\mathring \\widetilde \\overleftrightarrow"
    )
)
RELATIONS = {
    "=": "=", "==": "==", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", ":=": "=",
    "\\le": "<=", "\\leq": "<=", "\\leqslant": "<=", "\\leqq": "<=", "\\ge": ">=",
    "\\geq": ">=", "\\geqslant": ">=", "\\geqq": ">=", "\\lt": "<", "\\gt": ">",
    "\\ne": "!=", "\\neq": "!=", "\\approx": "~", "\\approxeq": "~", "\\simeq": "~",
    "\\doteq": "~", "\\sim": "sim", "\\cong": "cong", "\\in": "in", "\\notin": "notin",
    "\\equiv": "mod", "\\pmod": "modulo", "\\to": "->", "->": "->", "\\rightarrow": "->",
    "\\mapsto": "->",
    "\\subset": "sub", "\\subseteq": "subeq", "\\supset": "sup", "\\supseteq": "supeq",
    "\\coloneqq": "=", "\\triangleq": "=",
    "\\propto": "prop", "\\implies": "=>", "=>": "=>", "\\Rightarrow": "=>", "\\iff": "=>",
    "\\Leftrightarrow": "=>", "\\parallel": "par", "\\perp": "perp", "\\mid": "|",
}  # fmt: skip
RELATIONS["=="] = "="
SETS = {
    "R": "R", "reals": "R", "Reals": "R", "Z": "Z", "N": "N", "Q": "Q", "C": "C",
    "emptyset": "empty", "varnothing": "empty", "empty": "empty", "O": "empty",
}  # fmt: skip
SET_SUFFIXES = frozenset({"", "+", "-", "*", "0", ">0", "2", "3", "n", "\\ast", "\\ge0", "\\geq0"})
# The natural numbers begin at 1, as in contests; those with 0 are written so.
SAME_SETS = {"Z\\ast": "Z*", "R\\ast": "R*", "Q\\ast": "Q*", "C\\ast": "C*",
              "N+": "N", "N*": "N", "N>0": "N", "N\\ast": "N", "Z+": "N", "Z>0": "N",
              "Z\\ge0": "N0", "Z\\geq0": "N0", "N\\ge0": "N0", "N\\geq0": "N0"}  # fmt: skip
