"""Several advisors as one: proposals merged, tagged, consolidated each by its own."""

from __future__ import annotations

import asyncio

import pytest
from attrs import frozen

from grpo_framework.combining import CombinedAdvisor
from grpo_framework.config import load_config
from grpo_framework.errors import ConfigError
from grpo_framework.experience import (
    Add,
    Delete,
    Experience,
    Keep,
    Library,
    Malformed,
    Merge,
    Modify,
)
from grpo_framework.testing.samples import make_contrast

LIBRARY = Library("generator_1", 1, (Experience("G1-001", "Check the units."),), 2)


@frozen
class Fixed:
    """An advisor with fixed proposals, that consolidates by keeping the last one."""

    proposals: tuple = ()
    error: Exception | None = None

    async def advise(self, contrasts, library, /):
        if self.error is not None:
            raise self.error
        return self.proposals

    async def consolidate(self, proposals, library, /, *, seed):
        assert all(":" not in item.reason for item in proposals)
        return proposals[-1:]


@frozen
class Plain:
    """An advisor that does not consolidate."""

    proposals: tuple = ()

    async def advise(self, contrasts, library, /):
        return self.proposals


def combined(**parts):
    return CombinedAdvisor(tuple((name.replace("_", "/"), part) for name, part in parts.items()))


def advise(advisor):
    return asyncio.run(advisor.advise((make_contrast(),), LIBRARY))


def test_proposals_are_merged_and_tagged():
    """In the advisors' order; what two propose alike comes once, in the first one's words."""
    advisor = combined(
        a_one=Fixed((Add("Check the result.", reason="why"), Keep("G1-001"))),
        b_two=Plain((Add("check the RESULT"), Add("Be brief."), Keep("G1-001"))),
    )
    assert advise(advisor) == (
        Add("Check the result.", reason="a/one: why"),
        Keep("G1-001", "a/one: "),
        Add("Be brief.", reason="b/two: "),
    )


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [
        (Delete("G1-001", "a"), Delete("G1-001", "b"), 1),
        (Modify("G1-001", "Do x."), Modify("G1-001", "do X"), 1),
        (Modify("G1-001", "Do x."), Modify("G1-002", "Do x."), 2),
        (Merge(("G1-001", "G1-002"), "t"), Merge(("G1-002", "G1-001"), "t"), 1),
        (Malformed("{}", "a"), Malformed("{}", "b"), 1),
        (Keep("G1-001"), Delete("G1-001"), 2),
    ],
)
def test_what_counts_as_the_same(one, other, kept):
    """Kind, ids and normalised text; not the reason."""
    assert len(advise(combined(a_one=Plain((one,)), b_two=Plain((other,))))) == kept


def test_each_consolidates_its_own():
    """By the tags; an advisor without consolidation keeps its proposals, as does nobody's."""
    advisor = combined(a_one=Fixed(), b_two=Plain())
    proposals = (
        Add("One.", reason="a/one: x"),
        Add("Two.", reason="b/two: y"),
        Add("Three.", reason="a/one: z"),
        Add("Four.", reason="who"),
    )
    merged = asyncio.run(advisor.consolidate(proposals, LIBRARY, seed=1))
    assert [(item.content, item.reason) for item in merged] == [
        ("Three.", "a/one: z"),
        ("Two.", "b/two: y"),
        ("Four.", "who"),
    ]


def test_the_configuration_takes_one_or_several():
    """A reference, a table or a list of them; options of a single one are set without an index."""
    assert [use.use for use in load_config().advisor] == ["prompted/advisor"]
    several = load_config(flags={"advisor": ["prompted/advisor", "pool/advisor"]})
    assert [use.use for use in several.advisor] == ["prompted/advisor", "pool/advisor"]
    one = load_config(settings=["advisor.options.mode=staged"])
    assert one.advisor[0].options == {"mode": "staged"}
    assert load_config(flags={"advisor": ["a/b"]}) == load_config(flags={"advisor": "a/b"})
    own = load_config(settings=['advisor=[{use="a/b", model="m/x"}, "c/d"]']).advisor
    assert (own[0].model.use, own[1].model) == ("m/x", None)
    again = load_config(flags=several.document)
    assert again.fingerprint == several.fingerprint
    with pytest.raises(ConfigError, match="advisor"):
        load_config(settings=["advisor=[]"])
