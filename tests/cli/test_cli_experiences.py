"""`grpo-cli experiences`: over any store, both formats of the guide, nothing overwritten."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from grpo_framework.codec import EXPERIENCE_KEYS
from grpo_framework.experience import Credit
from grpo_framework.validation import validate

ROW = {
    "id": "G1-001",
    "content": "Check the units.",
    "category": "units",
    "success_count": 1,
    "usage_count": 2,
    "created_at": "2025-10-01T12:00:00",
    "source_problem": "How far?",
}
STORE = "--store=toy"


def row(id_, content="Check the units.", **rest):
    return {**ROW, "id": id_, "content": content, **rest}


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    """A directory as the guide's code wrote it."""
    path = tmp_path / "data" / "grpo_experiences"
    write(path / "generator_1_experiences.json", [ROW, row("G1-007", "End with a box.")])
    write(path / "critic_experiences.json", [row("C-005", "Trust the majority.")])
    write(path / "shared_experiences.json", [])
    return path


def test_list_and_show_read_any_store(run, store):
    store.hold("generator_1", "first rule", "second\nrule")
    store.hold("generator_5", "of a generator that the configuration does not name")
    store.hold("generator_4", "of another")
    listed = run("experiences", "list", STORE)
    assert listed.exit_code == 0
    assert "second rule" in listed.stdout
    document = run("experiences", "list", STORE, "--json").document
    owners = {each["owner"]: each for each in document["owners"]}
    assert [each["id"] for each in owners["generator_1"]["experiences"]] == ["G1-001", "G1-002"]
    assert len(owners["generator_5"]["experiences"]) == 1
    only = run("experiences", "list", STORE, "--owner=generator_4").stdout
    assert "G4-001" in only
    assert "G1-001" not in only
    shown = run("experiences", "show", "G1-002", STORE, "--json").document["experiences"]
    assert (shown[0]["owner"], shown[0]["content"]) == ("generator_1", "second\nrule")
    assert "G1-001  generator_1" in run("experiences", "show", "G1-001", STORE).stdout


GOOD = Credit.sum(20 * [Credit.of_cell((1.0, 1.0), (0.0,))])


def test_list_and_show_tell_the_measured_effects(run, store):
    """Effect and status in the list; interval and exposures too where one is shown."""
    store.hold("generator_1", "first rule", "second rule")
    library = store.kept["generator_1"]
    first = evolve(library.experiences[0], credit=GOOD)
    store.kept["generator_1"] = evolve(library, experiences=(first, library.experiences[1]))
    listed = run("experiences", "list", STORE).stdout.splitlines()
    assert listed[0].split() == [
        *("id", "owner", "category", "used", "successes", "effect", "status", "content")
    ]
    assert listed[1].split()[5:7] == ["+1.00", "proven"]
    assert listed[2].split()[5:7] == ["-", "unknown"]
    every = run("experiences", "show", STORE).stdout
    assert "proven: effect +1.00 on the reward (95 %: +" in every
    assert "shown 40 times, withheld 20" in every
    assert "unknown: no effect measured" in every
    rows = run("experiences", "show", STORE, "--json").document["experiences"]
    assert [row["id"] for row in rows] == ["G1-001", "G1-002"]
    credit = rows[0]["credit"]
    assert (credit["effect"], credit["status"]) == (1.0, "proven")
    assert (credit["shown"], credit["withheld"]) == (40, 20)
    assert credit["high"] == 1.0 > credit["low"] > 0
    assert rows[1]["credit"]["effect"] is None
    owners = run("experiences", "list", STORE, "--json").document["owners"]
    (listed,) = [each["experiences"] for each in owners if each["owner"] == "generator_1"]
    assert listed[0]["credit"] == credit


def test_an_import_of_the_same_text_keeps_what_was_measured(run, store, folder):
    """The files of the guide have no place for it; another text starts anew."""
    store.hold("generator_1", "Check the units.", "Another text.")
    library = store.kept["generator_1"]
    items = tuple(evolve(item, credit=GOOD) for item in library.experiences)
    store.kept["generator_1"] = evolve(library, experiences=items)
    file = write(
        folder / "only" / "generator_1_experiences.json",
        [ROW, row("G1-002", "A changed text.")],
    )
    assert run("experiences", "import", file, STORE, "--replace").exit_code == 0
    credits_ = [item.credit for item in store.kept["generator_1"].experiences]
    assert credits_ == [GOOD, Credit()]


