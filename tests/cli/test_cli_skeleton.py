"""The command line as a whole: lazy, one way out, exit codes, nothing that breaks the output."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys

import click
import pytest

from grpo_framework.cli import COMMANDS, cli
from grpo_framework.cli.exits import describe, exit_code, one_line
from grpo_framework.cli.groups import CommandLine
from grpo_framework.cli.measuring import NOTHING_KEPT
from grpo_framework.errors import (
    BudgetExhausted,
    ConfigError,
    DataError,
    ModelError,
    PluginError,
    RunFailed,
)


def python(*args, **env):
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, **env},
        check=False,
    )


def grpo(*args, **env):
    return python("-m", "grpo_framework.cli", *args, **env)


def test_every_row_of_the_table_is_a_command_with_that_help():
    for name, line in COMMANDS.items():
        command = cli.get_command(click.Context(cli), name)
        assert command.name == name
        assert command.help.splitlines()[0] == line
        options = [each for each in command.params if isinstance(each, click.Option)]
        assert all(option.help for option in options)


def test_help_lists_all_commands_and_loads_none_of_them():
    code = (
        "import sys\nfrom grpo_framework.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    result = python("-c", code, "--help")
    loaded = set(result.stderr.split())
    assert all(name in result.stdout for name in COMMANDS)
    assert {name for name in loaded if name.startswith("grpo_framework.")} == {
        "grpo_framework.cli",
        "grpo_framework.cli.exits",
        "grpo_framework.cli.groups",
        "grpo_framework.errors",
    }
    heavy = {"attr", "attrs", "cattrs", "jsonschema", "rich", "pluggy", "asyncio", "numpy"}
    assert not heavy & loaded
    assert not [name for name in loaded if name.startswith("grpo_") and "framework" not in name]


def test_importing_the_package_loads_no_module_of_it():
    code = "import grpo_framework, sys; print([m for m in sys.modules if 'grpo_framework.' in m])"
    assert python("-c", code).stdout.strip() == "[]"


def test_an_unknown_command_names_the_nearest_and_exits_2(run):
    result = run("trian")
    assert result.exit_code == 2
    assert "No such command 'trian'" in result.stderr
    assert "train" in result.stderr
    assert run("experiences", "vlaidate").exit_code == 2
    assert "validate" in run("experiences", "vlaidate").stderr


def test_an_unknown_option_and_a_wrong_value_are_usage_errors(run):
    assert run("plugins", "--jsn").exit_code == 2
    assert run("evaluate", "--max-problems", "many").exit_code == 2
    assert run("evaluate", "--max-problems", "0").exit_code == 2


def test_version_is_that_of_the_distribution(run):
    result = run("--version")
    assert result.exit_code == 0
    assert importlib.metadata.version("grpo-framework") in result.stdout


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RunFailed("f", failures=3, units=4), 1),
        (click.UsageError("u"), 2),
        (ConfigError("c"), 3),
        (DataError("d"), 3),
        (PluginError("p", plugin="p"), 3),
        (ModelError("m", kind="authentication"), 3),
        (PermissionError(13, "Permission denied", "/x"), 3),
        (ValueError("v"), 3),
        (BudgetExhausted("b", limit="max_calls"), 4),
        (KeyboardInterrupt(), 130),
        (asyncio.CancelledError(), 130),
        (ExceptionGroup("g", [ValueError("v"), BudgetExhausted("b", limit="max_calls")]), 4),
        (BaseExceptionGroup("g", [asyncio.CancelledError(), ConfigError("c")]), 3),
    ],
)
def test_each_error_has_its_exit_code_and_one_line(error, code):
    @click.command
    def command():
        raise error

    def invoke(ctx):
        raise error

    program = CommandLine("p", rows={}, package="", invoke_without_command=True)
    program.invoke = invoke
    result = click.testing.CliRunner().invoke(program, [])
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    if code not in (2, 130):
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1
    if code == 130:
        assert result.stderr.strip() == "interrupted"


def test_an_integer_that_a_command_returns_is_the_exit_code():
    program = CommandLine("p", rows={}, package="", invoke_without_command=True)
    program.invoke = lambda ctx: 1
    assert click.testing.CliRunner().invoke(program, []).exit_code == 1


def test_an_error_is_one_printable_line_with_its_hint():
    text = describe(DataError("bad\n  \x1b[31mred\tvalue", path=None, hint="mend\nit"))
    assert text == "bad \\x1b[31mred value (mend it)"
    assert "GRPO_TRACEBACK" in describe(KeyError("k"))
    assert describe(FileNotFoundError(2, "No such file", "a.txt")) == "a.txt: No such file"
    assert exit_code(BrokenPipeError()) == 141
    assert one_line("é 中 \udc80") == "é 中 \udc80"


def test_a_traceback_is_shown_only_on_demand():
    assert "Traceback" not in grpo("train", "missing.toml").stderr
    shown = grpo("train", "missing.toml", GRPO_TRACEBACK="1")
    assert "Traceback" in shown.stderr
    assert shown.returncode == 3
    assert "error: no configuration file missing.toml" in shown.stderr


TALKATIVE = "from grpo_framework.cli import main, progress; progress.LINE_EVERY = 0.0; main()"
"""``grpo-cli`` that tells of every step."""


@pytest.fixture
def interrupt(tmp_path):
    """Interrupt a measurement with a slow model once it says that so many problems are done."""
    pytest.importorskip("grpo_scripted")
    pytest.importorskip("grpo_text")

    def run(*arguments, latency, after):
        command = [sys.executable, "-c", TALKATIVE, *arguments, "--datasets=scripted"]
        command += ["--generator=scripted", "--critic=scripted", "--comparator=text/exact"]
        command += ["--model=scripted", "--set=concurrency=1", "--no-critic"]
        command += [f'--set=generators=[{{use="scripted", options={{latency={latency}}}}}]']
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            line = process.stderr.readline()
            while line and not line.startswith(f"{arguments[0]}: {after}/"):
                line = process.stderr.readline()
            assert line
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=300)
        finally:
            process.kill()
        return process.returncode, output, errors

    return run


def test_ctrl_c_ends_a_measurement_with_130_and_says_that_nothing_is_kept(interrupt):
    """SIGINT while a model is slow: no traceback, no result, the shell's code for it."""
    code, output, errors = interrupt("evaluate", "--without-experiences", latency=600, after=0)
    assert (code, output, errors) == (130, "", f"{NOTHING_KEPT}\ninterrupted\n")


