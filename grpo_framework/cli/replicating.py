"""`grpo-cli train --replicates R`: the whole training R times, one budget, one comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from attrs import evolve, frozen

from grpo_framework.atomic import write_atomically
from grpo_framework.calls import Account
from grpo_framework.cli.earlier import fork
from grpo_framework.cli.exits import one_line
from grpo_framework.cli.interrupting import run_interruptibly
from grpo_framework.cli.launching import Launched, launch, refuse_existing
from grpo_framework.cli.output import print_json, print_table, to_json
from grpo_framework.codec import experiences_from_document, to_document
from grpo_framework.config import RunConfig
from grpo_framework.errors import BudgetExhausted, ConfigError, DataError, RunFailed
from grpo_framework.experience import Experience, Library
from grpo_framework.plugins import Plugins
from grpo_framework.records import Owner
from grpo_framework.replicates import (
    OwnerSpread,
    Replicate,
    Replicates,
    Spread,
    exhausted,
    remaining,
    summarise,
)
from grpo_framework.rundir import EXPERIENCES, JOURNAL
from grpo_framework.standing import read_checkpoint, read_report
from grpo_framework.telling import count_of
from grpo_framework.validation import validate

RESULT = "replicates.json"
"""The comparison, beside the replicates' run directories."""

_FORMS = {"cost": ".4f", "experiences": ".4g"}

_AMOUNTS = frozenset({"cost", "experiences"})
"""Figures that every owner has, if only 0."""
ENOUGH = 3
"""Replicates of which a spread can be spoken of."""


@frozen
class _Planned:
    """A replicate before it runs."""

    number: int
    config: RunConfig
    seeds: Mapping[Owner, Library]

    @property
    def path(self) -> Path:
        assert self.config.run_dir is not None
        return Path(self.config.run_dir)

    @property
    def spent(self) -> Account:
        """What it has used up so far."""
        last = read_checkpoint(self.path)
        return Account() if last is None else last.account


def check_alike(config: RunConfig) -> None:
    """Replicates differ by their seeds alone.

    Raises:
        ConfigError: They are to go on from experiences that are there.
    """
    if config.use_existing_experiences:
        message = "replicates begin alike, not from the experiences that are there"
        hint = "leave --use-existing-experiences out; --fork RUN begins each from that run's"
        raise ConfigError(message, pointer="/use_existing_experiences", hint=hint)


def train_replicates(
    config: RunConfig, count: int, plugins: Plugins, *, forked: Path | None, verbose: bool
) -> Replicates:
    """Train `count` times, with seeds that follow each other; what is finished is not run again.

    Args:
        config: Of the first; its budget is that of all together.
        count: How many.
        plugins: Of this process.
        forked: The run whose experiences each begins with.
        verbose: Whether progress goes to stderr.

    Raises:
        ConfigError: A directory holds experiences already.
        BudgetExhausted: A limit was reached; the same command with a larger one goes on.
        RunFailed: More units of a replicate failed than the configuration allows, or a model died.
    """
    base = _base_of(config)
    plan = [_plan(config, base, number, plugins, forked) for number in range(1, count + 1)]
    for each in plan:
        if not (each.path / JOURNAL).exists():
            run_interruptibly(refuse_existing(each.config, plugins, each.seeds))
    runs = [_read(each, _train(each, plan, plugins, verbose=verbose)) for each in plan]
    result = summarise(runs, threshold=config.limits.near_duplicate)
    document = to_document(result)
    validate("replicates", document)
    write_atomically(base / RESULT, to_json(document) + "\n")
    return result


def _base_of(config: RunConfig) -> Path:
    """Where the replicates' run directories lie; without a name the same command finds them."""
    if config.run_dir is not None:
        return Path(config.run_dir)
    return Path("runs") / f"replicates-{config.fingerprint[:8]}"


def _plan(
    config: RunConfig, base: Path, number: int, plugins: Plugins, forked: Path | None
) -> _Planned:
    name = f"replicate-{number}"
    own = evolve(
        config,
        seed=config.seed + number - 1,
        run_dir=str(base / name),
        experience_dir=str(Path(config.experience_dir) / name),
    )
    if forked is None:
        return _Planned(number, own, {})
    begun, seeds = run_interruptibly(fork(forked, own, plugins))
    return _Planned(number, begun, seeds)


