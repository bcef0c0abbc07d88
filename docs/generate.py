"""Writes the pages and pictures that nobody writes by hand: `python docs/generate.py`.

A test fails for stale ones.

Of a plugin's own page it writes the table of options alone, between `<!-- options: NAME -->` and
`<!-- /options -->`, and of the page of metrics the table of them.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click import Group
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # tests/ has what is measured

from docs.making import api, crds, pictures, terminals
from tests.support.combinations import KNATIVE, decided

from turnout import reasons
from turnout.catalogue import catalogue
from turnout.cli import main as program
from turnout.cli.exits import Exit
from turnout.decision.accept import Refused
from turnout.loading import load
from turnout.plugin import Feature
from turnout.registry import OWN
from turnout.runtime.metrics.counted import DEFINITIONS
from turnout.testing.conformance import (
    AdmissionConformance,
    EnvironmentConformance,
    GateConformance,
    ProbeConformance,
    RouterConformance,
    StrategyConformance,
)
from turnout.testing.conformance.asynchronous import AsyncConformance, ShiftConformance
from turnout.testing.conformance.axis import AxisConformance
from turnout.testing.conformance.pure import PureConformance
from turnout.testing.conformance.suite import Conformance

FOLDER = Path(__file__).resolve().parent
NOTE = "<!-- Written by docs/generate.py; do not edit. -->"
WHERE = {
    "Accepted": "Condition Accepted",
    "Routed": "Condition Routed",
    "Ready": "Condition Ready",
    "versions": "Versions, in `status.versions`",
    "events": "Events",
}
REMEDIES = {group: f"troubleshoot{'-routes' if group in ('Routed', 'events') else ''}.md" for group in WHERE}
"""The pages that say what to do about reasons."""
AXES = {
    "environments": "Environments, for `spec.targetEnv`",
    "strategies": "Strategies, for `spec.trafficStrategy`",
    "routers": "Routers, for `spec.router`",
    "probes": "Probes, in the controller's settings alone",
}
SHOWN = re.compile(r"(?<=<!-- options: )(?P<name>\S+)(?P<head> -->\n).*?(?=<!-- /options -->\n)", re.DOTALL)
METRICS = re.compile(r"(?<=<!-- metrics -->\n).*?(?=<!-- /metrics -->\n)", re.DOTALL)
SUITES = {
    "Every plugin": Conformance,
    "Environments, strategies, routers and admission checks": PureConformance,
    "Environments, strategies and routers": AxisConformance,
    "Environments": EnvironmentConformance,
    "Strategies": StrategyConformance,
    "Routers": RouterConformance,
    "Admission checks": AdmissionConformance,
    "Gates, notifiers and probes": AsyncConformance,
    "Gates and notifiers": ShiftConformance,
    "Gates": GateConformance,
    "Probes": ProbeConformance,
}


def pages() -> dict[str, str]:
    """The generated pages and pictures, by their files in docs/."""
    found = {
        "checks.md": _checks(),
        "cli.md": _cli(),
        "combinations.md": _combinations(),
        "crds.md": _noted(crds.page()),
        "options.md": _options(),
        "plugin-api.md": _noted(api.of_plugins()),
        "python-api.md": _noted(api.of_python()),
        "reasons.md": _reasons(),
    }
    whole = {name: "\n".join([*lines, ""]) for name, lines in found.items()}
    return whole | _with_options() | _with_metrics() | pictures.drawn()


def shown(page: str) -> list[str]:
    """The plugins whose options a page shows."""
    return [match["name"] for match in SHOWN.finditer(page)]


def documented(cls: type, source: str) -> Iterator[tuple[str, str, str]]:
    """The members of an enum: the comment that heads their group, the value, the docstring."""
    tree = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == cls.__name__)
    comments = {
        number: line.strip().removeprefix("# ")
        for number, line in enumerate(source.splitlines(), start=1)
        if re.fullmatch(r"    # \w+", line)
    }
    for member, said in zip(tree.body, tree.body[1:], strict=False):
        match member, said:
            case (
                ast.Assign(value=ast.Constant(value=value), lineno=line),
                ast.Expr(value=ast.Constant(value=str(docstring))),
            ):
                group = max((number for number in comments if number < line), default=0)
                yield comments.get(group, ""), str(value), " ".join(docstring.split())


def _reasons() -> Iterator[str]:
    yield from (
        "# Reasons",
        "",
        NOTE,
        "",
        "Conditions of a RoutingPolicy and of TrafficWeights, and events. The words do not change.",
        "Each leads to what to do about it; [the first look](troubleshoot.md) is where to start.",
    )
    group = ""
    for heading, value, meaning in documented(reasons.Reason, _source(reasons.__file__)):
        if heading != group:
            group = heading
            yield from ("", f"## {WHERE[heading]}", "", "| Reason | Meaning |", "| --- | --- |")
        yield f"| [`{value}`]({REMEDIES[heading]}#{value.lower()}) | {meaning} |"
    yield from (
        "",
        "A version's reason may also be its environment's own, such as `NoStatus` of kserve-modelmesh.",
        "`PluginFailed` stands in Accepted where a plugin failed with the policy itself, and in Routed where",
        "it failed with the versions or the routes. `Unsupported` and `NamespaceNotAllowed` stand in",
        "Accepted where the policy itself asks for what cannot be, with a version that is left out because",
        "its object does, and in Routed where nothing else is left.",
    )


def _cli() -> Iterator[str]:
    yield from ("# Commands", "", NOTE, "", "`kubectl turnout …` is the same program.")
    yield from ("", "## turnout", "", *_help([]))
    context = program.make_context("turnout", [], resilient_parsing=True)
    for name in program.list_commands(context):
        yield from ("", f"## turnout {name}", "", *_help([name]))
        command = program.get_command(context, name)
        for inner in command.list_commands(context) if isinstance(command, Group) else ():
            yield from ("", f"### turnout {name} {inner}", "", *_help([name, inner]))
    exits = sys.modules[Exit.__module__].__file__
    said = {value: meaning for _, value, meaning in documented(Exit, _source(exits))}
    yield from ("", "## Exit codes", "", "| Code | Meaning |", "| --- | --- |")
    for code in Exit:
        yield f"| {code.value} | {said.get(str(code.value), 'Done, and what was asked about is well.')} |"
    yield from ("", "`TURNOUT_DEBUG=1` in the environment adds a traceback to an error in turnout itself.")


def _help(arguments: list[str]) -> Iterator[str]:
    asked = CliRunner().invoke(program, [*arguments, "--help"], prog_name="turnout", terminal_width=80)
    if asked.exit_code:
        sys.exit(f"turnout {' '.join(arguments)} --help failed: {asked.output}")
    yield from ("```text", *asked.output.rstrip().splitlines(), "```")


def _options() -> Iterator[str]:
    yield from (
        "# Options of the built-in plugins",
        "",
        NOTE,
        "",
        "In a policy under `spec.config.<plugin>`, in the controller's settings under `plugins.<plugin>`.",
    )
    found = catalogue(load(allow=[OWN]))
    for axis, title in AXES.items():
        yield from ("", f"## {title}")
        for plugin in found[axis]:
            yield from ("", f"### {plugin['name']}", "", plugin["summary"], "", *_table(plugin["options"]))


def _with_options() -> dict[str, str]:
    """The pages of plugins, their tables as the plugins have them now."""
    found = catalogue(load(allow=[OWN]))
    options = {plugin["name"]: plugin["options"] for axis in AXES for plugin in found[axis]}

    def table(match: re.Match[str]) -> str:
        if match["name"] not in options:
            raise ValueError(f"options of {match['name']}: expected one of {', '.join(options)}")
        return "\n".join([f"{match['name']}{match['head']}", *_table(options[match["name"]]), "", ""])

    texts = {page.name: _source(str(page)) for page in sorted(FOLDER.glob("*.md"))}
    return {name: SHOWN.sub(table, text) for name, text in texts.items() if shown(text)}


def _with_metrics() -> dict[str, str]:
    """The page of metrics, its table as the code has it now."""
    table = ["| Metric | Type | Labels | Meaning |", "| --- | --- | --- | --- |"]
    for one in DEFINITIONS:
        labels = ", ".join(f"`{label}`" for label in one.labels)
        table.append(f"| `{one.name}` | {one.type} | {labels} | {one.help} |")
    name = "metrics.md"
    return {name: METRICS.sub("\n".join(["", *table, "", ""]), _source(str(FOLDER / name)))}


def _noted(lines: Iterator[str]) -> Iterator[str]:
    """A page whose lines begin with its title, with the note that it is generated."""
    yield from (next(lines), "", NOTE, *lines)


def _checks() -> Iterator[str]:
    yield from (
        "# What the conformance suites check",
        "",
        NOTE,
        "",
        "[How a plugin's tests use them](plugin-tests.md).",
    )
    told: set[str] = set()
    for title, suite in SUITES.items():
        names = [name for base in suite.__mro__ for name in vars(base) if name.startswith("test_")]
        yield from ("", f"## {title}", "", "| Check | What holds |", "| --- | --- |")
        for name in names:
            if name not in told:
                yield f"| `{name}` | {' '.join((getattr(suite, name).__doc__ or '').split())} |"
        told |= set(names)


def _combinations() -> Iterator[str]:
    yield from (
        "# What goes with what",
        "",
        NOTE,
        "",
        "A policy's environment, strategy and router meet in a plan. What a plan asks of a network is",
        "measured from the plan: a strategy brings matches or copies, an environment the headers or the host",
        "by which a version is reached. A router says what its network carries. A policy that needs more is",
        "not Accepted (`Unsupported`). Where only the objects of versions need it, as KServe's do in Knative",
        "mode, a version that cannot be carried beside the others is left out: it is not ready, with that",
        "reason, and the others go on, the primary before all. Both say what is lacking and the routers that",
        "would do, or the strategies where no router does, in `turnout plan` as well.",
        "",
        "## Combinations",
        "",
        "Two versions, options as they are by default. Each combination is tested by a rollout with the",
        "Kubernetes API server and Envoy, with istiod for the routers gateway-api and istio, or by what is",
        "said of it.",
        "",
    )
    registry = load(allow=[OWN])
    routers = list(registry.routers)
    yield from (
        f"| Environment | Strategy | {' | '.join(routers)} |",
        f"| --- | --- |{' --- |' * len(routers)}",
    )
    for environment in (*registry.environments, KNATIVE):
        for strategy in registry.strategies:
            cells = (_cell(environment, strategy, router) for router in routers)
            yield f"| {environment} | {strategy} | {' | '.join(cells)} |"
    yield from ("", "## Features", "", "What a plan may ask of a network, and who carries it.", "")
    yield from (f"| Feature | {' | '.join(routers)} |", f"| --- |{' --- |' * len(routers)}")
    for feature in Feature:
        carried = (feature in registry.routers[router].plugin.carries for router in routers)
        yield f"| `{feature}` | {' | '.join('yes' if one else 'no' for one in carried)} |"
    yield from ("", "A router may object to a plan for more than a feature: its own page says when.")


def _cell(environment: str, strategy: str, router: str) -> str:
    """Whether a combination works, or what is lacking."""
    try:
        decided(environment, strategy, router)
    except Refused as refused:
        lacking = re.search(r"cannot carry ([a-z, -]+), which", str(refused))
        return f"no: {lacking[1]}" if lacking else "no"
    return "yes"


def _table(options: list[dict[str, Any]]) -> Iterator[str]:
    if not options:
        yield "None."
        return
    yield from ("| Option | Type | Default | Meaning |", "| --- | --- | --- | --- |")
    for option in options:
        default = "required" if option["required"] else f"`{json.dumps(option['default'])}`"
        yield f"| `{option['name']}` | {option['type']} | {default} | {option['description']} |"


def _source(file: str | None) -> str:
    return Path(file or "").read_text(encoding="utf-8")


if __name__ == "__main__":
    for name, content in pages().items():
        (FOLDER / name).write_text(content, encoding="utf-8")
    for scene, printed in terminals.record():
        terminals.write(scene, printed)
