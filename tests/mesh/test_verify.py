"""`turnout verify` through a real gateway."""

import subprocess

from tests.cluster.controller import TURNOUT
from tests.mesh.environments import Deployments
from tests.mesh.site import MeshSite, by_each_router
from tests.support import wait_until

SURE = ("--confidence=99.9999", "--tolerance=10")
"""Chance takes 2000 calls neither to another verdict than a match, nor to one where the split is another."""
NAMES = ("wisdom-0", "wisdom-1")
ASKED = ("--http", "--header=app-version", *SURE, "--requests=2000")
SPLIT = ({"name": "wisdom-0", "weight": 20}, {"name": "wisdom-1", "weight": 80})


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
    site.declare("blue-green", *SPLIT, istio={"appVersionHeader": "app-version"})
    site.until_in_force({"wisdom-0": 20, "wisdom-1": 80})

    for arguments, code in (
        (("--requests=4000",), 0),
        (("--requests=4000", "--header=app-version"), 0),
        (("--requests=20",), 4),
        (("--requests=4000", "--expect=wisdom-0=50,wisdom-1=50"), 1),
    ):
        done = verify(site, *SURE, *arguments)
        assert done.returncode == code, done.stdout + done.stderr


@by_each_router
def test_over_http_a_header_tells_who_has_answered(bare_site: MeshSite, router: str) -> None:
    with Deployments(bare_site) as versions:
        for name in NAMES:
            versions.deploy(name)
        bare_site.start()
        bare_site.apply_policy("blue-green", *SPLIT, **{router: {"appVersionHeader": "app-version"}})
        for name in NAMES:
            wait_until(lambda name=name: versions.protected(name), timeout=20, what=f"{name} is seen")  # type: ignore[misc]
            versions.becomes_ready(name)
        wait_until(
            lambda: verify(bare_site, *ASKED).returncode == 0, timeout=60, what="the split is in force"
        )

        for arguments, code in (
            (("--expect=v0=20,v1=80",), 0),
            (("--expect=v0=50,v1=50",), 1),
            (("--requests=20",), 4),
        ):
            done = verify(bare_site, *ASKED, *arguments)
            assert done.returncode == code, done.stdout + done.stderr
