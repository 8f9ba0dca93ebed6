"""The flags that commands share, each defined once, and the way from flags to a `RunConfig`.

A command takes the flags it needs by name and turns its keyword arguments into a configuration::

    @click.command()
    @config_flags("datasets", "model", "model_path", "seed")
    def command(**given: Any) -> None:
        config = read_config(given)
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from grpo_framework.config import RunConfig, config_from_document, load_config, set_keys
from grpo_framework.plugins import Plugins

F = TypeVar("F", bound=Callable[..., Any])


class FiniteRange(click.FloatRange):
    """A number in a range; ``nan`` and ``inf`` are none, though Python reads them as such."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the value."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is no finite number.", param, ctx)
        return number


_MODEL = "PLUGIN/MODEL"
_REFERENCE = "PLUGIN/COMPONENT"
_FOLDER = click.Path(file_okay=False)
_COUNT = click.IntRange(min=1)
_GROUP = click.IntRange(1, 1_000)
_AMOUNT = FiniteRange(min=0, min_open=True)
_ORDER = click.Choice(["parallel", "serial"])


def _flag(*spellings: str, **rest: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return spellings, rest


_FLAGS: Mapping[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "datasets": _flag(
        "--datasets",
        multiple=True,
        metavar="NAME|FILE[,…]",
        help="Problems: names, plugin/name references or files; repeatable or comma-separated.",
    ),
    "split": _flag(
        "--split",
        type=click.Choice(["train", "validation", "test", "all"]),
        help="Which split, of sources that have splits.",
    ),
    "data_dir": _flag("--data-dir", type=_FOLDER, help="Folder with data sets as files."),
    "max_problems": _flag("--max-problems", type=_COUNT, help="Use only the first so many."),
    "model": _flag("--model", metavar=_MODEL, help="Chat model of every role that names no other."),
    "model_path": _flag(
        "--model-path",
        metavar="FILE",
        help="The model's file, where it is one (model.options.model_path).",
    ),
    "critic_model": _flag("--critic-model", metavar=_MODEL, help="Chat model of the critic."),
    "advisor_model": _flag("--advisor-model", metavar=_MODEL, help="Chat model of the advisor."),
    "generators": _flag(
        "--generator",
        multiple=True,
        metavar=_REFERENCE,
        help="A generator; repeat it for more, in the order of their owners.",
    ),
    "critic": _flag("--critic", metavar=_REFERENCE, help="What fuses a generator's rollouts."),
    "comparator": _flag("--comparator", metavar=_REFERENCE, help="What judges answers."),
    "advisor": _flag(
        "--advisor",
        multiple=True,
        metavar=_REFERENCE,
        help="What proposes experiences; repeat it for more, their proposals are merged.",
    ),
    "store": _flag("--store", metavar=_REFERENCE, help="Where experiences are kept."),
    "experience_dir": _flag("--experience-dir", type=_FOLDER, help="Folder of the experiences."),
    "use_existing_experiences": _flag(
        "--use-existing-experiences",
        is_flag=True,
        help="Go on from the experiences that are there; without it they are never touched.",
    ),
    "epochs": _flag("--epochs", type=_COUNT, help="Passes over the problems."),
    "rollouts_per_generator": _flag(
        "--group-size",
        "--rollouts-per-generator",
        type=_GROUP,
        metavar="K",
        help="Rollouts of one problem by one generator.",
    ),
    "batch_size": _flag("--batch-size", type=_COUNT, help="Problems between two commits."),
    "embedder": _flag(
        "--embedder",
        metavar=_MODEL,
        help="Finds relevant experiences and near duplicates by meaning.",
    ),
    "inject_top": _flag(
        "--inject-top",
        type=_COUNT,
        metavar="N",
        help="Most experiences in one prompt: the proven and the most relevant.",
    ),
    "concurrency": _flag(
        "--concurrency", type=_COUNT, help="Most calls under way at once, per chat model."
    ),
    "seed": _flag("--seed", type=click.IntRange(min=0), help="All seeds derive from it."),
    "gen_exec": _flag("--gen-exec", type=_ORDER, help="Generators of a problem."),
    "rollout_exec": _flag("--rollout-exec", type=_ORDER, help="Rollouts of a group."),
    "staleness": _flag(
        "--staleness",
        type=click.IntRange(0, 1),
        help="1 lets a batch begin on the libraries of one commit before.",
    ),
    "gate": _flag(
        "--gate",
        type=click.Choice(["paired", "none"]),
        help="paired measures every edit on validation problems, the default with 20 of them.",
    ),
    "gate_budget": _flag(
        "--gate-budget",
        type=_COUNT,
        metavar="PAIRS",
        help="Most pairs of rollouts for one owner's edits in one batch.",
    ),
    "patience": _flag(
        "--patience",
        type=_COUNT,
        metavar="EPOCHS",
        help="Stop when so many epochs in a row brought nothing.",
    ),
    "adaptive_groups": _flag(
        "--adaptive-groups",
        is_flag=True,
        help="Begin groups with 2 rollouts, grow them while uniform; visit settled problems less.",
    ),
    "credit_dropout": _flag(
        "--credit-dropout",
        type=FiniteRange(0, 1, max_open=True),
        metavar="P",
        help="How often each experience is left out of a training prompt, to measure it.",
    ),
    "hedge": _flag("--hedge", is_flag=True, help="Send a copy of a slow call; both are paid for."),
    "max_cost": _flag("--max-cost", type=_AMOUNT, metavar="USD", help="Stop before it is passed."),
    "max_tokens": _flag("--max-tokens", type=_COUNT, help="Of all calls, in and out."),
    "max_calls": _flag("--max-calls", type=_COUNT, help="Requests sent, every try counted."),
    "max_time": _flag("--max-time", type=_AMOUNT, metavar="SECONDS", help="Wall time."),
    "run_dir": _flag("--run-dir", type=_FOLDER, help="Where the run is recorded."),
}
"""Key of the configuration → its flag."""

ENGINE_FLAGS = (
    "model",
    "model_path",
    "critic_model",
    "generators",
    "critic",
    "comparator",
    "embedder",
    "inject_top",
    "concurrency",
    "seed",
)
PROBLEM_FLAGS = ("datasets", "split", "data_dir", "max_problems")
BUDGET_FLAGS = ("max_cost", "max_tokens", "max_calls", "max_time")
LEARNING_FLAGS = (
    "advisor",
    "advisor_model",
    "use_existing_experiences",
    "epochs",
    "rollouts_per_generator",
    "batch_size",
    "gen_exec",
    "rollout_exec",
    "staleness",
    "gate",
    "gate_budget",
    "patience",
    "adaptive_groups",
    "credit_dropout",
    "hedge",
    "run_dir",
)
_NESTED = {
    "gate": "gate.kind",
    "gate_budget": "gate.budget",
    "model_path": "model.options.model_path",
    "hedge": "calls.hedge",
    **{key: f"budget.{key}" for key in BUDGET_FLAGS},
}
"""Flags that set a key within a table."""

STORE_FLAGS = ("store", "experience_dir")


def config_flags(*keys: str, argument: bool = True) -> Callable[[F], F]:
    """Give a command the argument CONFIG, ``--set``, and the flags of these keys.

    Args:
        keys: Keys of the configuration, and ``model_path``.
        argument: Whether the file is an argument; else it is ``--config FILE``, for commands that
            have arguments of their own.
    """

    def decorate(function: F) -> F:
        setting = click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="KEY=VALUE",
            help="Any other key, dotted, as model.options.temperature=0.5; repeatable.",
        )
        decorated = setting(function)
        for key in reversed(keys):
            spellings, rest = _FLAGS[key]
            decorated = click.option(*spellings, key, **rest)(decorated)
        file = click.Path(dir_okay=False, path_type=Path)
        if argument:
            add = click.argument("config_file", metavar="[CONFIG]", required=False, type=file)
        else:
            add = click.option("--config", "config_file", type=file, help="A configuration file.")
        return add(decorated)

    return decorate


