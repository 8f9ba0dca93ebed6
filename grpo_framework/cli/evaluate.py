"""`grpo-cli evaluate`: what the models score on problems, with experiences or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from grpo_framework.cli.exits import check_failures
from grpo_framework.cli.measuring import Ending, measure_interruptibly
from grpo_framework.cli.options import (
    BUDGET_FLAGS,
    ENGINE_FLAGS,
    PROBLEM_FLAGS,
    STORE_FLAGS,
    config_flags,
    find_plugins,
    json_flag,
    measuring_on_test,
    read_config,
)
from grpo_framework.cli.output import print_json, print_table
from grpo_framework.cli.progress import Progress, show_progress, watch_calls
from grpo_framework.codec import to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError
from grpo_framework.evaluation import Estimate, Evaluation, Measured, Scores, evaluate
from grpo_framework.experience import Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.opening import ConfiguredEngine
from grpo_framework.plugins import Plugins
from grpo_framework.records import Owner
from grpo_framework.telling import count_of
from grpo_framework.validation import validate
from grpo_framework.workshop import Workshop


@click.command("evaluate")
@config_flags(
    *PROBLEM_FLAGS, *ENGINE_FLAGS, *STORE_FLAGS, *BUDGET_FLAGS, "rollouts_per_generator", "hedge"
)
@click.option(
    "--use-existing-experiences/--without-experiences",
    "with_experiences",
    default=None,
    help="Whether the store's experiences go into the prompts; by default, if it holds any. One "
    "that is named with --experience-dir must hold some.",
)
@click.option(
    "--k",
    "ks",
    multiple=True,
    type=click.IntRange(min=1),
    help="A k of pass@k and majority@k; repeatable. By default 1, 2, 4 … and the group size.",
)
@click.option("--no-critic", "without_critic", is_flag=True, help="Leave the critic out.")
@json_flag
@click.pass_context
def command(
    ctx: click.Context,
    /,
    with_experiences: bool | None,
    ks: tuple[int, ...],
    without_critic: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Measure mean@k, pass@k and majority@k, with experiences or without.

    Problems are those of the split test, where there are splits. Every figure has a 95 % interval
    over problems, from a bootstrap where they differ enough. What failed is counted beside them and
    is in no mean. Nothing is learned and no store is written.
    """
    config = read_config(measuring_on_test(given))
    if ks and max(ks) > config.rollouts_per_generator:
        message = f"k is at most the number of rollouts, {config.rollouts_per_generator}"
        raise click.BadParameter(f"{message}; raise --group-size", param_hint="--k")
    named = any(given[key] is not None for key in STORE_FLAGS)
    required = bool(with_experiences) or (with_experiences is None and named)
    ending = Ending()
    work = _Work(config, find_plugins(ctx), ks, not without_critic, ending)
    with show_progress() as progress:
        bare = with_experiences is False
        result = measure_interruptibly(
            work.evaluate(progress, bare=bare, required=required), ending
        )
    document = to_document(result)
    validate("evaluation", document)
    if as_json:
        print_json(document)
    else:
        _show(result, config)
    hint = "the result is of the problems asked until then; the same command begins anew"
    ending.check(result.stopped, hint)
    check_failures(result.failed_units, result.units, config.max_failures)


class _Work:
    """One evaluation: what it was asked for, and the steps."""

    def __init__(
        self,
        config: RunConfig,
        plugins: Plugins,
        ks: tuple[int, ...],
        with_critic: bool,
        ending: Ending,
    ) -> None:
        self._config = config
        self._plugins = plugins
        self._ks = ks
        self._with_critic = with_critic
        self._ending = ending

    async def _libraries(self, required: bool) -> Mapping[Owner, Library]:
        """What the store holds; where experiences were asked for, it must hold some."""
        config = self._config
        async with ExperienceManager.from_config(config, self._plugins).open() as manager:
            libraries = await manager.load(config.owners)
        if required and not any(map(len, libraries.values())):
            message = f"{config.store.use} holds no experiences in {config.experience_dir}"
            hint = "name another --experience-dir, or measure the bare model: --without-experiences"
            raise ConfigError(message, pointer="/experience_dir", hint=hint)
        return libraries

    async def evaluate(self, progress: Progress, *, bare: bool, required: bool) -> Evaluation:
        """Read problems and experiences, open the engine, and measure."""
        config = self._config
        problems = await Workshop(config, self._plugins).problems()
        libraries = {} if bare else await self._libraries(required)
        engine = ConfiguredEngine(config, self._plugins, learning=False)

        def advance(scores: Scores) -> None:
            progress.advance(note=f"{scores.failures} failed" if scores.failures else "")

        async with engine.open(problems) as opened:
            self._ending.watch(opened.brake)
            progress.start("evaluate", len(problems) * len(opened.generators))
            return await evaluate(
                opened,
                problems,
                libraries,
                rollouts=config.rollouts_per_generator,
                seed=config.seed,
                ks=self._ks,
                with_critic=self._with_critic,
                unit_timeout=config.calls.unit_timeout,
                announce=watch_calls(progress),
                finished=advance,
            )


def _show(result: Evaluation, config: RunConfig) -> None:
    held = sum(library.experiences for library in result.libraries.values())
    source = (
        f"{count_of(held, 'experience')} of {config.experience_dir}" if held else "no experiences"
    )
    print_table(
        _columns(result),
        [_row(measured) for measured in (*result.owners, result.overall)],
        title=f"{count_of(result.problems, 'problem')} x "
        f"{count_of(result.rollouts_per_generator, 'rollout')}, {source}",
    )
    usage = result.usage
    click.echo(
        f"95 % intervals over problems; {usage.calls} calls, "
        f"{usage.input_tokens + usage.output_tokens} tokens, {result.seconds:.0f} s"
    )
    for failure in result.failures:
        where = f"{failure.owner} {failure.stage}"
        click.echo(f"failed {failure.count} x {where}: {failure.kind}: {failure.message}")
    if result.stopped:
        click.echo(f"stopped early: {result.stopped}")
    if result.simulation:
        click.echo("simulated: a component knew the answers, so these rewards prove nothing")


def _columns(result: Evaluation) -> list[str]:
    k = result.rollouts_per_generator
    at_k = result.overall.at_k
    passes = [f"pass@{row.k}" for row in at_k if row.k > 1]
    fused = [] if result.overall.fused is None else ["fused", "lift"]
    majority = f"majority@{at_k[-1].k}"
    return ["owner", "experiences", "rollouts", f"mean@{k}", *passes, majority, *fused, "failed"]


def _row(measured: Measured) -> list[str]:
    cells = [measured.owner, str(measured.experiences), str(measured.rollouts)]
    cells.append(_cell(measured.mean_at_k))
    cells += [_cell(row.pass_at_k) for row in measured.at_k if row.k > 1]
    cells.append(_cell(measured.at_k[-1].majority_at_k))
    if measured.fused is not None and measured.critic_lift is not None:
        cells += [_cell(measured.fused), _cell(measured.critic_lift, "+.3f")]
    return [*cells, str(measured.failures)]


def _cell(estimate: Estimate, form: str = ".3f") -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "-"
    return f"{estimate.value:{form}} [{estimate.low:{form}}, {estimate.high:{form}}]"
