"""What the demo prints: bars for shares, and how the routes have changed."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

import click

from turnout import yaml_output

WIDTH = 30


def bars(policy: Mapping[str, Any] | None) -> Iterator[str]:
    """A bar for each version of a policy, from its status."""
    for version in (policy or {}).get("status", {}).get("versions", ()):
        share = str(version.get("share", "0%"))
        number = share.removeprefix("mirror ").strip("<>%")
        filled = round(float(number) / 100 * WIDTH) if number.replace(".", "").isdigit() else 0
        bar = click.style("█" * filled, fg="green") + click.style("░" * (WIDTH - filled), dim=True)
        app = f"({version['appVersion']})" if "appVersion" in version else ""
        yield f"  {version['name']:<10} {app:<5} {bar} {share:>5}  {version.get('message', '')}"


def change(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[str]:
    """The lines of a VirtualService's rules that have changed, with those around them."""
    for line in difflib.unified_diff(_rules(before), _rules(after), n=9, lineterm=""):
        if line.startswith(("---", "+++", "@@")):
            continue
        colour = {"+": "green", "-": "red"}.get(line[:1])
        yield "  " + click.style(line, fg=colour, dim=colour is None)


def _rules(route: Mapping[str, Any] | None) -> list[str]:
    if route is None:
        return []
    return yaml_output.dump([{"http": route["spec"]["http"]}]).splitlines()
