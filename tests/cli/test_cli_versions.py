"""`grpo-cli experiences history` and `revert`, on a directory store."""

from __future__ import annotations

import asyncio
import json

import pytest
from attrs import evolve

from grpo_framework.experience import Add, Delete, Library, Modify, apply, plan

jsonstore = pytest.importorskip("grpo_jsonstore.store")
holding = pytest.importorskip("grpo_jsonstore.holding")


@pytest.fixture
def directory(tmp_path):
    """Three versions of generator_1, one of the critic."""
    folder = tmp_path / "experiences"
    store = jsonstore.DirectoryStore(folder)

    async def fill():
        library = Library("generator_1")
        for edits in (
            [Add("Check the units of the result."), Add("Draw a picture of it.")],
            [Modify("G1-001", "Check the units twice, at least."), Delete("G1-002")],
            [Add("Estimate the size of the answer first.")],
        ):
            new = apply(library, plan(library, edits), now="2026-01-01T00:00:00+00:00")
            await store.commit(new, expected_version=library.version)
            library = new
        critic = Library("critic")
        judged = plan(critic, [Add("Take the answer that most attempts give.")])
        await store.commit(apply(critic, judged, now=""), expected_version=0)

    asyncio.run(fill())
    return folder


def contents(real, owner="generator_1"):
    rows = real("experiences", "list", "--json", f"--owner={owner}").document["owners"][0]
    return {each["id"]: each["content"] for each in rows["experiences"]}


def test_history_says_when_how_many_and_what_changed(real, directory):
    document = real("experiences", "history", "--json").document
    owners = {each["owner"]: each["versions"] for each in document["owners"]}
    one, two, three = owners["generator_1"]
    assert (one["version"], one["added"]) == (1, ["G1-001", "G1-002"])
    assert (two["removed"], two["rewritten"], two["experiences"]) == (["G1-002"], ["G1-001"], 1)
    assert three["added"] == ["G1-003"]
    assert all(row["written_at"].startswith("20") for row in (one, two, three))
    assert owners["shared"] == []
    table = real("experiences", "history").stdout
    assert "-G1-002 ~G1-001" in table
    last = real("experiences", "history", "--last=1", "--owner=generator_1", "--json").document
    assert [row["version"] for row in last["owners"][0]["versions"]] == [3]
    assert real("experiences", "history", "--owner=nobody").exit_code == 2


def test_versions_that_only_counted_uses_share_a_line_that_says_so(real, directory):
    store = jsonstore.DirectoryStore(directory)

    async def use():
        library = await store.load("critic")
        for number in (1, 2, 3):
            used = (evolve(library.experiences[0], usage_count=number),)
            new = evolve(library, experiences=used, version=library.version + 1)
            await store.commit(new, expected_version=library.version)
            library = new
        edits = [Add("Name the unit of the answer.")]
        new = apply(library, plan(library, edits), now="2026-01-01T00:00:00+00:00")
        await store.commit(new, expected_version=library.version)

    asyncio.run(use())
    table = real("experiences", "history", "--owner=critic").stdout.splitlines()
    assert [line.split()[1] for line in table[1:]] == ["1", "2-4", "5"]
    assert "no text: uses counted" in table[2]
    document = real("experiences", "history", "--owner=critic", "--json").document
    assert [row["version"] for row in document["owners"][0]["versions"]] == [1, 2, 3, 4, 5]


def test_a_file_that_other_hands_changed_is_a_version_without_a_time(real, directory):
    path = directory / "critic_experiences.json"
    rows = json.loads(path.read_text())
    rows[0]["content"] = "Trust nobody."
    path.write_text(json.dumps(rows))
    document = real("experiences", "history", "--owner=critic", "--json").document
    last = document["owners"][0]["versions"][-1]
    assert (last["version"], last["written_at"], last["rewritten"]) == (2, "", ["C-001"])
    assert "unknown" in real("experiences", "history", "--owner=critic").stdout


