"""How much an edit adds to its library, and which edits a pair's two prompts have room for."""

from __future__ import annotations

from collections.abc import Mapping

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
    signs: Mapping[int, int],
    growths: Mapping[int, Size],
    base: Size,
    limits: Limits,
    seen: Mapping[int, int],
) -> dict[int, int]:
    """The edits of a pair without those for which its prompts have no room: limits hold there too.

    Args:
        signs: Number of an edit → in which of the two prompts it stands.
        growths: What each edit adds.
        base: Of the library without them.
        limits: Of the library.
        seen: How often each edit was tried in this batch: those tried most give way.
    """
    kept = dict(signs)
    for side in (1, -1):
        held = [edit for edit, sign in kept.items() if sign == side]
        larger = sorted(
            (edit for edit in held if growths[edit].grows),
            key=lambda edit: (seen.get(edit, 0), edit),
        )
        while larger and not sum((growths[edit] for edit in held), base).fits(limits, base):
            last = larger.pop()
            held.remove(last)
            del kept[last]
    return kept
