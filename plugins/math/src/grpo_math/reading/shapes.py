"""Gives what was read its final shape: named values, lists, chains, ±."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from grpo_math.limits import UnreadableError
from grpo_math.patterns import Pattern
from grpo_math.reading.atoms import negate
from grpo_math.reading.tokens import Token
from grpo_math.values import (
    BINDERS,
    NUMBER_TYPES,
    Builder,
    Call,
    Expr,
    Group,
    Listing,
    Matrix,
    NamedSet,
    Num,
    Quantity,
    Ratio,
    Relation,
    SetOperation,
    Text,
    Value,
    Var,
    collect_variables,
)

MEMBER = "∈"
"""Begins the name of a parameter that is bound to a set of whole numbers: ``∈Z``, ``∈N``."""
PARAMETER = f"{MEMBER}Z"
_DIFFERENTIALS = (Var("d"), Var("partial"))
_NAMED_FUNCTIONS = frozenset({"sin", "cos", "tan", "cot", "sec", "csc", "det", "gcd", "lcm"})
_VALUE_OF = Pattern(r"\w+\(-?[\d./]+\)")  # f(3)
_VARIANCES = (Var("sigma"), Var("chi"))
_MAX_SIGNS = 4
ExprMap = Callable[[Expr], Expr]


def is_constant(value: Value) -> bool:
    """Tell whether a value is a number without variables, with or without a unit."""
    if isinstance(value, Quantity):
        return True
    return isinstance(value, NUMBER_TYPES) and not collect_variables(value)


def is_label(tokens: Sequence[Token]) -> bool:
    """Tell whether tokens are words, or one name as programs have them: ``total_cost``."""
    if len(tokens) > 2 and len(tokens[0].text) > 1 and all(t.text == "_" for t in tokens[1::2]):
        tokens = tokens[::2]
    return (
        bool(tokens)
        and all(token.kind in {"word", "text"} for token in tokens)
        and sum(len(token.text) for token in tokens) > 1
    )


def is_name(value: Value) -> bool:
    """Tell whether a side of an equation names something: a variable, a label, ``f(x)``."""
    if isinstance(value, Ratio):
        return all(isinstance(term, Var) for term in value.terms)
    if isinstance(value, Call):
        return (
            _is_segment(value) or _is_derivative(value) or _is_named_sum(value)
            or _is_named_quotient(value)
            or (value.op in _NAMED_FUNCTIONS and all(isinstance(arg, Var) for arg in value.args))
            or value.op in BINDERS or (value.op == "pow" and value.args[0] in _VARIANCES)
            or (value.op == "mul" and value.args[0] == Var("nabla"))
        )  # fmt: skip
    if isinstance(value, SetOperation):
        return all(isinstance(part, Var) for part in value.parts)
    return isinstance(value, (Var, Text))


def _is_named_quotient(expr: Call) -> bool:
    """Tell whether an expression is a quotient of two names: ``m/n``."""
    if expr.op != "mul" or len(expr.args) != 2:
        return False
    top, inverse = expr.args
    below = inverse.args[0] if isinstance(inverse, Call) and inverse.op == "inv" else None
    return isinstance(top, Var) and isinstance(below, Var) and top != below


def _is_named_sum(expr: Call) -> bool:
    """Tell whether an expression is the sum a contest asks for: ``m + n``, ``100a + 10b + c``."""
    if expr.op != "add":
        return False
    if all(isinstance(term, Var) and _VALUE_OF.fullmatch(term.name) for term in expr.args):
        return True
    names = []
    for term in expr.args:
        factors = term.args if isinstance(term, Call) and term.op == "mul" else (term,)
        letters = [f for f in factors if isinstance(f, Var)]
        others = [f for f in factors if not isinstance(f, Var)]
        if len(letters) != 1 or not all(isinstance(f, Num) and f.value > 0 for f in others):
            return False
        names.append(letters[0].name)
    return len(set(names)) == len(names) and all("a" <= n <= "w" and len(n) == 1 for n in names)


def _is_segment(expr: Expr) -> bool:
    """Tell whether an expression names a segment, angle or quotient of such: ``AB``, ``|AB|``."""
    if isinstance(expr, Var):
        return (
            expr.name[:1].isupper()
            or expr.name.startswith("vec ")
            or expr.name in {"alpha", "beta", "theta", "gamma"}
        )
    if isinstance(expr, Call) and expr.op in {"mul", "inv", "abs", "sin", "cos", "tan"}:
        return all(_is_segment(arg) for arg in expr.args)
    return False


def _is_derivative(expr: Call) -> bool:
    """Tell whether an expression is ``dy/dx``."""
    if expr.op != "mul" or expr.args[0] not in _DIFFERENTIALS or len(expr.args) != 3:
        return False
    below = expr.args[-1]
    if not isinstance(below, Call) or below.op != "inv" or not isinstance(below.args[0], Call):
        return False
    return below.args[0].op == "mul" and below.args[0].args[0] == expr.args[0]


def finish_relation(values: list[Value], signs: list[str]) -> Value:
    """Shape a chain of relations.

    A trailing approximation is dropped, a chain of equalities counts by its last value, and the
    equations of a tuple of names become one equation per name.
    """
    if "=>" in signs:
        last = len(signs) - 1 - signs[::-1].index("=>")
        values, signs = values[last + 1 :], signs[last + 1 :]
    if "~" in signs:
        first = signs.index("~")
        if first > 0 or not is_name(values[0]):
            values, signs = values[: first + 1], signs[:first]
        else:
            signs = ["=", *signs[1:]]
            return finish_relation(values, signs)
    if not signs:
        return values[0]
    if set(signs) == {"="}:
        return _finish_equation(values)
    return Relation(tuple(values), tuple(signs))


def _finish_equation(values: list[Value]) -> Value:
    if all(is_constant(v) for v in values):
        return values[-1]
    if len(values) > 2:
        if is_name(values[0]) or is_constant(values[-1]):
            values = [values[0], values[-1]]
        else:
            return values[-1]
    left, right = values
    if isinstance(left, Group) and isinstance(right, Group):
        fences = {left.fence, right.fence} <= {"()", "<>", "[]"}
        names = all(isinstance(item, Var) for item in left.items)
        if fences and names and len(left.items) == len(right.items):
            pairs = zip(left.items, right.items, strict=True)
            return Listing(tuple(Relation((name, v), ("=",)) for name, v in pairs))
    if isinstance(left, Group) and all(isinstance(item, Var) for item in left.items):
        return right
    if is_constant(left) and isinstance(right, Var):
        left, right = right, left
    return Relation((left, right), ("=",))


def gather_list(items: list[Value], joiner: str = ",") -> Value:
    """Shape several values: one name's values become ``name = values``."""
    items, parameter, bound = _take_parameter(items)
    if parameter:
        items = [rename(item, parameter, bound) for item in items]
    if len(items) == 1:
        return items[0]
    first = items[0]
    if isinstance(first, Relation) and first.signs == ("=",) and is_name(first.sides[0]):
        name = first.sides[0]
        values: list[Value] = [first.sides[1]]
        each = ","
        for item in items[1:]:
            if isinstance(item, Relation):
                if item.signs != ("=",) or item.sides[0] != name:
                    return Listing(tuple(items), joiner)
                values.append(item.sides[1])
                each = "or"  # what x = 2, x = 5 names is no point (2, 5)
            else:
                values.append(item)
        return Relation((name, Listing(tuple(values), each)), ("=",))
    return Listing(tuple(items), joiner)


