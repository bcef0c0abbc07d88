"""`turnout verify` through a real gateway."""

import subprocess

from tests.cluster.controller import TURNOUT
from tests.mesh.site import MeshSite

SURE = ("--confidence=99.9999", "--tolerance=10")
"""Chance takes 4000 calls neither to another verdict than a match, nor to one where the split is another."""


def verify(site: MeshSite, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command with the decided split of the cluster."""
    return subprocess.run(
        [
            TURNOUT,
            "verify",
            "wisdom",
            f"--namespace={site.namespace}",
            f"--address={site.address}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        env={"KUBECONFIG": str(site.control_plane.admin.kubeconfig), "PATH": "/usr/bin:/bin"},
    )


def test_the_split_of_the_gateway_is_the_decided_one(site: MeshSite) -> None:
    site.deploy("wisdom-0", "wisdom-1")
    site.start()
    split = ({"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})
    site.declare("blue-green", *split, istio={"appVersionHeader": "app-version"})
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})

    for arguments, code in (
        (("--requests=4000",), 0),
        (("--requests=4000", "--header=app-version"), 0),
        (("--requests=20",), 4),
        (("--requests=4000", "--expect=wisdom-0=50,wisdom-1=50"), 1),
    ):
        done = verify(site, *SURE, *arguments)
        assert done.returncode == code, done.stdout + done.stderr
