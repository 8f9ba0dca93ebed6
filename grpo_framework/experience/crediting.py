"""From judged answers to the credit of the experiences in their prompts; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from attrs import frozen

from grpo_framework.experience.credit import Credit
from grpo_framework.experience.values import CRITIC, Library
from grpo_framework.records import CreditStatus, FinalAnswer, Owner, Rollout

_NOTHING: Mapping[str, Credit] = MappingProxyType({})


@frozen
class Credited:
    """An experience with what is known of its effect on the reward.

    Attributes:
        id: Its id.
        effect: Estimated, −1 to 1; None where it was nowhere both shown and withheld.
        low: Lower end of the 95 % interval; None with the effect.
        high: Upper end.
        shown: Judged answers whose prompt held it, where the lot could withhold it.
        withheld: Judged answers for which the lot withheld it.
        status: ``proven``, ``harmful`` or ``unknown``.
    """

    id: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    shown: int = 0
    withheld: int = 0
    status: CreditStatus = "unknown"

    @classmethod
    def of(cls, id_: str, credit: Credit) -> Credited:
        """What a credit says."""
        low, high = (None, None) if credit.effect is None else credit.interval
        return cls(id_, credit.effect, low, high, credit.shown, credit.withheld, credit.status)


def credited(library: Library) -> tuple[Credited, ...]:
    """What is known of the effect of each experience of a library, in its order."""
    return tuple(Credited.of(item.id, item.credit) for item in library.experiences)


def credits_of(answers: Iterable[Rollout | FinalAnswer]) -> Mapping[str, Credit]:
    """The evidence in a batch's judged answers, by the ids of the experiences.

    A cell is one owner's answers to one problem; a fusion is the critic's. It counts what was
    handed over, whatever the maker of the attempt put into its prompt: only the lot is free of all
    that bears on the reward. Answers for which no lots were drawn say nothing.

    Args:
        answers: Of one batch.
    """
    cells: dict[tuple[Owner, str], list[Rollout | FinalAnswer]] = {}
    for answer in answers:
        if answer.attempt.mask is not None:
            owner = CRITIC if isinstance(answer, FinalAnswer) else answer.unit.owner
            cells.setdefault((owner, answer.unit.problem), []).append(answer)
    parts: dict[str, list[Credit]] = {}
    for cell in cells.values():
        for id_, credit in _credits_of_cell(cell).items():
            parts.setdefault(id_, []).append(credit)
    return {id_: Credit.sum(of_cells) for id_, of_cells in parts.items()} or _NOTHING


def of_same_text(
    evidence: Mapping[str, Credit], seen: Iterable[Library], newest: Iterable[Library]
) -> dict[str, Credit]:
    """The evidence of what still says what it said when it was in the prompts.

    Args:
        evidence: By id.
        seen: The libraries that the prompts were made from.
        newest: Those that the evidence will be added to; a stale batch saw older ones.
    """
    before, now = _texts(seen), _texts(newest)
    return {id_: credit for id_, credit in evidence.items() if before.get(id_) == now.get(id_)}


def _texts(libraries: Iterable[Library]) -> dict[str, str]:
    return {item.id: item.content for library in libraries for item in library.experiences}


def _credits_of_cell(cell: Iterable[Rollout | FinalAnswer]) -> dict[str, Credit]:
    rewards: dict[str, tuple[list[float], list[float]]] = {}
    for answer in cell:
        mask = answer.attempt.mask
        assert mask is not None
        for side, ids in enumerate((mask.shown, mask.withheld)):
            for id_ in ids:
                rewards.setdefault(id_, ([], []))[side].append(answer.reward)
    return {id_: Credit.of_cell(*sides) for id_, sides in rewards.items()}