def test_show_says_when_there_is_nothing(run, store):
    assert "no experiences" in run("experiences", "show", STORE).stdout


def test_an_empty_store_lists_nothing_and_unknown_names_are_errors(run, store):
    assert "no experiences" in run("experiences", "list", STORE).stdout
    store.hold("critic", "x")
    unknown = run("experiences", "show", "C-010", STORE)
    assert unknown.exit_code == 3
    assert "near: C-001" in unknown.stderr
    assert run("experiences", "list", STORE, "--owner=nobody").exit_code == 2


def test_a_directory_of_the_guide_is_valid(run, folder):
    result = run("experiences", "validate", folder)
    assert result.exit_code == 0
    assert result.stdout.count("ok ") == 3
    document = run("experiences", "validate", folder, "--json").document
    assert document["valid"]
    assert [file["experiences"] for file in document["files"]][1] == {"generator_1": 2}


def test_validate_looks_into_the_working_directory(run, tmp_path):
    missing = run("experiences", "validate")
    assert missing.exit_code == 3
    assert "experiences: no such file" in missing.stderr
    (tmp_path / "experiences").mkdir()
    empty = run("experiences", "validate")
    assert empty.exit_code == 3
    assert "holds no <owner>_experiences.json" in empty.stderr
    write(tmp_path / "experiences" / "shared_experiences.json", [])
    assert run("experiences", "validate").exit_code == 0


@pytest.mark.parametrize(
    ("name", "document", "where", "what"),
    [
        ("generator_1", '[{"id":\n x}]', "line 2, column 2", "not JSON"),
        ("generator_1", {"a": 1}, "", "experiences"),
        ("generator_1", "3", "", "not of type array"),
        ("generator_1", [ROW, row("C-001")], "/1/id", "not one of generator_1"),
        ("generator_1", [ROW, row("G11-001", "b")], "/1/id", "not one of generator_1"),
        ("generator_1", [ROW, row("G1-001", "b")], "/1/id", "stands twice"),
        ("generator_1", [row("G1-001", success_count=-1)], "/0/success_count", "minimum"),
        ("generator_1", [{**ROW, "extra": 1}], "/0", "unknown key 'extra'"),
        ("generator_1", [{"id": "G1-001"}], "/0", "missing"),
        ("generator_0", [], "", "unknown owner"),
        ("teacher", [], "", "unknown owner"),
    ],
)
def test_validate_says_what_is_wrong_and_where(run, folder, name, document, where, what):
    path = write(folder / f"{name}_experiences.json", document)
    before = path.read_bytes()
    result = run("experiences", "validate", folder, "--json")
    assert result.exit_code == 3
    files = {file["path"]: file for file in result.document["files"]}
    findings = [finding for finding in files[str(path)]["findings"] if finding["wrong"]]
    assert any(what in each["what"] and each["where"] == where for each in findings)
    plain = run("experiences", "validate", folder)
    assert f"wrong  {path}" in plain.stdout
    assert path.read_bytes() == before


def test_validate_names_all_wrong_rows_not_only_the_first(run, folder):
    rows = [row("G1-001", usage_count=-1), row("G1-002", "b", category=3), row("S-001", "c")]
    path = write(folder / "generator_1_experiences.json", rows)
    findings = run("experiences", "validate", path, "--json").document["files"][0]["findings"]
    assert [each["where"] for each in findings] == ["/0/usage_count", "/1/category", "/2/id"]


def test_two_that_say_the_same_are_worth_a_note_and_not_wrong(run, folder):
    path = write(folder / "shared_experiences.json", [row("S-1", "Do it!"), row("S-2", "do it")])
    result = run("experiences", "validate", path)
    assert result.exit_code == 0
    assert "S-2 says the same as S-1" in result.stdout


def test_more_successes_than_uses_are_worth_a_note_and_a_byte_order_mark_is_none(run, folder):
    path = folder / "generator_1_experiences.json"
    rows = json.loads(path.read_text())
    rows[0] |= {"usage_count": 1, "success_count": 5}
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(rows).encode())
    result = run("experiences", "validate", str(folder))
    assert result.exit_code == 0
    assert "at /0/success_count: G1-001 has 5 successes in 1 uses" in result.stdout


