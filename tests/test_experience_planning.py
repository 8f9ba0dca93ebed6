"""The rules by which a library changes: each a row of one table, then what holds for all."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from grpo_framework.experience import (
    RULES,
    Add,
    Count,
    Credit,
    Delete,
    Experience,
    Keep,
    Library,
    Limits,
    Malformed,
    Merge,
    Modify,
    Trial,
    apply,
    clean,
    count,
    generator_owner,
    id_prefix,
    join,
    plan,
)
from grpo_framework.experience.rules import OPTIONAL

NOW = "2026-01-02T03:04:05+00:00"
TEXTS = (
    "Check the units of the result.",
    "Draw a picture of the situation.",
    "Write fractions with one denominator.",
)
LIBRARY = Library(
    "generator_1",
    version=4,
    experiences=tuple(
        Experience(f"G1-{number:03d}", text, success_count=1, usage_count=2)
        for number, text in zip((1, 2, 5), TEXTS, strict=True)
    ),
    next_number=7,
)
TRIED, WAITING = "Answer in rhymes only.", "Say what is known first."
TRIALS = (
    Trial(Add(TRIED), "rejected", "worse: reward -0.30 in 20 pairs"),
    Trial(Delete("G1-005"), "rejected", "worse: reward -0.10 in 40 pairs"),
    Trial(Add(WAITING), "provisional", "undecided", differences=(1.0, 0.0)),
)
NEW = "Estimate the size of the answer first."

# operations · the rules that refuse, in order of refusal · ids afterwards
TABLE = {
    "add": ([Add(NEW)], [], "1 2 5 7"),
    "modify": ([Modify("G1-002", NEW)], [], "1 2 5"),
    "delete": ([Delete("G1-002")], [], "1 5"),
    "merge": ([Merge(("G1-001", "G1-005"), NEW)], [], "2 7"),
    "keep": ([Keep("G1-001")], [], "1 2 5"),
    "modify of an unknown id is no add": ([Modify("G1-099", NEW)], ["known-id"], "1 2 5"),
    "delete of an unknown id": ([Delete("G1-099")], ["known-id"], "1 2 5"),
    "keep of an unknown id": ([Keep("G1-099")], ["known-id"], "1 2 5"),
    "merge with an unknown id": ([Merge(("G1-001", "G1-099"), NEW)], ["known-id"], "1 2 5"),
    "another owner's id": ([Delete("S-001")], ["known-id"], "1 2 5"),
    "an id of the right number but another owner": ([Delete("C-001")], ["known-id"], "1 2 5"),
    "an id written otherwise is another id": ([Delete("g1-1")], ["known-id"], "1 2 5"),
    "delete beats an earlier modify": (
        [Modify("G1-002", NEW), Delete("G1-002")],
        ["one-edit"],
        "1 5",
    ),
    "delete beats an earlier merge": (
        [Merge(("G1-001", "G1-002"), NEW), Delete("G1-002")],
        ["one-edit"],
        "1 5",
    ),
    "delete beats keep": ([Keep("G1-002"), Delete("G1-002")], ["one-edit"], "1 5"),
    "a second delete": ([Delete("G1-002"), Delete("G1-002")], ["one-edit"], "1 5"),
    "merge beats modify": (
        [Modify("G1-001", "Label every axis."), Merge(("G1-001", "G1-002"), NEW)],
        ["one-edit"],
        "5 7",
    ),
    "a second modify": (
        [Modify("G1-001", NEW), Modify("G1-001", "Label every axis.")],
        ["one-edit"],
        "1 2 5",
    ),
    "merge of one": ([Merge(("G1-001",), NEW)], ["merge-two"], "1 2 5"),
    "merge of one named twice": ([Merge(("G1-001", "G1-001"), NEW)], ["merge-two"], "1 2 5"),
    "merge of none": ([Merge((), NEW)], ["merge-two"], "1 2 5"),
    "merge may name an id twice": ([Merge(("G1-001", "G1-002", "G1-001"), NEW)], [], "5 7"),
    "merge may reuse a parent's words": ([Merge(("G1-001", "G1-002"), TEXTS[0])], [], "5 7"),
    "empty text": ([Add("")], ["has-text"], "1 2 5"),
    "text of signs only": ([Add(" … \n!")], ["has-text"], "1 2 5"),
    "text beyond the limit": ([Add("w" * 1001)], ["has-text"], "1 2 5"),
    "text at the limit": ([Add("w" * 1000)], [], "1 2 5 7"),
    "exact duplicate": ([Add(TEXTS[0])], ["duplicate"], "1 2 5"),
    "duplicate but for case and signs": ([Add(TEXTS[0].upper() + "!")], ["duplicate"], "1 2 5"),
    "near duplicate": ([Add("Check the unit of the result.")], ["duplicate"], "1 2 5"),
    "the same words in another order": (
        [Add("Of the result check the units")],
        ["duplicate"],
        "1 2 5",
    ),
    "duplicate of an earlier add": ([Add(NEW), Add(NEW)], ["duplicate"], "1 2 5 7"),
    "duplicate of an earlier merge": (
        [Add(NEW), Merge(("G1-001", "G1-002"), NEW)],
        ["duplicate"],
        "5 7",
    ),
    "modify into another's words": ([Modify("G1-001", TEXTS[1])], ["duplicate"], "1 2 5"),
    "modify into nearly its own words": ([Modify("G1-001", TEXTS[0] + " Twice.")], [], "1 2 5"),
    "words of what is deleted are free": ([Add(TEXTS[1]), Delete("G1-002")], [], "1 5 7"),
    "what the shared library says": ([Add("Read the question twice.")], ["duplicate"], "1 2 5"),
    "rejected by a measurement before": ([Add(TRIED)], ["tried-before"], "1 2 5"),
    "nearly what was rejected": ([Add(TRIED.upper() + "!")], ["tried-before"], "1 2 5"),
    "a delete rejected before": ([Delete("G1-005")], ["tried-before"], "1 2 5"),
    "undecided is not rejected": ([Add(WAITING)], [], "1 2 5 7"),
    "malformed": ([Malformed('{"op": "erase"}', "no such op")], ["schema"], "1 2 5"),
    "one refusal harms no other": ([Delete("G1-099"), Add(NEW)], ["known-id"], "1 2 5 7"),
}
FOREIGN = {"S-001": "Read the question twice."}


@pytest.mark.parametrize(("operations", "rules", "numbers"), TABLE.values(), ids=TABLE)
def test_rule(operations, rules, numbers):
    """Each rule refuses what it is for and nothing else; ids are never renumbered."""
    planned = plan(LIBRARY, operations, foreign=FOREIGN, trials=TRIALS)
    assert [refusal.rule for refusal in planned.refused] == rules
    assert all(refusal.reason for refusal in planned.refused)
    after = apply(LIBRARY, planned, now=NOW)
    assert after.ids == tuple(f"G1-{int(number):03d}" for number in numbers.split())


def test_every_rule_has_a_row():
    """The table above names each rule of `RULES`; those of hygiene and capacity have their own."""
    named = {rule for _, rules, _ in TABLE.values() for rule in rules}
    hygiene = {"untrusted", "answer-leak", "quotation", "tokens", *OPTIONAL}
    assert named | {"capacity"} | hygiene == {name for name, _ in RULES}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Check the result in 2 steps.", "Check the result in 3 steps."),
        ("Do round the result at the end.", "Do not round the result at the end."),
        ("四舍五入最后的结果。", "不四舍五入最后的结果。"),
    ],
)
def test_a_number_or_a_negation_makes_another_rule(one, other):
    """Nearly the same letters that say something else are no duplicates."""
    planned = plan(Library("critic"), [Add(one), Add(other)])
    assert planned.refused == ()


def all_proven(library):
    good = Credit.sum(20 * [Credit.of_cell((1.0, 1.0), (0.0,))])
    assert good.status == "proven"
    return evolve(library, experiences=tuple(evolve(x, credit=good) for x in library.experiences))


def test_capacity_is_a_hard_limit():
    """Adds beyond it are refused in order where nothing may go; deletes of the batch make room."""
    limits = Limits(capacity=3)
    held = all_proven(LIBRARY)
    full = plan(held, [Add(NEW)], limits=limits)
    assert [(refusal.rule, refusal.reason) for refusal in full.refused] == [
        ("capacity", "the library is full (3 experiences)")
    ]
    room = plan(held, [Add(NEW), Add("Label every axis."), Delete("G1-001")], limits=limits)
    assert [refusal.operation for refusal in room.refused] == [Add("Label every axis.")]
    merged = plan(LIBRARY, [Add("Label every axis."), Merge(LIBRARY.ids[:2], NEW)], limits=limits)
    assert merged.refused == ()


def test_a_merge_keeps_its_parents_and_their_counts():
    """The merged experience can be traced, and starts with what its parents had earned."""
    after = apply(LIBRARY, plan(LIBRARY, [Merge(("G1-005", "G1-001"), NEW)]), now=NOW)
    merged = after.experiences[-1]
    assert merged.id == "G1-007"
    assert merged.parents == ("G1-005", "G1-001")
    assert (merged.success_count, merged.usage_count) == (2, 4)
    assert merged.created_at == NOW
    assert after.next_number == 8


def test_a_modified_experience_keeps_id_counts_and_category():
    """Only what was proposed changes."""
    after = apply(LIBRARY, plan(LIBRARY, [Modify("G1-001", NEW)]), now=NOW)
    assert after.experiences[0] == evolve(LIBRARY.experiences[0], content=NEW)
    other = apply(LIBRARY, plan(LIBRARY, [Modify("G1-001", NEW, category="size")]), now=NOW)
    assert other.experiences[0].category == "size"


def test_an_added_experience_says_where_it_comes_from():
    """Category, source problem and time are kept; counts start at nothing."""
    proposal = Add(NEW, category="size", source_problem="How tall?")
    added = apply(LIBRARY, plan(LIBRARY, [proposal]), now=NOW).experiences[-1]
    assert added == Experience("G1-007", NEW, "size", 0, 0, NOW, "How tall?")


def test_deleted_ids_are_never_given_again():
    """The number of a deleted experience stays spent, also the newest one's."""
    library = apply(Library("critic"), plan(Library("critic"), [Add(NEW)]), now=NOW)
    library = apply(library, plan(library, [Delete("C-001")]), now=NOW)
    library = apply(library, plan(library, [Add(NEW)]), now=NOW)
    assert library.ids == ("C-002",)


