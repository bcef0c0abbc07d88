"""Where the programs are measured: a real control plane, and the fleet of each program in it."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support import ControlPlane, Credentials
from tests.support.processes import ProcessGroup

from benchmarks.contenders import FLOOR, TURNOUT, Contender, controller_command, floor_command
from benchmarks.fleet import Fleet
from benchmarks.observer import Observer
from turnout.runtime import kube
from turnout.runtime.client import Client

WATCHED = ["get", "list", "watch"]
RULES = [
    {
        "apiGroups": ["turnout.dev"],
        "resources": ["routingpolicies", "trafficweights"],
        "verbs": [*WATCHED, "patch"],
    },
    {
        "apiGroups": ["turnout.dev"],
        "resources": ["routingpolicies/status", "trafficweights/status"],
        "verbs": ["get", "patch"],
    },
    {"apiGroups": ["serving.kserve.io"], "resources": ["inferenceservices"], "verbs": [*WATCHED, "patch"]},
    {
        "apiGroups": ["networking.istio.io"],
        "resources": ["virtualservices", "serviceentries", "gateways"],
        "verbs": [*WATCHED, "create", "patch", "delete"],
    },
    {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "verbs": ["get", "create", "update", "patch"],
    },
]
"""What the controller may do; the floor needs less, and a rule more costs nothing."""
ACCOUNTS = "benchmarks"


@dataclass
class Lane:
    """A program, the models that it serves, and what is seen of its routes."""

    contender: Contender
    fleet: Fleet
    observer: Observer


@dataclass
class Bed:
    """The lanes for one number of models."""

    models: int
    floor: Lane
    turnout: Lane

    @property
    def lanes(self) -> tuple[Lane, Lane]:
        """The floor's first."""
        return self.floor, self.turnout


def prepare(control_plane: ControlPlane) -> None:
    """Install CRDs, and what programs may do."""
    control_plane.install_crds("turnout", "istio", "kserve")
    control_plane.kubectl("create", "namespace", ACCOUNTS)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ACCOUNTS},
        "rules": RULES,
    }
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(role))


@asynccontextmanager
async def bed(control_plane: ControlPlane, models: int, controller: str | None) -> AsyncIterator[Bed]:
    """Both lanes with so many models; no program runs yet, and none does afterwards."""
    os.environ["KUBECONFIG"] = str(_account(control_plane, "observer", "cluster-admin").kubeconfig)
    transport = await kube.connect()
    client = Client(transport)
    commands = {FLOOR: floor_command(), TURNOUT: controller_command(controller)}
    processes = ProcessGroup(control_plane.directory)
    try:
        lanes = [
            _lane(control_plane, processes, client, name, command, models)
            for name, command in commands.items()
        ]
        for lane in lanes:
            await lane.fleet.create()
            lane.observer.start()
        try:
            yield Bed(models, *lanes)
        finally:
            for lane in lanes:
                await lane.observer.stop()
    finally:
        processes.stop()
        await transport.close()


def _lane(
    control_plane: ControlPlane,
    processes: ProcessGroup,
    client: Client,
    name: str,
    command: list[str],
    models: int,
) -> Lane:
    namespace = f"{name}-{models}"
    credentials = _account(control_plane, namespace, ACCOUNTS)
    contender = Contender(name, namespace, command, credentials, control_plane, processes)
    fleet = Fleet(client, namespace, models, policies=name == TURNOUT)
    return Lane(contender, fleet, Observer(client, namespace))


def _account(control_plane: ControlPlane, name: str, role: str) -> Credentials:
    """A service account with a role. Its token is checked by the API server itself, without this process."""
    credentials = control_plane.service_account(ACCOUNTS, name)
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{ACCOUNTS}-{name}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "namespace": ACCOUNTS, "name": name}],
    }
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(binding))
    return credentials