def test_the_two_formats_go_round_without_loss(run, store, folder, tmp_path):
    assert run("experiences", "import", folder, STORE).exit_code == 0
    assert store.kept["generator_1"].ids == ("G1-001", "G1-007")
    assert store.kept["generator_1"].next_number == 8
    export = tmp_path / "export.json"
    assert run("experiences", "export", export, STORE).exit_code == 0
    document = json.loads(export.read_text(encoding="utf-8"))
    validate("export", document)
    assert document["statistics"]["total_experiences"] == 3
    assert run("experiences", "validate", export).exit_code == 0
    assert run("experiences", "export", "back", STORE, "--format=directory").exit_code == 0
    for file in sorted(folder.iterdir()):
        back = json.loads((tmp_path / "back" / file.name).read_text(encoding="utf-8"))
        assert back == json.loads(file.read_text(encoding="utf-8"))
        assert all(tuple(each) == EXPERIENCE_KEYS for each in back)
    store.kept.clear()
    assert run("experiences", "import", export, STORE).exit_code == 0
    assert store.kept["critic"].ids == ("C-005",)
    to_stdout = run("experiences", "export", STORE)
    assert json.loads(to_stdout.stdout)["experiences"] == document["experiences"]


def test_an_export_that_is_wrong_says_where(run, folder, tmp_path, store):
    run("experiences", "import", folder, STORE)
    path = tmp_path / "export.json"
    run("experiences", "export", path, STORE)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["experiences"]["critic"][0]["usage_count"] = "many"
    document["experiences"]["shared"] = [row("C-005", "x")]
    write(path, document)
    result = run("experiences", "validate", path)
    assert result.exit_code == 3
    assert "/experiences/critic/0/usage_count" in result.stdout
    assert "/experiences/shared/0/id" in result.stdout
    assert run("experiences", "import", path, STORE, "--replace").exit_code == 3


def test_import_never_overwrites_silently(run, store, folder):
    store.hold("generator_2", "mine")
    refused = run("experiences", "import", folder, STORE)
    assert refused.exit_code == 3
    assert "--merge or --replace" in refused.stderr
    assert store.commits == 0


def test_merge_adds_what_is_new_and_refuses_an_id_with_another_text(run, store, folder):
    store.hold("generator_1", "Check the units!", "my own", "third", "fourth")
    merged = run("experiences", "import", folder, STORE, "--merge", "--json").document
    first = next(each for each in merged["owners"] if each["owner"] == "generator_1")
    assert (first["added"], first["known"], first["experiences"]) == (1, 1, 5)
    assert store.kept["generator_1"].ids[-1] == "G1-007"
    assert store.kept["generator_1"].next_number == 8
    write(folder / "generator_1_experiences.json", [row("G1-002", "not my own")])
    before, commits = store.kept["generator_1"], store.commits
    refused = run("experiences", "import", folder, STORE, "--merge")
    assert refused.exit_code == 3
    assert "'G1-002' stands for another text" in refused.stderr
    assert store.kept["generator_1"] == before
    assert store.commits == commits


def test_replace_takes_the_place_and_never_gives_a_number_twice(run, store, folder):
    store.hold("generator_1", *[f"rule {number}" for number in range(12)])
    done = run("experiences", "import", folder, STORE, "--replace")
    assert done.exit_code == 0
    assert store.kept["generator_1"].ids == ("G1-001", "G1-007")
    assert store.kept["generator_1"].version == 2
    assert store.kept["generator_1"].next_number == 13
    commits = store.commits
    again = run("experiences", "import", folder, STORE, "--replace", "--json").document
    assert all(each["added"] == each["removed"] == 0 for each in again["owners"])
    assert store.commits == commits


def test_the_capacity_is_a_hard_limit_of_an_import_too(run, store, folder):
    refused = run("experiences", "import", folder, STORE, "--set=limits.capacity=1")
    assert refused.exit_code == 3
    assert "capacity of 1" in refused.stderr
    assert store.commits == 0


def test_export_writes_over_nothing_and_exports_no_empty_store(run, store, tmp_path):
    assert run("experiences", "export", STORE).exit_code == 3
    store.hold("shared", "x")
    path = write(tmp_path / "mine.json", "precious")
    refused = run("experiences", "export", path, STORE)
    assert refused.exit_code == 3
    assert path.read_text(encoding="utf-8") == "precious"
    assert run("experiences", "export", path, STORE, "--force").exit_code == 0
    assert run("experiences", "export", STORE, "--format=directory").exit_code == 2


def test_a_file_that_names_no_owner_cannot_be_imported(run, store, tmp_path):
    path = write(tmp_path / "rows.json", [ROW])
    assert run("experiences", "validate", path).exit_code == 0
    result = run("experiences", "import", path, STORE)
    assert result.exit_code == 3
    assert "_experiences.json" in result.stderr
