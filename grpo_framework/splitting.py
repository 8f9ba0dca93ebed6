"""Which problems are trained on, which judge edits, and which are kept for the test.

A source may name splits. Where it names none and is large enough, the problems are split here, by a
hash of their text, so that the same problems always fall to the same splits: training, the gate and
`grpo-cli ab` see the same division without a word, whatever the order of the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence

from attrs import frozen

from grpo_framework.config import RunConfig, SplitShares
from grpo_framework.errors import ConfigError, ProblemError
from grpo_framework.experience import normalise
from grpo_framework.records import Problem

LEAST_TO_SPLIT = 40
"""Problems below which a source that names no splits is left whole."""

LEAST_VALIDATION = 20
"""Validation problems below which edits are not gated unless told, and none are split off."""


@frozen
class Splits:
    """The problems of each split, without repeats between them.

    Attributes:
        train: What experiences are learned from.
        validation: What judges edits and versions of libraries.
        test: What neither learning nor judging has seen.
        whole: Whether all three are the same problems, there being too few to split.
        repeated: Problems left out because a held-out split has their text, under another id: a
            training or validation problem that the test split has, a training problem that the
            validation split has.
    """

    train: tuple[Problem, ...]
    validation: tuple[Problem, ...]
    test: tuple[Problem, ...]
    whole: bool = False
    repeated: tuple[Problem, ...] = ()


def split_problems(problems: Sequence[Problem], shares: SplitShares) -> Splits:
    """Divide problems; pure, and the same for every order of them.

    Named splits are kept; what names none, where others do, is for training. Where no test problems
    are named and there are at least `LEAST_TO_SPLIT`, a share becomes the test split; where no
    validation problems are named, a share becomes that split if it holds `LEAST_VALIDATION`.

    Args:
        problems: Of all sources.
        shares: How much is held out.
    """
    named = any(problem.split for problem in problems)
    free = [problem for problem in problems if problem.split in ("", "train")]
    validation = [problem for problem in problems if problem.split == "validation"]
    test = [problem for problem in problems if problem.split == "test"]
    if not named and len(problems) < LEAST_TO_SPLIT:
        whole = tuple(problems)
        return Splits(whole, whole, whole, whole=True)
    ranked = sorted((_rank(problem, shares.seed), place) for place, problem in enumerate(free))
    if not named:
        test, ranked = _take(free, ranked, round(len(problems) * shares.test))
    wanted = round((len(free) if named else len(problems)) * shares.validation)
    if not validation and wanted >= LEAST_VALIDATION:
        validation, ranked = _take(free, ranked, wanted)
    held_out = {id(problem) for problem in (*validation, *test)}
    train = [problem for problem in free if id(problem) not in held_out]
    repeated: list[Problem] = []
    if named:
        # Ids say nothing of this: data sets repeat problems, and files are put together.
        taken = set(_texts(test))
        validation, again = _part(validation, taken)
        train, once_more = _part(train, taken | set(_texts(validation)))
        repeated = [*again, *once_more]
    return Splits(
        tuple(train),
        _in_order(problems, validation),
        _in_order(problems, test),
        repeated=tuple(repeated),
    )


def _texts(problems: Iterable[Problem]) -> Iterator[str]:
    return (normalise(problem.question.text) for problem in problems)


def _part(
    problems: Sequence[Problem], taken: Collection[str]
) -> tuple[list[Problem], list[Problem]]:
    """The problems with texts of their own, and those whose texts are taken."""
    parts: tuple[list[Problem], list[Problem]] = ([], [])
    for problem, text in zip(problems, _texts(problems), strict=True):
        parts[text in taken].append(problem)
    return parts


def _take(
    problems: Sequence[Problem], ranked: list[tuple[str, int]], count: int
) -> tuple[list[Problem], list[tuple[str, int]]]:
    """The first so many and the rest; problems with the same text are not torn apart."""
    while 0 < count < len(ranked) and ranked[count][0] == ranked[count - 1][0]:
        count += 1
    return [problems[place] for _, place in ranked[:count]], ranked[count:]


def _in_order(problems: Iterable[Problem], chosen: Iterable[Problem]) -> tuple[Problem, ...]:
    wanted = {id(problem) for problem in chosen}
    return tuple(problem for problem in problems if id(problem) in wanted)


def _rank(problem: Problem, seed: int) -> str:
    """A place by the text alone: equal texts fall to one split, another order changes nothing."""
    text = f"{seed}/{normalise(problem.question.text)}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def choose(problems: Sequence[Problem], splits: Splits, config: RunConfig) -> tuple[Problem, ...]:
    """The problems of the configured split, at most `max_problems` of them.

    Args:
        problems: All of the sources.
        splits: What they are divided into.
        config: Which split, and how many.

    Raises:
        ConfigError: None are left, or two have the same id.
        ProblemError: One cannot be written down.
    """
    every = tuple(problems)
    wanted = every if config.split == "all" else getattr(splits, config.split)
    if not wanted:
        found = sorted({problem.split for problem in problems if problem.split}) or ["train"]
        message = f"no problem is in the split '{config.split}'"
        named = ", ".join(use.use for use in config.datasets)
        hint = f"splits found in {named}: {', '.join(found)}; choose one with --split"
        raise ConfigError(message, pointer="/split", hint=hint)
    check_ids(wanted)
    check_texts(wanted)
    return wanted[: config.max_problems]


def choose_validation(splits: Splits, config: RunConfig) -> tuple[Problem, ...]:
    """What judges the edits of a training run: never what it trains on, nor the test split.

    At most `splits.max_validation`, and no more than `max_problems`: who asks for a small run gets
    one. They are drawn by `splits.seed`, since a file may be sorted by difficulty.

    Raises:
        ConfigError: Two have the same id.
        ProblemError: One cannot be written down.
    """
    if splits.whole or config.split != "train":
        return ()
    check_ids((*splits.train, *splits.validation))
    check_texts(splits.validation)
    most = config.splits.max_validation
    if config.max_problems is not None:
        most = min(most, config.max_problems)
    ranked = sorted(splits.validation, key=lambda problem: _rank(problem, config.splits.seed))
    return _in_order(splits.validation, ranked[:most])


def check_ids(problems: Iterable[Problem]) -> None:
    """Problems are addressed by their id.

    Raises:
        ConfigError: Two have the same id.
    """
    seen: dict[str, Problem] = {}
    for problem in problems:
        if problem.id in seen:
            other = seen[problem.id]
            message = f"two problems have the id '{problem.id}': {other.source}, {problem.source}"
            raise ConfigError(message, pointer="/datasets", hint="give each problem its own id")
        seen[problem.id] = problem


def check_texts(problems: Iterable[Problem]) -> None:
    r"""Problems are written to files and sent to models, in UTF-8.

    Raises:
        ProblemError: One holds half a character: a lone surrogate such as ``\ud83d`` in JSON.
    """
    for problem in problems:
        question = problem.question
        parts = (("id", question.id), ("text", question.text), ("answer", problem.answer))
        for name, text in parts:
            try:
                text.encode()
            except UnicodeEncodeError as error:
                place = problem.source or f"problem {problem.id!r}"
                half = f"\\u{ord(text[error.start]):04x}"
                message = f"{place}: the {name} holds half a character, {half} at {error.start + 1}"
                raise ProblemError(
                    message, hint="write the whole character, or leave it out"
                ) from error


def is_gated(kind: str | None, validation: int) -> bool:
    """Whether edits are measured: as was asked for, or where there is enough to measure with.

    Args:
        kind: ``paired``, ``none``, or None to leave it to the number of validation problems.
        validation: How many there are.
    """
    return kind == "paired" or (kind is None and validation >= LEAST_VALIDATION)
