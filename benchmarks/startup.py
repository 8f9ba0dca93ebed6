"""How long ``grpo-cli --help`` takes, beside ``python -c "import click"``; must be under twice.

Both are run in turn, so that a busy machine slows both; compared are the medians. It also looks
at what ``--help`` imports: no plugin, no command, and none of the core's heavier libraries.

    python benchmarks/startup.py [--runs 15] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

LIMIT = 2.0
FORBIDDEN = ("attrs", "attr", "cattrs", "jsonschema", "rich", "pluggy", "asyncio", "grpo_")
ALLOWED = ("grpo_framework",)

_LIST_MODULES = """
import sys
from grpo_framework.cli import main
try:
    main()
except SystemExit:
    pass
print("\\n".join(sys.modules), file=sys.stderr)
"""


def grpo_cli() -> list[str]:
    """The installed script of this interpreter, or the module where there is none."""
    folder = Path(sys.executable).parent
    scripts = [folder / "grpo-cli", folder / "grpo-cli.exe"]
    found = [str(script) for script in scripts if script.exists()]
    return found[:1] or [sys.executable, "-m", "grpo_framework.cli"]


def seconds(command: list[str]) -> float:
    """Wall time of one run."""
    # From an empty folder: python -c looks for modules in the working directory first.
    with tempfile.TemporaryDirectory() as empty:
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=empty)
        return time.perf_counter() - started


def needless_imports() -> list[str]:
    """What ``--help`` imported and should not have."""
    run = subprocess.run(
        [sys.executable, "-c", _LIST_MODULES, "--help"], check=True, capture_output=True, text=True
    )
    modules = {name.partition(".")[0] for name in run.stderr.split()}
    return sorted(
        name for name in modules if name.startswith(FORBIDDEN) and name not in ALLOWED
    ) + sorted(
        name
        for name in run.stderr.split()
        if name.startswith("grpo_framework.")
        and name not in {"grpo_framework.errors", "grpo_framework.cli"}
        and name not in {"grpo_framework.cli.groups", "grpo_framework.cli.exits"}
    )


def measure(runs: int) -> dict[str, float]:
    """Median seconds of both, and their ratio."""
    click, command = [sys.executable, "-c", "import click"], [*grpo_cli(), "--help"]
    seconds(click), seconds(command)  # the first run reads from disk and writes bytecode
    pairs = [(seconds(click), seconds(command)) for _ in range(runs)]
    base, ours = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    return {"import_click": base, "grpo_cli_help": ours, "ratio": ours / base, "limit": LIMIT}


def main() -> int:
    """Print the figures; exit 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=15, help="runs of each command")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    figures = measure(given.runs)
    needless = needless_imports()
    if given.json:
        print(json.dumps({**figures, "needless_imports": needless}))
    else:
        print(f"python -c 'import click'  {figures['import_click'] * 1000:7.1f} ms")
        print(f"grpo-cli --help           {figures['grpo_cli_help'] * 1000:7.1f} ms")
        print(f"ratio                     {figures['ratio']:7.2f}  (limit {LIMIT})")
        print(f"needless imports          {', '.join(needless) or 'none'}")
    return 1 if needless or figures["ratio"] >= LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
