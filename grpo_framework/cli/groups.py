"""Click groups that know their commands before they load them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any, cast

import click

from grpo_framework.cli.exits import run


class SuggestingGroup(click.Group):
    """A group whose answer to an unknown command names the nearest ones."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first argument names.

        Raises:
            click.UsageError: There is none; with the nearest names.
        """
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            import difflib  # on the error path only: it is not free

            near = difflib.get_close_matches(name, known) or known
            ctx.fail(f"No such command '{name}'. Did you mean one of: {', '.join(near)}?")
        return super().resolve_command(ctx, args)


class LazyGroup(SuggestingGroup):
    """A group whose commands are modules, imported when they are called.

    Args:
        rows: Command → its line of help; the command's module has its name.
        package: Where the modules are; each holds its click command as `command`.
    """

    def __init__(self, name: str, *, rows: Mapping[str, str], package: str, **rest: Any) -> None:
        super().__init__(name, **rest)
        self._rows = rows
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names in the order of the table, which is that of the work."""
        return list(self._rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in self._rows:
            return None
        module = importlib.import_module(f"{self._package}.{cmd_name}")
        return cast("click.Command", module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table into the help, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._rows.items()))


class CommandLine(LazyGroup):
    """The whole program: every way out of it goes through `grpo_framework.cli.exits`."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit with the code of what happened; other modes are click's own."""
        if not standalone_mode:
            rest = {"windows_expand_args": windows_expand_args, **extra}
            return super().main(args, prog_name, complete_var, standalone_mode=False, **rest)
        name = prog_name or self.name or ""
        self._main_shell_completion(extra, name, complete_var)

        def call() -> Any:
            given = sys.argv[1:] if args is None else list(args)
            with self.make_context(name, given, **extra) as ctx:
                return self.invoke(ctx)

        sys.exit(run(call))
