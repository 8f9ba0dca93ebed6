"""One TOML file and the flags → a `RunConfig`.

Layers, later ones win: the defaults, the file, the flags, ``--set key=value``. A component may be
written as a reference (``"prompted/direct"``) or as a table (``{use = "…", options = {…}}``); both
become the table before the schema ``config`` judges the whole.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import fields_dict, has

from grpo_framework.codec import from_document
from grpo_framework.config.values import DEFAULTS, RunConfig
from grpo_framework.errors import ConfigError, ValidationFailed
from grpo_framework.experience import UNTRUSTED
from grpo_framework.experience.rules import OPTIONAL
from grpo_framework.validation import validate

_SINGLE = (
    "model",
    "critic_model",
    "advisor_model",
    "critic",
    "comparator",
    "store",
    "embedder",
)
_PART = re.compile(r'"([^"]+)"|([^."]+)')
_KEY = re.compile(rf"(?:{_PART.pattern})(?:\.(?:{_PART.pattern}))*")
_LISTS = ("datasets", "generators", "observers")
_PROBLEMS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")
"""Endings of files that hold problems and no configuration."""
_ONE_OR_MORE = ("advisor",)
"""Keys with a list, or with a single component, so that ``--set advisor.options.…`` reads well."""


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
    document = dict(document)
    for key in _ONE_OR_MORE:
        if isinstance(document.get(key), Mapping):
            document[key] = [document[key]]
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
    config = from_document(document, RunConfig)
    _check_hygiene(config)
    _check_splits(config)
    return config


def _check_splits(config: RunConfig) -> None:
    held_out = config.splits.test + config.splits.validation
    if held_out >= 1:
        message = f"splits.test and splits.validation hold out {held_out:.0%}: nothing to train on"
        raise ConfigError(message, pointer="/splits")


def _check_hygiene(config: RunConfig) -> None:
    """See that the user's rules can be used and those left out exist, before anything runs."""
    for name, pattern in config.hygiene.rules.items():
        try:
            re.compile(pattern)
        except re.error as error:
            message = f"hygiene rule '{name}' is no regular expression: {error}"
            raise ConfigError(message, pointer=f"/hygiene/rules/{name}") from error
    known = (*UNTRUSTED, *config.hygiene.rules, *OPTIONAL)
    for place, name in enumerate(config.hygiene.off):
        if name not in known:
            message = f"hygiene.off names '{name}', which is no rule that can be left out"
            hint = f"these can: {', '.join(known)}"
            raise ConfigError(message, pointer=f"/hygiene/off/{place}", hint=hint)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        message = f"no configuration file {path}"
        hint = _instead(path) or "grpo-cli init writes one"
        raise ConfigError(message, path=path, hint=hint) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"{path}: cannot be read as TOML: {reason}"
        raise ConfigError(message, path=path, hint=_instead(path)) from error


def _instead(path: Path) -> str:
    """What was meant by a file that is no configuration."""
    if path.suffix.lower() in _PROBLEMS:
        return f"a problem file is given with --datasets {path}"
    return ""


def _spell_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """References as tables, so that there is one form to validate and to change."""
    result = {key: value for key, value in document.items() if value is not None}
    for key in _SINGLE:
        if key in result:
            result[key] = _table(result[key])
    for key in _LISTS:
        if isinstance(result.get(key), list | tuple):
            result[key] = [_table(item) for item in result[key]]
    for key in _ONE_OR_MORE:
        if isinstance(result.get(key), list | tuple):
            tables = [_table(item) for item in result[key]]
            result[key] = tables[0] if len(tables) == 1 else tables
        elif key in result:
            result[key] = _table(result[key])
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
    parts = _split_key(key.strip())
    if not equals or not all(parts):
        message = f"--set takes key=value, not '{setting}'"
        raise ConfigError(message, hint="for example --set model.options.temperature=0.5")
    place: Any = document
    for part in parts[:-1]:
        place = _step(place, part, setting)
    last = parts[-1]
    value = _value(text)
    if place is document:
        _check_table(last, value, setting)
    if isinstance(place, list):
        place[_index(place, last, setting)] = _table(value)
    else:
        place[last] = value
    document.update(_spell_out(document))


def _check_table(key: str, value: Any, setting: str) -> None:
    """A table cannot be set to a plain value; its keys can."""
    attribute = fields_dict(RunConfig).get(key)
    table = getattr(getattr(attribute, "default", None), "factory", None)
    if table is None or not has(table) or isinstance(value, Mapping):
        return
    keys = ", ".join(f"{key}.{inner}" for inner in fields_dict(table))
    message = f"--set {setting}: '{key}' is a table"
    raise ConfigError(message, pointer=f"/{key}", hint=f"set one of its keys: {keys}")


def _split_key(key: str) -> list[str]:
    """The parts of a dotted key; a part in quotes may hold dots (``prices."openai/gpt-4.1"``)."""
    if not _KEY.fullmatch(key):
        return [""]
    return [quoted or bare for quoted, bare in _PART.findall(key)]


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
