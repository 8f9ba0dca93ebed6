"""The pool: its list, the choice of a tactic, and what is proposed in a batch."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from attrs import evolve
from grpo_pool import SHIPPED, plugin, read_tactics
from grpo_pool.advisor import PoolAdvisor
from grpo_pool.choosing import (
    Arm,
    base_rate,
    choose,
    is_given_up,
    list_arms,
    main_failure,
    share_out,
)

from grpo_framework.component import Wiring
from grpo_framework.errors import ConfigError
from grpo_framework.experience import Add, Credit, Delete, Experience, Keep, Library, plan
from grpo_framework.records import (
    Attempt,
    Contrast,
    Diagnosis,
    Measured,
    Outcomes,
    Past,
    Question,
    Rejected,
    Sample,
    Shown,
)
from grpo_framework.testing import suites

TACTICS = read_tactics(SHIPPED)
BY_NAME = {tactic.name: tactic for tactic in TACTICS}
EMPTY = Library("generator_1")
QUESTION = Question("p", "How many?")


class TestPoolAdvisor(suites.AdvisorSuite):
    @pytest.fixture
    def component(self):
        return next(iter(plugin.grpo_advisors()))


def group(outcomes=None, past=None, *, owner="generator_1", seed=1, shown=()):
    measured = Measured(outcomes or Outcomes(right=1, cut_off=2))
    diagnosis = Diagnosis(measured, 0.5, shown, past or Past())
    return Contrast(owner, QUESTION, (), seed=seed, diagnosis=diagnosis)


def advise(contrast, library=EMPTY, **options):
    return asyncio.run(PoolAdvisor(TACTICS, **options).advise((contrast,), library))


def holding(*rows):
    items = (
        Experience(f"G1-{n:03d}", BY_NAME[name].text, name, successes, uses)
        for n, (name, successes, uses) in enumerate(rows, 1)
    )
    return Library("generator_1", 1, tuple(items), len(rows) + 1)


def test_the_list_is_long_and_in_two_languages():
    """Forty tactics and more; every kind of failure and the critic have several."""
    assert len(TACTICS) >= 40
    kinds = Counter(kind for tactic in TACTICS if not tactic.critic for kind in tactic.kinds)
    assert all(kinds[kind] >= 4 for kind in ("wrong", "no_answer", "cut_off", "refused"))
    assert sum(tactic.critic for tactic in TACTICS) >= 4
    chinese = read_tactics(SHIPPED, "zh")
    assert all(re.search(r"[\u4e00-\u9fff]", tactic.text) for tactic in chinese)
    assert len({tactic.text for tactic in chinese}) == len(TACTICS)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_tactic_passes_the_rules_of_the_library(language):
    """None is refused: not as empty, not as hostile, and no two are near duplicates."""
    for critic, owner in ((False, "generator_1"), (True, "critic")):
        texts = [item.text for item in read_tactics(SHIPPED, language) if item.critic == critic]
        assert plan(Library(owner), [Add(text) for text in texts]).refused == ()


def test_the_commonest_failure_decides():
    """Of equals, the one that was commoner before; without a diagnosis it is counted here."""
    assert main_failure(group(Outcomes(right=1, wrong=1, cut_off=2))) == "cut_off"
    past = Past(Measured(Outcomes(wrong=5, cut_off=1)))
    assert main_failure(group(Outcomes(wrong=1, cut_off=1), past)) == "wrong"
    assert main_failure(group(Outcomes(right=3))) == "wrong"
    cut = Sample(Attempt("t", finish="length"), 0.0, -1.0)
    by_hand = Contrast("generator_1", QUESTION, (Sample(Attempt("t"), 1.0, 1.0), cut))
    assert main_failure(by_hand) == "cut_off"


@pytest.mark.parametrize("owner", ["generator_1", "critic"])
@pytest.mark.parametrize("kind", ["wrong", "no_answer", "cut_off", "refused"])
def test_a_proposal_is_against_the_failure_and_for_the_owner(kind, owner):
    """Whatever the seed."""
    for seed in range(20):
        contrast = group(Outcomes(right=1, **{kind: 2}), owner=owner, seed=seed)
        (operation,) = advise(contrast, Library(owner))
        tactic = BY_NAME[operation.category]
        assert isinstance(operation, Add)
        assert kind in tactic.kinds
        assert tactic.critic == (owner == "critic")


def test_the_seed_decides_and_spreads_the_choice():
    """The same seed, the same tactic; over many seeds many tactics are tried."""
    assert advise(group(seed=5)) == advise(group(seed=5))
    tried = {advise(group(seed=seed))[0].category for seed in range(200)}
    assert len(tried) >= 8


def test_credit_moves_the_choice():
    """A tactic with many successes is kept far more often than one with many failures."""
    good, poor = holding(("brief", 90, 100)), holding(("brief", 5, 19))
    kept = [
        sum(
            isinstance(item, Keep) for seed in range(100) for item in advise(group(seed=seed), held)
        )
        for held in (good, poor)
    ]
    assert kept[0] > 20
    assert kept[0] > 3 * kept[1]


def test_a_measured_effect_goes_before_the_rate():
    """With an effect of −0.5 a tactic whose rate looks high is not favoured."""
    held = holding(("brief", 90, 100))
    bad = group(shown=(Shown("G1-001", 100, 90, effect=-0.5),))
    (arm,) = [arm for arm in list_arms(TACTICS, "cut_off", bad, held) if arm.held]
    assert arm.successes == 0
    assert Delete("G1-001") in [evolve(x, reason="") for x in advise(bad, held)]


def test_what_was_measured_over_many_answers_decides():
    """The bandit goes by the effect, which may be the opposite of what the rate says."""
    cells = [Credit.of_cell((1.0, 1.0), (0.0,)), Credit.of_cell((1.0, 0.0), (1.0,))]
    helps, harms = Credit.sum(30 * cells[:1]), Credit.sum(60 * cells[1:])
    assert (helps.status, harms.status) == ("proven", "harmful")
    kept = {}
    for name, credit, counts in (("good", helps, (5, 100)), ("bad", harms, (95, 100))):
        held = holding(("brief", *counts))
        (item,) = held.experiences
        held = evolve(held, experiences=(evolve(item, credit=credit),))
        told = group(Outcomes(right=1, cut_off=1))
        (arm,) = [arm for arm in list_arms(TACTICS, "cut_off", told, held) if arm.held]
        assert arm.uses == pytest.approx(credit.weight)
        assert is_given_up(arm, 0.5) == (name == "bad")
        kept[name] = sum(
            isinstance(item, Keep) and "effect" in item.reason
            for seed in range(100)
            for item in advise(group(Outcomes(right=1, cut_off=1), seed=seed), held)
        )
    assert kept["good"] > 30
    assert kept["bad"] == 0


def test_a_measured_effect_that_is_not_certain_removes_nothing():
    """It is told with its evidence, and that is not the framework's verdict."""
    row = Shown("G1-001", 100, 90, effect=-0.4, weight=25.0)
    assert not any(
        isinstance(x, Delete) for x in advise(group(shown=(row,)), holding(("brief", 90, 100)))
    )


