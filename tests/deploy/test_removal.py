"""Removal on a real API server with the garbage collector: no finalizer stays, and the routes do."""

import json
import shlex
import time

import pytest

from tests.cluster.controller import Site
from tests.cluster.versions import apply
from tests.deploy.chart import DEPLOY
from tests.deploy.conftest import Make
from tests.deploy.installation import QUICK, Installation
from tests.deploy.test_install import HALVES, LEADS, denied, finalizers, halves, route
from tests.docs import pages
from tests.support import ControlPlane, wait_until
from tests.support.assets import REPOSITORY

DRAIN = "turnout.dev/drain"
CRDS = ("routingpolicies.turnout.dev", "trafficweights.turnout.dev")
VERSIONS = ("wisdom-0", "wisdom-1")


def marks(site: Site) -> list[object]:
    """What is turnout's on the versions."""
    found = (site.get("inferenceservice", name)["metadata"] for name in VERSIONS)
    return [
        mark
        for one in found
        for mark in (*one.get("finalizers", ()), *one.get("annotations", {}))
        if str(mark).startswith("turnout.dev/")
    ]


def left(installation: Installation) -> list[str]:
    """Names of what the release has left in its namespace."""
    kinds = "deployments,jobs,serviceaccounts,roles,rolebindings,configmaps,services,poddisruptionbudgets,networkpolicies"
    listed = installation.kubectl("get", kinds, "--output=name").stdout.split()
    return [name for name in listed if "kube-root-ca" not in name]


@pytest.fixture
def serving(installation: Installation) -> Site:
    """A release whose pod serves two versions by halves."""
    installation.start().says(LEADS)
    site = installation.site()
    halves(site)
    wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
    return site


def test_uninstall_takes_the_finalizers_off_and_a_new_release_takes_the_routes_up(
    installation: Installation, serving: Site
) -> None:
    """The controller still runs meanwhile, and has no rights to put them back. No route is written at any time."""
    before = route(serving)
    assert finalizers(serving) == [DRAIN, DRAIN]
    with installation.uninstalling():
        done = installation.run_release_job()
    assert (done.returncode, done.stdout.count(" released"), done.stderr) == (0, 2, "")
    serving.kubectl("annotate", "inferenceservices", "--all", "a=b")  # the controller sees them change
    assert marks(serving) == []
    assert left(installation) == []
    for crd in CRDS:
        assert installation.get("crd", crd)
    assert serving.names("routingpolicies") == ["wisdom"]

    installation.close()
    installation.install()
    pod = installation.start("again")
    pod.says(LEADS)
    wait_until(lambda: marks(serving).count(DRAIN) == 2, timeout=20, what="protected again")
    assert (route(serving), serving.shares()) == (before, HALVES)
    serving.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=30s")
    assert serving.shares() == {"wisdom-0": 100}


def test_versions_can_be_deleted_after_an_uninstall(installation: Installation, serving: Site) -> None:
    """One that was being deleted while the release went, too."""
    serving.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    with installation.uninstalling():
        assert installation.run_release_job().returncode == 0
    wait_until(lambda: serving.names("inferenceservices") == ["wisdom-0"], what="wisdom-1 is gone")
    serving.kubectl("delete", "inferenceservice", "wisdom-0", "--timeout=10s")
    policy_goes_and_with_it_its_routes(serving)


def test_a_cluster_scoped_release_takes_the_finalizers_off_everywhere(make: Make) -> None:
    """By a ClusterRole that is there for the Job alone, from versions that are being deleted too."""
    one, other = make(), make()
    one.install("--set=clusterScoped=true")
    one.start().says(LEADS)
    here, there = one.site(), other.site()
    before = [halves(site) for site in (here, there)]
    there.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    with one.uninstalling():
        done = one.run_release_job()
    assert (done.returncode, done.stderr) == (0, "")
    there.kubectl("annotate", "inferenceservices", "--all", "a=b")
    wait_until(lambda: there.names("inferenceservices") == ["wisdom-0"], what="wisdom-1 is gone")
    assert "finalizers" not in there.get("inferenceservice", "wisdom-0")["metadata"]
    assert (marks(here), route(here)) == ([], before[0])
    listed = one.kubectl("get", "clusterroles,clusterrolebindings", "--output=name").stdout
    assert "turnout" not in listed


