"""`turnout verify` through a real gateway."""

import subprocess

from tests.cluster.controller import TURNOUT
from tests.mesh.town import Town


def verify(town: Town, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command with the decided split of the cluster."""
    return subprocess.run(
        [
            TURNOUT,
            "verify",
            "wisdom",
            f"--namespace={town.namespace}",
            f"--address={town.address}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={"KUBECONFIG": str(town.control_plane.admin.kubeconfig), "PATH": "/usr/bin:/bin"},
    )


def test_the_split_of_the_gateway_is_the_decided_one(town: Town) -> None:
    town.deploy("wisdom-0", "wisdom-1")
    town.start()
    split = ({"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})
    town.declare("blue-green", *split, istio={"appVersionHeader": "app-version"})
    town.until_in_force({"wisdom-0": 20, "wisdom-1": 80})

    assert (done := verify(town)).returncode == 0, done.stdout + done.stderr
    assert (done := verify(town, "--header=app-version")).returncode == 0, done.stdout + done.stderr
    assert (done := verify(town, "--requests=20")).returncode == 4, done.stdout + done.stderr
    assert (done := verify(town, "--expect=wisdom-0=50,wisdom-1=50")).returncode == 1, (
        done.stdout + done.stderr
    )
