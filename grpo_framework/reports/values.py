"""What a report says: per owner, per epoch and of the whole run."""

from __future__ import annotations

from attrs import field, frozen

from grpo_framework.experience import CRITIC, Credited
from grpo_framework.records import Outcomes, Owner, Usage


@frozen
class Groups:
    """How many groups of an owner were what; only mixed ones teach by contrast."""

    mixed: int = 0
    all_right: int = 0
    all_wrong: int = 0
    failed: int = 0


@frozen
class Refused:
    """Operations refused by one rule.

    Attributes:
        op: Kind of the operation (``add``).
        rule: The rule's name.
        count: How many.
        reasons: Some of the reasons given.
    """

    op: str
    rule: str
    count: int
    reasons: tuple[str, ...]


@frozen
class Removed:
    """An experience that was removed unasked.

    Attributes:
        id: Its id.
        rule: ``harmful``: measured to do harm; ``room``: the least useful of a full library.
        reason: Why, in one line.
        text: What it said.
    """

    id: str
    rule: str
    reason: str
    text: str = ""


@frozen
class FailureCount:
    """Failed units of one stage and kind, with the first one's message."""

    stage: str
    owner: Owner
    kind: str
    count: int
    message: str


@frozen
class Gated:
    """An owner's edits that were measured on validation problems.

    Attributes:
        accepted: Better, or shorter and not worse.
        rejected: Worse, or without a gain in all their tries.
        provisional: Undecided; tried again later.
    """

    accepted: int = 0
    rejected: int = 0
    provisional: int = 0


@frozen
class OwnerReport:
    """One owner in one epoch.

    Attributes:
        owner: Who.
        rollouts: Judged rollouts; of the critic: judged fusions.
        mean_reward: Their mean reward, None without any.
        fused_reward: Mean reward of the critic's fusions of this owner's rollouts.
        critic_lift: Mean over groups of (reward of the fusion − mean reward of its rollouts).
        groups: By outcome; of the critic: the N fusions of a problem are its group.
        operations_applied: Kind → how many.
        operations_refused: With rule and reasons.
        library_before: Experiences at the epoch's start.
        library_after: Experiences at its end.
        usage: Model calls made for this owner's learning and answering, with their tokens.
        cost: Of these calls, in US dollars.
        failures: Failed units.
        outcomes: What its attempts (the critic's: its fusions) of the committed batches came to.
        mean_right_chars: Mean length of the right ones, None without any.
        mean_other_chars: Mean length of the others, None without any.
        mean_injected_tokens: Tokens, estimated, of the experiences in a prompt, on average.
        gated: What the gate found of its edits.
        rollouts_saved: Rollouts that full groups on all problems would have had in addition.
        experiences: Those of its library at the epoch's end, each with its measured effect.
        removed: Those that were removed unasked, with the reason.
    """

    owner: Owner
    rollouts: int = 0
    mean_reward: float | None = None
    fused_reward: float | None = None
    critic_lift: float | None = None
    groups: Groups = field(factory=Groups)
    operations_applied: dict[str, int] = field(factory=dict)
    operations_refused: tuple[Refused, ...] = ()
    library_before: int = 0
    library_after: int = 0
    usage: Usage = field(factory=Usage)
    cost: float = 0.0
    failures: int = 0
    outcomes: Outcomes = field(factory=Outcomes)
    mean_right_chars: float | None = None
    mean_other_chars: float | None = None
    mean_injected_tokens: float | None = None
    gated: Gated = field(factory=Gated)
    rollouts_saved: int = 0
    experiences: tuple[Credited, ...] = ()
    removed: tuple[Removed, ...] = ()


@frozen
class RoleReport:
    """The model calls of one role in one epoch.

    Attributes:
        role: ``generator``, ``critic``, ``advisor`` or ``comparator`` for what is learned from;
            ``gate`` and ``validation`` for what is measured, whoever answered.
        usage: Calls and tokens.
        cost: US dollars.
    """

    role: str
    usage: Usage = field(factory=Usage)
    cost: float = 0.0


@frozen
class EpochReport:
    """One epoch: every owner, every role's calls, what failed, and the wall time in seconds.

    `resting` counts the problems that were left out because groups adapt.
    """

    epoch: int
    seconds: float
    owners: tuple[OwnerReport, ...]
    roles: tuple[RoleReport, ...] = ()
    failures: tuple[FailureCount, ...] = ()
    resting: int = 0


@frozen
class VersionReport:
    """How the libraries did on the validation problems.

    Attributes:
        epoch: After which epoch; 0 is before the first.
        score: Mean over the generators; None where one was not scored.
        owners: Each owner's mean reward over problems.
        versions: Of the libraries.
    """

    epoch: int
    score: float | None
    owners: dict[Owner, float | None]
    versions: dict[Owner, int]


@frozen
class RunReport:
    """A whole run, as written to ``report.json`` (schema ``report``).

    Attributes:
        run_id: Its name.
        outcome: ``running``, ``finished``, ``failed`` or ``interrupted``.
        fingerprint: Of the configuration.
        simulation: Whether a component only played a model: such rewards prove nothing.
        problems: Training problems.
        rollouts_per_generator: k.
        adaptive_groups: Whether groups adapted; they cannot where k leaves no room.
        seconds: Wall time.
        units: Units of work tried: attempts, verdicts, fusions, advice.
        failures: Units that failed.
        usage: All model calls together.
        cost: Of these, in US dollars.
        epochs: One report each.
        validation: The versions that were scored, in their order; empty without a gate.
        best_epoch: Whose version did best on validation and is the result; None without scores.
    """

    run_id: str = ""
    outcome: str = "running"
    fingerprint: str = ""
    simulation: bool = False
    problems: int = 0
    rollouts_per_generator: int = 0
    adaptive_groups: bool = False
    seconds: float = 0.0
    units: int = 0
    failures: int = 0
    usage: Usage = field(factory=Usage)
    cost: float = 0.0
    epochs: tuple[EpochReport, ...] = ()
    validation: tuple[VersionReport, ...] = ()
    best_epoch: int | None = None

    @property
    def rollouts(self) -> tuple[int, int]:
        """Judged rollouts of the generators, and how many more full groups would have had."""
        rows = [row for epoch in self.epochs for row in epoch.owners if row.owner != CRITIC]
        return sum(row.rollouts for row in rows), sum(row.rollouts_saved for row in rows)
