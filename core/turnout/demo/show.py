"""What the demo prints: bars for shares, and how the routes have changed."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import click

from turnout import yaml_output
from turnout.demo.counted import Counted

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
    """The lines of a route that have changed, with those around them."""
    around = 1 if "data" in (after or before or {}) else 9
    for line in difflib.unified_diff(_lines(before), _lines(after), n=around, lineterm=""):
        if line.startswith(("---", "+++", "@@")):
            continue
        colour = {"+": "green", "-": "red"}.get(line[:1])
        yield "  " + click.style(line, fg=colour, dim=colour is None)


def calls(counted: Counted) -> str:
    """How many calls each version answered."""
    failed = {f"failed with {code}": count for code, count in counted.failed.items()}
    each = ", ".join(f"{name} {count}" for name, count in sorted((counted.answered | failed).items()))
    return "  " + click.style(f"{counted.number} calls: {each}", bold=True)


def _lines(route: Mapping[str, Any] | None) -> list[str]:
    """The rules of a route: those of a VirtualService, or all that the files of a ConfigMap hold."""
    if route is None:
        return []
    if "data" in route:
        return yaml_output.dump([json.loads(text) for text in route["data"].values()]).splitlines()
    return yaml_output.dump([{"http": route["spec"]["http"]}]).splitlines()
