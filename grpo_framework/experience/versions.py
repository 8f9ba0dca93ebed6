"""What changed between two versions of a library, and how an old one comes back; pure."""

from __future__ import annotations

from attrs import evolve, frozen

from grpo_framework.experience.values import Experience, Library


@frozen
class Version:
    """One version of a library, as a store knows it.

    Attributes:
        number: Counted from 1; numbers may be left out.
        written_at: ISO 8601; empty where the store does not know.
    """

    number: int
    written_at: str = ""


@frozen
class Change:
    """What became of a library's texts from one version to another.

    Attributes:
        added: Experiences that only the later one holds.
        removed: Experiences that only the earlier one holds.
        rewritten: Earlier and later form of those whose text or category differs.
    """

    added: tuple[Experience, ...] = ()
    removed: tuple[Experience, ...] = ()
    rewritten: tuple[tuple[Experience, Experience], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.rewritten)


def compare_versions(earlier: Library, later: Library) -> Change:
    """What changed; counts of use are no change."""
    old = {each.id: each for each in earlier.experiences}
    new = {each.id: each for each in later.experiences}
    return Change(
        added=tuple(each for each in later.experiences if each.id not in old),
        removed=tuple(each for each in earlier.experiences if each.id not in new),
        rewritten=tuple(
            (each, new[each.id])
            for each in earlier.experiences
            if each.id in new and not _same_text(each, new[each.id])
        ),
    )


def restore(newest: Library, old: Library) -> Library:
    """The next version, with the content of an old one.

    The old texts come back under their old ids. Of an experience that says the same in both, what
    was measured since (counts of use) is kept. The next number never falls, so no id is used again.

    Args:
        newest: What the store holds.
        old: The version whose content is wanted.

    Returns:
        `newest` itself where its texts and their order are those of `old` already.

    Raises:
        ValueError: They are of two owners.
    """
    if newest.owner != old.owner:
        message = f"a version of {old.owner} cannot become one of {newest.owner}"
        raise ValueError(message)
    if not compare_versions(newest, old) and newest.ids == old.ids:
        return newest
    held = {each.id: each for each in newest.experiences}
    back = tuple(
        held[each.id] if each.id in held and _same_text(each, held[each.id]) else each
        for each in old.experiences
    )
    number = max(newest.next_number, old.next_number)
    return evolve(newest, version=newest.version + 1, experiences=back, next_number=number)


def _same_text(one: Experience, other: Experience) -> bool:
    return (one.content, one.category) == (other.content, other.category)
