"""Whether a real model gets better: train, then `grpo-cli ab` on held-out problems, replicated.

    python -m benchmarks.learning [--model FILE.gguf | openai/NAME --base-url URL] [--datasets FILE]

The student is a plain prompt without worked examples ("think step by step"), one generator, under a
tight token limit, as users have it whose answers must be short or cheap. Nothing is tuned to the
model: training and test are `grpo-cli train` and `grpo-cli ab` with their defaults, each replicate
with a seed of its own. Problems without splits are dealt out by a hash, once; the file with the
splits, the configuration, each replicate's run and the results stay in ``--folder``; named again,
a folder is gone on with, and no answer is made twice. Verdicts are printed as they are; the exit
status is 1 only where a command failed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from attrs import frozen

from benchmarks.dealing import Sizes, deal, read_problems, write_problems
from grpo_framework.errors import GrpoError

BUDGET_EXHAUSTED = 4
"""Exit code of a command that came to its time limit: what it has until then counts."""


@frozen
class Replicate:
    """One training and its test.

    Attributes:
        seed: Of both.
        report: The run's, as JSON.
        test: What ``grpo-cli ab --json`` said; None where there was nothing to test.
        learned: The experiences at the end, by owner.
        minutes: Of training, and of the test, in this call of the benchmark.
    """

    seed: int
    report: Mapping[str, Any]
    test: Mapping[str, Any] | None
    learned: Mapping[str, list[str]]
    minutes: tuple[float, float]

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``undecided``; ``nothing learned`` where no experience stayed."""
        return "nothing learned" if self.test is None else str(self.test["verdict"])


def to_toml(value: Any) -> str:
    """A plain value as TOML; objects become inline tables."""
    if isinstance(value, Mapping):
        rows = (f"{json.dumps(key)} = {to_toml(item)}" for key, item in value.items())
        return f"{{{', '.join(rows)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(to_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def make_config(given: argparse.Namespace, problems: Path) -> str:
    """The configuration of all replicates."""
    model = given.model
    options = json.loads(given.model_options)
    if model.endswith(".gguf") and Path(model).is_file():
        model = f"llamacpp/{Path(model).resolve()}"
    if given.base_url:
        options["base_url"] = given.base_url
    answering: dict[str, Any] = {"examples": given.examples}
    if given.answer_tokens:
        answering["max_tokens"] = given.answer_tokens
    keys = {
        "datasets": [str(problems)],
        "model": {"use": model, "options": options},
        "generators": [{"use": use, "options": answering} for use in given.generator],
        "critic": {"use": "prompted/fuse", "options": answering},
        "comparator": given.comparator,
        "advisor": given.advisor,
        "epochs": given.epochs,
        "batch_size": given.batch_size,
    }
    return "".join(f"{key} = {to_toml(value)}\n" for key, value in keys.items())


def run(arguments: Sequence[str], log: Path) -> tuple[str, float]:
    """One command of ``grpo-cli``; a time limit that was reached is no failure.

    Returns:
        What it printed, and its minutes.

    Raises:
        SystemExit: It failed, with the end of what it said.
    """
    started = time.monotonic()
    with log.open("w", encoding="utf-8") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "grpo_framework.cli", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
        )
    if done.returncode not in (0, BUDGET_EXHAUSTED):
        said = log.read_text(encoding="utf-8").strip()[-600:]
        message = f"grpo-cli {arguments[0]} ended with {done.returncode} (all of it in {log}): "
        raise SystemExit(message + said)
    return done.stdout, (time.monotonic() - started) / 60


def learn(given: argparse.Namespace, config: Path, folder: Path, seed: int) -> Replicate:
    """Train once and test what came of it; what the folder holds already is gone on with."""
    folder.mkdir(parents=True, exist_ok=True)
    store, record = folder / "experiences", folder / "run"
    common = [str(config), "--seed", str(seed), "--experience-dir", str(store)]
    limits = ["--max-time", str(60 * given.train_minutes), "--run-dir", str(record)]
    _, training = run(["train", *common, *limits, *given.train_flags], folder / "train.log")
    report = json.loads((record / "report.json").read_text(encoding="utf-8"))
    learned = read_experiences(store)
    if not learned:
        return Replicate(seed, report, None, learned, (training, 0.0))
    result = folder / "ab.json"
    if result.exists():
        test = json.loads(result.read_text(encoding="utf-8"))
        return Replicate(seed, report, test, learned, (training, 0.0))
    flags = ["--repeats", str(given.repeats), "--max-time", str(60 * given.test_minutes)]
    said, testing = run(["ab", *common, *flags, "--no-critic", "--json"], folder / "ab.log")
    result.write_text(said, encoding="utf-8")
    return Replicate(seed, report, json.loads(said), learned, (training, testing))


def read_experiences(store: Path) -> dict[str, list[str]]:
    """Owner → texts, of those that have any."""
    found = {}
    for path in sorted(store.glob("*_experiences.json")):
        rows = json.loads(path.read_text(encoding="utf-8"))
        if rows:
            found[path.name.removesuffix("_experiences.json")] = [row["content"] for row in rows]
    return found


