"""The advisor: tactics against the commonest failures of groups and batches, a few a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import sha256

from attrs import frozen

from grpo_framework.experience import (
    Add,
    Delete,
    Keep,
    Library,
    Operation,
    id_prefix,
    normalise,
)
from grpo_framework.records import Contrast, Diagnosis, Outcome, Question
from grpo_pool.choosing import (
    Arm,
    base_rate,
    choose,
    is_given_up,
    list_arms,
    main_failure,
    share_out,
)
from grpo_pool.tactics import Tactic

_NO_QUESTION = Question("", "")
"""Of a batch as a whole."""

_KINDS = {
    "wrong": "a wrong answer",
    "no_answer": "no answer found",
    "cut_off": "cut off before the answer",
    "refused": "refused to answer",
}


@frozen
class PoolAdvisor:
    """Proposes general tactics, without reading the attempts and without a model call.

    Attributes:
        tactics: What there is to propose.
        proposals: Most tactics that one group is given.
        per_batch: Most additions of a batch, so that what they do can be told apart.
    """

    tactics: tuple[Tactic, ...]
    proposals: int = 1
    per_batch: int = 2

    async def advise(
        self, contrasts: tuple[Contrast, ...], library: Library, /
    ) -> tuple[Operation, ...]:
        """Tactics against the commonest kind of failure of each group."""
        return tuple(
            operation for contrast in contrasts for operation in self._advise(contrast, library)
        )

    async def advise_batch(
        self, diagnosis: Diagnosis, library: Library, /, *, seed: int
    ) -> tuple[Operation, ...]:
        """As many tactics as a batch may add, shared out among its kinds of failure.

        What failed is known without a contrast too: where every attempt was cut off, no group has
        one.
        """
        found: dict[Operation, None] = {}
        for kind, number in Counter(share_out(diagnosis.measured.outcomes, self.per_batch)).items():
            batch = Contrast(library.owner, _NO_QUESTION, (), seed=seed, diagnosis=diagnosis)
            found |= dict.fromkeys(self._propose(kind, number, batch, library, "batch"))
        return tuple(found)

    def _advise(self, contrast: Contrast, library: Library) -> Iterator[Operation]:
        kind = main_failure(contrast)
        return self._propose(kind, self.proposals, contrast, library, "group")

    def _propose(
        self, kind: Outcome, count: int, contrast: Contrast, library: Library, scope: str
    ) -> Iterator[Operation]:
        base = base_rate(contrast)
        arms = list_arms(self.tactics, kind, contrast, library)
        bad = [arm for arm in arms if is_given_up(arm, base)]
        for arm in bad:
            if _is_own(arm, library):
                yield _delete(arm, base)
        rest = [arm for arm in arms if arm not in bad]
        for arm in choose(rest, base, contrast.seed, count):
            if arm.held is None:
                yield Add(
                    arm.tactic.text,
                    category=arm.tactic.name,
                    reason=f"against what failed most in the {scope}: {_KINDS[kind]}",
                )
            elif _is_own(arm, library):
                yield Keep(arm.held.id, reason=_record(arm))

    async def consolidate(
        self,
        proposals: tuple[Operation, ...],
        library: Library,  # noqa: ARG002 - the protocol's signature
        /,
        *,
        seed: int,
    ) -> tuple[Operation, ...]:
        """Of a batch's additions those that most groups call for; each edit once.

        Args:
            proposals: Of the batch.
            library: Of the owner.
            seed: Decides between additions that equally many groups call for.
        """
        votes = Counter(normalise(item.content) for item in proposals if isinstance(item, Add))
        first = {normalise(x.content): x for x in reversed(proposals) if isinstance(x, Add)}
        mends = {normalise(text): tactic.mends for tactic in self.tactics for text in tactic.texts}
        # Of equals what is expected to mend more; the seed only breaks ties.
        order = sorted(
            votes, key=lambda text: (-votes[text], -mends.get(text, 0.0), hash_of(seed, text))
        )
        deleted = {item.id for item in proposals if isinstance(item, Delete)}
        others: dict[Operation, None] = {}
        for item in proposals:
            if isinstance(item, Keep):
                if item.id not in deleted and not any(
                    isinstance(known, Keep) and known.id == item.id for known in others
                ):
                    others[item] = None
            elif not isinstance(item, Add):
                others[item] = None
        return (*(first[text] for text in order[: self.per_batch]), *others)


def _is_own(arm: Arm, library: Library) -> bool:
    """Whether the owner may edit the experience, which a shared one it may not."""
    return arm.held is not None and arm.held.id.startswith(f"{id_prefix(library.owner)}-")


def _delete(arm: Arm, base: float) -> Delete:
    assert arm.held is not None
    below = "" if arm.effect is not None else f", below the {base:.0%} of the run"
    return Delete(arm.held.id, reason=_record(arm) + below)


def _record(arm: Arm) -> str:
    if arm.effect is not None:
        return f"measured effect on the reward {arm.effect:+.2f}"
    return f"{arm.successes:g} of {arm.uses:g} rollouts were right with it"


def hash_of(seed: int, text: str) -> int:
    """A number that follows from seed and text, the same on every machine."""
    return int.from_bytes(sha256(f"{seed}/{text}".encode()).digest()[:8])
