"""`grpo-cli plugins`, `doctor` and `init`, and the progress they share."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from grpo_framework.cli.config_file import DEMO_PROBLEMS
from grpo_framework.cli.progress import BarProgress, PlainProgress
from grpo_framework.config import load_config
from grpo_framework.validation import schema


def test_plugins_lists_components_and_failures_last(run):
    result = run("plugins")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if line]
    assert "toy-plugin 0.1" in result.stdout
    assert "toy/text" in result.stdout
    assert lines[-1].startswith("broken")
    assert "ImportError: no such library" in lines[-1]
    found = run("plugins", "--json").document["plugins"]
    assert [plugin["name"] for plugin in found] == ["toy", "broken"]
    assert found[1]["failure"] == "ImportError: no such library"
    nouns = {component["noun"] for component in found[0]["components"]}
    assert {"generator", "critic", "comparator", "experience store", "chat model"} <= nouns


DOCTOR = [
    "--datasets=toy",
    "--model=toy",
    "--generator=toy",
    "--critic=toy",
    "--comparator=toy",
    "--advisor=toy",
    "--store=toy",
]


def outcomes(result):
    return {check["name"]: check for check in result.document["checks"]}


def test_doctor_is_content_where_all_is_well(run, plugins, tmp_path):
    del plugins._sources["broken"]
    result = run("doctor", *DOCTOR, f"--data-dir={tmp_path}")
    assert result.exit_code == 0
    assert all(line.startswith("ok ") for line in result.stdout.splitlines())
    assert "model toy: answered 'OK'" in result.stdout
    assert "problems toy: 4 problems" in result.stdout
    assert list(tmp_path.iterdir()) == []
    document = run("doctor", *DOCTOR, "--json").document
    assert document["ok"]
    assert all(check["mend"] == "" for check in document["checks"])


def test_doctor_says_for_each_trouble_how_to_mend_it(run, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = run(
        "doctor",
        *DOCTOR,
        "--json",
        "--critic=toy/nobody",
        '--set=model={use="toy", options={down=true}}',
        '--set=datasets=[{use="toy", options={texts=["broken"]}}]',
        f"--set=experience_dir={tmp_path / 'file' / 'below'}",
        f"--set=data_dir={tmp_path / 'missing'}",
    )
    assert result.exit_code == 3
    assert not result.document["ok"]
    found = outcomes(result)
    bad = {name for name, check in found.items() if not check["ok"]}
    assert bad == {
        "plugin broken",
        "critic toy/nobody",
        "model toy",
        "experiences writable",
        "data folder",
        "problems toy",
    }
    assert all(found[name]["mend"] for name in bad)
    assert found["model toy"]["mend"] == "start the server"
    assert found["python"]["ok"]


def test_doctor_names_problems_that_contradict_each_other(real, tmp_path):
    rows = [("What is 1+1?", 2), ("1+2?", 3), ("what is 1+1", 3), ("What is 1+1?", 2)]
    lines = [json.dumps({"problem": text, "answer": answer}) for text, answer in rows]
    (tmp_path / "sums.jsonl").write_text("\n".join(lines))
    found = outcomes(real("doctor", "--datasets=sums.jsonl", "--model=scripted/default", "--json"))
    told = found["problems sums.jsonl"]["detail"]
    assert told.endswith("sums.jsonl:1 and sums.jsonl:3 are the same text with different answers")


def test_doctor_gives_up_a_model_that_hangs(run):
    hanging = '--set=model={use="toy", options={hangs=true}}'
    result = run("doctor", *DOCTOR, "--json", hanging, "--timeout=0.2")
    assert result.exit_code == 3
    assert "within 0.2 s" in outcomes(result)["model toy"]["detail"]


def test_doctor_ends_even_where_a_plugin_blocks(tmp_path):
    """In a process of its own, which it has to leave: the blocked thread never comes back."""
    code = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from conftest import ToyStore, toy_module
        from grpo_framework.cli import cli
        from grpo_framework.plugins import Plugins, Source
        plugins = Plugins([Source("toy", "toy", "toy 1", lambda: toy_module(ToyStore()))])
        flags = {DOCTOR!r} + ['--set=model={{use="toy", options={{blocks=3600}}}}']
        cli.main(["doctor", *flags, "--timeout=2", "--json"], obj=plugins)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert "no result within 2 s" in checks["model toy"]["detail"]
    assert checks["problems toy"]["ok"]


def test_doctor_asks_no_model_that_nobody_uses(run):
    result = run("doctor", *DOCTOR, "--json", "--critic-model=toy/other")
    assert [name for name in outcomes(result) if name.startswith("model ")] == ["model toy"]


def keys_of(part, prefix=""):
    for key, inner in part["properties"].items():
        yield key
        if "properties" in inner:
            yield from keys_of(inner)


def test_init_writes_a_file_that_says_what_is_so_anyway(run, tmp_path):
    result = run("init")
    assert result.exit_code == 0
    path = tmp_path / "grpo.toml"
    assert load_config(path) == load_config(flags={"max_problems": DEMO_PROBLEMS})
    assert "on 4 problems" in result.stdout
    text = path.read_text(encoding="utf-8")
    for key in keys_of(schema("config")):
        assert re.search(rf"^(# )?{key} = |^\[{key}\]$", text, re.MULTILINE), key


def test_every_line_of_it_that_is_commented_out_is_valid_too(run, tmp_path):
    run("init", "mine.toml")
    text = (tmp_path / "mine.toml").read_text(encoding="utf-8")
    body = text.partition("\n\n")[2]
    full = re.sub(r"^# (\w+ = )", r"\1", body, flags=re.MULTILINE)
    assert full != body
    (tmp_path / "full.toml").write_text(full, encoding="utf-8")
    assert load_config(tmp_path / "full.toml").max_problems == DEMO_PROBLEMS
    assert set(tomllib.loads(full)) == set(schema("config")["properties"])


def test_init_writes_over_nothing_unless_told(run, tmp_path):
    path = tmp_path / "grpo.toml"
    path.write_text("epochs = 1\n", encoding="utf-8")
    refused = run("init")
    assert refused.exit_code == 3
    assert path.read_text(encoding="utf-8") == "epochs = 1\n"
    assert run("init", "--force").exit_code == 0
    assert "rollouts_per_generator = 3" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", [(), (1,)])
def test_plain_progress_speaks_at_first_at_times_and_at_the_end(ending):
    lines, now = [], [0.0]
    progress = PlainProgress(lines.append, lambda: now[0])
    progress.start("evaluate", 100)
    for _ in range(99):
        now[0] += 1.0
        progress.advance()
    for pieces in ending:
        progress.advance(pieces, note="2 failed")
    assert lines[0] == "evaluate: 0/100"
    assert lines[1] == "evaluate: 10/100, 1/s, 90 s left" or "2 min left" in lines[1]
    assert len(lines) == 10 + len(ending)
    if ending:
        assert lines[-1].startswith("evaluate: 100/100, ")
        assert lines[-1].endswith("2 failed")


def test_the_bar_counts_and_takes_foreign_text(capsys):
    with BarProgress() as bar:
        bar.advance()
        bar.start("evaluate [red]", 2)
        bar.advance(note="[1 failed]")
        bar.say("waiting [10 s]")
        bar.advance()
    assert "waiting [10 s]" in capsys.readouterr().err
