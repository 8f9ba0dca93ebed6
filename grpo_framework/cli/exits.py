"""Error → exit code and one line on stderr: the one place for both."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import click

from grpo_framework.errors import BudgetExhausted, GrpoError, RunFailed, remedy_of

OK = 0
TOO_MANY_FAILURES = 1
USAGE = 2
TROUBLE = 3
BUDGET = 4
INTERRUPTED = 130
BROKEN_PIPE = 141
"""What a shell reports of a program that SIGPIPE ended: the reader had enough."""

_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (KeyboardInterrupt, INTERRUPTED),
    (click.Abort, INTERRUPTED),
    (RunFailed, TOO_MANY_FAILURES),
    (BudgetExhausted, BUDGET),
    (click.UsageError, USAGE),
    (BrokenPipeError, BROKEN_PIPE),
)
"""The first class that fits decides; whatever fits none is `TROUBLE`."""


def exit_code(error: BaseException) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), TROUBLE)


def check_failures(failed: int, units: int, most: float) -> None:
    """After a result was printed: see that not too much of the work failed.

    Args:
        failed: Units that failed.
        units: Units tried.
        most: Share that may fail, `RunConfig.max_failures`.

    Raises:
        RunFailed: More than that did.
    """
    if failed > most * units:
        message = (
            f"{failed} of {units} units failed, more than the {most:.0%} that max_failures allows"
        )
        hint = "the causes stand in the result"
        raise RunFailed(message, failures=failed, units=units, hint=hint)


def describe(error: BaseException) -> str:
    """An error in one printable line: what, where, and in brackets how to mend it."""
    if isinstance(error, GrpoError):
        text = str(error)
    elif isinstance(error, click.ClickException):
        text = error.format_message()
    elif isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename is not None else ""
        remedy = remedy_of(error)
        text = f"{place}{error.strerror}" + (f" ({remedy})" if remedy else "")
    else:
        detail = f": {error}" if str(error) else ""
        text = (
            f"unexpected {type(error).__name__}{detail} "
            "(this is a fault of the program or of a plugin; GRPO_TRACEBACK=1 shows where)"
        )
    return one_line(text)


def one_line(text: str) -> str:
    """A text on one line, without control characters that a terminal would obey."""
    collapsed = " ".join(text.split())
    return "".join(
        char if char.isprintable() or "\ud800" <= char <= "\udfff" else f"\\x{ord(char):02x}"
        for char in collapsed
    )


def protect(*streams: TextIO | Any) -> None:
    """Let no character stop the output: what a stream cannot encode is written as an escape."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def run(call: Callable[[], Any]) -> int:
    """Run a command, report its error, and return its exit code.

    Args:
        call: Does the work; an integer that it returns is the exit code.
    """
    protect(sys.stdout, sys.stderr)
    try:
        result = call()
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except SystemExit as error:
        return _code_of(error)
    # The end of the line for every error of a command, foreign ones from plugins included.
    except BaseException as error:
        return _report(error)
    return result if isinstance(result, int) else OK


def _code_of(error: SystemExit) -> int:
    if error.code is None or isinstance(error.code, int):
        return error.code or OK
    click.echo(f"error: {one_line(str(error.code))}", err=True)
    return TROUBLE


def _report(raised: BaseException) -> int:
    error = _leading(raised)
    code = exit_code(error)
    if os.environ.get("GRPO_TRACEBACK") == "1":
        import traceback

        traceback.print_exception(raised)
    if code == BROKEN_PIPE:
        _silence(sys.stdout)
        return code
    try:
        if code == INTERRUPTED:
            click.echo("interrupted", err=True)
        elif isinstance(error, click.UsageError):
            error.show()
        else:
            click.echo(f"error: {describe(error)}", err=True)
    except BrokenPipeError:
        _silence(sys.stderr)
    return code


def _leading(error: BaseException) -> BaseException:
    """The error to report of a group: an interruption or a limit of the run before a failure."""
    leaves = tuple(_leaves(error))
    cancelled = [leaf for leaf in leaves if type(leaf).__name__ == "CancelledError"]
    if len(cancelled) == len(leaves):
        return KeyboardInterrupt()
    ranks = [kind for kind, _ in _CODES] + [GrpoError, OSError]

    def rank(leaf: BaseException) -> int:
        return next((place for place, kind in enumerate(ranks) if isinstance(leaf, kind)), 99)

    return min((leaf for leaf in leaves if leaf not in cancelled), key=rank)


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _silence(stream: TextIO) -> None:
    """Point a broken stream to nowhere, so that its flush at the interpreter's exit is quiet."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return
