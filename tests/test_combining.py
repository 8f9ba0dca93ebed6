"""Several advisors as one: proposals merged, tagged, consolidated each by its own."""

from __future__ import annotations

import asyncio

import pytest
from attrs import frozen

from grpo_framework.combining import CombinedAdvisor, combine
from grpo_framework.config import load_config
from grpo_framework.engine import Engine
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
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.records import Attempt, Problem, Question, Verdict
from grpo_framework.testing.samples import make_contrast
from grpo_framework.trainer import TrainingFreeGRPOTrainer

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


class Parrot:
    """Generator, critic and comparator: answers alternate, so that every group teaches."""

    async def attempt(self, question, library, /, *, seed):
        return Attempt("right" if seed % 2 else "wrong")

    async def fuse(self, question, attempts, library, /, *, seed):
        return attempts[0]

    async def compare(self, problem, answer, /):
        return Verdict(float(answer == "right"), "", answer)


class Kept:
    """A store in memory."""

    def __init__(self):
        self.held = {}

    async def load(self, owner, /, *, version=None):
        return self.held.get(owner, Library(owner))

    async def commit(self, library, /, *, expected_version):
        self.held[library.owner] = library


def train(*parts):
    """One epoch over two problems; returns the report and the generator's library."""
    parrot, store = Parrot(), Kept()
    engine = Engine((parrot,), parrot, parrot, combined(**dict(parts)))
    manager = ExperienceManager(store, plugins=Plugins(()))
    trainer = TrainingFreeGRPOTrainer(
        engine, manager, num_epochs=1, verbose=False, rollouts_per_generator=6, max_failures=1
    )
    problems = [Problem(Question(f"p{n}", f"What is it, number {n}?"), "x") for n in (1, 2)]
    return trainer.train(problems), store.held.get("generator_1", Library("generator_1"))


def test_one_that_fails_takes_no_others_proposals_with_it():
    """Each is a unit of work of its own: the failure is in the report, the rest is learned."""
    report, library = train(
        ("a_one", Fixed(error=RuntimeError("no key"))), ("b_two", Plain((Add("Be brief."),)))
    )
    assert [item.content for item in library.experiences] == ["Be brief."]
    (failure,) = [row for row in report.epochs[0].failures if row.owner == "generator_1"]
    assert (failure.stage, failure.count, failure.message) == ("advice", 2, "no key")


def test_where_all_fail_nothing_is_learned():
    """Both failures are counted."""
    failing = Fixed(error=RuntimeError("no key"))
    report, library = train(("a_one", failing), ("b_two", failing))
    assert library.experiences == ()
    assert sum(row.count for row in report.epochs[0].failures if row.owner == "generator_1") == 4


def test_the_configuration_takes_one_or_several():
    """A reference, a table or a list of them; options of a single one are set without an index."""
    both = ["prompted/advisor", "pool/advisor"]
    assert [use.use for use in load_config().advisor] == both
    (one,) = load_config(flags={"advisor": "prompted/advisor"}).advisor
    assert one.use == "prompted/advisor"
    several = load_config(flags={"advisor": ["prompted/advisor", "pool/advisor"]})
    assert [use.use for use in several.advisor] == ["prompted/advisor", "pool/advisor"]
    one = load_config(flags={"advisor": "a/b"}, settings=["advisor.options.mode=staged"])
    assert one.advisor[0].options == {"mode": "staged"}
    first = load_config(settings=["advisor.0.options.mode=staged"])
    assert [use.options for use in first.advisor] == [{"mode": "staged"}, {}]
    assert load_config(flags={"advisor": ["a/b"]}) == load_config(flags={"advisor": "a/b"})
    own = load_config(settings=['advisor=[{use="a/b", model="m/x"}, "c/d"]']).advisor
    assert (own[0].model.use, own[1].model) == ("m/x", None)
    again = load_config(flags=several.document)
    assert again.fingerprint == several.fingerprint
    with pytest.raises(ConfigError, match="advisor"):
        load_config(settings=["advisor=[]"])


def test_one_advisor_stays_as_it_is_and_equal_names_are_numbered():
    """None for none; the error of a part is raised as it is, not in a group."""
    one = Plain()
    assert combine([], []) is None
    assert combine(["a/one"], [one]) is one
    both = combine(["a/one", "a/one"], [one, Fixed(error=RuntimeError("no key"))])
    assert [name for name, _ in both.parts] == ["a/one", "a/one 2"]
    with pytest.raises(RuntimeError, match="no key"):
        advise(both)
