"""The set in constant memory: never a wrong no, seldom a wrong yes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grpo_framework.maybe import MaybeSet


@given(st.lists(st.tuples(st.text(), st.text())))
def test_what_was_added_is_never_denied(values):
    """Every added value is found."""
    known = MaybeSet()
    for value in values:
        known.add(value)
    assert all(value in known for value in values)


def test_what_was_not_added_is_seldom_found():
    """Of many others, less than one in fifty is taken for one that was added."""
    known = MaybeSet()
    assert ("call", "0") not in known
    for number in range(100_000):
        known.add(("call", str(number)))
    wrong = sum(("attempt", str(number)) in known for number in range(10_000))
    assert wrong < 200
