"""`turnout completion`, and completion of `kubectl turnout` in kubectl's own protocol."""

import sys

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from turnout.cli.program import COMPLETE_VAR, Command

SHELLS: dict[str, type[ShellComplete]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}

FILES, NO_FILES = ":0", ":4"
"""The last line for kubectl: whether the shell may complete file names where there are no candidates."""


@click.command(
    cls=Command,
    epilog="""
    Examples:
      source <(turnout completion bash)
      turnout completion bash > /etc/bash_completion.d/turnout
      turnout completion fish > ~/.config/fish/completions/turnout.fish
    """,
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
def command(shell: str) -> None:
    """Print a script that completes `turnout` in a shell.

    `kubectl turnout` needs none: kubectl asks kubectl_complete-turnout, which is installed beside it.
    """
    from turnout.cli import main

    # The base class's source: BashComplete's own runs bash to find out its version.
    click.echo(ShellComplete.source(SHELLS[shell](main, {}, "turnout", COMPLETE_VAR)), nl=False)


def kubectl_complete() -> None:
    """The program kubectl_complete-turnout: the words after `kubectl turnout`, the last one incomplete."""
    *words, incomplete = sys.argv[1:] or [""]
    for line in candidates(words, incomplete):
        click.echo(line)


def candidates(words: list[str], incomplete: str) -> list[str]:
    """What may follow, each with its description after a tab, and the directive for the shell."""
    from turnout.cli import main

    found = ShellComplete(main, {}, "kubectl turnout", COMPLETE_VAR).get_completions(words, incomplete)
    plain = [
        f"{item.value}\t{item.help}" if item.help else str(item.value)
        for item in found
        if item.type == "plain"
    ]
    return [*plain, FILES if any(item.type != "plain" for item in found) else NO_FILES]
