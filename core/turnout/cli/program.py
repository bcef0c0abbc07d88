"""The click classes behind the command: subcommands imported when they are used, and how errors end.

`turnout --help` and completion of a subcommand's name import none of them.
"""

import difflib
import importlib
import io
import os
import sys
import textwrap
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from turnout.cli.exits import Exit
from turnout.cli.extra import Extra, extras, unusable

COMPLETE_VAR = "_TURNOUT_COMPLETE"
"""The environment variable in which click's shell scripts ask; the same under every program name."""

DEBUG_VAR = "TURNOUT_DEBUG"


class Lazy(NamedTuple):
    """A subcommand that is not imported yet: `package.module:attribute`, and its line in the help."""

    target: str
    summary: str

    def load(self) -> click.Command:
        module, _, attribute = self.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is no click command")
        return command


class Command(click.Command):
    """A command whose epilog is printed as it is written: it begins with "Examples:", one a line.

    The lines say `turnout`, and show the name under which the user called it.
    """

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            lines = textwrap.dedent(self.epilog).strip("\n")
            formatter.write(f"\n{lines}\n".replace("turnout ", f"{program_name()} "))


class Group(Command, click.Group):
    """A command with subcommands of its own, and such an epilog."""


class Program(click.Group):
    """The group: subcommands by section, in the order in which they are given."""

    def __init__(self, *, sections: Mapping[str, Mapping[str, Lazy]], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.sections = sections

    @property
    def lazy(self) -> dict[str, Lazy]:
        """All subcommands by name."""
        return {name: lazy for section in self.sections.values() for name, lazy in section.items()}

    @cached_property
    def others(self) -> Mapping[str, Extra]:
        """The commands of other distributions, which cost a look at everything that is installed."""
        return extras(set(self.lazy))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.lazy, *self.others]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = self.lazy.get(cmd_name) or self.others.get(cmd_name)
        return found.load() if found else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        known = name in self.lazy or name.startswith("-") or name in self.others
        if not known and not ctx.resilient_parsing:
            near = difflib.get_close_matches(name, [*self.lazy, *self.others], n=1)
            for other, why in unusable(set(self.lazy)).items():
                if other.name == name:
                    ctx.fail(f"There is no command: {why}.")
            hint = f' Did you mean "{near[0]}"?' if near else ""
            ctx.fail(f'There is no command "{name}".{hint}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, [*self.lazy, *self.others]))
        sections: dict[str, Mapping[str, Lazy | Extra]] = {**self.sections}
        if self.others:
            sections["Commands of plugins"] = self.others
        for title, commands in sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), lazy.summary) for name, lazy in commands.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\n{self.epilog}")  # a table: not to be wrapped

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        every: dict[str, Lazy | Extra] = {**self.lazy, **self.others}
        commands = [
            CompletionItem(name, help=found.summary)
            for name, found in every.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _silence(sys.stdout)
            ctx.exit(Exit.BROKEN_PIPE)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            other = self.others.get(ctx.invoked_subcommand or "")
            if other is None or os.environ.get(DEBUG_VAR):
                raise
            raise other.failed(error) from error

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command. In standalone mode it ends the process, and no traceback reaches the user."""

        def run() -> Any:
            name = prog_name or program_name()
            return super(Program, self).main(
                args, name, complete_var or COMPLETE_VAR, standalone_mode=False, **extra
            )

        if not standalone_mode:
            return run()
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # as stderr has it: a locale is no error
        try:
            result = run()
        except click.Abort:
            sys.exit(Exit.INTERRUPTED)
        except Exception as error:  # noqa: BLE001  the last place where anything can be said
            sys.exit(_report(error))
        sys.exit(result if isinstance(result, int) else Exit.OK)


def program_name() -> str:
    """How the user called it: kubectl runs its plugin `kubectl-turnout` for `kubectl turnout`."""
    name = Path(sys.argv[0]).name.removesuffix(".exe")
    return name.replace("kubectl-", "kubectl ", 1) if "turnout" in name else "turnout"


def _report(error: Exception) -> int:
    """Say on stderr what went wrong. The exit code."""
    from turnout.errors import Invalid  # not needed to print help

    if isinstance(error, click.FileError):
        error.show()
        return Exit.BAD_INPUT
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, Invalid):
        click.echo(f"Error: {error}", err=True)
        return Exit.BAD_INPUT
    if isinstance(error, OSError) and error.filename is not None:
        click.echo(f"Error: {error.filename}: {error.strerror}", err=True)
        return Exit.BAD_INPUT
    if os.environ.get(DEBUG_VAR):
        import traceback

        traceback.print_exception(error)
    else:
        from turnout.calling import describe

        hint = f"Please report it with the output of {DEBUG_VAR}=1 {program_name()} …"
        click.echo(f"Error: an error in turnout: {describe(error)}. {hint}{_tracker()}", err=True)
    return Exit.BUG


def _tracker() -> str:
    """Where to report, as the installed package says."""
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        urls = metadata("turnout").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = dict(url.split(", ", 1) for url in urls if ", " in url)
    return f" to {named['Issues']}" if "Issues" in named else ""


def _silence(stream: Any) -> None:
    """Let what is still buffered go nowhere, or Python would complain about it at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return  # not a file
