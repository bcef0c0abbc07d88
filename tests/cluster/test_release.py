"""`turnout release` as a process of its own, with a token that may only list and patch versions."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.controller import TURNOUT, Site
from tests.support import ControlPlane, Credentials, wait_until

CRDS = ("routingpolicies.turnout.dev", "trafficweights.turnout.dev")
KIND = "inferenceservice.serving.kserve.io"
DRAIN = "turnout.dev/drain"


def account(site: Site, name: str, *verbs: str) -> Credentials:
    """A service account that may do this to versions in the namespace, and nothing else."""
    made = site.control_plane.service_account(site.namespace, name)
    may = [f"--verb={verb}" for verb in verbs]
    kinds = ("inferenceservices.serving.kserve.io", "deployments.apps", "statefulsets.apps", "services")
    site.kubectl("create", "role", name, *may, f"--resource={','.join(kinds)}")
    who = f"--serviceaccount={site.namespace}:{name}"
    site.kubectl("create", "rolebinding", name, f"--role={name}", who)
    wait_until(
        lambda: site.kubectl("get", "inferenceservices", user=made, check=False).returncode == 0,
        what="the role binding counts",
    )
    return made


def release(user: Credentials, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    environment = {"PATH": os.environ.get("PATH", os.defpath), "KUBECONFIG": str(user.kubeconfig)}
    return subprocess.run(
        [TURNOUT, "release", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )


@pytest.fixture
def stopped(site: Site) -> Site:
    """A policy with two versions, and no controller any more; wisdom-1 hangs in its deletion."""
    for name in ("wisdom-0", "wisdom-1"):
        site.version(name)
    site.policy("wisdom")
    site.start()
    site.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    site.close()
    hangs = site.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=1s", check=False)
    assert "timed out" in hangs.stderr
    return site


@pytest.fixture
def releaser(stopped: Site) -> Credentials:
    return account(stopped, "releaser", "list", "patch")


def test_a_version_that_hangs_in_its_deletion_goes(stopped: Site, releaser: Credentials) -> None:
    """By name; the living one keeps its protection. The second time there is nothing to do."""
    done = release(releaser, "wisdom-1", "-n", stopped.namespace)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{KIND}/wisdom-1 released\n", "")
    assert stopped.names("inferenceservices") == ["wisdom-0"]
    assert stopped.get("inferenceservice", "wisdom-0")["metadata"]["finalizers"] == [DRAIN]
    again = release(releaser, "wisdom-1", "-n", stopped.namespace)
    assert (again.returncode, again.stdout) == (0, "")
    assert f"Nothing to release in {stopped.namespace}" in again.stderr


def test_all_of_them_before_an_uninstallation(stopped: Site, releaser: Credentials) -> None:
    """Nothing of turnout is left on what lives on, and it can be deleted at once."""
    before = stopped.get("inferenceservice", "wisdom-0")
    said = {}
    for how in ("--dry-run", "--dry-run=server"):
        said[how] = release(releaser, "--all", "-n", stopped.namespace, how)
        assert stopped.get("inferenceservice", "wisdom-0") == before
    assert "wisdom-1 released (dry run)" in said["--dry-run"].stdout
    assert "wisdom-1 released (server dry run)" in said["--dry-run=server"].stdout
    done = release(releaser, "--all", "-n", stopped.namespace)
    assert sorted(done.stdout.splitlines()) == [f"{KIND}/wisdom-{number} released" for number in (0, 1)]
    metadata = stopped.get("inferenceservice", "wisdom-0")["metadata"]
    assert "finalizers" not in metadata
    assert "turnout.dev/drain-for" not in metadata.get("annotations", {})
    stopped.kubectl("delete", "inferenceservice", "wisdom-0", "--timeout=10s")


@pytest.fixture
def uninstalled(stopped: Site) -> Iterator[Site]:
    """The same, after turnout's CRDs have been deleted, and the policies with them."""
    stopped.control_plane.kubectl("delete", "crd", *CRDS)
    yield stopped
    stopped.control_plane.install_crds("turnout")
    wait_until(
        lambda: stopped.kubectl("get", "rp", check=False).returncode == 0, what="the short names are back"
    )


def test_it_works_when_turnouts_own_crds_are_gone(uninstalled: Site) -> None:
    releaser = account(uninstalled, "releaser", "list", "patch")
    assert release(releaser, "-n", uninstalled.namespace).stdout == f"{KIND}/wisdom-1 released\n"
    assert uninstalled.names("inferenceservices") == ["wisdom-0"]


def test_what_is_not_permitted_is_said_and_the_rest_is_done(
    stopped: Site, releaser: Credentials, tmp_path: Path
) -> None:
    """Listing another namespace, and patching with a right to list alone."""
    done = release(releaser, "-n", "default", "-n", stopped.namespace)
    assert (done.returncode, done.stdout) == (
        3,
        f"{KIND}/wisdom-1 released in namespace {stopped.namespace}\n",
    )
    assert f'User "{releaser.name}" cannot list resource "inferenceservices"' in done.stderr
    assert "list inferenceservices.serving.kserve.io in default:" in done.stderr

    reader = account(stopped, "reader", "list")
    done = release(reader, "--all", "-n", stopped.namespace)
    assert (done.returncode, done.stdout) == (3, "")
    assert f'User "{reader.name}" cannot patch resource "inferenceservices"' in done.stderr
    assert f"patch InferenceService {stopped.namespace}/wisdom-0:" in done.stderr
    assert "Traceback" not in done.stderr
    assert stopped.get("inferenceservice", "wisdom-0")["metadata"]["finalizers"] == [DRAIN]


def test_it_makes_no_call_but_those(stopped: Site, releaser: Credentials) -> None:
    """By the audit log: discovery, one list and one patch."""
    mark = stopped.control_plane.audit_mark()
    release(releaser, "inferenceservice/wisdom-1", "-n", stopped.namespace)
    audit = stopped.control_plane.audit
    wait_until(lambda: audit(releaser, verb="patch", since=mark), what="the patch in the audit log")
    calls = [(call.verb, call.resource) for call in audit(releaser, since=mark) if call.resource]
    assert calls == [("list", "inferenceservices"), ("patch", "inferenceservices")]


def test_a_controller_that_runs_puts_it_back_on_what_lives(stopped: Site, releaser: Credentials) -> None:
    """As the help says."""
    stopped.start()
    wait_until(lambda: stopped.names("inferenceservices") == ["wisdom-0"], timeout=20, what="drained")
    assert release(releaser, "--all", "-n", stopped.namespace).stdout == f"{KIND}/wisdom-0 released\n"
    wait_until(
        lambda: stopped.get("inferenceservice", "wisdom-0")["metadata"].get("finalizers") == [DRAIN],
        what="protected again",
    )


def test_without_an_answer_it_ends_and_says_so(tmp_path: Path, control_plane: ControlPlane) -> None:
    """A token that nobody knows: exit code 3, and no traceback."""
    config = tmp_path / "stranger.kubeconfig"
    text = control_plane.admin.kubeconfig.read_text(encoding="utf-8")
    config.write_text(text.replace(control_plane.admin.token, "stranger"), encoding="utf-8")
    control_plane.install_crds("kserve")
    done = release(Credentials("stranger", "stranger", config), "-n", "default")
    assert (done.returncode, done.stdout) == (3, "")
    assert "(401 Unauthorized)" in done.stderr
    assert "Traceback" not in done.stderr
