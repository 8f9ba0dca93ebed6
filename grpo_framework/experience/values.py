"""Experiences, libraries and the operations on them: frozen values."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Literal, TypeAlias

from attrs import astuple, field, frozen
from attrs.filters import exclude

from grpo_framework.experience.credit import Credit
from grpo_framework.records import Owner

SHARED: Owner = "shared"
CRITIC: Owner = "critic"

_GENERATOR = re.compile(r"generator_([1-9][0-9]*)")


def generator_owner(number: int) -> Owner:
    """The owner of the n-th generator, counted from 1."""
    return f"generator_{number}"


def id_prefix(owner: Owner) -> str:
    """The letters before the number in an owner's experience ids (``G1``, ``C``, ``S``).

    Raises:
        ValueError: The owner is none of ``shared``, ``critic``, ``generator_<n>``.
    """
    if owner == SHARED:
        return "S"
    if owner == CRITIC:
        return "C"
    match = _GENERATOR.fullmatch(owner)
    if match is None:
        message = f"unknown owner '{owner}'; owners are shared, critic, generator_1, generator_2 …"
        raise ValueError(message)
    return f"G{match[1]}"


@frozen
class Experience:
    """One learned piece of text.

    Attributes:
        id: ``G1-001``: prefix of the owner and a number that is never reused.
        content: The text that goes into prompts.
        category: A word to group by.
        success_count: Successful rollouts whose prompt held it.
        usage_count: All judged rollouts whose prompt held it.
        created_at: ISO 8601.
        source_problem: Text of the problem it was learned from; may be empty.
        parents: Ids it was merged or promoted from; kept beside the guide's file format.
        credit: Evidence of its effect, as its text stands now; kept beside the file format too.
    """

    id: str
    content: str
    category: str = "general"
    success_count: int = 0
    usage_count: int = 0
    created_at: str = ""
    source_problem: str = ""
    parents: tuple[str, ...] = ()
    credit: Credit = field(factory=Credit)


@frozen
class Add:
    """Propose a new experience; one that is promoted has the entries it replaces as `parents`."""

    content: str
    category: str = "general"
    source_problem: str = ""
    reason: str = ""
    parents: tuple[str, ...] = ()


@frozen
class Modify:
    """Propose another text (and, if given, category) for an experience; its id stays."""

    id: str
    content: str
    category: str = ""
    reason: str = ""


@frozen
class Delete:
    """Propose to remove an experience.

    Attributes:
        id: Which.
        reason: Why, in one line.
        rule: Name of the rule by which `plan` removes it unasked (``harmful``, ``room``); empty
            where it was proposed.
        content: The text that such a rule removes.
    """

    id: str
    reason: str = ""
    rule: str = ""
    content: str = ""


@frozen
class Merge:
    """Propose one experience in place of two or more; it gets a new id and keeps its parents."""

    ids: tuple[str, ...]
    content: str
    category: str = ""
    reason: str = ""


@frozen
class Keep:
    """Say that an experience is good as it is."""

    id: str
    reason: str = ""


@frozen
class Malformed:
    """What a language model proposed and is no operation; `plan` refuses and so records it.

    Attributes:
        document: As it was proposed, as JSON text, shortened.
        reason: What the schema says is wrong with it.
    """

    document: str
    reason: str


Operation: TypeAlias = Add | Modify | Delete | Merge | Keep | Malformed


@frozen
class Trial:
    """An edit that was measured and not taken: undecided yet, or rejected for good.

    Attributes:
        operation: The edit.
        state: ``provisional`` (tried again in later batches) or ``rejected``.
        reason: What was measured, in one line.
        tries: Batches in which it was tried.
        differences: Reward with it − reward without it, pair by pair; of a provisional one.
    """

    operation: Operation
    state: Literal["provisional", "rejected"]
    reason: str
    tries: int = 1
    differences: tuple[float, ...] = ()


@frozen
class Library:
    """The experiences of one owner at one version.

    Attributes:
        owner: Whose it is.
        version: 0 is the empty library before the first commit.
        experiences: In order of creation.
        next_number: The number that the next new id gets; only ever grows.
        trials: Edits that were measured and not taken; kept beside the guide's file format.
    """

    owner: Owner
    version: int = 0
    experiences: tuple[Experience, ...] = ()
    next_number: int = 1
    trials: tuple[Trial, ...] = ()

    def __len__(self) -> int:
        return len(self.experiences)

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its experiences."""
        return tuple(experience.id for experience in self.experiences)

    @property
    def wording(self) -> str:
        """SHA-256 over what of it goes into prompts; use counts and trials are no part of it."""
        rows = [(experience.id, experience.content) for experience in self.experiences]
        text = json.dumps(rows, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def digest(self) -> str:
        """SHA-256 over owner, experiences and next number; equal content, equal digest.

        Credit and trials are left out since a store may not keep them.
        """
        rows = [astuple(each, filter=exclude("credit")) for each in self.experiences]
        text = json.dumps([self.owner, self.next_number, rows], ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