def test_what_surely_does_worse_is_given_up():
    """Only with enough uses, and only below the rate of the run; a shared one is not its own."""
    past = Past(Measured(Outcomes(right=80, wrong=20)))
    contrast = group(past=past)
    (first, *_) = advise(contrast, holding(("brief", 20, 60)))
    assert isinstance(first, Delete)
    assert "20 of 60" in first.reason
    assert not any(isinstance(x, Delete) for x in advise(contrast, holding(("brief", 2, 10))))
    assert not any(isinstance(x, Delete) for x in advise(contrast, holding(("brief", 50, 60))))
    held = holding(("brief", 20, 60)).experiences[0]
    shared = Library("generator_1", 1, (evolve(held, id="S-001"),))
    assert not any(isinstance(x, Delete | Keep) for x in advise(contrast, shared))
    assert base_rate(contrast) == pytest.approx(82 / 105)
    assert not is_given_up(Arm(BY_NAME["brief"], None, 0, 0), 0.9)


def test_what_was_refused_is_not_proposed_again():
    """By its text, whichever language it was in."""
    names = [arm.tactic.name for arm in list_arms(TACTICS, "refused", group(), EMPTY)]
    rejected = tuple(Rejected(BY_NAME[n].texts[-1], "gate", "no") for n in names[1:])
    contrast = group(Outcomes(refused=1), Past(rejected=(*rejected, Rejected("", "quotation", ""))))
    assert [item.category for item in advise(contrast, proposals=9)] == names[:1]


def test_a_held_tactic_is_recognised_in_the_other_language():
    """It is kept, not added once more."""
    text = read_tactics(SHIPPED, "zh")[0].text
    library = Library("generator_1", 1, (Experience("G1-001", text, "x", 50, 50),), 2)
    (arm,) = [arm for arm in list_arms(TACTICS, "cut_off", group(), library) if arm.held]
    assert arm.tactic.name == "answer-first"


def test_thompson_sampling_finds_the_best_arm():
    """On a simulated bandit the best of six arms is drawn most, and the regret falls."""
    rates = dict(zip(list(BY_NAME)[:6], (0.2, 0.3, 0.3, 0.4, 0.5, 0.8), strict=True))
    counts = dict.fromkeys(rates, (0, 0))
    drawn = []
    for seed in range(400):
        arms = [Arm(BY_NAME[name], None, won, used - won) for name, (won, used) in counts.items()]
        (arm,) = choose(arms, 0.5, seed, 1)
        name = arm.tactic.name
        won, used = counts[name]
        counts[name] = (won + (seed * 7919 % 100 < 100 * rates[name]), used + 1)
        drawn.append(name)
    best = max(rates, key=rates.get)
    assert Counter(drawn[-100:])[best] > 80


