"""One TOML file and the flags make a frozen configuration, or a clear error."""

from __future__ import annotations

import attrs
import pytest

from grpo_framework.config import (
    DEFAULTS,
    CallLimits,
    ComponentConfig,
    RunConfig,
    config_from_document,
    load_config,
)
from grpo_framework.errors import ConfigError
from grpo_framework.experience import Limits
from grpo_framework.validation import schema


def test_nothing_said_gives_the_defaults():
    """Three generators, one critic, the default model, three epochs of groups of three."""
    config = load_config()
    assert [generator.use for generator in config.generators] == DEFAULTS["generators"]
    assert config.owners == ("generator_1", "generator_2", "generator_3", "critic")
    assert (config.epochs, config.rollouts_per_generator) == (3, 3)
    assert config.model == ComponentConfig("llamacpp/smollm2-135m")
    assert config.limits == Limits()
    assert config.calls == CallLimits()


def test_later_layers_win(tmp_path):
    """Defaults, then the file, then flags that were given, then --set."""
    path = tmp_path / "run.toml"
    path.write_text("epochs = 5\nseed = 5\nbatch_size = 5\n[limits]\ncapacity = 5\n")
    config = load_config(path, {"seed": 6, "batch_size": 6, "epochs": None}, ["batch_size=7"])
    assert (config.epochs, config.seed, config.batch_size) == (5, 6, 7)
    assert config.limits.capacity == 5
    assert config.rollouts_per_generator == 3


def test_a_component_is_a_reference_or_a_table(tmp_path):
    """Both forms mean the same."""
    path = tmp_path / "run.toml"
    path.write_text(
        'generators = ["a/one", {use = "a/two", options = {t = 0.5}, model = "m/x"}]\n'
        'critic = "a/fuse"\n'
        "[model]\nuse = 'm/y'\noptions = {top_p = 0.9}\n"
    )
    config = load_config(path)
    assert config.generators == (
        ComponentConfig("a/one"),
        ComponentConfig("a/two", {"t": 0.5}, ComponentConfig("m/x")),
    )
    assert config.generators[1].options == {"t": 0.5}
    assert config.critic == ComponentConfig("a/fuse")
    assert config.model.options == {"top_p": 0.9}


@pytest.mark.parametrize(
    ("setting", "read", "value"),
    [
        ("epochs=5", lambda c: c.epochs, 5),
        (" epochs = 5 ", lambda c: c.epochs, 5),
        ("gen_exec=serial", lambda c: c.gen_exec, "serial"),
        ("model=openai/gpt-4.1-mini", lambda c: c.model.use, "openai/gpt-4.1-mini"),
        ("model.options.temperature=0.5", lambda c: c.model.options, {"temperature": 0.5}),
        ("generators=['a/b']", lambda c: c.generators, (ComponentConfig("a/b"),)),
        ("generators.1=a/b", lambda c: c.generators[1].use, "a/b"),
        ("generators.0.options.style=x", lambda c: c.generators[0].options, {"style": "x"}),
        ("limits.capacity=7", lambda c: c.limits.capacity, 7),
        ("calls.timeout=1.5", lambda c: c.calls.timeout, 1.5),
        ("use_existing_experiences=true", lambda c: c.use_existing_experiences, True),
        ("experience_dir=a=b", lambda c: c.experience_dir, "a=b"),
    ],
)
def test_set_reaches_every_key(setting, read, value):
    """Dotted keys, list places from 0, TOML values, bare words as strings."""
    assert read(load_config(settings=[setting])) == value


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs", "--set takes key=value, not 'epochs'"),
        ("=5", "--set takes key=value"),
        ("model..use=x", "--set takes key=value"),
        ("generators.7=a/b", "'7' is no place in a list of 3"),
        ("generators.first=a/b", "'first' is no place"),
        ("epochs.x=1", "'epochs' holds a plain value"),
        ("experience_dir.x=1", "'experience_dir' holds a plain value"),
        ("model.options.t=[1", "not a valid TOML value"),
        ("epochs=many", 'configuration at /epochs: "many" is not of type integer'),
        ("epoch=1", "unknown key 'epoch'"),
    ],
)
def test_a_wrong_setting_is_an_error_that_quotes_it(setting, message, tmp_path):
    """Nothing is guessed."""
    path = tmp_path / "run.toml"
    path.write_text("epochs = 2\nexperience_dir = 'e'\n")
    with pytest.raises(ConfigError, match=r".") as caught:
        load_config(path, settings=[setting])
    assert message in str(caught.value)


