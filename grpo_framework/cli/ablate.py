"""`grpo-cli experiences ablate`: what single experiences are worth, by leaving each out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click
from attrs import evolve, field, frozen

from grpo_framework.abtest import Ablation, Answered, Plan, Target, ablate, most_work
from grpo_framework.abtest.ablation import Measured, add_up
from grpo_framework.cli.arms import STORE, LoadedArm, find_trained, load_arm, parse_arm
from grpo_framework.cli.exits import check_failures, one_line
from grpo_framework.cli.forecasting import forecast_document, show_forecast, sum_up
from grpo_framework.cli.measuring import Ending, measure_interruptibly
from grpo_framework.cli.options import (
    BUDGET_FLAGS,
    ENGINE_FLAGS,
    PROBLEM_FLAGS,
    STORE_FLAGS,
    config_flags,
    find_plugins,
    json_flag,
    read_config,
)
from grpo_framework.cli.output import print_json, print_table
from grpo_framework.cli.progress import Progress, show_progress, watch_calls
from grpo_framework.cli.stored import pick_experiences
from grpo_framework.cli.worth import show_ablation
from grpo_framework.codec import to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import GrpoError
from grpo_framework.evaluation import Held
from grpo_framework.experience import SHARED, Library
from grpo_framework.forecast import Forecast, Range, exactly
from grpo_framework.opening import ConfiguredEngine
from grpo_framework.plugins import Plugins
from grpo_framework.records import Problem, Stage
from grpo_framework.rehearsal import rehearse_answers
from grpo_framework.reports.fold import ROLES
from grpo_framework.telling import count_of
from grpo_framework.validation import validate
from grpo_framework.workshop import Workshop


@click.command("ablate")
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option(
    "--of", "arm", default=STORE, show_default=True, metavar="ARM", help="Of what, as for ab."
)
@click.option(
    "--repeats",
    default=4,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="R",
    help="Attempts of each generator at each problem, with and without.",
)
@click.option(
    "--sequential",
    is_flag=True,
    help="Stop an item as soon as it is certain, by a test that allows to look at any time.",
)
@click.option("--no-critic", "without_critic", is_flag=True, help="Shared ones: no critic.")
@click.option(
    "--allow-training-problems",
    "allowed",
    is_flag=True,
    help="Measure also on problems that were trained on; the result says so.",
)
@click.option("--dry-run", is_flag=True, help="Print calls, tokens and price; spend nothing.")
@config_flags(*PROBLEM_FLAGS, *ENGINE_FLAGS, *STORE_FLAGS, *BUDGET_FLAGS, "hedge", argument=False)
@json_flag
@click.pass_context
def command(
    ctx: click.Context,
    /,
    ids: tuple[str, ...],
    arm: str,
    repeats: int,
    sequential: bool,
    without_critic: bool,
    allowed: bool,
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Measure what experiences are worth: the store against the store without one, pair by pair.

    Without an ID all are measured. An effect above 0 means that the experience helps; p-values are
    corrected for the number of items (Holm). Only owners whose prompts an item is in are asked, and
    the full store's answers serve all items. Problems are those of the split validation, where
    there are splits. No store is written.
    """
    if given["split"] is None and not any(each.startswith("split") for each in given["settings"]):
        given["split"] = "validation"
    config = read_config(given)
    plan = Plan(
        repeats=repeats,
        seed=config.seed,
        with_critic=not without_critic,
        sequential=sequential,
        unit_timeout=config.calls.unit_timeout,
    )
    ending = Ending()
    with show_progress() as progress:
        work = _Work(config, find_plugins(ctx), plan, allowed, progress, ending)
        prepared = asyncio.run(work.prepare(arm, ids))
        if not dry_run:
            progress.say(prepared.note)
            result, error = measure_interruptibly(work.run(prepared), ending)
    if dry_run:
        _show_price(prepared, as_json=as_json)
        return
    document = to_document(result)
    validate("ablation", document)
    if as_json:
        print_json(document)
    else:
        show_ablation(result)
    if error is not None:
        ending.check("", "")
        raise error
    failed = sum(item.failures.units for item in result.items)
    check_failures(failed, result.units, config.max_failures)


@frozen
class _Prepared:
    """All that is known before anything is spent."""

    arm: LoadedArm
    targets: tuple[Target, ...]
    problems: tuple[Problem, ...]
    trained: tuple[str, ...]
    chosen_by: tuple[str, ...]
    forecasts: tuple[Forecast, ...]
    work: dict[str, int]
    plan: Plan
    split: str

    @property
    def note(self) -> str:
        """The price, in one line."""
        return (
            f"ablate: {count_of(len(self.targets), 'experience')}, "
            f"{count_of(len(self.problems), 'problem')} of "
            f"the split {self.split}, {count_of(self.plan.repeats, 'repeat')}: at most "
            f"{count_of(self.work['attempt'], 'attempt')} "
            f"and {count_of(self.work['fusion'], 'fusion')}; {sum_up(self.forecasts)}"
        )