def test_a_plan_fits_only_the_library_it_was_made_for():
    """Another owner or version is an error, not a guess."""
    planned = plan(LIBRARY, [Add(NEW)])
    for other in (evolve(LIBRARY, version=5), evolve(LIBRARY, owner="critic")):
        with pytest.raises(ValueError, match="generator_1 version 4"):
            apply(other, planned, now=NOW)


def test_keep_is_accepted_and_is_no_change():
    """A batch that keeps all leaves nothing to commit."""
    planned = plan(LIBRARY, [Keep("G1-001")])
    assert planned.accepted == (Keep("G1-001"),)
    assert planned.changes == ()


def test_counts_are_added_to_the_ids_that_are_still_there():
    """Use and success of deleted experiences are dropped, others' are untouched."""
    counted = count(LIBRARY, {"G1-001": Count(3, 2), "G1-099": Count(1, 1)})
    assert counted.experiences[0] == evolve(LIBRARY.experiences[0], usage_count=5, success_count=3)
    assert counted.experiences[1:] == LIBRARY.experiences[1:]
    assert counted.version == LIBRARY.version


def test_a_prompt_gets_the_own_experiences_then_the_shared_ones():
    """The joined view keeps the owner and changes neither library."""
    shared = Library("shared", experiences=(Experience("S-001", "Read twice."),))
    assert join(LIBRARY, shared).ids == (*LIBRARY.ids, "S-001")
    assert join(LIBRARY, shared).owner == "generator_1"


