"""Tables that fit: what is too wide goes on below, and no name or figure is cut."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from rich.cells import cell_len
from rich.table import Table

_GAP = 2
"""Cells between two columns."""

_TEXT = 40
"""Cells from which on a column of words may be broken over lines, and what it gets at least."""


def lay_out(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    width: int,
    title: str = "",
    numbers: Collection[str] = (),
    keys: Collection[str] = (),
    styles: Sequence[str | None] = (),
) -> Iterator[Table]:
    """Tables of some rows, one below the other where they do not fit side by side.

    Words are broken over lines where that helps; figures, names and paths never are, so a table of
    them may be wider than `width`.

    Args:
        columns: Their heads.
        rows: Their cells; strings are printed as they are.
        width: Cells of a line.
        title: Above the first table.
        numbers: Heads of the columns that are set to the right.
        keys: Heads of the columns that say what a row is, and so stand in each of the tables; the
            first column where none is named.
        styles: A rich style for each row, such as ``red``; may be shorter than `rows`.
    """
    cells = [[str(cell) for cell in row] for row in rows]
    texts = [[head, *(row[place] for row in cells)] for place, head in enumerate(columns)]
    full = [max(map(cell_len, "\n".join(column).split("\n"))) for column in texts]
    broken = {
        place
        for place, column in enumerate(texts)
        if full[place] > _TEXT and any(" " in text for text in column)
    }
    least = [_TEXT if place in broken else each for place, each in enumerate(full)]
    always = [place for place, head in enumerate(columns) if head in keys] or [0]
    for number, part in enumerate(_parts(least, always, width)):
        heading = None if number else title or None
        table = Table(title=heading, box=None, pad_edge=False, title_justify="left")
        # Only words give way: a name that is cut says nothing.
        room = width - sum(least[place] + _GAP for place in part if place not in broken)
        share = room // max(1, len(broken.intersection(part))) - _GAP
        for place in part:
            table.add_column(
                columns[place],
                justify="right" if columns[place] in numbers else "left",
                no_wrap=place not in broken,
                overflow="fold",
                max_width=max(_TEXT, share) if place in broken else None,
            )
        for row, each in enumerate(cells):
            style = styles[row] if row < len(styles) else None
            table.add_row(*(each[place] for place in part), style=style)
        yield table


def _parts(least: Sequence[int], always: Sequence[int], width: int) -> list[list[int]]:
    """The columns of each table: those of `always`, and as many others as fit, in their order."""
    taken = sum(least[place] + _GAP for place in always)
    parts: list[list[int]] = [[]]
    left = width - taken + _GAP
    for place, each in enumerate(least):
        if place in always:
            continue
        if parts[-1] and each + _GAP > left:
            parts.append([])
            left = width - taken + _GAP
        parts[-1].append(place)
        left -= each + _GAP
    return [sorted([*always, *part]) for part in parts]
