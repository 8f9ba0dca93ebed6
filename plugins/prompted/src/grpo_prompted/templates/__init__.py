"""The prompts: Jinja2 files that a user can copy, edit and point to; errors are found on loading.

A template defines its messages as blocks: ``system``, then worked examples as turns of their own
(``user_1``, ``assistant_1``, ``user_2`` …), and last ``user``. A block that renders to nothing is
no message. ``{% extends "builtin/NAME.j2" %}`` starts from the shipped one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import jinja2
from attrs import frozen
from jinja2 import meta, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from grpo_framework.errors import ConfigError
from grpo_framework.prompting import enclose
from grpo_framework.records import Message

FOLDER = Path(__file__).parent
LANGUAGES = tuple(sorted(entry.name for entry in FOLDER.iterdir() if any(entry.glob("*.j2"))))
NAMES = tuple(sorted(file.stem for file in (FOLDER / "en").glob("*.j2")))

_Role = Literal["system", "user", "assistant"]
_EXAMPLE = re.compile(r"(user|assistant)_([1-9][0-9]?)")
_HINT = "the variables of each template are listed in the README of grpo-prompted"


@frozen
class Prompt:
    """A loaded and checked template.

    Attributes:
        name: Its name without suffix (``step-by-step``).
        path: The file, for error messages.
    """

    name: str
    path: Path
    _template: jinja2.Template
    _inherits: bool = True
    _order: tuple[tuple[str, _Role], ...] = ()

    def render(self, variables: Mapping[str, Any]) -> tuple[Message, ...]:
        """The messages of one request, in order.

        Raises:
            ConfigError: The template asked for something that is not there; with file and line.
        """
        context = self._template.new_context(dict(variables))
        try:
            blocks = context.blocks
            if not self._inherits:
                # What stands outside of the blocks is done; they themselves are run below.
                context.blocks = {name: [_say_nothing] for name in blocks}
            # A run of the root collects the blocks of parent templates too.
            "".join(self._template.root_render_func(context))
            context.blocks = blocks
            turns = [
                (role, "".join(blocks[name][0](context)).strip())
                for name, role in self._order or _in_order(blocks)
            ]
        except Exception as error:  # a template can raise anything: it is the user's program
            raise _refuse(*_place_of(error, self.path), str(error)) from error
        return tuple(Message(role, text) for role, text in turns if text)


def load(
    name: str,
    sample: Mapping[str, Any],
    *,
    language: str = "en",
    templates_dir: Path | None = None,
    template: Path | None = None,
) -> Prompt:
    """Load a template and check it: syntax, blocks, the names it uses, and one trial.

    Args:
        name: Which one, without suffix.
        sample: Values of all its variables, for the trial.
        language: Folder of the shipped templates.
        templates_dir: The user's folder; what is not in it is taken from the shipped ones.
        template: The user's file for this prompt; goes before `templates_dir`.

    Raises:
        ConfigError: With file and line.
    """
    path = _find(name, language=language, templates_dir=templates_dir, template=template)
    environment = make_environment(path.parent, language)
    try:
        if path.parent.parent != FOLDER:  # a test holds the shipped ones against the same check
            check_names(environment, path, sample)
        source = path.read_text(encoding="utf-8")
        loaded = environment.get_template(path.name)
    except jinja2.TemplateSyntaxError as error:
        named = Path(error.filename or path)  # a parent template, perhaps; or no file at all
        place = named if named.is_file() else path
        raise _refuse(place, error.lineno, str(error.message)) from error
    except jinja2.TemplateNotFound as error:
        raise _refuse(path, None, f"no template is called '{error.message}'") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _refuse(path, None, f"cannot be read: {error}") from error
    # As plain values: every rendering copies them, and a chain of mappings is slow to copy.
    loaded.globals = dict(loaded.globals)
    inherits = "extends" in source
    order = () if inherits else tuple(_in_order(loaded.blocks))
    prompt = Prompt(name, path, loaded, inherits, order)
    messages = prompt.render(sample)
    if not messages or messages[-1].role != "user":
        raise _refuse(path, None, "nothing in {% block user %}, which is the request itself")
    return prompt


def _say_nothing(_: Context) -> Iterator[str]:
    yield from ()


def _in_order(blocks: Iterable[str]) -> list[tuple[str, _Role]]:
    """The blocks that are messages, with their roles: system, the examples by number, user."""
    examples: dict[tuple[int, int], tuple[str, _Role]] = {}
    for name in blocks:
        match = _EXAMPLE.fullmatch(name)
        if match is not None:
            role: _Role = "user" if match[1] == "user" else "assistant"
            examples[int(match[2]), int(role == "assistant")] = (name, role)
    known = set(blocks)
    first: list[tuple[str, _Role]] = [("system", "system")] if "system" in known else []
    last: list[tuple[str, _Role]] = [("user", "user")] if "user" in known else []
    return [*first, *(examples[key] for key in sorted(examples)), *last]


def _find(name: str, *, language: str, templates_dir: Path | None, template: Path | None) -> Path:
    if template is not None:
        if not template.is_file():
            raise _refuse(template, None, "there is no such file")
        return template.resolve()
    if templates_dir is not None:
        if not templates_dir.is_dir():
            raise _refuse(templates_dir, None, "there is no such folder")
        own = templates_dir / f"{name}.j2"
        if own.is_file():
            return own.resolve()
    return FOLDER / language / f"{name}.j2"


def make_environment(folder: Path, language: str) -> ImmutableSandboxedEnvironment:
    """Where templates of a folder are loaded; what is not there is taken from the shipped ones."""
    shipped = jinja2.FileSystemLoader(FOLDER / language)
    loaders = [
        jinja2.FileSystemLoader(folder),
        shipped,
        jinja2.PrefixLoader({"builtin": shipped}),
    ]
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.ChoiceLoader(loaders),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # the output is a prompt; untrusted text is defused before it gets here
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # one run, one wording; and no look at the files for each rendering
    )
    environment.filters["enclose"] = lambda text, name: enclose(name, str(text))
    return environment


def check_names(environment: jinja2.Environment, path: Path, sample: Mapping[str, Any]) -> None:
    """Find names that no trial would reach, in branches that it does not take.

    Raises:
        ConfigError: With file and line.
        TemplateSyntaxError: It is no template.
    """
    parsed = environment.parse(path.read_text(encoding="utf-8"), path.name, str(path))
    # What a template sets or imports at its top is visible in its blocks, which `meta` overlooks.
    own = {found.name for found in parsed.find_all(nodes.Name) if found.ctx != "load"}
    own |= {found.name for found in parsed.find_all(nodes.Macro)}
    own |= {found.target for found in parsed.find_all(nodes.Import)}
    for imported in parsed.find_all(nodes.FromImport):
        own |= {name if isinstance(name, str) else name[1] for name in imported.names}
    known = set(sample) | set(environment.globals) | own
    unknown = meta.find_undeclared_variables(parsed) - known
    for found in parsed.find_all(nodes.Name):
        if found.name in unknown:
            listed = ", ".join(sorted(sample))
            raise _refuse(path, found.lineno, f"unknown variable '{found.name}'; known: {listed}")


def _place_of(error: Exception, path: Path) -> tuple[Path, int | None]:
    """The innermost template, and the line in it, that an error of rendering came from."""
    line: int | None = None
    step = error.__traceback__
    while step is not None:
        template = step.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, jinja2.Template):
            path = Path(template.filename or path)
            line = template.get_corresponding_lineno(step.tb_lineno)
        step = step.tb_next
    return path, line


def _refuse(path: Path, line: int | None, reason: str) -> ConfigError:
    place = str(path) if line is None else f"{path}:{line}"
    text = " ".join(reason.split())
    return ConfigError(f"prompt template {place}: {text}", path=path, hint=_HINT)
