"""`grpo-cli ab`: whether one set of experiences is better than another, or than none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from attrs import evolve, field, frozen

from grpo_framework.abtest import SIDES, Answered, Comparison, Plan, Side, compare_pairs, run_arms
from grpo_framework.abtest.values import Arm, Outcome
from grpo_framework.cli.arms import LoadedArm, find_trained, load_arm, parse_arm
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
from grpo_framework.cli.output import print_json
from grpo_framework.cli.progress import Progress, show_progress, watch_calls
from grpo_framework.cli.verdicts import show_comparison
from grpo_framework.codec import to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError
from grpo_framework.evaluation import Held
from grpo_framework.experience import SHARED, Library
from grpo_framework.opening import ConfiguredEngine
from grpo_framework.plugins import Plugins
from grpo_framework.validation import validate
from grpo_framework.workshop import Workshop


@click.command("ab")
@config_flags(*PROBLEM_FLAGS, *ENGINE_FLAGS, *STORE_FLAGS, *BUDGET_FLAGS, "hedge")
@click.option("--a", "left", default="empty", show_default=True, metavar="ARM", help="Arm A.")
@click.option(
    "--b",
    "right",
    default="store",
    show_default=True,
    metavar="ARM",
    help="Arm B: what is judged, compared with A.",
)
@click.option(
    "--repeats",
    default=4,
    show_default=True,
    type=click.IntRange(min=1),
    metavar="R",
    help="Attempts of each generator at each problem, in each arm.",
)
@click.option(
    "--sequential",
    is_flag=True,
    help="Stop as soon as the answer is certain, by a test that allows to look at any time.",
)
@click.option("--no-critic", "without_critic", is_flag=True, help="Leave the critic out.")
@click.option(
    "--allow-training-problems",
    "allowed",
    is_flag=True,
    help="Measure also on problems that an arm was trained on; the result says so.",
)
@click.option(
    "--allow-same-arms", "alike", is_flag=True, help="Measure also where both arms hold the same."
)
@json_flag
@click.pass_context
def command(
    ctx: click.Context,
    /,
    left: str,
    right: str,
    repeats: int,
    sequential: bool,
    without_critic: bool,
    allowed: bool,
    alike: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Prove a gain: compare two sets of experiences on the same problems, pair by pair.

    An ARM is empty, store (of --experience-dir), a directory of experiences, or a file of them;
    DIR@12 is a store at a version; DIR-G1-003,C-002 leaves experiences out. The difference is
    B - A. Problems are those of the split test, where there are splits. No store is written.
    """
    config = read_config(measuring_on_test(given))
    plan = Plan(
        repeats=repeats,
        seed=config.seed,
        with_critic=not without_critic,
        sequential=sequential,
        unit_timeout=config.calls.unit_timeout,
    )
    ending = Ending()
    with show_progress() as progress:
        work = _Work(config, find_plugins(ctx), plan, allowed, alike, progress, ending)
        result = measure_interruptibly(work.compare((left, right)), ending)
    document = to_document(result)
    validate("abtest", document)
    if as_json:
        print_json(document)
    else:
        show_comparison(result)
    # What went wrong is an error after the result.
    ending.check(result.stopped, "the result is of the problems asked until then")
    check_failures(result.failures.units, result.units, config.max_failures)


@frozen
class _Work:
    """One A/B test: what it was asked for, and the steps."""

    config: RunConfig
    plugins: Plugins
    plan: Plan
    allowed: bool
    alike: bool
    progress: Progress = field(repr=False)
    ending: Ending = field(repr=False)

    async def compare(self, texts: Sequence[str]) -> Comparison:
        """Read the arms and the problems, refuse training problems, run, and compare."""
        specs = [parse_arm(text) for text in texts]
        loaded = [await load_arm(spec, self.config, self.plugins) for spec in specs]
        arms: dict[Side, LoadedArm] = dict(zip(SIDES, loaded, strict=True))
        problems = await Workshop(self.config, self.plugins).problems()
        known = loaded[0].trained | loaded[1].trained
        trained = find_trained(problems, known, allowed=self.allowed)
        self._check_same(loaded)
        engine = ConfiguredEngine(self.config, self.plugins, learning=False)
        async with engine.open(problems) as opened:
            self.ending.watch(opened.brake)
            self.progress.start("ab", len(problems))
            libraries = {side: arms[side].libraries for side in SIDES}
            outcome = await run_arms(opened, problems, libraries, self._watched())
            asked = {pair.problem for pair in outcome.pairs}
            owners = (*opened.owners, SHARED)
            return _conclude(
                outcome,
                {side: _Side(arms[side], owners) for side in SIDES},
                Comparing(
                    plan=self.plan,
                    fingerprint=opened.fingerprint,
                    simulation=opened.simulation,
                    trained=tuple(id_ for id_ in trained if id_ in asked),
                ),
            )

    def _watched(self) -> Plan:
        def advance(answered: Answered) -> None:
            self.progress.advance(note=f"{answered.lost} failed" if answered.lost else "")

        return evolve(self.plan, announce=watch_calls(self.progress), finished=advance)

    def _check_same(self, arms: Sequence[LoadedArm]) -> None:
        """Arms that hold the same differ by nothing: to measure that is mostly a slip of the pen.

        Raises:
            ConfigError: They do, and that was not allowed.
        """
        left, right = (
            {o: lib.experiences for o, lib in arm.libraries.items() if len(lib)} for arm in arms
        )
        if left == right and not self.alike:
            named = " and ".join(f"'{arm.spec.text}'" for arm in arms)
            message = f"the arms {named} hold the same experiences: there is nothing to compare"
            raise ConfigError(message, hint="name another arm, or --allow-same-arms")
        if left == right:
            self.progress.say("note: both arms hold the same experiences")


@frozen
class _Side:
    """An arm with the owners of the engine it was run on."""

    arm: LoadedArm
    owners: tuple[str, ...]

    @property
    def held(self) -> dict[str, Held]:
        found = self.arm.libraries
        libraries = [found.get(owner, Library(owner)) for owner in self.owners]
        return {each.owner: Held(each.version, len(each), each.digest) for each in libraries}


@frozen
class Comparing:
    """What a comparison says beside its figures."""

    plan: Plan
    fingerprint: str
    simulation: bool
    trained: tuple[str, ...]


def _conclude(outcome: Outcome, sides: dict[Side, _Side], about: Comparing) -> Comparison:
    found = compare_pairs(outcome.pairs, outcome.halves, sequential=about.plan.sequential)
    means = {"a": found.a, "b": found.b}
    return Comparison(
        arms={
            side: Arm(sides[side].arm.spec.text, means[side], sides[side].held) for side in SIDES
        },
        difference=found.difference,
        strict=found.strict,
        verdict=found.verdict,
        problems=found.problems,
        minimum_detectable_effect=found.minimum_detectable_effect,
        per_owner=found.per_owner,
        failures=outcome.failures,
        usage=outcome.usage,
        repeats=about.plan.repeats,
        seed=about.plan.seed,
        fingerprint=about.fingerprint,
        simulation=about.simulation,
        training_problems=about.trained,
        sequential=outcome.looks,
        stopped=outcome.stopped,
        units=outcome.units,
        seconds=outcome.seconds,
        pairs=outcome.pairs,
        halves=outcome.halves,
    )
