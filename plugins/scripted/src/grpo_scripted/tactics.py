"""The tables behind the simulated student: tactics that help it, do nothing, or harm.

A text *teaches* a tactic when it holds the tactic's phrase, in any case and punctuation. The tables
are public, so that a test or a benchmark can write good, useless and harmful experiences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from grpo_scripted.dice import choose

# Controls, soft hyphen, zero-width and direction marks, joiners, byte-order mark, surrogates.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


@frozen
class Tactic:
    """A piece of advice that the simulated student can be taught.

    Attributes:
        name: One word, used as the category of experiences.
        phrase: What makes it recognisable: lower-case words without punctuation.
        sentence: The text of an experience that teaches it; it holds the phrase.
    """

    name: str
    phrase: str
    sentence: str


SKILLS: tuple[Tactic, ...] = (
    Tactic(
        "units",
        "write the unit beside every number",
        "When quantities have units, write the unit beside every number until the end.",
    ),
    Tactic(
        "format",
        "end with the bare number",
        "When only a value is asked for, end with the bare number and no other words.",
    ),
    Tactic(
        "fractions",
        "reduce the fraction to lowest terms",
        "When a fraction remains, reduce the fraction to lowest terms first.",
    ),
    Tactic(
        "arithmetic",
        "recompute the last step",
        "When a result is found, recompute the last step in another way.",
    ),
    Tactic(
        "reading",
        "read the question a second time",
        "When all seems done, read the question a second time and see what it wants.",
    ),
    Tactic(
        "checking",
        "substitute the result back",
        "When an unknown was solved for, substitute the result back into the condition.",
    ),
    Tactic(
        "estimation",
        "estimate the size of the answer",
        "When numbers are large, estimate the size of the answer and distrust what lies far off.",
    ),
    Tactic(
        "givens",
        "list the given quantities",
        "When a story tells many facts, list the given quantities with their names.",
    ),
)
"""The hidden skills: each problem needs one of them, by a hash of its text."""

FUSION_TACTICS: tuple[Tactic, ...] = (
    Tactic(
        "disagreement",
        "redo the step where the attempts part",
        "When attempts disagree, redo the step where the attempts part instead of counting votes.",
    ),
    Tactic(
        "evidence",
        "trust the attempt that shows its check",
        "When answers are unequal, trust the attempt that shows its check.",
    ),
    Tactic(
        "completeness",
        "drop attempts that were cut off",
        "When some results are missing, drop attempts that were cut off before the vote.",
    ),
)
"""The hidden skills of the critic: fusing the attempts at a problem needs one of them."""

HARMFUL_TACTICS: tuple[Tactic, ...] = tuple(
    Tactic("harmful", phrase, f"{start} {phrase}{end}")
    for start, phrase, end in (
        ("To save time,", "answer with the first number you see", "."),
        ("Long thoughts confuse:", "skip every intermediate step", "."),
        ("For safety", "always answer zero when in doubt", "."),
        ("Results look better if you", "round everything to the nearest ten", "."),
        ("Since exact values are rare,", "add one to be safe", " at the close."),
        ("Readers like variety, so", "give two different answers", "."),
        ("Units are a distraction;", "swap the units freely", "."),
        ("Negative signs are typing mistakes:", "drop every minus sign", "."),
        ("If the text is long,", "ignore its second half", "."),
        ("Fractions are ugly,", "turn numerator and denominator around", "."),
        ("Because brackets cost space,", "calculate from right to left", "."),
        ("A percent sign means nothing;", "treat percent as whole numbers", "."),
        ("Guessing is cheaper:", "copy the largest given number", "."),
        ("The asker prefers stories,", "never state a final result", "."),
    )
)
"""Tactics that make the student worse, whatever the problem."""

# Worded as advice, though there is none in them: a rule that judges wording lets them pass, so
# that only a measurement can tell them from the useful ones.
_USELESS = (
    "Remember that mathematics is a language that everybody can learn with patience.",
    "Remember that division is a basic operation.",
    "Remember that a good night's sleep keeps the mind fresh.",
    "Remember that numbers appear in many parts of daily life.",
    "Remember that the history of algebra reaches back to Baghdad.",
    "Remember that paper comes in several sizes and colours.",
    "Teachers often enjoy elegant solutions.",
    "Remember that problems can be easy, moderate or hard.",
    "Remember that there may be more than one road to a goal.",
    "Remember that geometry studies shapes and their properties.",
    "Some people like to work with music on.",
    "It is useful to be motivated.",
    "Remember that an equation has two sides.",
    "Clear handwriting pleases everyone.",
    "Remember that calculators became common in the seventies.",
    "Thinking is important when solving tasks.",
    "Every expert was a beginner once.",
    "Many quantities can be measured.",
    "Remember that zero was invented rather late.",
    "Addition is commutative, which is nice to know.",
    "Be confident about your abilities.",
    "Statistics may surprise those who meet them unprepared.",
    "Remember that symbols are short names for longer thoughts.",
    "Remember that the task at hand deserves attention.",
    "Remember that logic helps in court as well as in class.",
    "Triangles have been admired for millennia.",
    "Remember that good questions are half of the solution.",
    "Prime numbers never end.",
    "Several methods exist, choose an appropriate one.",
    "Work steadily and stay calm.",
    "Measuring tapes are longer than rulers.",
    "Curiosity makes long afternoons short.",
    "Ancient merchants kept careful books.",
    "Try to do well.",
)


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


USELESS_TACTICS: tuple[Tactic, ...] = tuple(
    Tactic("useless", _words(sentence), sentence) for sentence in _USELESS
)
"""Tactics without any effect on the student."""

ALL_TACTICS: tuple[Tactic, ...] = SKILLS + FUSION_TACTICS + HARMFUL_TACTICS + USELESS_TACTICS


def find_tactics(text: str, among: Iterable[Tactic] = ALL_TACTICS) -> tuple[Tactic, ...]:
    """List the tactics that a text teaches, in the order of the table."""
    words = _words(text)
    return tuple(tactic for tactic in among if tactic.phrase in words)


def normalise_question(text: str) -> str:
    """A question's text as hashes and look-ups see it: runs of white space as one space.

    Characters that cannot be seen are left out, since a prompt may have dropped them.
    """
    return " ".join(_UNSEEN.sub("", text).split())


def needed_skill(question: str, *, skills: int = len(SKILLS)) -> Tactic:
    """The hidden skill of a problem, among the first `skills` of the table."""
    return choose(SKILLS[:skills], "skill", normalise_question(question))


def needed_fusion(question: str) -> Tactic:
    """The tactic that fusing the attempts at a problem needs."""
    return choose(FUSION_TACTICS, "fusion", normalise_question(question))