def test_dry_run_shows_what_comes_and_goes_and_writes_nothing(real, directory):
    before = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    result = real("experiences", "revert", "generator_1=1", "--dry-run")
    assert result.exit_code == 0
    for line in (
        "version 1 would become version 4 (2 -> 2 experiences)",
        "+ G1-002  Draw a picture of it.",
        "- G1-003  Estimate",
        "~ G1-001  Check the units twice, at least. -> Check the units of the result.",
    ):
        assert line in result.stdout
    document = real("experiences", "revert", "1", "--owner=generator_1", "--dry-run", "--json")
    (owner,) = document.document["owners"]
    assert document.document["dry_run"]
    assert (owner["from_version"], owner["to_version"], owner["target"]) == (3, 4, 1)
    assert [each["id"] for each in owner["comes"]] == ["G1-002"]
    assert [each["id"] for each in owner["goes"]] == ["G1-003"]
    assert [each["id"] for each in owner["rewritten"]] == ["G1-001"]
    after = {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    assert after == before


def test_revert_is_a_new_version_and_reverting_it_brings_everything_back(real, directory):
    newest = contents(real)
    result = real("experiences", "revert", "1")
    assert result.exit_code == 0
    assert "critic: version 1 says what version 1 says" in result.stdout
    assert "take it back with: grpo-cli experiences revert generator_1=3" in result.stdout
    assert contents(real) == {
        "G1-001": "Check the units of the result.",
        "G1-002": "Draw a picture of it.",
    }
    assert real("experiences", "revert", "generator_1=3").exit_code == 0
    assert contents(real) == newest
    assert "next_number" in (directory / ".history" / "generator_1" / "head.json").read_text()
    head = json.loads((directory / ".history" / "generator_1" / "head.json").read_text())
    assert (head["version"], head["next_number"]) == (5, 4)
    assert real("experiences", "revert", "0", "--owner=generator_1").exit_code == 0
    assert contents(real) == {}
    history = real("experiences", "history", "--owner=generator_1", "--json").document
    assert len(history["owners"][0]["versions"]) == 6


def test_experiences_are_not_changed_while_a_training_works_on_them(real, directory, tmp_path):
    """It would pay for a batch that it cannot commit any more; to look is free."""
    assert real("experiences", "export", "x.json").exit_code == 0
    with holding.held_alone(directory):
        for change in (("revert", "1"), ("import", "x.json", "--merge")):
            refused = real("experiences", *change)
            assert refused.exit_code == 3
            assert "another training works on these experiences" in refused.stderr
        assert real("experiences", "revert", "1", "--dry-run").exit_code == 0
    assert real("experiences", "revert", "1").exit_code == 0


def test_several_owners_are_reverted_all_or_none(real, directory):
    result = real("experiences", "revert", "generator_1=2,critic=9")
    assert result.exit_code == 3
    assert "critic has no version 9" in result.stderr
    assert "G1-003" in contents(real)
    assert real("experiences", "revert", "generator_1=2, critic=0").exit_code == 0
    assert "G1-003" not in contents(real)
    assert contents(real, "critic") == {}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["7"], 3, "no owner has come to version 7; the newest are generator_1 3"),
        (["latest"], 2, "neither a version"),
        (["generator_1=x"], 2, "neither a version"),
        (["generator_9=1"], 2, "no owner 'generator_9'"),
        (["1", "--owner=nobody"], 2, "no owner 'nobody'"),
        (["generator_1=1", "--owner=critic"], 2, "leave --owner out"),
        (["²"], 2, "neither a version"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(real, directory, arguments, code, said):
    result = real("experiences", "revert", *arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert "G1-003" in contents(real)


def test_an_empty_store_has_no_versions(real):
    assert "no versions in experiences" in real("experiences", "history").stdout
    assert real("experiences", "revert", "0").exit_code == 3