def test_a_batch_adds_what_most_groups_call_for():
    """At most `per_batch` additions; edits pass once, a keep yields to a delete."""
    one, two, three = (Add(BY_NAME[n].text, n) for n in ("brief", "answer-first", "signs"))
    edits = (Keep("G1-001", "a"), Keep("G1-001", "b"), Keep("G1-002"), Delete("G1-002", "c"))
    proposals = (one, two, three, two, one, two, *edits)
    advisor = PoolAdvisor(TACTICS)
    merged = asyncio.run(advisor.consolidate(proposals, EMPTY, seed=1))
    assert merged == (two, one, Keep("G1-001", "a"), Delete("G1-002", "c"))


def test_a_batch_is_told_by_its_kinds_of_failure():
    """In proportion; without any failure there is nothing to propose."""
    assert share_out(Outcomes(right=1, cut_off=9, wrong=1), 2) == ("cut_off", "cut_off")
    assert share_out(Outcomes(cut_off=4, wrong=3), 3) == ("cut_off", "wrong", "cut_off")
    assert share_out(Outcomes(right=5), 2) == ()


@pytest.mark.parametrize("kind", ["wrong", "no_answer", "cut_off", "refused"])
def test_a_batch_without_any_contrast_gets_proposals(kind):
    """All attempts failed alike: no group teaches, and the kind of failure is known all the same."""
    diagnosis = Diagnosis(Measured(Outcomes(**{kind: 24})))
    advisor = PoolAdvisor(TACTICS)
    for seed in range(20):
        found = asyncio.run(advisor.advise_batch(diagnosis, EMPTY, seed=seed))
        assert len({item.category for item in found}) == len(found) == 2
        assert all(kind in BY_NAME[item.category].kinds for item in found)
        assert all("in the batch" in item.reason for item in found)
    assert asyncio.run(advisor.advise_batch(Diagnosis(), EMPTY, seed=1)) == ()


def test_what_is_expected_to_mend_more_is_tried_first():
    """Of the tactics against cut-off answers, the answer at once goes before the layout."""
    diagnosis = Diagnosis(Measured(Outcomes(cut_off=24)))
    advisor = PoolAdvisor(TACTICS)
    batches = (asyncio.run(advisor.advise_batch(diagnosis, EMPTY, seed=n)) for n in range(200))
    tried = Counter(item.category for found in batches for item in found)
    best = max(BY_NAME.values(), key=lambda tactic: tactic.mends * ("cut_off" in tactic.kinds))
    assert tried.most_common(1)[0][0] in {n for n, t in BY_NAME.items() if t.mends == best.mends}
    assert tried["no-headings"] < tried[best.name] / 3


def opened(**options):
    async def run():
        component = next(iter(plugin.grpo_advisors()))
        async with component.factory(Wiring("advisor", options=options)) as advisor:
            return advisor

    return asyncio.run(run())


def test_users_bring_their_own_tactics(tmp_path):
    """Beside the shipped ones, in the place of one of the same name, or alone."""
    own = tmp_path / "own.json"
    rows = [{"name": "cite", "text": "Name the law first."}, {"name": "brief", "text": "Be short!"}]
    own.write_text(json.dumps(rows))
    both = opened(tactics=str(own)).tactics
    assert len(both) == len(TACTICS) + 1
    assert {tactic.name: tactic.text for tactic in both}["brief"] == "Be short!"
    alone = opened(tactics=str(own), shipped=False).tactics
    assert [tactic.name for tactic in alone] == ["cite", "brief"]
    assert alone[0].kinds == ("wrong", "no_answer", "cut_off", "refused")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "cannot be read as JSON"),
        ("[]", "tactics at"),
        ('[{"name": "x1"}]', "the key 'text' is missing"),
        ('[{"name": "x1", "text": "Do it.", "for": ["sad"]}]', "/0/for/0"),
        ('[{"name": "x1", "text": "Do."}, {"name": "x1", "text": "Do it."}]', "two tactics"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(tmp_path, text, message):
    """One clear error, before anything runs."""
    own = tmp_path / "own.json"
    own.write_text(text)
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        read_tactics(own)
    assert str(own) in str(caught.value)


def test_no_file_and_no_tactics_are_errors():
    """A missing file, and nothing to propose from."""
    with pytest.raises(ConfigError, match="no file of tactics"):
        read_tactics(Path("nowhere.json"))
    with pytest.raises(ConfigError, match="no tactics"):
        opened(shipped=False)