def read_config(given: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> RunConfig:
    """Resolve the configuration from a command's keyword arguments.

    Args:
        given: What `config_flags` added; other keys are passed over.
        base: What the flags change where no file is given; None takes the defaults.

    Raises:
        ConfigError: With what is wrong and where.
    """
    present = [key for key in _FLAGS if _is_given(given, key)]
    flags = {key: given[key] for key in present if key not in _NESTED}
    if "datasets" in flags:
        flags["datasets"] = _split(flags["datasets"])
    for key in ("generators", "advisor"):
        if key in flags:
            flags[key] = list(flags[key])
    nested = [
        f"{_NESTED[key]}={json.dumps(given[key], ensure_ascii=False)}"
        for key in present
        if key in _NESTED
    ]
    settings = (*nested, *given.get("settings", ()))
    if base is not None and given.get("config_file") is None:
        return config_from_document(set_keys({**base, **flags}, settings))
    return load_config(given.get("config_file"), flags, settings)


def measuring_on_test(given: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a command that measures: on the split test, unless told otherwise.

    The split of a configuration file is for training.
    """
    told = given["split"] is not None or any(
        setting.partition("=")[0].strip() == "split" for setting in given["settings"]
    )
    return dict(given) if told else {**given, "split": "test"}


def _is_given(given: Mapping[str, Any], key: str) -> bool:
    """A flag that was left out is None, an empty tuple, or False."""
    value = given.get(key)
    return value is not None and value is not False and value != ()


def _split(values: Iterable[str]) -> list[str]:
    return [name.strip() for value in values for name in value.split(",") if name.strip()]


def json_flag(function: F) -> F:
    """Give a command ``--json`` as the keyword argument `as_json`."""
    option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
    return option(function)


def find_plugins(ctx: click.Context) -> Plugins:
    """The plugins of this process; a test passes its own as the context's object."""
    return ctx.find_object(Plugins) or Plugins.discover()
