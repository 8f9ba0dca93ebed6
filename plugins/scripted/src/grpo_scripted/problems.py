"""Arithmetic word problems, made by a seed: enough of them for any test or benchmark."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from grpo_framework.records import Problem, Question
from grpo_scripted.dice import choose, draw

_NAMES = ("Ana", "Bo", "Chen", "Dana", "Emil", "Farah", "Goran", "Hana", "Ivo", "Jun")
_THINGS = ("apples", "books", "coins", "stamps", "tickets", "pencils", "marbles", "cards")


def _buy(dice: Callable[[int, int], int], name: str, thing: str) -> tuple[str, str, str]:
    count, price, paid = dice(2, 40), dice(2, 30), dice(1, 90)
    text = (
        f"{name} buys {count} {thing} for {price} dollars each and has {paid} dollars left. "
        f"How many dollars did {name} have before?"
    )
    return text, str(count * price + paid), "money"


def _share(dice: Callable[[int, int], int], name: str, thing: str) -> tuple[str, str, str]:
    friends, each, rest = dice(2, 19), dice(2, 60), dice(0, 1)
    total = friends * each + rest
    text = (
        f"{name} shares {total} {thing} equally among {friends} friends and keeps what is left. "
        f"How many {thing} does each friend get?"
    )
    return text, str(each), "division"


def _part(dice: Callable[[int, int], int], name: str, thing: str) -> tuple[str, str, str]:
    whole, used = dice(20, 400), dice(1, 19)
    part = Fraction(used, whole)
    text = (
        f"{name} has {whole} {thing} and gives away {used}. "
        f"What fraction of the {thing} was given away, in lowest terms?"
    )
    return text, f"{part.numerator}/{part.denominator}", "fractions"


def _walk(dice: Callable[[int, int], int], name: str, thing: str) -> tuple[str, str, str]:
    speed, hours, minutes = dice(2, 9), dice(1, 6), choose((0, 15, 30, 45), dice(0, 999))
    meters = speed * 1000 * (60 * hours + minutes) // 60
    text = (
        f"{name} carries {thing} and walks at {speed} km per hour for {hours} h {minutes} min. "
        f"How many metres does {name} walk?"
    )
    return text, str(meters), "units"


_KINDS = (_buy, _share, _part, _walk)


class ArithmeticProblems:
    """A problem source that writes its problems itself."""

    def __init__(
        self,
        *,
        count: int = 60,
        seed: int = 0,
        validation: float = 0.25,
        test: float = 0.25,
    ) -> None:
        self._count = count
        self._seed = seed
        self._first_validation = count - round(count * (validation + test))
        self._first_test = count - round(count * test)

    async def problems(self) -> tuple[Problem, ...]:
        """Return the problems: training ones first, then validation, then test."""
        made: dict[str, str] = {}
        subjects: list[str] = []
        tries = 0
        while len(made) < self._count:
            text, answer, subject = self._make(tries)
            tries += 1
            if text not in made:
                made[text] = answer
                subjects.append(subject)
        return tuple(
            Problem(
                Question(f"scripted-{self._seed}-{place:05d}", text, subjects[place], "scripted"),
                answer,
                split=self._split_of(place),
                source=f"scripted/problems:{place + 1}",
            )
            for place, (text, answer) in enumerate(made.items())
        )

    def _make(self, number: int) -> tuple[str, str, str]:
        drawn = 0

        def dice(low: int, high: int) -> int:
            nonlocal drawn
            drawn += 1
            return low + int(draw("problem", self._seed, number, drawn) * (high - low + 1))

        kind = choose(_KINDS, "kind", self._seed, number)
        name = choose(_NAMES, "name", self._seed, number)
        return kind(dice, name, choose(_THINGS, "thing", self._seed, number))

    def _split_of(self, place: int) -> str:
        if place >= self._first_test:
            return "test"
        return "validation" if place >= self._first_validation else "train"