def _take_parameter(items: list[Value]) -> tuple[list[Value], str, str]:
    """Take ``k ∈ ℤ`` out of a list: it says what k in the other items is.

    Returns:
        The other items, the parameter's name, and the name of one that is bound to its set.
    """
    for index, item in enumerate(items):
        if (
            len(items) > 1 and isinstance(item, Relation) and item.signs == ("in",)
            and isinstance(item.sides[0], Var) and isinstance(item.sides[1], NamedSet)
            and item.sides[1].name[0] in "ZN"
        ):  # fmt: skip
            rest = items[:index] + items[index + 1 :]
            return rest, item.sides[0].name, MEMBER + item.sides[1].name
    return items, "", ""


def rename(value: Value, old: str, new: str) -> Value:
    """Rename a variable wherever it stands in a value."""
    return map_expressions(value, lambda expr: _rename(expr, old, new))


def _rename(expr: Expr, old: str, new: str) -> Expr:
    if isinstance(expr, Var) and expr.name == old:
        return Var(new)
    if isinstance(expr, Call):
        return Call(expr.op, tuple(_rename(arg, old, new) for arg in expr.args))
    return expr


def map_expressions(value: Value, change: ExprMap) -> Value:
    """Apply a function to every expression in a value."""
    if isinstance(value, NUMBER_TYPES):
        return change(value)
    if isinstance(value, Quantity):
        return value._replace(amount=change(value.amount))
    if isinstance(value, (Group, Listing)):
        return value._replace(items=tuple(map_expressions(v, change) for v in value.items))
    if isinstance(value, Relation):
        return value._replace(sides=tuple(map_expressions(v, change) for v in value.sides))
    if isinstance(value, SetOperation):
        return value._replace(parts=tuple(map_expressions(v, change) for v in value.parts))
    if isinstance(value, Matrix):
        rows = tuple(tuple(map_expressions(v, change) for v in row) for row in value.rows)
        return Matrix(rows)
    if isinstance(value, Ratio):
        return Ratio(tuple(change(term) for term in value.terms))
    if isinstance(value, Builder):
        conditions = tuple(map_expressions(v, change) for v in value.conditions)
        return Builder(map_expressions(value.head, change), conditions)
    return value