def describe(replicate: Replicate) -> list[str]:
    """A replicate in a few lines."""
    seed, (training, testing) = replicate.seed, replicate.minutes
    lines = [f"seed {seed}: {replicate.verdict}"]
    test = replicate.test
    if test is not None:
        low, high = test["difference"]["ci95"] or (float("nan"),) * 2
        first, second = (test["arms"][name]["mean"]["value"] for name in ("a", "b"))
        lines[0] += (
            f"  reward {first:.3f} -> {second:.3f}, {test['difference']['mean']:+.3f}"
            f" [{low:+.3f}, {high:+.3f}], p {test['difference']['p_value']:.2g}, problems"
            f" +{test['problems']['fixed']} -{test['problems']['broken']}"
        )
        if test["stopped"]:
            lines.append(f"  the test ended early: {test['stopped']}")
    lines.append(f"  minutes: training {training:.1f}, test {testing:.1f}")
    lines += [f"  {owner}: {text}" for owner, rows in replicate.learned.items() for text in rows]
    return lines


def summarise(replicates: Sequence[Replicate]) -> dict[str, Any]:
    """All replicates together."""
    gains = [0.0 if one.test is None else one.test["difference"]["mean"] for one in replicates]
    return {
        "verdicts": dict(Counter(one.verdict for one in replicates)),
        "difference": {"mean": fmean(gains), "least": min(gains), "most": max(gains)},
        "minutes": sum(sum(one.minutes) for one in replicates),
    }


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    add = parser.add_argument
    add("--model", default="llamacpp/smollm2-135m", help="a GGUF file, or a reference")
    add("--base-url", help="of an OpenAI-compatible endpoint, with --model openai/NAME")
    add("--model-options", default="{}", metavar="JSON", help="further options of the model")
    add("--datasets", action="append", metavar="FILE", help="problem file or source; demo")
    add("--comparator", default="math/equivalence")
    add("--generator", action="append", help="the student; prompted/step-by-step; repeatable")
    add("--examples", action="store_true", help="show the student worked examples")
    add("--advisor", action="append", help="prompted/advisor and pool/advisor; repeatable")
    add("--answer-tokens", type=int, default=80, help="limit of an answer; 0 for the model's own")
    add("--replicates", type=int, default=3)
    add("--epochs", type=int, default=2)
    add("--batch-size", type=int, default=8)
    add("--max-problems", type=int, default=16, help="most problems trained on")
    add("--validation-problems", type=int, default=20, help="most problems of the gate")
    add("--test-problems", type=int, default=50, help="most problems of the test")
    add("--repeats", type=int, default=2, help="attempts at a test problem, in each arm")
    add("--train-minutes", type=float, default=45.0, help="limit of one training")
    add("--test-minutes", type=float, default=15.0, help="limit of one test")
    add("--seed", type=int, default=0, help="of the first replicate; the next ones count on")
    add("--folder", type=Path, help="where all is kept and gone on with; a temporary folder")
    add("--json", type=Path, metavar="FILE", help="write all results to this file, too")
    add("train_flags", nargs="*", help="after --: further flags of grpo-cli train")
    given = parser.parse_args(arguments)
    given.datasets = given.datasets or ["problems/demo"]
    given.generator = given.generator or ["prompted/step-by-step"]
    given.advisor = given.advisor or ["prompted/advisor", "pool/advisor"]
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and test all replicates, and print what was seen."""
    given = read_arguments(arguments)
    folder = (given.folder or Path(tempfile.mkdtemp(prefix="learning-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    sizes = Sizes(given.max_problems, given.validation_problems, given.test_problems)
    try:
        found = asyncio.run(read_problems(given.datasets))
    except GrpoError as error:
        raise SystemExit(f"error: {error}") from None
    problems = deal(found, sizes, given.seed)
    counts = Counter(problem.split for problem in problems)
    write_problems(folder / "problems.jsonl", problems)
    config = folder / "config.toml"
    config.write_text(make_config(given, folder / "problems.jsonl"), encoding="utf-8")
    print(f"{given.model}: {dict(counts)} problems, in {folder}", flush=True)
    replicates = []
    for seed in range(given.seed, given.seed + given.replicates):
        replicates.append(learn(given, config, folder / f"seed-{seed}", seed))
        print("\n".join(describe(replicates[-1])), flush=True)
    summary = summarise(replicates)
    print(
        f"verdicts {summary['verdicts']}, difference {summary['difference']['mean']:+.3f}", end=""
    )
    print(f", {summary['minutes']:.0f} minutes in all")
    if given.json is not None:
        rows = [
            {
                "seed": one.seed,
                "verdict": one.verdict,
                "minutes": list(one.minutes),
                "experiences": dict(one.learned),
                "ab": one.test,
                "report": one.report,
            }
            for one in replicates
        ]
        document = {"model": given.model, "problems": counts, **summary, "replicates": rows}
        given.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
