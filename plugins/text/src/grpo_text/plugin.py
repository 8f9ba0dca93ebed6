"""The hooks of the plugin `text`: comparators."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from grpo_framework.component import Component, Factory, Wiring
from grpo_framework.errors import ConfigError
from grpo_framework.hookspecs import hookimpl
from grpo_framework.protocols import Comparator


def _switch(default: bool, description: str) -> dict[str, Any]:
    return {"type": "boolean", "default": default, "description": description}


def _closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


_FIND = {
    "enum": ["auto", "whole", "last-line"],
    "default": "auto",
    "description": "Where the final answer stands: marked in the response (box, tags, 'answer:', "
    "'####') or else the whole; the whole response; its last line.",
}
_SEPARATOR = {
    "type": "string",
    "default": "",
    "description": "What parts the alternatives of a reference ('|'); empty: there are none.",
}
_READING = {"find": _FIND, "separator": _SEPARATOR}
_NORMALISED = _closed(
    **_READING,
    case=_switch(True, "Upper and lower case are the same."),
    articles=_switch(True, "The articles a, an, the do not count."),
    punctuation=_switch(True, "Punctuation does not count, except within numbers."),
    accents=_switch(False, "Accents do not count."),
)
_CONTAINS = _closed(
    **{**_READING, "find": {**_FIND, "default": "whole"}},
    every=_switch(False, "All alternatives of the reference must stand in the answer, not one."),
)
_CHOICE = _closed(
    several={
        "enum": ["auto", "yes", "no"],
        "default": "auto",
        "description": "Whether several letters may be chosen; auto: where the reference has them.",
    }
)
_REGEX = _closed(
    **_READING,
    pattern={
        "type": "string",
        "default": "",
        "description": "Finds the answer in the response (its first group, if it has one), which "
        "must equal the reference; empty: the reference is the pattern.",
    },
    ignore_case=_switch(True, "Upper and lower case are the same."),
    whole=_switch(False, "The pattern must match the whole answer."),
    timeout={
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 60,
        "default": 1.0,
        "description": "Seconds that one match may take.",
    },
)


@asynccontextmanager
async def _open_exact(wiring: Wiring) -> AsyncIterator[Comparator]:
    from grpo_text.comparators import EqualText, Reading
    from grpo_text.normalising import Normalisation

    plain = Normalisation(case=False, articles=False, punctuation=False)
    yield EqualText(Reading(**wiring.options), plain)


@asynccontextmanager
async def _open_normalised(wiring: Wiring) -> AsyncIterator[Comparator]:
    from grpo_text.comparators import EqualText, Reading
    from grpo_text.normalising import Normalisation

    given = dict(wiring.options)
    reading = Reading(**{key: given.pop(key) for key in ("find", "separator") if key in given})
    yield EqualText(reading, Normalisation(**given))


@asynccontextmanager
async def _open_choice(wiring: Wiring) -> AsyncIterator[Comparator]:
    from grpo_text.comparators import ChosenLetter

    yield ChosenLetter(wiring.options.get("several", "auto"))


@asynccontextmanager
async def _open_contains(wiring: Wiring) -> AsyncIterator[Comparator]:
    from grpo_text.comparators import ContainsText, Reading

    chosen = wiring.options
    reading = Reading(chosen.get("find", "whole"), chosen.get("separator", ""))
    yield ContainsText(reading, every=chosen.get("every", False))


@asynccontextmanager
async def _open_token_f1(wiring: Wiring) -> AsyncIterator[Comparator]:
    from grpo_text.comparators import Reading, SharedTokens

    yield SharedTokens(Reading(**wiring.options))


@asynccontextmanager
async def _open_regex(wiring: Wiring) -> AsyncIterator[Comparator]:
    from grpo_text.comparators import MatchingPattern, Reading
    from grpo_text.patterns import BadPatternError, compile_pattern

    chosen = wiring.options
    ignore_case, whole = chosen.get("ignore_case", True), chosen.get("whole", False)
    seconds = float(chosen.get("timeout", 1.0))
    pattern = chosen.get("pattern", "")
    try:
        extract = (
            compile_pattern(pattern, ignore_case=ignore_case, whole=whole, seconds=seconds)
            if pattern
            else None
        )
    except BadPatternError as error:
        message = f"option 'pattern' of text/regex is no regular expression: {error}"
        raise ConfigError(message, pointer="/pattern", hint="mend the pattern") from error
    reading = Reading(chosen.get("find", "auto"), chosen.get("separator", ""))
    yield MatchingPattern(reading, extract, ignore_case=ignore_case, whole=whole, seconds=seconds)


_OFFERED: tuple[tuple[str, Factory[Comparator], dict[str, Any], str], ...] = (
    ("exact", _open_exact, _closed(**_READING), "The same text, but for white space"),
    (
        "normalised",
        _open_normalised,
        _NORMALISED,
        "The same text, but for case, articles and punctuation",
    ),
    ("multiple-choice", _open_choice, _CHOICE, "The letter that the response settles on"),
    ("contains", _open_contains, _CONTAINS, "The reference stands in the answer as whole words"),
    ("token-f1", _open_token_f1, _closed(**_READING), "F1 of the shared words, as SQuAD scores"),
    ("regex", _open_regex, _REGEX, "A regular expression matches, within a time limit"),
)


@hookimpl
def grpo_comparators() -> Iterable[Component[Comparator]]:
    """Offer the comparators of texts."""
    for name, factory, schema, summary in _OFFERED:
        yield Component(name, factory, summary=summary, options=schema)
