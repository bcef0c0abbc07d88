"""`turnout plugins`: what is installed, as a table for people or as data. `new` is in a module of its own."""

import json
import shutil
import textwrap
from pathlib import Path
from typing import Any

import click

from turnout.cli import options
from turnout.cli.exits import Exit
from turnout.cli.extra import extras, unusable
from turnout.cli.plugins_new import command as new
from turnout.cli.program import Group, Program

_ADMINISTRATORS = "settings: plugins"
AXES = {
    "environments": "spec.targetEnv",
    "strategies": "spec.trafficStrategy",
    "routers": "spec.router",
    "probes": _ADMINISTRATORS,
    "admissionChecks": _ADMINISTRATORS,
    "gates": _ADMINISTRATORS,
    "notifiers": _ADMINISTRATORS,
}
TITLES = {"admissionChecks": "Admission checks"}
LISTS = ("watches", "uses", "writes", "carries")


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog="""
    Examples:
      turnout plugins
      turnout plugins -o json | jq '.routers[].name'
      turnout plugins --settings settings.yaml --strict
      turnout plugins new shadow --kind strategy
    """,
)
@click.option(
    "-o", "--output", type=click.Choice(["text", "json", "yaml"]), default="text", help="text, json or yaml."
)
@options.settings("The controller's settings, which may keep plugins out.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 as well where something is installed that the settings keep out.",
)
@click.pass_context
def command(ctx: click.Context, output: str, settings_file: Path | None, strict: bool) -> None:
    """List the plugins that are installed, with their options.

    What could not be loaded is listed with the reason, and what in the settings fits no plugin; either
    makes the exit code 1.
    """
    if ctx.invoked_subcommand:
        if output != "text" or settings_file or strict:
            ctx.fail(f"--output, --settings and --strict are for the list, not for {ctx.invoked_subcommand}")
        return
    if strict and not settings_file:
        ctx.fail("--strict holds what is installed against --settings")

    from turnout.catalogue import catalogue
    from turnout.loading import load_for
    from turnout.settings import Settings

    settings = Settings.read(settings_file) if settings_file else Settings()
    registry = load_for(settings)
    found = {**catalogue(registry, settings.problems(registry)), "commands": _commands(ctx)}
    found["failures"] += _unusable(ctx)
    others = {one["distribution"] for one in found["commands"]}
    found["skipped"] = sorted({*found["skipped"], *filter(settings.distributions.keep_out, others)})
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    elif output == "yaml":
        import yaml

        click.echo(yaml.safe_dump(found, sort_keys=False), nl=False)
    else:
        click.echo(_text(found))
    kept_out = strict and (found["skipped"] or found["keptOut"])
    if found["failures"] or found["problems"] or kept_out:
        ctx.exit(Exit.NOT_WELL)


command.add_command(new)


def _commands(ctx: click.Context) -> list[dict[str, str]]:
    """Those of other distributions, none of them imported."""
    return [
        {"name": one.name, "distribution": one.distribution} for one in extras(_own_commands(ctx)).values()
    ]


def _unusable(ctx: click.Context) -> list[dict[str, str | None]]:
    return [
        {"distribution": one.distribution, "entryPoint": one.name, "plugin": None, "message": why}
        for one, why in unusable(_own_commands(ctx)).items()
    ]


def _own_commands(ctx: click.Context) -> set[str]:
    program = ctx.find_root().command
    return set(program.lazy) if isinstance(program, Program) else set()


def _text(found: dict[str, Any]) -> str:
    blocks: list[list[str]] = []
    for axis, field in AXES.items():
        if found[axis] or field != _ADMINISTRATORS:
            blocks.append([f"{TITLES.get(axis, axis.capitalize())} ({field}):"])
            blocks += [_block(plugin) for plugin in found[axis]] or [["  none"]]
    if found["commands"]:
        names = [f"  {one['name']} ({one['distribution']})" for one in found["commands"]]
        blocks.append(["Commands (turnout NAME):", *names])
    if found["failures"]:
        blocks.append(["Could not be loaded:"])
        for failure in found["failures"]:
            blocks.append(
                [f"  {failure['distribution']} ({failure['entryPoint']})", _row("", failure["message"])]
            )
    if found["skipped"] or found["keptOut"]:
        names = [f"  {distribution}: distributions" for distribution in found["skipped"]]
        names += [f"{_title(plugin)}: {plugin['by']}" for plugin in found["keptOut"]]
        blocks.append(["Not allowed by the settings:", *names])
    if found["problems"]:
        told = (_row("", f"{one['path']}: {one['message']}") for one in found["problems"])
        blocks.append(["Wrong in the settings:", *told])
    return "\n\n".join("\n".join(lines) for lines in blocks)


def _block(plugin: dict[str, Any]) -> list[str]:
    said = {key: ", ".join(plugin[key]) for key in LISTS if plugin.get(key)}
    said |= {"asks about": plugin["router"]} if "router" in plugin else {}
    told = {f"{option['name']}:": _option(option) for option in plugin["options"]}
    width = max(map(len, (*said, *told)), default=0) + 2
    rows = [_row(key.ljust(width), text) for key, text in {**said, **told}.items()]
    return [_title(plugin), *([_row("", plugin["summary"])] if plugin["summary"] else []), *rows]


def _title(plugin: dict[str, Any]) -> str:
    return f"  {plugin['name']} ({plugin['distribution']} {plugin['version']})"


def _row(key: str, text: str) -> str:
    """A row of a table, its text wrapped where there is a space and nowhere else."""
    return textwrap.fill(
        text,
        width=max(60, min(120, shutil.get_terminal_size().columns)),
        initial_indent=f"    {key}",
        subsequent_indent=" " * (4 + len(key)),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _option(option: dict[str, Any]) -> str:
    default = "required" if option["required"] else f"default {json.dumps(option['default'])}"
    return f"{option['type']}, {default}. {option['description'] or ''}".strip()