def test_helm_waits_for_the_pods_where_their_rights_are_not_its_own(make: Make) -> None:
    """The Job comes after the Deployment, which the garbage collector keeps for as long as its pods."""
    (command,) = (
        line
        for block in pages.read("docs/uninstall.md")
        for line in block.text.splitlines()
        if line.startswith("helm uninstall turnout --wait")
    )
    one = make()
    one.kubectl("create", "serviceaccount", "mine")
    one.install("--set=rbac.create=false,serviceAccount.create=false,serviceAccount.name=mine")
    held = json.dumps({"metadata": {"finalizers": ["example.com/pods"]}})
    one.kubectl("patch", "deployment", "turnout", "--type=merge", f"--patch={held}")
    with one.uninstalling(*shlex.split(command)[3:]):
        deleted = "the Deployment is being deleted"
        wait_until(
            lambda: "deletionTimestamp" in one.get("deployment", "turnout")["metadata"],
            timeout=20,
            what=deleted,
        )
        time.sleep(2)
        assert one.get("job", "turnout-release") == {}
        free = json.dumps({"metadata": {"finalizers": None}})
        one.kubectl("patch", "deployment", "turnout", "--type=merge", f"--patch={free}")
        assert one.run_release_job().returncode == 0
    assert left(one) == ["serviceaccount/mine"]


def test_versions_that_policies_only_reach_are_served_and_released(make: Make) -> None:
    """With the chart's rights alone, in a namespace that the settings' allowNamespaces names."""
    one, other = make(), make()
    one.install(settings={**QUICK, "allowNamespaces": {one.namespace: [other.namespace]}})
    one.start().says(LEADS)
    here, there = one.site(), other.site()
    for name in VERSIONS:
        there.version(name)
    versions = [{"name": name, "namespace": other.namespace} for name in VERSIONS]
    spec = {"targetEnv": "kserve-modelmesh", "trafficStrategy": "blue-green", "modelVersions": versions}
    apply(here, "turnout.dev/v1alpha1", "RoutingPolicy", "wisdom", spec=spec)
    here.until_shares(HALVES)
    assert finalizers(there) == [DRAIN, DRAIN]
    there.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=30s")
    assert here.shares() == {"wisdom-0": 100}
    assert denied(one, there) == []
    with one.uninstalling():
        assert one.run_release_job().returncode == 0
    assert "finalizers" not in there.get("inferenceservice", "wisdom-0")["metadata"]
    assert not [one for one in left(other) if one.startswith("role")]


@pytest.mark.usefixtures("admission_policies")  # of which the cluster-scoped kustomization has some
def test_with_kustomize_a_controller_of_all_namespaces_leaves_no_finalizer_in_any(
    make: Make, cluster: ControlPlane
) -> None:
    """By the line that docs/uninstall.md has for it."""
    cluster.kubectl("create", "namespace", "turnout-system")
    one, site = make("turnout-system"), make().site()
    folder = "deploy/kustomize/cluster-scoped"
    (line,) = (
        line
        for block in pages.read("docs/uninstall.md")
        for line in block.text.splitlines()
        if line.startswith(f"kubectl delete -k {folder} && turnout ")
    )
    one.kubectl("apply", "-k", str(REPOSITORY / folder))
    pod = one.start()
    wait_until(
        lambda: LEADS in pod.said, timeout=60, what="it leads, as the only one that knows the new Lease"
    )
    before = halves(site)
    one.kubectl("delete", "-k", str(REPOSITORY / folder))
    done = one.turnout(cluster.admin, *shlex.split(line.partition("&& turnout ")[2]))
    assert done.returncode == 0, done.stderr
    site.kubectl("annotate", "inferenceservices", "--all", "a=b")
    assert (marks(site), route(site)) == ([], before)


@pytest.mark.parametrize("how", ["reached", "served"])
def test_what_a_release_serves_no_more_is_released_by_hand(make: Make, how: str) -> None:
    """A namespace that its policies reach no more, or where it serves none: neither the controller nor the Job looks there."""
    one, other = make(), make()
    if how == "reached":
        holder = one.namespace
        one.install(settings={**QUICK, "allowNamespaces": {holder: [other.namespace]}})
    else:
        holder = other.namespace
        one.install(f"--set=namespaces={{{one.namespace},{holder}}}")
    there = other.site()
    metadata = json.dumps({"metadata": {"finalizers": [DRAIN], "annotations": {f"{DRAIN}-for": holder}}})
    there.version("wisdom-0")
    there.kubectl("patch", "inferenceservice", "wisdom-0", "--type=merge", f"--patch={metadata}")
    one.upgrade()
    with one.uninstalling():
        assert one.run_release_job().returncode == 0
    assert there.get("inferenceservice", "wisdom-0")["metadata"]["finalizers"] == [DRAIN]
    names = {"THEIRS": other.namespace, "YOURS": one.namespace}
    for command in by_hand():
        done = one.turnout(one.control_plane.admin, *(names.get(word, word) for word in command[1:]))
        assert done.returncode == 0, done.stderr
    assert "finalizers" not in there.get("inferenceservice", "wisdom-0")["metadata"]


def by_hand() -> list[list[str]]:
    """The commands that docs/uninstall.md has for it."""
    lines = [line for block in pages.read("docs/uninstall.md") for line in block.text.splitlines()]
    found = [shlex.split(line) for line in lines if line.startswith("turnout release --all -n THEIRS ")]
    assert found
    return found


