"""`grpo-cli`: one file per command, loaded when it is called; ``--help`` loads none of them.

To add a command, write a module with a click command called `command` and give it a row in
`COMMANDS`. The row's text is what ``grpo-cli --help`` shows; a test holds it against the command.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping

import click

from grpo_framework.cli.groups import CommandLine

COMMANDS: Mapping[str, str] = {
    "train": "Learn experiences from problems with known answers.",
    "runs": "List and show runs; go on with one that was stopped or killed.",
    "evaluate": "Measure mean@k, pass@k and majority@k, with experiences or without.",
    "ab": "Prove a gain: compare two sets of experiences on the same problems, pair by pair.",
    "compare": "Judge answers against reference answers.",
    "experiences": "List, show, measure, validate, export, import and revert experiences.",
    "plugins": "List the installed plugins and what they offer.",
    "doctor": "Check the installation, the model, the store and the data.",
    "init": "Write a commented configuration file that runs as it is.",
}
"""Name of the command, which is also its module's, and its line in ``grpo-cli --help``."""

COLLECT_AFTER = (10_000, 10, 10)
"""For `gc.set_threshold`: by its defaults a sixth of a long run was a search for cycles."""

cli = CommandLine(
    "grpo-cli",
    rows=COMMANDS,
    package="grpo_framework.cli",
    help="Training-Free GRPO: make a frozen model better by learning experiences in text.",
    epilog="Exit codes: 0 ok, 1 too many failures, 2 usage, 3 configuration, plugin or data, "
    "4 budget exhausted, 130 interrupted. GRPO_TRACEBACK=1 shows where an error came from.",
)
click.version_option(package_name="grpo-framework", prog_name="grpo-cli")(cli)


def main() -> None:
    """Run the command line and exit with its code."""
    gc.set_threshold(*COLLECT_AFTER)
    try:
        cli.main(args=sys.argv[1:], prog_name="grpo-cli")
    finally:
        # The process ends: to look for cycles among all that is loaded would take 0.15 s.
        gc.freeze()
