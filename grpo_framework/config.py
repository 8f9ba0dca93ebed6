"""One TOML file and the flags → a frozen `RunConfig` with a fingerprint.

Layers, later ones win: the defaults, the file, the flags, ``--set key=value``. A component may be
written as a reference (``"prompted/direct"``) or as a table (``{use = "…", options = {…}}``); both
become the table before the schema ``config`` judges the whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from attrs import asdict, field, frozen

from grpo_framework.codec import from_document
from grpo_framework.errors import ConfigError, ValidationFailed
from grpo_framework.experience import CRITIC, Limits, generator_owner
from grpo_framework.records import Owner
from grpo_framework.validation import validate

Execution = Literal["parallel", "serial"]

_SINGLE = ("model", "critic_model", "advisor_model", "critic", "comparator", "advisor", "store")
_LISTS = ("datasets", "generators", "observers")

DEFAULTS: Mapping[str, Any] = {
    "datasets": ["problems/demo"],
    "split": "train",
    "model": "llamacpp/smollm2-135m",
    "generators": ["prompted/direct", "prompted/step-by-step", "prompted/solve-and-check"],
    "critic": "prompted/fuse",
    "comparator": "math/equivalence",
    "advisor": "prompted/advisor",
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
        model: Another chat model for this generator; None uses the role's.
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


@frozen(kw_only=True)
class RunConfig:
    """All that determines a run; the keys are those of the TOML file and of the schema ``config``.

    Attributes:
        data_dir: Folder with data sets as files.
        run_dir: Where the run is recorded; None makes a new folder below ``runs/``.
        max_failures: Share of failed units above which the run counts as failed.
    """

    datasets: tuple[ComponentConfig, ...]
    split: Literal["train", "validation", "test", "all"]
    model: ComponentConfig
    generators: tuple[ComponentConfig, ...]
    critic: ComponentConfig
    comparator: ComponentConfig
    advisor: ComponentConfig
    store: ComponentConfig
    critic_model: ComponentConfig | None = None
    advisor_model: ComponentConfig | None = None
    observers: tuple[ComponentConfig, ...] = ()
    data_dir: str | None = None
    max_problems: int | None = None
    epochs: int = 3
    rollouts_per_generator: int = 3
    batch_size: int = 8
    concurrency: int = 8
    seed: int = 0
    gen_exec: Execution = "parallel"
    rollout_exec: Execution = "parallel"
    experience_dir: str = "experiences"
    use_existing_experiences: bool = False
    run_dir: str | None = None
    max_failures: float = 0.5
    staleness: Literal[0, 1] = 0
    limits: Limits = field(factory=Limits)
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


def load_config(
    path: Path | None = None,
    flags: Mapping[str, Any] | None = None,
    settings: Iterable[str] = (),
) -> RunConfig:
    """Resolve a configuration.

    Args:
        path: A TOML file.
        flags: Keys of the configuration that were given as flags; None values count as not given.
        settings: ``key=value`` texts, the key dotted, the value in TOML (a bare word is a string).

    Raises:
        ConfigError: With file and JSON pointer of what is wrong.
    """
    document = {**DEFAULTS, **(_read(path) if path is not None else {})}
    document |= {key: value for key, value in (flags or {}).items() if value is not None}
    return config_from_document(set_keys(document, settings), path=path)


def set_keys(document: Mapping[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """A configuration document with some keys set.

    Args:
        document: Not yet validated.
        settings: ``key=value`` texts.

    Raises:
        ConfigError: One of them cannot be carried out.
    """
    changed = _spell_out(document)
    for setting in settings:
        _set(changed, setting)
    return changed


def config_from_document(document: Mapping[str, Any], *, path: Path | None = None) -> RunConfig:
    """Read a resolved configuration, such as a run directory's.

    Raises:
        ConfigError: With JSON pointer of what is wrong.
    """
    try:
        validate("config", document)
    except ValidationFailed as error:
        place = f"{path}: " if path is not None else ""
        where = f" at {error.pointer}" if error.pointer else ""
        raise ConfigError(
            f"{place}configuration{where}: {error.reason}",
            pointer=error.pointer,
            path=path,
            hint="grpo-cli init writes a commented file with every key",
        ) from error
    return from_document(document, RunConfig)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        message = f"no configuration file {path}"
        raise ConfigError(message, path=path, hint="grpo-cli init writes one") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: cannot be read as TOML: {error}"
        raise ConfigError(message, path=path) from error


def _spell_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """References as tables, so that there is one form to validate and to change."""
    result = {key: value for key, value in document.items() if value is not None}
    for key in _SINGLE:
        if key in result:
            result[key] = _table(result[key])
    for key in _LISTS:
        if isinstance(result.get(key), list | tuple):
            result[key] = [_table(item) for item in result[key]]
    return result


def _table(value: Any) -> Any:
    if isinstance(value, str):
        return {"use": value}
    if isinstance(value, Mapping):
        table = dict(value)
        if isinstance(table.get("options"), Mapping):
            table["options"] = dict(table["options"])
        if "model" in table:
            table["model"] = _table(table["model"])
        return table
    return value


def _set(document: dict[str, Any], setting: str) -> None:
    """Carry out one ``--set``."""
    key, equals, text = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        message = f"--set takes key=value, not '{setting}'"
        raise ConfigError(message, hint="for example --set model.options.temperature=0.5")
    place: Any = document
    for part in parts[:-1]:
        place = _step(place, part, setting)
    last = parts[-1]
    value = _value(text)
    if isinstance(place, list):
        place[_index(place, last, setting)] = _table(value)
    else:
        place[last] = value
    document.update(_spell_out(document))


def _step(place: Any, part: str, setting: str) -> Any:
    if isinstance(place, list):
        return place[_index(place, part, setting)]
    if isinstance(place.setdefault(part, {}), dict | list):
        return place[part]
    message = f"--set {setting}: '{part}' holds a plain value, it has no keys"
    raise ConfigError(message)


def _index(place: list[Any], part: str, setting: str) -> int:
    if part.isdecimal() and int(part) < len(place):
        return int(part)
    message = f"--set {setting}: '{part}' is no place in a list of {len(place)}, counted from 0"
    raise ConfigError(message)


def _value(text: str) -> Any:
    """A TOML value; a word that is none (``parallel``, ``openai/gpt-4.1-mini``) is a string."""
    try:
        return tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        if re.match(r"""\s*["'\[{]""", text):
            message = f"--set: {text} is not a valid TOML value"
            raise ConfigError(message) from None
        return text.strip()
