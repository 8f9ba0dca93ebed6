"""How much an edit adds to its library, and which edits a pair's two prompts have room for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from grpo_framework.experience import Library, Limits, injected_tokens


@frozen
class Size:
    """So many experiences that take so many tokens; of an edit, how many more.

    Attributes:
        experiences: Their number.
        tokens: About how many they take in a prompt.
    """

    experiences: int = 0
    tokens: int = 0

    def __add__(self, other: Size) -> Size:
        return Size(self.experiences + other.experiences, self.tokens + other.tokens)

    @property
    def grows(self) -> bool:
        """Whether there is more afterwards."""
        return self.experiences > 0 or self.tokens > 0

    def fits(self, limits: Limits, least: Size) -> bool:
        """Whether a library may be so large; one that was too large already may stay so.

        Args:
            limits: Of the library.
            least: Its size without the edits in question.
        """
        most = max(limits.capacity, least.experiences)
        return self.experiences <= most and self.tokens <= max(limits.max_tokens, least.tokens)


def size_of(library: Library) -> Size:
    """The size of a library."""
    return Size(len(library), injected_tokens(item.content for item in library.experiences))


def growth(before: Library, after: Library) -> Size:
    """How much larger a library has become; only what differs is looked at."""
    old = {item.id: item.content for item in before.experiences}
    new = {item.id: item.content for item in after.experiences}
    gone = [text for id_, text in old.items() if new.get(id_) != text]
    come = [text for id_, text in new.items() if old.get(id_) != text]
    return Size(len(new) - len(old), injected_tokens(come) - injected_tokens(gone))


def pick_fitting(
    edits: Sequence[int], growths: Mapping[int, Size], base: Size, limits: Limits
) -> list[int]:
    """The edits of a pair for which its prompts have room: limits hold there too.

    They fit however the coins fall, even if all stand in one prompt. If a coin decided which of two
    edits gives way, the two would be tried together on opposite sides only, and the one would be
    credited with the harm of the other.

    Args:
        edits: Numbers, those that come first take the room first.
        growths: What each edit adds.
        base: Of the library without them.
        limits: Of the library.
    """
    kept: list[int] = []
    taken = base
    for edit in edits:
        more = Size(max(growths[edit].experiences, 0), max(growths[edit].tokens, 0))
        if not growths[edit].grows:
            kept.append(edit)
        elif (taken + more).fits(limits, base):
            kept.append(edit)
            taken += more
    return kept
