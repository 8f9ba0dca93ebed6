"""What two or more generators hold in (nearly) the same words is promoted to the shared library."""

from __future__ import annotations

from grpo_framework.experience import Delete, Experience, Library, Limits, find_promotions
from grpo_framework.experience.similarity import near_duplicate, normalise

LIMITS = Limits()


def library(number, *texts):
    rows = (Experience(f"G{number}-{n:03d}", text, "tips") for n, text in enumerate(texts, 1))
    return Library(f"generator_{number}", 1, tuple(rows), len(texts) + 1)


def test_what_two_hold_is_promoted_in_the_first_ones_words():
    """Nearly the same words count; the owners that held it give it up."""
    libraries = [
        library(1, "Check the units of the result.", "Draw a picture."),
        library(2, "Estimate first.", "check the units of the results"),
        library(3, "Write it down."),
    ]
    (promotion,) = find_promotions(libraries, limits=LIMITS)
    assert promotion.add.content == "Check the units of the result."
    assert promotion.add.category == "tips"
    assert promotion.add.reason == "learned alike by generator_1 and generator_2"
    assert [(owner, delete.id) for owner, delete in promotion.deletes] == [
        ("generator_1", "G1-001"),
        ("generator_2", "G2-002"),
    ]
    assert all(isinstance(delete, Delete) for _, delete in promotion.deletes)


def test_what_three_hold_is_promoted_once():
    """One text, one promotion, whoever else holds it."""
    (promotion,) = find_promotions(
        [library(number, "Draw a picture.") for number in (1, 2, 3)], limits=LIMITS
    )
    assert [owner for owner, _ in promotion.deletes] == [
        "generator_1",
        "generator_2",
        "generator_3",
    ]


def test_an_experience_takes_part_in_one_promotion():
    """Two promotions never claim the same entry."""
    libraries = [
        library(1, "Draw a picture of it.", "Draw a picture for it."),
        library(2, "Draw a picture of it."),
    ]
    promotions = find_promotions(libraries, limits=LIMITS)
    claimed = [delete.id for promotion in promotions for _, delete in promotion.deletes]
    assert len(claimed) == len(set(claimed)) == 2


def test_nothing_is_promoted_without_a_twin_of_another_owner():
    """One owner's repetition and different rules stay where they are."""
    assert find_promotions([library(1, "Draw a picture.", "Draw a picture!")], limits=LIMITS) == ()
    assert (
        find_promotions(
            [library(1, "Use 2 steps for it."), library(2, "Use 3 steps for it.")], limits=LIMITS
        )
        == ()
    )


def test_normalised_text_keeps_what_means_something():
    """Case, width, punctuation and space go; numbers, signs and percent stay."""
    assert normalise("  Round, at the END!  ") == "round at the end"
    assert normalise("ＡＢＣ。１２％") == "abc 12%"
    assert normalise("x = 3.5. Then stop.") == "x = 3.5 then stop"


def test_the_first_near_duplicate_is_named():
    """The key tells which one; below the threshold there is none."""
    others = {"a": "draw a picture", "b": "check the units of the result"}
    assert near_duplicate("check the units of the results", others, threshold=90) == "b"
    assert near_duplicate("check the units of the results", others, threshold=100) is None
    assert near_duplicate("anything", {}, threshold=50) is None