@frozen
class _Work:
    """One ablation: what it was asked for, and the steps."""

    config: RunConfig
    plugins: Plugins
    plan: Plan
    allowed: bool
    progress: Progress = field(repr=False)
    ending: Ending = field(repr=False)

    async def prepare(self, text: str, ids: Sequence[str]) -> _Prepared:
        """Read store and problems, refuse training problems, and find the price."""
        config = self.config
        arm = await load_arm(parse_arm(text), config, self.plugins)
        targets = tuple(
            Target(owner, experience) for owner, experience in pick_experiences(arm.libraries, ids)
        )
        problems = await Workshop(config, self.plugins).problems()
        trained = find_trained(problems, arm.learned, allowed=self.allowed)
        seen = find_trained(problems, arm.trained, allowed=True)
        chosen_by = tuple(id_ for id_ in seen if id_ not in trained)
        work = most_work(targets, config.owners, len(problems), self.plan)
        forecasts = await rehearse_answers(
            evolve(config, rollouts_per_generator=self.plan.repeats),
            self.plugins,
            problems,
            self._whole(arm),
            lambda stage, owner: _roles(stage, work.get((stage, owner), 0)),
        )
        totals = {
            stage: sum(count for (each, _), count in work.items() if each == stage)
            for stage in ("attempt", "fusion")
        }
        return _Prepared(
            arm, targets, problems, trained, chosen_by, forecasts, totals, self.plan, config.split
        )

    def _whole(self, arm: LoadedArm) -> dict[str, Library]:
        owners = (*self.config.owners, SHARED)
        return {owner: arm.libraries.get(owner, Library(owner)) for owner in owners}

    async def run(self, prepared: _Prepared) -> tuple[Ablation, GrpoError | None]:
        """Measure; what ended it before its end comes beside the result."""
        libraries = self._whole(prepared.arm)
        engine = ConfiguredEngine(self.config, self.plugins, learning=False)
        async with engine.open(prepared.problems) as opened:
            self.ending.watch(opened.brake)
            total = len(prepared.targets) * len(prepared.problems)
            self.progress.start("ablate", total)
            measured = await ablate(
                opened, prepared.problems, libraries, prepared.targets, self._watched()
            )
            result = self._conclude(prepared, measured, libraries)
            result = evolve(result, simulation=opened.simulation, fingerprint=opened.fingerprint)
            return result, measured.error

    def _watched(self) -> Plan:
        def advance(answered: Answered) -> None:
            self.progress.advance(note=f"{answered.lost} failed" if answered.lost else "")

        return evolve(self.plan, announce=watch_calls(self.progress), finished=advance)

    def _conclude(
        self, prepared: _Prepared, measured: Measured, libraries: dict[str, Library]
    ) -> Ablation:
        held = {
            owner: Held(library.version, len(library), library.digest)
            for owner, library in libraries.items()
        }
        usages = [measured.full, *(item.usage for item in measured.items)]
        return Ablation(
            store=prepared.arm.spec.text,
            libraries=held,
            items=measured.items,
            full=measured.full,
            total=add_up(usages),
            split=self.config.split,
            problems=len(prepared.problems),
            repeats=self.plan.repeats,
            seed=self.plan.seed,
            fingerprint="",
            simulation=False,
            training_problems=prepared.trained,
            gate_problems=prepared.chosen_by,
            stopped="" if measured.error is None else measured.error.message,
            units=measured.units,
            seconds=measured.seconds,
        )


def _roles(stage: Stage, units: int) -> list[tuple[str, Range]]:
    return [(ROLES[stage], exactly(units))] if units else []


def _show_price(prepared: _Prepared, *, as_json: bool) -> None:
    targets = [(each.experience.id, each.owner, each.experience) for each in prepared.targets]
    if as_json:
        print_json(
            {
                "experiences": [{"id": id_, "owner": owner} for id_, owner, _ in targets],
                "problems": len(prepared.problems),
                "split": prepared.split,
                "repeats": prepared.plan.repeats,
                "attempts": prepared.work["attempt"],
                "fusions": prepared.work["fusion"],
                **forecast_document(prepared.forecasts),
            }
        )
        return
    click.echo(prepared.note)
    rows = [(id_, owner, one_line(each.content)) for id_, owner, each in targets]
    print_table(("id", "owner", "content"), rows)
    show_forecast(prepared.forecasts, as_json=False)
