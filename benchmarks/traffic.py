"""What a rollout costs its callers, through a real istiod and Envoy: with the drain, and without it.

A candidate comes and goes again and again while a model is under constant load.
"""

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

from tests.mesh.load import Call, Load, failed
from tests.mesh.site import Mesh, MeshSite
from tests.support import ControlPlane, find_assets, wait_until
from tests.support.assets import find_mesh_assets

ROUNDS = 8
RATE = 300.0
"""Calls a second, besides streams."""
SERVING = 1.0
"""Seconds for which a candidate takes its share."""
BOTH = {"wisdom-0": 50, "wisdom-1": 50}
ALONE = {"wisdom-0": 100}
PRECISION = 0.01
"""Seconds between two looks at whether a candidate is loaded."""


@dataclass
class Run:
    """What was seen of a number of rounds."""

    calls: Sequence[Call] = ()
    machine: list[float] = field(default_factory=list)
    """The machine's load in the minute before each round: how many processes wanted to run."""
    to_first: list[float] = field(default_factory=list)
    """Seconds from a candidate's readiness to the beginning of the first call that it answers."""
    to_last: list[float] = field(default_factory=list)
    """Seconds from the answer to a candidate's deletion to the end of the last call that it answers."""


def traffic() -> str:
    """Measure, and return a table. Raises AssetsMissingError."""
    assets, mesh_assets = find_assets(), find_mesh_assets()
    runs: dict[str, Run] = {}
    with tempfile.TemporaryDirectory() as folder, ControlPlane(assets, Path(folder)) as control_plane:
        mesh = Mesh(control_plane, mesh_assets, Path(folder))
        try:
            mesh.start()
            for name, enabled in (("without drain", False), ("with drain", True)):
                runs[name] = _measured(mesh, Path(folder), name.replace(" ", "-"), enabled=enabled)
        finally:
            mesh.stop()
    return _table(runs)


def _measured(mesh: Mesh, folder: Path, namespace: str, *, enabled: bool) -> Run:
    mesh.control_plane.kubectl("create", "namespace", namespace)
    run = Run()
    with MeshSite(mesh, namespace, folder, drain={"enabled": enabled}) as site:
        site.open_modelmesh()
        site.deploy("wisdom-0")
        site.start()
        site.declare("blue-green", {"name": "wisdom-0"}, {"name": "wisdom-1"})
        site.until_in_force(ALONE)
        with Load(site.address, site.authority(), rate=RATE) as load:
            for _ in range(ROUNDS):
                run.machine.append(os.getloadavg()[0])
                _round(site, load, run)
        run.calls = load.calls()
    return run


def _round(site: MeshSite, load: Load, run: Run) -> None:
    site.apply_version("wisdom-1")
    wait_until(lambda: site.loaded("wisdom-1"), interval=PRECISION, what="the candidate is loaded")
    ready = time.monotonic()
    site.until_in_force(BOTH)
    time.sleep(SERVING)
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    deleted = time.monotonic()
    site.until_in_force(ALONE)
    wait_until(lambda: not site.get("inferenceservice", "wisdom-1"), timeout=90, what="the candidate is gone")
    time.sleep(0.5)
    candidates = [call for call in load.calls(ready - 1.0) if call.version == "wisdom-1"]
    run.to_first.append(min(call.began for call in candidates) - ready)
    run.to_last.append(max(0.0, max(call.ended for call in candidates) - deleted))


def _failures(run: Run) -> str:
    found = failed(run.calls)
    return "; ".join([str(found.total()), *(f"{count} {error}" for error, count in found.most_common(3))])


def _table(runs: dict[str, Run]) -> str:
    lines = [["traffic", *runs]]
    lines += [
        ["candidates that came and went", *(str(ROUNDS) for _ in runs)],
        [
            "the machine's load, on average",
            *(f"{mean(run.machine):.1f} of {os.cpu_count()}" for run in runs.values()),
        ],
        ["requests sent", *(str(len(run.calls)) for run in runs.values())],
        ["requests failed", *(_failures(run) for run in runs.values())],
        ["longest from ready to the first request", *(f"{max(run.to_first):.2f} s" for run in runs.values())],
        [
            "longest from deletion to the last request answered",
            *(f"{max(run.to_last):.2f} s" for run in runs.values()),
        ],
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in lines
    )