def test_the_digest_follows_the_content():
    """Equal content has an equal digest, whatever the version; any other content another one."""
    assert evolve(LIBRARY, version=9).digest == LIBRARY.digest
    assert evolve(LIBRARY, next_number=8).digest != LIBRARY.digest
    assert count(LIBRARY, {"G1-001": Count(1, 0)}).digest != LIBRARY.digest


@pytest.mark.parametrize(
    ("owner", "prefix"),
    [("shared", "S"), ("critic", "C"), ("generator_1", "G1"), ("generator_12", "G12")],
)
def test_owners_have_their_prefix(owner, prefix):
    """The guide's prefixes."""
    assert id_prefix(owner) == prefix


@pytest.mark.parametrize("owner", ["", "generator_0", "generator_01", "generator_", "Critic", "x"])
def test_an_unknown_owner_has_none(owner):
    """A misspelt owner is an error, with the known ones."""
    with pytest.raises(ValueError, match="owners are shared, critic"):
        id_prefix(owner)


def test_the_nth_generator_is_an_owner():
    """Counted from 1."""
    assert generator_owner(2) == "generator_2"


# What holds for any operations on any library.

contents = st.one_of(
    st.sampled_from([*TEXTS, NEW, "", "Check the units", "2 steps", "3 steps", "never round"]),
    st.text(max_size=12),
)
some_ids = st.sampled_from([f"G1-{number:03d}" for number in range(1, 9)] + ["S-001", ""])
operations = st.one_of(
    st.builds(Add, contents),
    st.builds(Modify, some_ids, contents),
    st.builds(Delete, some_ids),
    st.builds(Merge, st.lists(some_ids, max_size=4).map(tuple), contents),
    st.builds(Keep, some_ids),
    st.builds(Malformed, contents, st.just("no operation")),
)
batches = st.lists(st.lists(operations, max_size=8), max_size=5)
limits = st.builds(
    Limits, st.integers(1, 6), st.integers(1, 60), st.floats(50, 100, allow_nan=False)
)


