"""`TrainingFreeGRPOTrainer`: learns experiences from problems with known answers.

Method: "Training-Free Group Relative Policy Optimization", arXiv 2510.08191, in the form described
in ``docs/explanation/method.md``: every owner has its own library and learns from its own evidence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Literal

from attrs import evolve

from grpo_framework.config import Execution, GateLimits
from grpo_framework.console import ConsoleObserver
from grpo_framework.engine import CausalEngine
from grpo_framework.errors import ConfigError, ProblemError
from grpo_framework.gating import Gate
from grpo_framework.manager import ExperienceManager
from grpo_framework.protocols import Observer
from grpo_framework.recording import Recording
from grpo_framework.records import Problem
from grpo_framework.reports import RunReport
from grpo_framework.schedule import RunSettings
from grpo_framework.session import Session
from grpo_framework.splitting import check_texts, is_gated


class TrainingFreeGRPOTrainer:
    """Learns experiences from problems with known answers; no weight is updated.

    Args:
        causal_engine: Generators, critic, comparator and advisor: an `Engine` made by hand, or a
            `ConfiguredEngine`.
        experience_manager: The libraries over a store.
        rollouts_per_generator: k, the rollouts each generator makes of a problem.
        num_epochs: Passes over the problems.
        verbose: Whether progress and the final table go to stderr.
        batch_size: Problems between two commits of the libraries.
        seed: All order and sampling derive from it.
        gen_exec: Whether the generators of a problem run side by side or one after the other.
        rollout_exec: The same for the rollouts of a group.
        observers: See every event, beside the engine's.
        run_id: Name of the run in events and report.
        max_failures: Share of failed units (0 to 1) above which the outcome is ``failed``.
        staleness: 1 lets a batch's rollouts start on the libraries of one commit before, while the
            last groups of the batch before are still judged; 0 waits for the commit.
        gate: ``paired`` measures every edit on validation problems before it is committed, ``none``
            keeps all that the rules let pass; None is ``paired`` with at least 20 of them.
        gate_budget: Most pairs of rollouts for one owner's edits in one batch.
        gate_tries: Batches in which an undecided edit is tried before it is given up.
        patience: Epochs in a row without a gain after which the run ends; None runs them all.
        adaptive_groups: Whether a group begins with 2 rollouts and grows up to k only while it is
            uniform and its problem is not known, and problems that teach nothing are visited less.
        unit_timeout: Seconds that one attempt, fusion or advice may take in all; None for any.
        credit_dropout: Probability with which each experience is left out of a training prompt, so
            that its effect can be measured; 0 measures nothing.
        record: Opens the run's directory, once the models answer; what it holds is not paid for
            again (`grpo_framework.rundir.open_record`).

    Raises:
        TypeError: For the old keyword ``group_size``, saying what replaced it.
        ValueError: For a count below 1, or a probability that is none.
    """

    def __init__(
        self,
        causal_engine: CausalEngine,
        experience_manager: ExperienceManager,
        *,
        rollouts_per_generator: int = 3,
        num_epochs: int = 3,
        verbose: bool = True,
        batch_size: int = 8,
        seed: int = 0,
        gen_exec: Execution = "parallel",
        rollout_exec: Execution = "parallel",
        observers: Sequence[Observer] = (),
        run_id: str = "",
        max_failures: float = 0.5,
        staleness: int = 0,
        gate: Literal["paired", "none"] | None = None,
        gate_budget: int = 40,
        gate_tries: int = 3,
        patience: int | None = None,
        adaptive_groups: bool = False,
        unit_timeout: float | None = None,
        credit_dropout: float = 0.1,
        record: Callable[[], AbstractAsyncContextManager[Recording | None]] = nullcontext,
        **unknown: object,
    ) -> None:
        _refuse(unknown)
        _check_counts(
            rollouts_per_generator=rollouts_per_generator,
            num_epochs=num_epochs,
            batch_size=batch_size,
            gate_budget=gate_budget,
            gate_tries=gate_tries,
            patience=1 if patience is None else patience,
        )
        if staleness not in (0, 1):
            message = f"staleness must be 0 or 1, not {staleness}"
            raise ValueError(message)
        if not 0 <= credit_dropout < 1:
            message = f"credit_dropout must be at least 0 and below 1, not {credit_dropout}"
            raise ValueError(message)
        self.causal_engine = causal_engine
        self.experience_manager = experience_manager
        self.verbose = verbose
        self.settings = RunSettings(
            rollouts_per_generator=rollouts_per_generator,
            num_epochs=num_epochs,
            batch_size=batch_size,
            seed=seed,
            gen_exec=gen_exec,
            rollout_exec=rollout_exec,
            staleness=staleness,
            adaptive_groups=adaptive_groups,
            credit_dropout=credit_dropout,
            unit_timeout=unit_timeout,
            run_id=run_id,
            max_failures=max_failures,
            patience=patience,
        )
        self.gate = GateLimits(gate, gate_budget, gate_tries)
        self._observers = tuple(observers)
        self._record = record
        self._session: Session | None = None

    @property
    def report(self) -> RunReport:
        """The report of the current or last run, also of an unfinished one."""
        return RunReport() if self._session is None else self._session.report

    def train(self, problems: Iterable[Problem], validation: Iterable[Problem] = ()) -> RunReport:
        """Train on problems; the synchronous form of `train_async`.

        Raises:
            RuntimeError: Called while an event loop runs; await `train_async` there.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.train_async(problems, validation))
        message = "an event loop is already running: use 'await trainer.train_async(…)'"
        raise RuntimeError(message)

    async def train_async(
        self, problems: Iterable[Problem], validation: Iterable[Problem] = ()
    ) -> RunReport:
        """Train on problems and return the report.

        Args:
            problems: With their reference answers, ids without repeats.
            validation: Problems that judge edits and versions and are not learned from.

        Raises:
            TypeError: Something else than a `Problem` is among them.
            ProblemError: Two have the same id, or one cannot be written down.
            ConfigError: Edits are to be measured, and there are no validation problems.
            GrpoError: What stops a whole run: a component that cannot be opened, a store that
                cannot be written, an exhausted budget. The failure of a unit does not.
        """
        chosen = tuple(problems)
        gate = self._gate(tuple(validation))
        used = chosen if gate is None else (*chosen, *gate.problems)
        _check_problems(used)
        async with (
            self.experience_manager.open() as manager,
            self.causal_engine.open(used) as engine,
            self._record() as record,
        ):
            console = (ConsoleObserver(),) if self.verbose else ()
            self._session = Session(
                self.settings,
                engine,
                evolve(manager.guarding(used), gated=gate is not None),
                observers=(*console, *engine.observers, *self._observers),
                record=record,
                gate=gate and evolve(gate, limits=manager.limits),
            )
            await self._session.run(chosen)
        return self.report

    def _gate(self, validation: tuple[Problem, ...]) -> Gate | None:
        """What measures edits: as was asked for, or where there is enough to measure with."""
        if not is_gated(self.gate.kind, len(validation)):
            return None
        if not validation:
            raise ConfigError(
                "the gate is to measure edits, and there are no validation problems",
                pointer="/gate/kind",
                hint="give some the split 'validation' (80 without splits are divided), or keep "
                "every edit unmeasured with --gate none",
            )
        return Gate(validation, self.gate.budget, self.gate.tries)


def _refuse(unknown: Mapping[str, object]) -> None:
    if "group_size" in unknown:
        message = "group_size= was renamed: pass rollouts_per_generator="
        raise TypeError(message)
    if unknown:
        message = f"TrainingFreeGRPOTrainer takes no argument {', '.join(map(repr, unknown))}"
        raise TypeError(message)


def _check_problems(problems: Sequence[object]) -> None:
    """Problems are addressed by their id: in seeds, in the journal, in the report."""
    seen: set[str] = set()
    for problem in problems:
        if not isinstance(problem, Problem):
            message = (
                f"problems must be grpo_framework.Problem values, not {type(problem).__name__}"
            )
            raise TypeError(message)
        if problem.id in seen:
            message = f"two problems have the id '{problem.id}'"
            raise ProblemError(message, hint="give each problem its own id")
        seen.add(problem.id)
        check_texts((problem,))


def _check_counts(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            message = f"{name} must be at least 1, not {value}"
            raise ValueError(message)