def _choose_sign(expr: Expr, sign: int) -> Expr:
    if not isinstance(expr, Call):
        return expr
    args = tuple(_choose_sign(arg, sign) for arg in expr.args)
    if expr.op in {"pm", "mp"}:
        plus = (sign > 0) == (expr.op == "pm")
        return args[0] if plus else negate(args[0])
    return Call(expr.op, args)


def _count_signs(expr: Expr) -> int:
    """Count the ± of an expression; one with ∓ has none that are free of each other."""
    if not isinstance(expr, Call):
        return 0
    if expr.op == "mp":
        return -_MAX_SIGNS
    return (expr.op == "pm") + sum(_count_signs(arg) for arg in expr.args)


def _choose_freely(expr: Expr) -> list[Expr]:
    """List the values of an expression whose ± are independent, as ± 1 ± 2 names four."""
    if _count_signs(expr) > _MAX_SIGNS:
        raise UnreadableError("too many ± signs")
    if not isinstance(expr, Call):
        return [expr]
    choices = [_choose_freely(arg) for arg in expr.args]
    if expr.op == "pm":
        return [*choices[0], *map(negate, choices[0])]
    return [Call(expr.op, args) for args in itertools.product(*choices)]


def has_sign_choice(value: Value) -> bool:
    """Tell whether ± or ∓ stands anywhere in a value."""
    if isinstance(value, Call):
        return value.op in {"pm", "mp"} or any(has_sign_choice(arg) for arg in value.args)
    if isinstance(value, Quantity):
        return has_sign_choice(value.amount)
    if isinstance(value, (Group, Listing)):
        return any(has_sign_choice(item) for item in value.items)
    if isinstance(value, Relation):
        return any(has_sign_choice(side) for side in value.sides)
    return False


def expand_signs(value: Value) -> Value:
    """Write ± out: ``x = 1 ± 2`` names the values 3 and -1 of x."""
    if not has_sign_choice(value):
        return value
    if isinstance(value, Listing):
        items: list[Value] = []
        for item in value.items:
            expanded = expand_signs(item)
            items += expanded.items if isinstance(expanded, Listing) else (expanded,)
        return Listing(tuple(items))
    if isinstance(value, Relation) and len(value.sides) == 2 and is_name(value.sides[0]):
        return Relation((value.sides[0], expand_signs(value.sides[1])), value.signs)
    if isinstance(value, Group) and value.fence == "{}":
        inner = expand_signs(Listing(value.items))
        return Group("{}", inner.items) if isinstance(inner, Listing) else value
    if isinstance(value, NUMBER_TYPES) and _count_signs(value) > 1:
        return Listing(tuple(_choose_freely(value)))
    plus = map_expressions(value, lambda expr: _choose_sign(expr, 1))
    minus = map_expressions(value, lambda expr: _choose_sign(expr, -1))
    return Listing((plus, minus))
