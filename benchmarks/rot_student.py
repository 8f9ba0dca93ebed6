"""A student, an advisor and problems whose truth is known: what `benchmarks.rot` is made of.

Every problem needs one lesson out of ten. The student is right with a chance of 0.1 without it and
0.9 with it, and a harmful text takes a fixed part of that away, whatever the problem. So the reward
of every library is known exactly, and so is the effect of every text on it: +0.08 for a lesson.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from statistics import fmean

from attrs import field, frozen
from grpo_scripted.dice import draw
from grpo_scripted.tactics import FUSION_TACTICS, HARMFUL_TACTICS, SKILLS, USELESS_TACTICS

from grpo_framework.experience import Add, Library, Operation
from grpo_framework.records import Attempt, Contrast, Problem, Question, Verdict

OWNER = "generator_1"
GOOD = tuple(tactic.sentence for tactic in (*SKILLS, *FUSION_TACTICS))
USELESS = tuple(tactic.sentence for tactic in USELESS_TACTICS)
HARMFUL = tuple(tactic.sentence for tactic in HARMFUL_TACTICS)
RIGHT = "right"


@frozen
class Student:
    """Right by a known chance; it is the generator.

    Attributes:
        lessons: How many lessons there are to learn; each is needed by an equal share of problems.
        untaught: Chance of a right answer without the lesson that the problem needs.
        taught: The same with it.
        harm: What each harmful text takes away.
        redraw: Whether any change of the prompt throws the dice anew, as with a real model; else
            two prompts get the same luck and differ only where a text matters.
    """

    lessons: int = 10
    untaught: float = 0.1
    taught: float = 0.9
    harm: float = 0.1
    redraw: bool = False

    @property
    def gain(self) -> float:
        """What one lesson adds to the mean reward."""
        return (self.taught - self.untaught) / self.lessons

    def chance(self, kind: int, texts: Collection[str]) -> float:
        """The chance of a right answer to a problem that needs the lesson number `kind`."""
        chance = self.taught if GOOD[kind] in texts else self.untaught
        return max(0.0, chance - self.harm * sum(text in HARMFUL for text in texts))

    def reward(self, texts: Collection[str]) -> float:
        """The mean reward of a prompt with these texts, exactly."""
        return fmean(self.chance(kind, texts) for kind in range(self.lessons))

    async def attempt(self, question: Question, library: Library, /, *, seed: int) -> Attempt:
        """Answer a question."""
        texts = [item.content for item in library.experiences]
        luck = draw(question.id, seed, texts if self.redraw else "")
        right = luck < self.chance(int(question.subject), texts)
        return Attempt(RIGHT if right else "wrong")


class FirstAnswer:
    """A critic that takes the first attempt: nothing is to be learned from it."""

    async def fuse(
        self,
        question: Question,  # noqa: ARG002 - the protocol's
        attempts: tuple[Attempt, ...],
        library: Library,  # noqa: ARG002 - the protocol's
        /,
        *,
        seed: int,  # noqa: ARG002 - the protocol's
    ) -> Attempt:
        """Give back the first attempt."""
        return attempts[0]


class SameText:
    """A comparator of texts."""

    async def compare(self, problem: Problem, answer: str | None, /) -> Verdict:
        """Reward 1 for the same text."""
        return Verdict(float(answer == problem.answer))


@frozen
class Offer:
    """What the advisor proposes in one batch: one good edit, three useless ones, one harmful."""

    good: str
    useless: tuple[str, ...]
    harmful: str

    @property
    def texts(self) -> tuple[str, ...]:
        """All five."""
        return (self.good, *self.useless, self.harmful)


def draw_offers(seed: int, *, batches: int, lessons: int) -> tuple[Offer, ...]:
    """What is proposed in each batch; fewer lessons than batches come again."""
    dice = random.Random(f"offers {seed}")
    good = dice.sample(GOOD[:lessons], lessons)
    useless = dice.sample(USELESS, 3 * batches)
    harmful = dice.sample(HARMFUL, batches)
    return tuple(
        Offer(good[place % lessons], tuple(useless[3 * place : 3 * place + 3]), harmful[place])
        for place in range(batches)
    )


@frozen
class RottenAdvisor:
    """Proposes one offer a batch, whatever it is shown.

    Attributes:
        offers: By batch.
        made: Those made so far.
    """

    offers: tuple[Offer, ...]
    made: list[Offer] = field(factory=list)

    async def advise(
        self,
        contrasts: tuple[Contrast, ...],  # noqa: ARG002 - the protocol's
        library: Library,
        /,
    ) -> tuple[Operation, ...]:
        """Propose the batch's edits, in an order drawn by the texts."""
        if library.owner != OWNER or len(self.made) == len(self.offers):
            return ()
        texts = self.offers[len(self.made)].texts
        return tuple(Add(text) for text in sorted(texts, key=lambda text: draw("order", text)))

    async def consolidate(
        self,
        proposals: tuple[Operation, ...],
        library: Library,  # noqa: ARG002 - the protocol's
        /,
        *,
        seed: int,  # noqa: ARG002 - the protocol's
    ) -> tuple[Operation, ...]:
        """Propose once what was proposed for every group, and go on to the next offer."""
        self.made.append(self.offers[len(self.made)])
        return tuple(dict.fromkeys(proposals))


def make_problems(count: int, split: str, student: Student) -> tuple[Problem, ...]:
    """Problems of all kinds in turn."""
    return tuple(
        Problem(
            Question(f"{split}-{number}", f"{split} {number}", str(number % student.lessons)),
            RIGHT,
            split=split,
        )
        for number in range(count)
    )