WRONG = {
    "unknown key": ("epoch = 5", "", "unknown key 'epoch'"),
    "wrong type": ("epochs = '5'", "/epochs", '"5" is not of type integer'),
    "a boolean is no number": ("epochs = true", "/epochs", "true is not of type integer"),
    "too small": ("epochs = 0", "/epochs", "0 is less than the minimum of 1"),
    "wrong word": ("gen_exec = 'fast'", "/gen_exec", "'fast' is not one of"),
    "no generators": ("generators = []", "/generators", "[]"),
    "component without use": ("[critic]\noptions = {}", "/critic", "the key 'use' is missing"),
    "number as component": ("critic = 7", "/critic", "7 is not of type object"),
    "generators no list": ("generators = 'a/b'", "/generators", '"a/b" is not of type array'),
    "deep inside": (
        "[[generators]]\nuse = 'a/b'\nmodel = {use = 5}",
        "/generators/0/model/use",
        "5 is not of type string",
    ),
    "unknown limit": ("[limits]\nsize = 5", "/limits", "unknown key 'size'"),
}


@pytest.mark.parametrize(("text", "pointer", "reason"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_an_error_with_its_path_and_pointer(text, pointer, reason, tmp_path):
    """One line says file, place and reason, and how to see what is right."""
    path = tmp_path / "run.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert caught.value.pointer == pointer
    assert caught.value.path == path
    assert str(path) in caught.value.message
    assert reason in caught.value.message
    assert "grpo-cli init" in caught.value.hint


def test_files_that_cannot_be_read_are_errors(tmp_path):
    """A missing, a broken and a foreign file each say so."""
    with pytest.raises(ConfigError, match="no configuration file"):
        load_config(tmp_path / "missing.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("epochs = \n")
    with pytest.raises(ConfigError, match=r"cannot be read as TOML: .*line 1"):
        load_config(broken)
    broken.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read as TOML"):
        load_config(broken)
    with pytest.raises(ConfigError, match="cannot be read as TOML"):
        load_config(tmp_path)


def test_the_resolved_document_reads_back_the_same():
    """What the run directory keeps is a configuration again."""
    config = load_config(
        settings=[
            "generators.0.model=m/x",
            "model.options.t=0.5",
            "observers=['a/b']",
            "max_problems=3",
        ]
    )
    assert config_from_document(config.document) == config
    assert config_from_document(config.document).model.options == {"t": 0.5}
    assert config_from_document(config.document).fingerprint == config.fingerprint


@pytest.mark.parametrize(
    "setting",
    ["seed=1", "model.options.t=0.5", "limits.capacity=7", "generators=['a/b']", "max_problems=1"],
)
def test_the_fingerprint_changes_with_what_changes_results(setting):
    """Two runs with one fingerprint are the same run."""
    assert load_config(settings=[setting]).fingerprint != load_config().fingerprint


def test_the_fingerprint_leaves_out_where_a_run_is_recorded():
    """A second run directory is no other run."""
    assert load_config(settings=["run_dir=x"]).fingerprint == load_config().fingerprint
    assert len(load_config().fingerprint) == 64


def test_schema_and_class_have_the_same_keys():
    """Neither can be forgotten when the other grows."""
    properties = schema("config")["properties"]
    assert set(properties) == {each.name for each in attrs.fields(RunConfig)}
    assert set(properties["limits"]["properties"]) == {each.name for each in attrs.fields(Limits)}
    assert set(properties["calls"]["properties"]) == {
        each.name for each in attrs.fields(CallLimits)
    }


def test_a_key_in_quotes_may_hold_dots():
    """Prices are by reference, and names of models have dots."""
    config = load_config(settings=('prices."openai/gpt-4.1-mini"={input=0.4, output=1.6}',))
    assert config.prices["openai/gpt-4.1-mini"].output == 1.6
    with pytest.raises(ConfigError, match="key=value"):
        load_config(settings=('prices."openai/gpt-4.1-mini={input=0.4, output=1.6}',))


def test_a_byte_order_mark_is_no_part_of_a_configuration(tmp_path):
    """Editors of Windows write it."""
    path = tmp_path / "c.toml"
    path.write_bytes("\ufeffepochs = 7\n".encode())
    assert load_config(path).epochs == 7


def test_a_problem_file_in_place_of_a_configuration_is_told_its_flag(tmp_path):
    """Who forgets --datasets hears of it, whether or not the file is there."""
    path = tmp_path / "problems.jsonl"
    for _ in range(2):
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert caught.value.hint == f"a problem file is given with --datasets {path}"
        path.write_text('{"problem": "1?"}')


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_what_json_has_no_number_for_is_no_number(number):
    """NaN passes every comparison with a bound, and goes out to an endpoint as null."""
    with pytest.raises(ConfigError) as caught:
        load_config(settings=[f"credit_dropout={number}"])
    assert caught.value.pointer == "/credit_dropout"


def test_an_unknown_key_is_compared_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"'epoch' \(did you mean 'epochs'\?\)"):
        load_config(settings=["epoch=3"])


def test_a_table_that_is_set_to_a_value_is_told_its_keys():
    with pytest.raises(ConfigError, match="'gate' is a table") as caught:
        load_config(settings=["gate=none"])
    assert caught.value.hint.startswith("set one of its keys: gate.kind, gate.budget")
    assert load_config(settings=["gate={kind='none'}"]).gate.kind == "none"