def _train(
    each: _Planned, plan: Sequence[_Planned], plugins: Plugins, *, verbose: bool
) -> Launched:
    """One replicate, with what the others have left of the budget."""
    where = f"replicate {each.number} of {len(plan)}, seed {each.config.seed}"
    if verbose:
        click.echo(f"{where}: {each.path}", err=True)
    limits = each.config.budget
    if read_report(each.path) is None:
        budget = remaining(limits, [other.spent for other in plan if other is not each])
    else:
        budget = limits
    try:
        return launch(
            evolve(each.config, budget=budget),
            plugins,
            verbose=verbose,
            seeds=each.seeds,
            go_on=f"stopped in {where}; the same command goes on",
        )
    except BudgetExhausted as error:
        raise exhausted(limits, error.limit) from error


def _read(each: _Planned, run: Launched) -> Replicate:
    return Replicate(
        number=each.number,
        seed=each.config.seed,
        run=str(run.path),
        experience_dir=each.config.experience_dir,
        report=run.report,
        experiences=dict(_read_experiences(run.path / EXPERIENCES)),
        inherited=frozenset(
            experience.content for seed in each.seeds.values() for experience in seed.experiences
        ),
    )


def _read_experiences(folder: Path) -> Iterator[tuple[Owner, tuple[Experience, ...]]]:
    """The libraries as a run left them, from its directory: the store may have gone on since."""
    for file in sorted(folder.glob("*_experiences.json")):
        try:
            rows = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"cannot be read: {error}", path=file) from error
        owner = file.name.removesuffix("_experiences.json")
        yield owner, experiences_from_document(rows, path=file)


def show_replicates(result: Replicates, config: RunConfig, *, as_json: bool) -> None:
    """Print the comparison, and end with an error where a replicate failed.

    Raises:
        RunFailed: More units of a replicate failed than the configuration allows.
    """
    if as_json:
        print_json(to_document(result))
    else:
        _show(result)
    failed = [row for row in result.replicates if row.outcome == "failed"]
    if failed:
        named = ", ".join(str(row.replicate) for row in failed)
        raise RunFailed(
            f"more than {config.max_failures:.0%} of the units failed in replicate {named}",
            failures=len(failed),
            units=len(result.replicates),
            hint=f"the causes are in the report.json of {failed[0].run} and above",
        )


def _show(result: Replicates) -> None:
    owners = [row for row in result.spread if _says_something(row)]
    known = {row.owner for row in owners}
    names = [
        name
        for name in (owners[0].figures if owners else ())
        if any(row.figures[name].replicates for row in owners)
    ]
    print_table(
        ("replicate", "seed", "outcome", "owner", *names),
        [
            (
                *(row.replicate, row.seed, row.outcome, each.owner),
                *(_number(name, each.figures[name]) for name in names),
            )
            for row in result.replicates
            for each in row.owners
            if each.owner in known
        ],
        numbers=("replicate", "seed", *names),
        keys=("replicate", "owner"),
    )
    print_table(
        ("owner", "figure", "replicates", "mean", "sd", "min", "max"),
        [
            (row.owner, name, *_cells(name, row.figures[name]))
            for row in owners
            for name in names
            if row.figures[name].replicates
        ],
        title="between the replicates",
        numbers=("replicates", "mean", "sd", "min", "max"),
        keys=("owner", "figure"),
    )
    for line in _closing(result):
        click.echo(line)


def _says_something(row: OwnerSpread) -> bool:
    """Whether an owner has a reward, or at least holds something."""
    return any(
        spread.replicates and (name not in _AMOUNTS or spread.max)
        for name, spread in row.figures.items()
    )


def _cells(name: str, spread: Spread) -> tuple[object, ...]:
    values = (spread.mean, spread.sd, spread.min, spread.max)
    return (spread.replicates, *(_number(name, value) for value in values))


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return format(value, _FORMS.get(name, ".3f"))


def _closing(result: Replicates) -> Iterator[str]:
    for text in result.recurring:
        where = ", ".join(str(number) for number in text.replicates)
        yield f"in replicates {where}: {one_line(text.content)}"
    yield (
        f"{count_of(result.experiences, 'experience')} in all, "
        f"{count_of(len(result.recurring), 'text')} "
        f"in more than one replicate; {count_of(result.usage.calls, 'call')}, ${result.cost:.4f}"
    )
    if len(result.replicates) < ENOUGH:
        yield f"with fewer than {ENOUGH} replicates the standard deviation says little"
    if result.simulation:
        yield "simulated: a component knew the answers, so these rewards prove nothing"