def test_ctrl_c_ends_an_evaluation_with_what_is_measured(interrupt):
    """What was paid for is told; calls under way are not waited for."""
    code, output, errors = interrupt("evaluate", "--without-experiences", latency=0.2, after=2)
    assert code == 130
    assert "stopped early: interrupted" in output
    assert "mean@" in output
    assert int(output.split(" problems")[0]) < 15
    assert errors.endswith("interrupted\n")
    assert NOTHING_KEPT not in errors


def test_ctrl_c_ends_a_comparison_with_what_is_measured(interrupt):
    arms = ("--a=empty", "--b=empty", "--allow-same-arms", "--repeats=1", "--json")
    code, output, errors = interrupt("ab", *arms, latency=0.2, after=2)
    assert code == 130
    result = json.loads(output)
    assert result["stopped"] == "interrupted"
    assert 2 <= len({pair["problem"] for pair in result["pairs"]}) < 15
    assert NOTHING_KEPT not in errors


def test_a_reader_that_has_enough_is_no_error():
    command = f"{sys.executable} -m grpo_framework.cli plugins --json | head -c 1"
    result = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, timeout=300, check=False
    )
    assert result.stdout == "{"
    assert result.stderr == ""


def test_a_terminal_without_the_characters_gets_escapes_and_valid_json(tmp_path):
    rows = [
        {
            "id": "C-001",
            "content": "prüfe 中 \ud800",
            "category": "general",
            "success_count": 0,
            "usage_count": 0,
            "created_at": "",
            "source_problem": "",
        }
    ]
    (tmp_path / "critic_experiences.json").write_text(json.dumps(rows), encoding="utf-8")
    where = ["--experience-dir", str(tmp_path)]
    plain = grpo("experiences", "list", *where, PYTHONIOENCODING="ascii")
    assert plain.returncode == 0
    assert "pr\\xfcfe" in plain.stdout
    document = json.loads(
        grpo("experiences", "list", "--json", *where, PYTHONIOENCODING="ascii").stdout
    )
    critic = next(each for each in document["owners"] if each["owner"] == "critic")
    assert critic["experiences"][0]["content"] == "prüfe 中 \ud800"
    assert grpo("train", os.fsdecode(b"\xff.toml")).returncode == 3
