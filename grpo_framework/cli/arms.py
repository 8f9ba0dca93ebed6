"""The arms of `grpo-cli ab`: from what the user writes to the libraries that go into prompts.

``empty``, ``store``, a directory, or a file (an owner's, or an export); after it may stand
``@VERSION`` (``experiences@12``, ``experiences@generator_1=3,critic=2``; of stores) and then
``-ID,ID…``, experiences to leave out (``experiences-G1-003,C-002``). A text that is the name of an
existing file or directory as a whole means just that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, field, frozen

from grpo_framework.cli.experience_files import read_path
from grpo_framework.config import RunConfig
from grpo_framework.errors import ConfigError
from grpo_framework.experience import SHARED, Library
from grpo_framework.manager import ExperienceManager
from grpo_framework.plugins import Plugins
from grpo_framework.protocols import ExperienceStore
from grpo_framework.provenance import Trained, recorded_for, sources_of
from grpo_framework.records import Owner, Problem
from grpo_framework.workshop import open_store

EMPTY = "empty"
STORE = "store"
_ID = r"(?:G[1-9][0-9]*|C|S)-[0-9]+"
_LEFT_OUT = re.compile(rf"(?P<base>.+?)-(?P<ids>{_ID}(?:,{_ID})*)")
_OWNER = r"(?:generator_[1-9][0-9]*|critic|shared)"
_VERSION = re.compile(rf"(?P<base>.+?)@(?P<version>[0-9]+|{_OWNER}=[0-9]+(?:,{_OWNER}=[0-9]+)*)")
_FORMS = "empty, store, a directory or a file of experiences; then @VERSION; then -ID,ID"


@frozen
class ArmSpec:
    """What an arm was said to be.

    Attributes:
        text: As it was given.
        base: ``empty``, ``store``, or a path.
        version: Of every owner; None is the newest.
        versions: Of single owners.
        left_out: Ids of experiences that are not to be used.
    """

    text: str
    base: str
    version: int | None = None
    versions: Mapping[Owner, int] = field(factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def in_store(self) -> bool:
        """Whether a store holds it: the configured one, or one in a directory."""
        return self.base == STORE or (self.base != EMPTY and Path(self.base).is_dir())


@frozen
class LoadedArm:
    """An arm's libraries, and the problems they come from.

    Attributes:
        spec: As it was said.
        libraries: By owner.
        trained: What it was trained on, and the validation problems that chose its edits.
        learned: What it was trained on alone.
    """

    spec: ArmSpec
    libraries: Mapping[Owner, Library]
    trained: Trained
    learned: Trained


def parse_arm(text: str) -> ArmSpec:
    """Read an arm.

    Raises:
        ConfigError: It is none.
    """
    if not text.strip():
        raise ConfigError(f"an arm is {_FORMS}")
    if Path(text).exists():
        return ArmSpec(text, text)
    base, left_out = text, ()
    match = _LEFT_OUT.fullmatch(base)
    if match:
        base, left_out = match["base"], tuple(match["ids"].split(","))
    version: int | None = None
    versions: dict[Owner, int] = {}
    match = None if Path(base).exists() else _VERSION.fullmatch(base)
    if match:
        base = match["base"]
        if match["version"].isdecimal():
            version = int(match["version"])
        else:
            pairs = (item.split("=") for item in match["version"].split(","))
            versions = {owner: int(number) for owner, number in pairs}
    spec = ArmSpec(text, base, version, versions, left_out)
    if base not in (EMPTY, STORE) and not Path(base).exists():
        message = f"'{text}': no such directory or file of experiences"
        raise ConfigError(message, hint=f"an arm is {_FORMS}")
    if match and not spec.in_store:
        message = f"'{text}': only a store has versions"
        raise ConfigError(message, hint=f"an arm is {_FORMS}")
    return spec


async def load_arm(spec: ArmSpec, config: RunConfig, plugins: Plugins) -> LoadedArm:
    """Read an arm's libraries; nothing is written.

    Raises:
        ConfigError: There is nothing such, or an experience to leave out is not in it.
        StoreError: The store is damaged, or has no such version.
    """
    place: Path | None
    if spec.in_store:
        place = Path(config.experience_dir if spec.base == STORE else spec.base)
        held = await _load(spec, evolve(config, experience_dir=str(place)), plugins)
    else:
        place = None if spec.base == EMPTY else Path(spec.base).parent
        held = {} if place is None else {each.owner: each for each in read_path(Path(spec.base))}
    libraries = {owner: held[owner] for owner in (*config.owners, SHARED) if owner in held}
    _check_held(spec, place if spec.in_store else None, held, libraries)
    named = sources_of(libraries.values())
    trained, learned = (
        Trained() if place is None else recorded_for(place, _roots(config), choosing=choosing)
        for choosing in (True, False)
    )
    return LoadedArm(spec, _leave_out(spec, libraries), trained | named, learned | named)


def find_trained(
    problems: Sequence[Problem], trained: Trained, *, allowed: bool
) -> tuple[str, ...]:
    """The ids of problems that experiences were learned from.

    Raises:
        ConfigError: There are some, and they were not allowed.
    """
    known = tuple(problem.id for problem in problems if trained.knows(problem))
    if known and not allowed:
        some = ", ".join(known[:5]) + (" …" if len(known) > 5 else "")
        message = f"{len(known)} of {len(problems)} problems were trained on: {some}"
        hint = (
            "name held-out ones (--split, --datasets); an id that another problem had in "
            "training counts too; --allow-training-problems measures all the same"
        )
        raise ConfigError(message, pointer="/datasets", hint=hint)
    return known


def _roots(config: RunConfig) -> tuple[Path, ...]:
    own = () if config.run_dir is None else (Path(config.run_dir).parent,)
    return (Path("runs"), *own)


async def _load(spec: ArmSpec, config: RunConfig, plugins: Plugins) -> dict[Owner, Library]:
    owners = (*config.owners, SHARED)
    unknown = sorted(set(spec.versions) - set(owners))
    if unknown:
        message = f"'{spec.text}': no owner {', '.join(unknown)}"
        raise ConfigError(message, hint=f"owners are {', '.join(owners)}")
    async with open_store(config, plugins) as store:
        if spec.version is not None:
            newest = max([(await store.load(owner)).version for owner in owners])
            if spec.version > newest:
                message = f"'{spec.text}': no owner has a version {spec.version}"
                raise ConfigError(message, hint=f"the newest version of any owner is {newest}")
            return {owner: await _at(store, owner, spec.version) for owner in owners}
        manager = ExperienceManager(store=store, plugins=plugins)
        return await manager.load(config.owners, versions=spec.versions)


async def _at(store: ExperienceStore, owner: Owner, version: int) -> Library:
    """An owner at a version; one that has not come so far is at its newest."""
    newest = await store.load(owner)
    return newest if newest.version <= version else await store.load(owner, version=version)


def _check_held(
    spec: ArmSpec,
    place: Path | None,
    held: Mapping[Owner, Library],
    libraries: Mapping[Owner, Library],
) -> None:
    """An arm that was to hold experiences and holds none is a slip of the pen."""
    if spec.base == EMPTY or spec.version == 0 or any(map(len, libraries.values())):
        return
    pointer = ""
    where = f"'{spec.text}'"
    hint = "the arm without experiences is called empty"
    if spec.base == STORE:
        pointer = "/experience_dir"
        missing = "" if place is None or place.exists() else ", which does not exist"
        where += f" ({place}{missing})"
        hint = f"train first, or name the right --experience-dir; {hint}"
    others = [owner for owner, library in held.items() if len(library)]
    of = f"; it holds some of {', '.join(others)}" if others else ""
    message = f"{where} holds no experiences of this configuration's owners{of}"
    raise ConfigError(message, pointer=pointer, hint=hint)


def _leave_out(spec: ArmSpec, libraries: Mapping[Owner, Library]) -> dict[Owner, Library]:
    known = {id_ for library in libraries.values() for id_ in library.ids}
    missing = [id_ for id_ in spec.left_out if id_ not in known]
    if missing:
        message = f"'{spec.text}': no experience {', '.join(missing)} in {spec.base}"
        raise ConfigError(message, hint="grpo-cli experiences list shows all ids")
    return {
        owner: evolve(
            library,
            experiences=tuple(e for e in library.experiences if e.id not in spec.left_out),
        )
        for owner, library in libraries.items()
    }
