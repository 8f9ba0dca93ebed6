"""Writes the generated parts of the pages: ``python docs/_generate.py``, or with ``--check``.

A part stands between ``<!-- begin: NAME ARGUMENT -->`` and ``<!-- end -->``. What it says comes from
the code, so that a page cannot fall behind; a test runs this with ``--check``.
"""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from _parts import PARTS  # noqa: E402 - its folder was not on the path

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- begin: (\S+)(?: (\S+))? -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """All pages that may hold generated parts."""
    return sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")])


def render(text: str) -> str:
    """A page with its generated parts as they must be."""

    def part(match: re.Match[str]) -> str:
        head, name, argument, end = match.groups()
        body = PARTS[name](argument) if argument else PARTS[name]()
        return f"{head}{body.strip()}\n{end}"

    return PART.sub(part, text)


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` say what is not up to date."""
    stale = 0
    for page in pages():
        old = page.read_text(encoding="utf-8")
        new = render(old)
        if old == new:
            continue
        stale += 1
        name = str(page.relative_to(ROOT))
        if "--check" in arguments:
            print(
                *difflib.unified_diff(old.splitlines(), new.splitlines(), name, name, "", ""),
                sep="\n",
            )
        else:
            page.write_text(new, encoding="utf-8")
            print(f"wrote {name}")
    if stale and "--check" in arguments:
        print("mend with: python docs/_generate.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
