"""The list of tactics: the shipped one, and a user's own file of the same form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from grpo_framework.errors import ConfigError, ValidationFailed
from grpo_framework.experience import CRITIC
from grpo_framework.records import Outcome
from grpo_framework.validation import validate_with

SHIPPED = Path(__file__).with_name("tactics.json")
"""The file that comes with this plugin."""

LANGUAGES = ("en", "zh")

_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 3, "maxLength": 1000}
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A list of tactics",
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "text"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,39}$"},
            "for": {
                "type": "array",
                "minItems": 1,
                "items": {"enum": ["wrong", "no_answer", "cut_off", "refused"]},
            },
            "owner": {"enum": ["generator", "critic"]},
            "mends": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
            "text": {
                "anyOf": [
                    _TEXT,
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["en"],
                        "properties": dict.fromkeys(LANGUAGES, _TEXT),
                    },
                ]
            },
        },
    },
}


@frozen
class Tactic:
    """A piece of general advice.

    Attributes:
        name: One word, used as the category of experiences.
        kinds: The kinds of failure that it may mend.
        critic: Whether it is for the critic, else for generators.
        mends: The share of these failures (0 to 1) that it is expected to mend, untried.
        text: What an experience would say.
        texts: The same in all languages, by which a held experience is recognised.
    """

    name: str
    kinds: tuple[Outcome, ...]
    critic: bool
    mends: float
    text: str
    texts: tuple[str, ...]

    def fits(self, owner: str) -> bool:
        """Whether it is meant for this owner."""
        return self.critic == (owner == CRITIC)


def read_tactics(path: Path, language: str = "en") -> tuple[Tactic, ...]:
    """Read a list of tactics.

    Args:
        path: A JSON file.
        language: Of the texts, where a tactic has several; English stands in for a missing one.

    Raises:
        ConfigError: The file cannot be read or is no such list; with the place.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        validate_with("tactics", SCHEMA, document)
    except FileNotFoundError as error:
        message = f"no file of tactics {path}"
        raise ConfigError(message, path=path, hint="option 'tactics' of pool/advisor") from error
    except (OSError, ValueError) as error:
        message = f"{path}: cannot be read as JSON: {error}"
        raise ConfigError(message, path=path) from error
    except ValidationFailed as error:
        message = f"{path}: tactics at {error.pointer}: {error.reason}"
        raise ConfigError(message, path=path, pointer=error.pointer) from error
    tactics = tuple(_read(row, language) for row in document)
    names = [tactic.name for tactic in tactics]
    for number, name in enumerate(names):
        if name in names[:number]:
            message = f"{path}: two tactics are called '{name}'"
            raise ConfigError(message, path=path, pointer=f"/{number}/name")
    return tactics


def _read(row: Mapping[str, Any], language: str) -> Tactic:
    texts: Mapping[str, str] = (
        row["text"] if isinstance(row["text"], Mapping) else {"en": row["text"]}
    )
    text = texts[language] if language in texts else texts["en"]
    return Tactic(
        name=row["name"],
        kinds=tuple(row.get("for", ("wrong", "no_answer", "cut_off", "refused"))),
        critic=row.get("owner") == CRITIC,
        mends=float(row.get("mends", 0)),
        text=text,
        texts=tuple(texts.values()),
    )
