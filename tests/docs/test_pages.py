"""The documentation holds: links lead somewhere, commands and snippets run, translations agree.

Every ``sh`` and ``python`` block of a page is run, in order and in one folder, unless the comment
before it says why not: ``<!-- not run: REASON -->``. ``<!-- file: NAME -->`` writes a block to a file.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from attrs import frozen

ROOT = Path(__file__).resolve().parents[2]

RUN_BY_HAND = {
    "docs/explanation/durability.md",
    "docs/how-to/keep-to-a-budget.md",
    "docs/how-to/resume-a-run.md",
    "docs/reference/comparator-benchmark.md",
    "docs/reference/performance.md",
}
"""Pages whose commands take minutes, measure the machine, or are killed on purpose."""

TRANSLATIONS = {
    "README.zh.md": "README.md",
    "docs/tutorial/first-run.zh.md": "docs/tutorial/first-run.md",
}
"""Page → the page of which it is a translation; the code is the same and runs once."""

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>file|not run): (?P<text>[^\n]*?) -->\n)?"
    r"(?:^<!-- begin: [^\n]* -->\n)?"
    r"^(?P<fence>```+)(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)

_GENERATED = re.compile(r"^<!-- begin: .*?^<!-- end -->$", re.MULTILINE | re.DOTALL)


@frozen
class Block:
    """A fenced block.

    Attributes:
        language: After the fence.
        body: What stands in it.
        mark: ``file`` (the block is written to a file), ``not run``, ``generated`` (from the code,
            which has tests of its own), or empty.
        text: The file's name, or why it is not run.
        line: Where it begins, counted from 1.
    """

    language: str
    body: str
    mark: str
    text: str
    line: int

    @property
    def runs(self) -> bool:
        """Whether a test runs it."""
        return not self.mark and self.language in ("sh", "python")


def pages() -> list[Path]:
    """All Markdown pages of the project that its users read."""
    folders = [ROOT / "docs", ROOT / "examples", ROOT / "plugins"]
    found = [path for folder in folders for path in folder.rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *(path for path in found if ".egg-info" not in str(path))])


def name_of(page: Path) -> str:
    """The page's path within the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    generated = [match.span() for match in _GENERATED.finditer(text)]
    found = []
    for match in _BLOCK.finditer(text):
        start = match.start("fence")
        within = any(begin < start < end for begin, end in generated)
        mark = match["mark"] or ("generated" if within else "")
        line = text.count("\n", 0, start) + 1
        found.append(Block(match["language"], match["body"], mark, match["text"] or "", line))
    return found


ALL = pages()
OURS = [page for page in ALL if not name_of(page).startswith("plugins/")]
RUNNABLE = [
    page
    for page in OURS
    if name_of(page) not in RUN_BY_HAND | set(TRANSLATIONS)
    and any(block.runs for block in blocks(page))
]


# --- links ----------------------------------------------------------------------------------------

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as they are made on code hosts."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    found = set()
    for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        kept = "".join(
            char
            for char in title.lower()
            if char in "-_ " or unicodedata.category(char)[0] in "LNM"
        )
        found.add(kept.replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_links_lead_somewhere(page):
    """Every relative link is a file of the repository, and its anchor a heading there."""
    text = re.sub(
        r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)} links to {link}"
        assert target.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(target), f"{name_of(page)} links to {link}"


def test_every_page_is_linked():
    """Whoever starts at the README finds every page of docs/."""
    linked = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in linked or page.suffix != ".md" or not page.exists():
            continue
        linked.add(page)
        waiting += [
            (page.parent / link.partition("#")[0]).resolve()
            for link in _LINK.findall(page.read_text(encoding="utf-8"))
        ]
    lost = {name_of(page) for page in (ROOT / "docs").rglob("*.md")} - set(map(name_of, linked))
    assert not lost


# --- commands and snippets ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def endpoint():
    """A simulated OpenAI-compatible endpoint for the pages that use one."""
    command = [sys.executable, "-m", "benchmarks.endpoint", "--median", "0.002", "--right", "0.5"]
    command += ["--seconds", "3600"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("page", RUNNABLE, ids=name_of)
def test_blocks_run(page, endpoint, tmp_path):
    """The page's commands and snippets succeed, one after the other, in one folder."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONWARNINGS": "error",
        "OPENAI_BASE_URL": endpoint,
        "OPENAI_API_KEY": "no-secret",
        "COLUMNS": "160",
    }
    for block in blocks(page):
        if block.mark == "file":
            path = tmp_path / block.text
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
        if not block.runs:
            continue
        program = ["bash", "-euo", "pipefail"] if block.language == "sh" else [sys.executable]
        done = subprocess.run(
            [*program, "-c", block.body],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        place = f"{name_of(page)}:{block.line}"
        assert done.returncode == 0, f"{place}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        assert "Traceback" not in done.stderr, f"{place}\n{done.stderr[-4000:]}"


@pytest.mark.parametrize("page", OURS, ids=name_of)
def test_what_is_not_run_says_why(page):
    """A block that is not run has a reason in words."""
    for block in blocks(page):
        if block.mark == "not run":
            assert len(block.text.split()) > 1, f"{name_of(page)}:{block.line}"


# --- translations, installation ------------------------------------------------------------------------


def shape(page: Path) -> list[object]:
    """What a page and its translation share: headings by level, tables by size, links by number."""
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = [len(marks) for marks in re.findall(r"^(#+) ", prose, re.MULTILINE)]
    rows = len(re.findall(r"^\|", prose, re.MULTILINE))
    items = len(re.findall(r"^- ", prose, re.MULTILINE))
    targets = sorted(
        link.partition("#")[0].replace(".zh.md", ".md") for link in _LINK.findall(prose)
    )
    return [headings, rows, items, targets]


def code(page: Path) -> list[str]:
    """The blocks of a page without their comments."""
    return [re.sub(r"\s*# .*", "", block.body) for block in blocks(page)]


@pytest.mark.parametrize(("there", "here"), TRANSLATIONS.items())
def test_translations_say_the_same(there, here):
    """Page and translation have the same headings, tables, links and commands."""
    assert code(ROOT / there) == code(ROOT / here)
    mine, theirs = shape(ROOT / here), shape(ROOT / there)
    mine[-1].remove(Path(there).name.replace(".zh.md", ".md"))
    theirs[-1].remove(Path(here).name)
    assert theirs == mine


def test_the_plain_commands_do_what_make_does():
    """Without make, the same is installed: every plugin, and every extra for tests."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    setups = {path.parent.name: path for path in (ROOT / "plugins").glob("*/setup.cfg")}
    assert set(re.findall(r"--editable \./plugins/(\w+)", text)) == set(setups)
    assert "--editable . " in text
    for name, path in setups.items():
        parser = configparser.ConfigParser()
        parser.read(path, encoding="utf-8")
        tested = parser.has_option("options.extras_require", "test")
        assert (f"'grpo-{name}[test]'" in text) == tested
        assert f"(plugins/{name}/README.md)" in text
