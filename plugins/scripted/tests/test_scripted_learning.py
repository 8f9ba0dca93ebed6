"""The simulated student learns: by itself, and behind the prompts of grpo-prompted."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from attrs import evolve
from grpo_scripted import FUSION_TACTICS, HARMFUL_TACTICS, SKILLS, USELESS_TACTICS, plugin
from grpo_scripted.problems import ArithmeticProblems
from grpo_scripted.tactics import find_tactics

from grpo_framework.component import Wiring
from grpo_framework.experience import Add, Keep, Library, Merge, Modify, apply, plan
from grpo_framework.records import Contrast, Sample

PROBLEMS = asyncio.run(ArithmeticProblems(count=80).problems())
KEY = {problem.question.text: problem.answer for problem in PROBLEMS}
SEEDS = range(4)


def run(component, use, *, owner="generator_1", chat_model=None, **options):
    async def drive():
        wiring = Wiring(
            name=component.name,
            owner=owner,
            options=options,
            answer_key=KEY if component.simulation else {},
            chat_model=chat_model,
        )
        async with asyncio.timeout(300), component.factory(wiring) as product:
            return await use(product)

    return asyncio.run(drive())


def library_of(tactics, owner="generator_1"):
    proposals = [Add(tactic.sentence) for tactic in tactics]
    empty = Library(owner)
    return apply(empty, plan(empty, proposals), now="")


def right_rate(library, **options):
    async def use(generator):
        rewards = [
            (await generator.attempt(problem.question, library, seed=seed)).answer == problem.answer
            for problem in PROBLEMS
            for seed in SEEDS
        ]
        return sum(rewards) / len(rewards)

    return run(next(iter(plugin.grpo_generators())), use, **options)


def test_lessons_move_the_reward():
    """Skills raise it from near p0 to near p1, useless ones change nothing, harmful ones lower it."""
    before = right_rate(Library("generator_1"))
    assert before == pytest.approx(0.35, abs=0.1)
    assert right_rate(library_of(SKILLS)) == pytest.approx(0.9, abs=0.06)
    assert right_rate(library_of(USELESS_TACTICS[:5])) == before
    assert right_rate(library_of(HARMFUL_TACTICS[:1])) < before - 0.1
    assert before < right_rate(library_of(SKILLS[:2])) < right_rate(library_of(SKILLS[:5]))


def test_redraw_changes_the_dice_not_the_chance():
    """With `redraw` a useless lesson changes single attempts, while the rate stays."""
    plain = right_rate(Library("generator_1"), redraw=True)
    with_useless = right_rate(library_of(USELESS_TACTICS[:1]), redraw=True)
    assert plain != with_useless
    assert plain == pytest.approx(with_useless, abs=0.12)


def test_options_set_the_chance():
    """p0, p1 and fewer skills do what they say."""
    assert right_rate(Library("generator_1"), p0=0.0) == 0.0
    assert right_rate(Library("generator_1"), p0=1.0) == 1.0
    assert right_rate(library_of(SKILLS[:1]), skills=1, p1=1.0) == 1.0


def contrast_of(problem, attempts, owner, seed=0):
    rewards = [float(attempt.text.count(f"{{{problem.answer}}}") > 0) for attempt in attempts]
    mean = sum(rewards) / len(rewards)
    if len(set(rewards)) < 2:
        return None
    samples = [
        Sample(attempt, reward, 2 * (reward - mean), "", attempt.answer)
        for attempt, reward in zip(attempts, rewards, strict=True)
    ]
    samples.sort(key=lambda sample: -sample.reward)
    return Contrast(owner, problem.question, tuple(samples), seed=seed)


async def train(generator, critic, advisor, *, batches, size=20):
    """A small training loop: what the trainer does, without its records."""
    own, critics = Library("generator_1"), Library("critic")
    for batch in range(batches):
        found, fused = [], []
        for problem in PROBLEMS[batch * size : (batch + 1) * size]:
            groups = []
            for group in range(3):
                seeds = [100 * group + index for index in range(4)]
                attempts = [
                    await generator.attempt(problem.question, own, seed=seed) for seed in seeds
                ]
                found.append(contrast_of(problem, attempts, "generator_1", group))
                groups.append(
                    await critic.fuse(problem.question, tuple(attempts), critics, seed=group)
                )
            fused.append(contrast_of(problem, groups, "critic"))
        own = await learn(advisor, own, found)
        critics = await learn(advisor, critics, fused)
    return own, critics


async def learn(advisor, library, contrasts):
    proposals = []
    for contrast in filter(None, contrasts):
        proposals += await advisor.advise((contrast,), library)
    operations = await advisor.consolidate(tuple(proposals), library, seed=1)
    return apply(library, plan(library, operations), now="")


def test_libraries_grow_to_the_useful_tactics():
    """Trained by its own advisor, the generator's library holds skills only, the critic's fusions."""

    async def main():
        async with AsyncExitStack() as stack:
            wiring = Wiring(name="default", answer_key=KEY)
            opened = [
                await stack.enter_async_context(next(iter(hook())).factory(wiring))
                for hook in (plugin.grpo_generators, plugin.grpo_critics, plugin.grpo_advisors)
            ]
            return await train(*opened, batches=3)

    own, critics = asyncio.run(main())
    taught = {t.name for each in own.experiences for t in find_tactics(each.content)}
    assert taught == {tactic.name for tactic in SKILLS}
    fusions = {t.name for each in critics.experiences for t in find_tactics(each.content)}
    assert fusions
    assert fusions <= {tactic.name for tactic in FUSION_TACTICS}
    assert right_rate(own) > right_rate(Library("generator_1")) + 0.3


def test_advisor_adds_the_noise_asked_for():
    """Each batch gets as many useless and harmful additions, other ones each time."""
    component = next(iter(plugin.grpo_advisors()))

    async def use(advisor):
        library = Library("generator_1")
        for seed in range(5):
            operations = await advisor.consolidate((), library, seed=seed)
            assert len(operations) == 4
            library = apply(library, plan(library, operations), now="")
        return library

    library = run(component, use, useless=3, harmful=1)
    contents = [each.content for each in library.experiences]
    assert len(contents) == 20
    assert sum(bool(find_tactics(text, HARMFUL_TACTICS)) for text in contents) == 5


def test_consolidation_merges_doubles_and_repeats():
    """Two experiences of one tactic are merged; repeated additions are one."""
    component = next(iter(plugin.grpo_advisors()))
    sentence = SKILLS[0].sentence
    library = library_of(SKILLS[:2])
    twin = evolve(library.experiences[0], id="G1-009", content=f"Remember this. {sentence} Please.")
    library = evolve(library, experiences=(*library.experiences, twin), next_number=10)
    proposals = (Add(SKILLS[4].sentence), Add(SKILLS[4].sentence), Keep("G1-001"), Keep("G1-002"))
    operations = run(component, lambda advisor: advisor.consolidate(proposals, library, seed=0))
    kinds = [type(operation) for operation in operations]
    assert kinds == [Merge, Add, Keep]
    assert not plan(library, operations).refused


def test_known_tactics_are_kept_or_sharpened():
    """A tactic that won and is in the library already is kept, now and then modified."""
    component = next(iter(plugin.grpo_advisors()))
    library = library_of(SKILLS)
    generator = next(iter(plugin.grpo_generators()))

    async def attempts(product):
        return [
            [await product.attempt(problem.question, library, seed=seed) for seed in range(12)]
            for problem in PROBLEMS
        ]

    groups = run(generator, attempts)
    contrasts = [
        contrast_of(problem, group, "generator_1")
        for problem, group in zip(PROBLEMS, groups, strict=True)
    ]

    async def advise(advisor):
        given = tuple(contrast for contrast in contrasts if contrast)
        return await advisor.advise(given, library)

    kinds = {type(operation) for operation in run(component, advise)}
    assert kinds == {Keep, Modify}


@pytest.mark.parametrize("mode", ["direct", "staged"])
@pytest.mark.parametrize("style", ["direct", "step-by-step", "solve-and-check"])
def test_learns_behind_prompts(mode, style):
    """As a chat model it learns the same through every style and both advisor modes of prompted."""
    prompted = pytest.importorskip("grpo_prompted.plugin")

    def component(hook, name):
        return next(each for each in hook() if each.name == name)

    async def main():
        async with asyncio.timeout(300), AsyncExitStack() as stack:
            chat = next(iter(plugin.grpo_chat_models()))
            model = await stack.enter_async_context(
                chat.factory(Wiring(name="default", answer_key=KEY))
            )

            async def opened(declared, owner, **options):
                wiring = Wiring(name=declared.name, owner=owner, options=options, chat_model=model)
                return await stack.enter_async_context(declared.factory(wiring))

            return await train(
                await opened(component(prompted.grpo_generators, style), "generator_1"),
                await opened(component(prompted.grpo_critics, "fuse"), "critic"),
                await opened(component(prompted.grpo_advisors, "advisor"), "critic", mode=mode),
                batches=2,
                size=12,
            )

    own, critics = asyncio.run(main())
    taught = {t.name for each in own.experiences for t in find_tactics(each.content)}
    assert len(taught & {tactic.name for tactic in SKILLS}) >= 5
    assert taught <= {tactic.name for tactic in SKILLS}
    fusions = {t.name for each in critics.experiences for t in find_tactics(each.content)}
    assert fusions
    assert fusions <= {tactic.name for tactic in FUSION_TACTICS}
