"""How long commands of the CLI take, against a Python process that imports pydantic and yaml alone."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks import objects
from benchmarks.table import Row, compare

ROUNDS = 9
UNWANTED = ("kubernetes", "aiohttp")
"""Packages that take most of a second to import, and that only a cluster needs."""
TARGET = 5.0
VALUES = """\
templateName: initialize-rollout
targetEnv: kserve-modelmesh
trafficStrategy: blue-green
modelName: wisdom
"""


def cli() -> list[Row]:
    """Wall time of commands, by turns with the floor; and what they import of that they must not."""
    with tempfile.TemporaryDirectory() as directory:
        values, planned = Path(directory) / "values.yaml", Path(directory) / "plan.yaml"
        values.write_text(VALUES, encoding="utf-8")
        planned.write_text(_documents(), encoding="utf-8")
        commands = {
            "template": ["template", "-f", str(values)],
            "plan": ["plan", "-f", str(planned)],
            "plugins": ["plugins"],
            "completion": ["completion", "bash"],
            "--help": ["--help"],
        }
        floor = [sys.executable, "-c", "import pydantic, yaml"]
        times: dict[str, list[float]] = {}
        rows = []
        works = {name: _works(arguments) for name, arguments in commands.items()}
        for _ in range(ROUNDS):
            times.setdefault("floor", []).append(_timed(floor))
            for name, arguments in commands.items():
                if works[name]:
                    times.setdefault(name, []).append(_timed(_turnout(arguments)))
        for name, arguments in commands.items():
            if name not in times:
                rows.append(Row(f"cli: {name}", None, turnout="fails"))
                continue
            rows.append(compare(f"cli: {name}", None, median(times["floor"]), median(times[name]), TARGET))
            if imported := _imports(arguments):
                rows.append(Row(f"cli: {name} imports {', '.join(imported)}", None, target="none", met=False))
        return rows


def _turnout(arguments: list[str], *options: str) -> list[str]:
    return [sys.executable, *options, "-c", "from turnout.cli import main; main()", *arguments]


def _works(arguments: list[str]) -> bool:
    """Whether the command runs; it is warm then, for everyone's first time is another matter."""
    return subprocess.run(_turnout(arguments), capture_output=True, check=False).returncode == 0


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _imports(arguments: list[str]) -> list[str]:
    """Which unwanted packages a command imports."""
    done = subprocess.run(_turnout(arguments, "-X", "importtime"), capture_output=True, text=True, check=True)
    modules = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line]
    packages = {module.partition(".")[0] for module in modules}
    return [package for package in UNWANTED if package in packages]


def _documents() -> str:
    """A policy and its versions, ready, as YAML (of which JSON is a part)."""
    versions = [
        objects.inference_service("wisdom", which) | objects.readiness(ready=True)
        for which in (objects.PRIMARY, objects.CANDIDATE)
    ]
    return "\n---\n".join(map(json.dumps, [objects.policy("wisdom"), *versions]))