def _seen(operation) -> str:
    """An operation without what is stripped from it."""
    content = getattr(operation, "content", None)
    return repr(operation if content is None else evolve(operation, content=clean(content)))


@settings(deadline=None)
@given(batches, limits)
def test_invariants_of_plan_and_apply(proposals, limits):
    """Whatever is proposed: nothing is lost or invented, ids are unique, limits hold."""
    library = Library("generator_1")
    spent: set[str] = set()
    for proposed in proposals:
        planned = plan(library, proposed, limits=limits, foreign=FOREIGN)
        unasked = [item for item in planned.accepted if getattr(item, "rule", "")]
        assert {item.rule for item in unasked} <= {"room"}
        judged = [*planned.accepted, *(refusal.operation for refusal in planned.refused)]
        judged = [item for item in judged if item not in unasked]
        assert sorted(map(_seen, judged)) == sorted(map(_seen, proposed))
        after = apply(library, planned, now=NOW)
        assert len(set(after.ids)) == len(after)
        assert len(after) <= limits.capacity
        assert after.version == library.version + 1
        assert after.next_number >= library.next_number
        assert not (set(after.ids) - set(library.ids)) & spent
        spent |= set(after.ids)
        assert all(int(id_.split("-")[1]) < after.next_number for id_ in after.ids)
        assert all(0 < len(item.content) <= limits.max_chars for item in after.experiences)
        kept = [id_ for id_ in library.ids if id_ in after.ids]
        assert list(after.ids[: len(kept)]) == kept
        library = after


@settings(deadline=None)
@given(st.lists(operations, max_size=8))
def test_planning_is_pure_and_settled(proposed):
    """The same proposals give the same plan, and what was accepted is accepted once more."""
    first = plan(LIBRARY, proposed)
    assert plan(LIBRARY, proposed) == first
    again = plan(LIBRARY, first.accepted)
    assert again.accepted == first.accepted
    assert again.refused == ()