def policy_goes_and_with_it_its_routes(site: Site) -> None:
    site.kubectl("delete", "routingpolicy", "wisdom", "--timeout=10s")
    wait_until(lambda: site.names("virtualservices") == [], timeout=20, what="the routes are collected")
    wait_until(lambda: site.names("gateways.networking.istio.io") == [], what="the Gateway is collected")


@pytest.mark.parametrize("how", ["upgrade", "rollback"])
def test_with_the_drain_switched_off_versions_can_be_deleted(make: Make, how: str) -> None:
    """The pod of before still runs, and has no rights any more to put the finalizers back. No call is moved."""
    installation, off = make(), {**QUICK, "drain": {"enabled": False}}
    if how == "rollback":
        installation.install(settings=off)
        installation.upgrade()
    else:
        installation.install()
    installation.start().says(LEADS)
    serving = installation.site()
    before = halves(serving)
    assert finalizers(serving) == [DRAIN, DRAIN]
    with installation.upgrading(off) if how == "upgrade" else installation.rolling_back("1"):
        done = installation.run_release_job()
    assert (done.returncode, done.stdout.count(" released"), done.stderr) == (0, 2, "")
    serving.kubectl("annotate", "inferenceservices", "--all", "a=b")
    assert marks(serving) == []
    serving.kubectl(
        "patch", "routingpolicy", "wisdom", "--type=merge", '--patch={"metadata":{"labels":{"a":"b"}}}'
    )
    wait_until(
        lambda: serving.condition("wisdom", "Routed") == ("False", "Forbidden"), timeout=20, what="it says so"
    )
    assert route(serving) == before
    serving.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=10s")
    assert not [one for one in left(installation) if one.endswith("-release")]


def test_of_two_releases_that_reach_a_namespace_each_lets_its_own_versions_go(make: Make) -> None:
    one, other, shared = make(), make(), make()
    there = shared.site()
    for holder, name in ((one, "wisdom-0"), (other, "wisdom-1")):
        holder.install(settings={**QUICK, "allowNamespaces": {holder.namespace: [shared.namespace]}})
        there.version(name)
        marked = {"finalizers": [DRAIN], "annotations": {f"{DRAIN}-for": holder.namespace}}
        patch = json.dumps({"metadata": marked})
        there.kubectl("patch", "inferenceservice", name, "--type=merge", f"--patch={patch}")
    with one.uninstalling():
        done = one.run_release_job()
    assert (done.returncode, done.stdout.count(" released")) == (0, 1), done.stderr
    assert f"1 held for policies of {other.namespace}" in done.stderr
    assert "finalizers" not in there.get("inferenceservice", "wisdom-0")["metadata"]
    assert there.get("inferenceservice", "wisdom-1")["metadata"]["finalizers"] == [DRAIN]


def test_a_job_that_fails_is_told_and_turnout_release_mends_it(
    installation: Installation, serving: Site
) -> None:
    """The release is gone all the same, but for the Job: docs/uninstall.md removes it."""
    with pytest.raises(AssertionError, match="1 error occurred"), installation.uninstalling():
        installation.fail_release_job()
    assert marks(serving).count(DRAIN) == 2
    admin = installation.control_plane.admin
    done = installation.turnout(admin, "release", "--all")
    assert (done.returncode, marks(serving)) == (0, [])
    assert "job.batch/turnout-release" in left(installation)
    (command,) = (
        line
        for block in pages.read("docs/uninstall.md")
        for line in block.text.splitlines()
        if line.startswith("kubectl delete --ignore-not-found job")
    )
    installation.kubectl(*shlex.split(command)[1:])
    assert left(installation) == []


def test_restarts_release_nothing(installation: Installation, serving: Site) -> None:
    """Neither stopping nor starting a pod, even where none is left in between."""
    installation.stop()
    assert finalizers(serving) == [DRAIN, DRAIN]
    again = installation.start("again")
    again.says(LEADS)
    again.terminate()
    assert again.wait() == 0
    assert finalizers(serving) == [DRAIN, DRAIN]


def test_with_kustomize_the_finalizers_are_taken_off_once_the_controller_is_gone(
    installation: Installation, serving: Site
) -> None:
    """`kubectl delete -k`, then `turnout release --all`; the CRDs are no part of it."""
    installation.stop()
    installation.helm("uninstall", "--no-hooks")
    folder = str(DEPLOY / "kustomize" / "namespace-scoped")
    installation.kubectl("apply", "-k", folder)
    installation.start("kustomized").says(LEADS)
    before = route(serving)
    installation.kubectl("delete", "-k", folder)
    done = installation.turnout(installation.control_plane.admin, "release", "--all")
    assert (done.returncode, done.stdout.count(" released")) == (0, 2)
    serving.kubectl("annotate", "inferenceservices", "--all", "a=b")
    assert (marks(serving), route(serving)) == ([], before)
    assert left(installation) == []
    for crd in CRDS:
        assert installation.get("crd", crd)
