"""Templates: the user's own, and every error found on loading, with file and line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from grpo_prompted import samples
from grpo_prompted.templates import FOLDER, LANGUAGES, check_names, load, make_environment
from grpo_prompted.templates.__main__ import main

from grpo_framework.errors import ConfigError
from grpo_framework.experience import Library
from grpo_framework.records import Question

SAMPLES = {
    "direct": samples.ANSWERING,
    "step-by-step": samples.ANSWERING,
    "solve": samples.ANSWERING,
    "check": samples.CHECKING,
    "fuse": samples.FUSING,
    "reask": samples.REASKING,
    **samples.ADVISING,
}


def write(folder, text, name="direct"):
    file = folder / f"{name}.j2"
    file.write_text(text, encoding="utf-8")
    return file


def ask(opened):
    async def run():
        async with opened as generator:
            await generator.attempt(Question("q", "1+1?"), Library("generator_1"), seed=1)

    asyncio.run(run())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_shipped_template_loads(language, name) -> None:
    """All templates of all languages use only the variables that they are given."""
    path = FOLDER / language / f"{name}.j2"
    check_names(make_environment(path.parent, language), path, SAMPLES[name])
    messages = load(name, SAMPLES[name], language=language).render(SAMPLES[name])
    assert messages[-1].role == "user"


def test_the_shipped_files_are_the_known_ones() -> None:
    """No template is without sample values, and each language has them all."""
    for language in LANGUAGES:
        names = {file.stem for file in (FOLDER / language).glob("*.j2")}
        assert names - {"_attempt"} == set(SAMPLES)


def test_an_own_template_is_used(tmp_path, scripted_chat, open_component) -> None:
    """The option `template` names a file with a user block; a system block is not needed."""
    file = write(tmp_path, "{% block user %}Q: {{ problem }}{% endblock %}", "mine")
    model = scripted_chat("2")
    ask(open_component("direct", model, template=str(file)))
    assert model.text() == "Q: 1+1?"


def test_an_own_folder_goes_before_the_shipped_templates(
    tmp_path, scripted_chat, open_component
) -> None:
    """What the folder has is taken from it, the rest is shipped; a template can extend the shipped."""
    write(
        tmp_path,
        '{% extends "builtin/direct.j2" %}{% block system %}Mine. {{ super() }}{% endblock %}',
    )
    for name, begins in (("direct", "Mine. Solve"), ("step-by-step", "Solve")):
        model = scripted_chat("2")
        ask(open_component(name, model, templates_dir=str(tmp_path)))
        assert model.requests[0].messages[0].content.startswith(begins)
        assert model.requests[0].messages[-1].content == "<problem>\n1+1?\n</problem>"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("{% block user %}\n{{ problem\n{% endblock %}", 3, "expected token"),
        ("{% block user %}\n\n{{ probelm }}{% endblock %}", 3, "unknown variable 'probelm'"),
        (
            "{% block user %}\n{% if subject == 'x' %}\n{{ nope }}{% endif %}{% endblock %}",
            3,
            "nope",
        ),
        ("{% block user %}a\n{{ problem.size.x }}{% endblock %}", 2, "no attribute 'size'"),
        ("{% block user %}a\n{{ problem | shout }}{% endblock %}", 2, "shout"),
        ("{% block user %}a\n{{ 1 / 0 }}{% endblock %}", 2, "division"),
        ("{% block user %}a\n{{ problem.__class__.__mro__ }}{% endblock %}", 2, "unsafe"),
        ("{% block system %}only{% endblock %}", None, "block user"),
        ('{% extends "no-such.j2" %}', None, "no-such.j2"),
    ],
)
def test_an_error_names_file_and_line_before_anything_runs(
    text, line, words, tmp_path, scripted_chat, open_component
) -> None:
    """Opening the component raises a ConfigError; the model was not called."""
    file = write(tmp_path, text)
    model = scripted_chat("2")
    with pytest.raises(ConfigError, match=words) as caught:
        ask(open_component("direct", model, template=str(file)))
    assert model.requests == []
    assert caught.value.path == file
    assert (str(file) if line is None else f"{file}:{line}: ") in caught.value.message
    assert "\n" not in str(caught.value)


def test_missing_places_are_errors(tmp_path, scripted_chat, open_component) -> None:
    """A template or folder that is not there is not replaced by the shipped one."""
    for options in ({"template": str(tmp_path / "no.j2")}, {"templates_dir": str(tmp_path / "no")}):
        with pytest.raises(ConfigError, match="there is no such"):
            ask(open_component("direct", scripted_chat("2"), **options))


def test_a_template_may_set_and_import(tmp_path) -> None:
    """Names that a template makes itself are no unknown variables."""
    file = write(
        tmp_path,
        "{% set greeting = 'Hi' %}{% macro say(x) %}{{ x }}{% endmacro %}"
        "{% block user %}{{ greeting }} {{ say(problem) }}{% for n in [1] %}{{ n }}{% endfor %}{% endblock %}",
    )
    (message,) = load("direct", samples.ANSWERING, template=file).render(samples.ANSWERING)
    assert message.content == f"Hi {samples.ANSWERING['problem']}1"


def test_the_templates_can_be_copied_and_used(
    tmp_path, capsys, scripted_chat, open_component
) -> None:
    """A copied folder works as it is; a second copy does not overwrite edits."""
    folder = tmp_path / "own"
    assert main([str(folder)]) == 0
    assert "advise.j2" in capsys.readouterr().out
    write(folder, "{% block user %}edited{% endblock %}")
    assert main([str(folder)]) == 2
    assert "already there" in capsys.readouterr().err
    model = scripted_chat("2")
    ask(open_component("direct", model, templates_dir=str(folder)))
    assert model.text() == "edited"
    assert main([str(folder), "--force"]) == 0


def test_a_copy_into_a_file_is_refused(tmp_path, capsys) -> None:
    """The place must be a folder."""
    file = write(tmp_path, "x")
    assert main([str(file)]) == 2
    assert "not a folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_readme_lists_every_template_and_variable(name) -> None:
    """No variable of a template is undocumented."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for word in (name, *SAMPLES[name]):
        assert f"`{word}`" in text
