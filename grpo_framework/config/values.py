"""What determines a run: frozen values with their defaults."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from attrs import asdict, field, frozen

from grpo_framework.experience import CRITIC, Hygiene, Limits, generator_owner
from grpo_framework.records import Owner

Execution = Literal["parallel", "serial"]

DEFAULTS: Mapping[str, Any] = {
    "datasets": ["problems/demo"],
    "split": "train",
    "model": "llamacpp/smollm2-135m",
    "generators": ["prompted/direct", "prompted/step-by-step", "prompted/solve-and-check"],
    "critic": "prompted/fuse",
    "comparator": "math/equivalence",
    "advisor": ["prompted/advisor", "pool/advisor"],
    "store": "jsonstore/directory",
}
"""What runs when nothing is said; numbers have their defaults in `RunConfig`."""


HOW_NOT_WHAT = frozenset(
    {
        "run_dir",
        "observers",
        "concurrency",
        "calls",
        "budget",
        "prices",
        "max_failures",
        "use_existing_experiences",
    }
)
"""Keys that say how a run is carried out and recorded; a resumed run may change them."""


@frozen
class ComponentConfig:
    """A component that a run uses.

    Attributes:
        use: Its reference.
        options: Its options, validated when the plugin is loaded.
        model: Another chat model for this generator or advisor; None uses the role's.
    """

    use: str
    options: Mapping[str, Any] = field(factory=dict, hash=False)
    model: ComponentConfig | None = None


@frozen
class CallLimits:
    """What bounds the model calls of a run; none of it changes a result.

    Attributes:
        timeout: Seconds until one try is given up, at the most.
        timeout_floor: Below this the adaptive limit, a multiple of the running p95, does not go.
        unit_timeout: Seconds that one attempt, fusion or advice may take in all; None for any.
        tries: Tries before a call is a failure; None leaves it to the kind of failure.
        hedge: Whether a slow call gets a copy, the first answer winning, both paid for.
        breaker: Failed calls of one model in a row after which the run stops.
    """

    timeout: float = 600.0
    timeout_floor: float = 30.0
    unit_timeout: float | None = None
    tries: int | None = None
    hedge: bool = False
    breaker: int = 10


@frozen
class BudgetLimits:
    """The limits of a run, over all its roles; None is none.

    Attributes:
        max_cost: US dollars.
        max_tokens: Input and output together.
        max_calls: Requests sent, every try counted.
        max_time: Seconds of wall time, over all sessions of the run.
    """

    max_cost: float | None = None
    max_tokens: int | None = None
    max_calls: int | None = None
    max_time: float | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return (self.max_cost, self.max_tokens, self.max_calls, self.max_time) != (None,) * 4


@frozen
class PriceConfig:
    """What a model costs, in US dollars per million tokens."""

    input: float
    output: float


@frozen
class SplitShares:
    """How problems are divided where their source does not say; see `grpo_framework.splitting`.

    Attributes:
        test: Share (0 to 1) that is kept for the test, of at least 40 problems without a split.
        validation: Share that judges edits, where it comes to at least 20 problems.
        seed: Another one divides otherwise; the run's own seed does not.
        max_validation: Most validation problems that a run uses.
    """

    test: float = 0.25
    validation: float = 0.25
    seed: int = 0
    max_validation: int = 50


@frozen
class GateLimits:
    """How a batch's edits are judged before they are committed.

    Attributes:
        kind: ``paired`` tries every edit on validation problems, ``none`` keeps every edit that the
            rules let pass; None is ``paired`` where there are at least 20 validation problems.
        budget: Most pairs of rollouts for one owner's edits in one batch.
        tries: Batches in which an undecided edit is tried, before it is given up.
    """

    kind: Literal["paired", "none"] | None = None
    budget: int = 48
    tries: int = 3


@frozen(kw_only=True)
class RunConfig:
    """All that determines a run; the keys are those of the TOML file and of the schema ``config``.

    Attributes:
        advisor: One or more; the file and `document` may name a single one without a list.
        adaptive_groups: Whether groups begin with 2 rollouts and grow while they are uniform.
        embedder: Ranks experiences by meaning and finds near duplicates; None does both by words.
        inject_top: Most experiences in one prompt; None for all.
        credit_dropout: Probability with which each experience is left out of a training prompt, so
            that its effect is measured; 0 measures nothing.
        data_dir: Folder with data sets as files.
        run_dir: Where the run is recorded; None makes a new folder below ``runs/``.
        max_failures: Share of failed units above which the run counts as failed.
        patience: Epochs in a row without a gain after which the run ends; None runs them all.
    """

    datasets: tuple[ComponentConfig, ...]
    split: Literal["train", "validation", "test", "all"]
    model: ComponentConfig
    generators: tuple[ComponentConfig, ...]
    critic: ComponentConfig
    comparator: ComponentConfig
    advisor: tuple[ComponentConfig, ...]
    store: ComponentConfig
    critic_model: ComponentConfig | None = None
    advisor_model: ComponentConfig | None = None
    embedder: ComponentConfig | None = None
    observers: tuple[ComponentConfig, ...] = ()
    data_dir: str | None = None
    max_problems: int | None = None
    epochs: int = 3
    rollouts_per_generator: int = 3
    batch_size: int = 8
    inject_top: int | None = 30
    concurrency: int = 8
    seed: int = 0
    gen_exec: Execution = "parallel"
    rollout_exec: Execution = "parallel"
    experience_dir: str = "experiences"
    use_existing_experiences: bool = False
    run_dir: str | None = None
    max_failures: float = 0.5
    staleness: Literal[0, 1] = 0
    patience: int | None = None
    splits: SplitShares = field(factory=SplitShares)
    gate: GateLimits = field(factory=GateLimits)
    adaptive_groups: bool = False
    credit_dropout: float = 0.1
    limits: Limits = field(factory=Limits)
    hygiene: Hygiene = field(factory=Hygiene)
    calls: CallLimits = field(factory=CallLimits)
    budget: BudgetLimits = field(factory=BudgetLimits)
    prices: Mapping[str, PriceConfig] = field(factory=dict, hash=False)

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Who learns on its own evidence: the generators, then the critic."""
        count = len(self.generators)
        return (*(generator_owner(number) for number in range(1, count + 1)), CRITIC)

    @property
    def document(self) -> dict[str, Any]:
        """The resolved configuration as plain values, as it is kept in the run directory."""
        document: dict[str, Any] = _without_nothing(asdict(self))
        return document

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what determines the run's results (`decisive`)."""
        text = json.dumps(self.decisive, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def decisive(self) -> dict[str, Any]:
        """The part of `document` that determines the run's results; the rest may change."""
        return {key: value for key, value in self.document.items() if key not in HOW_NOT_WHAT}


def _without_nothing(value: Any) -> Any:
    """Plain JSON values: tuples as lists, keys that are None left out."""
    if isinstance(value, Mapping):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nothing(item) for item in value]
    return value
