"""The whole tutorial by turnout's own commands, under constant load: kubectl only deploys versions."""

import json
import os
import subprocess

from tests.cluster.controller import TURNOUT
from tests.mesh.load import Load
from tests.mesh.routes_watch import RoutesWatch
from tests.mesh.site import PROPAGATION, MeshSite
from tests.mesh.test_promote import lost_nothing

CANDIDATE = ("3-candidate.yaml", "mnist-svm-new")


class Person:
    """Somebody at a terminal."""

    def __init__(self, site: MeshSite) -> None:
        self._environment = {**os.environ, "KUBECONFIG": str(site.control_plane.admin.kubeconfig)}
        self._where = ("--namespace", site.namespace)

    def turnout(self, *arguments: str) -> str:
        """What a command says on stdout; it has to end well."""
        done = subprocess.run(
            [TURNOUT, *arguments, *self._where],
            capture_output=True,
            text=True,
            timeout=180,
            env=self._environment,
        )
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout


def deploy(site: MeshSite) -> None:
    """The tutorial's candidate, with another model than the primary's."""
    file, model = CANDIDATE
    site.kubectl("apply", "-f", "-", document=site.tutorial(file).replace("mnist-svm", model))


def test_the_tutorial_by_commands_loses_no_call(site: MeshSite) -> None:
    """Deploy, look, shift, promote; then another candidate, which is aborted."""
    person = Person(site)
    site.start()
    site.deploy("wisdom-0")
    site.declare("blue-green", {"name": "wisdom-0"}, {"name": "wisdom-1"})
    person.turnout("wait", "wisdom", "--for=in-force")
    site.until_in_force({"wisdom-0": 100})
    load, routes = Load(site.address, site.authority()), RoutesWatch(site.shares_in_force)
    with routes, load:
        deploy(site)
        person.turnout("wait", "wisdom", "--for=split=50/50")
        shifted = person.turnout("weights", "wisdom", "candidate=80%")
        assert shifted.endswith("after:  wisdom-0 20% / wisdom-1 80%\n")
        told = json.loads(person.turnout("status", "wisdom", "-o", "json"))
        assert [(one["desired"], one["share"]) for one in told["versions"]] == [
            ("20%", "20%"),
            ("80%", "80%"),
        ]
        assert "VirtualService wisdom: is there as decided" in person.turnout("explain", "wisdom")

        promoted = person.turnout("promote", "wisdom", f"--timeout={60 * PROPAGATION:g}s")
        assert promoted.endswith("wisdom-0 is now what wisdom-1 was, v1; in force: wisdom-0 100%\n")
        deploy(site)
        person.turnout("wait", "wisdom", "--for=split=20/80")
        aborted = person.turnout("abort", "wisdom", "--delete", "--timeout=2m")
        assert aborted.endswith("after:  wisdom-0 100%\n")
        assert not site.get("inferenceservice", "wisdom-1")
        site.until_in_force({"wisdom-0": 100})
    lost_nothing(load, routes)
