"""`helm install`, `upgrade` and `rollback` on a real API server; tests run what the pods would run."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.controller import Site
from tests.cluster.proxied import Proxied
from tests.deploy.chart import CHART, Object, container, objects, only
from tests.deploy.conftest import Make
from tests.deploy.installation import QUICK, Installation
from tests.docs import pages
from tests.support import ControlPlane, wait_until
from tests.support.faultproxy import refusal
from tests.support.waiting import answers

LEADS, STANDS_BY = "leading, by the Lease", "standing by: "
HALVES = {"wisdom-0": 50, "wisdom-1": 50}


def halves(site: Site) -> str:
    """Bring two versions that share the calls by halves. Returns what changes with every write of the route."""
    for name in ("wisdom-0", "wisdom-1"):
        site.version(name)
    site.policy("wisdom")
    site.until_shares(HALVES)
    return route(site)


def route(site: Site) -> str:
    return str(site.get("virtualservice", "wisdom")["metadata"]["resourceVersion"])


def checksum(installation: Installation) -> str:
    found: str = installation.get("deployment", installation.name)["spec"]["template"]["metadata"][
        "annotations"
    ]["checksum/settings"]
    return found


def finalizers(site: Site) -> list[str]:
    names = ("wisdom-0", "wisdom-1")
    return [one for name in names for one in site.get("inferenceservice", name)["metadata"]["finalizers"]]


def denied(installation: Installation, *others: Site) -> list[str]:
    """What the controller was refused; namespaces that are going away refuse whatever rights there are."""
    living = {"", installation.namespace, *(site.namespace for site in others)}
    calls = installation.control_plane.audit(installation.account)
    return [f"{call.verb} {call.uri}" for call in calls if call.code == 403 and call.namespace in living]


def test_a_release_is_installed_upgraded_and_rolled_back_without_a_shift(installation: Installation) -> None:
    """Each time new pods replace the old ones. No route is written, and no finalizer is taken off."""
    site = installation.site()
    leader = installation.start("first")
    leader.says(LEADS)
    route_before = halves(site)
    sums = [checksum(installation)]
    changed: Object = {**QUICK, "clusterDomain": "cluster.local", "gates": {"failOpen": []}}
    for number, change in enumerate(("upgrade", "rollback")):
        if change == "upgrade":
            installation.upgrade("--set=replicas=3", settings=changed)
        else:
            installation.helm("rollback", "1")
        sums.append(checksum(installation))
        new = installation.start(f"new-{number}")
        new.says(STANDS_BY)
        leader.terminate()
        new.says(LEADS)
        assert leader.wait() == 0
        leader = new
    assert sums[0] == sums[2] != sums[1]
    assert installation.get("deployment", "turnout")["spec"]["replicas"] == 2
    assert (route(site), finalizers(site)) == (route_before, ["turnout.dev/drain"] * 2)
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=30s")  # the last one does its work
    assert site.shares() == {"wisdom-0": 100}
    assert denied(installation) == []


@pytest.mark.usefixtures("admission_policies")
def test_two_releases_have_admission_policies_of_their_own(make: Make) -> None:
    for one in (make(), make()):
        one.install("--set=admissionPolicies.create=true")


def test_two_releases_serve_a_namespace_each(make: Make) -> None:
    """In one cluster, side by side, with rights on their own alone."""
    both = [make(), make()]
    for one in both:
        one.install()
        one.start().says(LEADS)
    for one in both:
        halves(one.site())
    first, second = both
    for one, other in ((first, second), (second, first)):
        calls = one.control_plane.audit(one.account)
        assert {call.namespace for call in calls if call.namespace} == {one.namespace}
        for what in ("list inferenceservices", "patch virtualservices", "get leases/turnout", "list secrets"):
            assert not may(one, what, other.namespace)
        assert may(one, "list inferenceservices", one.namespace)
        assert not may(one, "list secrets", one.namespace)
    first.helm("uninstall", "--no-hooks")
    halves_stay = route(second.site())
    second.site().version("wisdom-0")
    assert route(second.site()) == halves_stay


def may(installation: Installation, what: str, namespace: str) -> bool:
    """Whether RBAC lets the controller's account do something in a namespace."""
    asked = installation.control_plane.kubectl(
        "auth",
        "can-i",
        *what.split(),
        f"--namespace={namespace}",
        f"--as={installation.account.name}",
        check=False,
    )
    return asked.stdout.strip() == "yes"


def test_a_cluster_scoped_release_serves_all_namespaces(make: Make) -> None:
    """Those that came after it too; its Lease stays in its own."""
    installation = make()
    installation.install("--set=clusterScoped=true")
    installation.start().says(LEADS)
    elsewhere, site = make().site(), installation.site()
    for one in (elsewhere, site):
        halves(one)
    assert (elsewhere.names("leases"), site.names("leases")) == ([], ["turnout"])
    assert denied(installation, elsewhere) == []


def test_namespaces_of_the_values_are_served_and_no_others(make: Make) -> None:
    installation, other, stranger = make(), make(), make()
    installation.install(f"--set=namespaces={{{installation.namespace},{other.namespace}}}")
    installation.start().says(LEADS)
    elsewhere = other.site()
    halves(elsewhere)
    halves(installation.site())
    assert not may(installation, "list inferenceservices", stranger.namespace)
    assert denied(installation, elsewhere) == []


@pytest.mark.parametrize(("kind", "name"), [("Deployment", "turnout"), ("Job", "turnout-release")])
def test_pods_pass_the_restricted_pod_security_standard(
    installation: Installation, kind: str, name: str
) -> None:
    """By the API server's own admission, which refuses the same pod as root."""
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    installation.kubectl("label", "namespace", installation.namespace, enforce)
    template = only(objects(), kind, name)["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one"}, "spec": template["spec"]}
    apply = ("create", "--dry-run=server", "--filename=-")
    assert "created" in installation.kubectl(*apply, document=json.dumps(pod)).stdout
    template["spec"]["securityContext"]["runAsNonRoot"] = False
    refused = installation.kubectl(*apply, document=json.dumps(pod), check=False)
    assert 'violates PodSecurity "restricted:latest": runAsNonRoot' in refused.stderr


@pytest.fixture
def bare(make: Make, cluster: ControlPlane) -> Iterator[Installation]:
    """In a cluster without turnout's CRDs; afterwards it has them."""
    cluster.kubectl("delete", "--filename", str(cluster.assets.crds["turnout"]))
    yield make()
    cluster.install_crds("turnout")


def test_crds_are_installed_where_they_are_missing_and_upgraded_by_kustomize(bare: Installation) -> None:
    """Helm never touches those that are there."""
    bare.install()
    name = "routingpolicies.turnout.dev"
    installed = bare.get("crd", name)
    assert installed["spec"]["names"]["shortNames"] == ["rp"]
    old = json.dumps({"spec": {"names": {"shortNames": ["old"]}}})
    bare.kubectl("patch", "crd", name, "--type=merge", f"--patch={old}")
    bare.upgrade()
    assert bare.get("crd", name)["spec"]["names"]["shortNames"] == ["old"]
    apply = (
        "apply",
        "--server-side",
        "--force-conflicts",
        "-k",
        str(CHART.parents[1] / "kustomize" / "crds"),
    )
    bare.control_plane.kubectl(*apply)
    assert bare.get("crd", name)["spec"] == installed["spec"]
    bare.helm("uninstall", "--no-hooks")
    assert bare.get("crd", name)


def test_nothing_in_the_cluster_differs_from_the_chart(installation: Installation) -> None:
    """An upgrade with the same values writes nothing anew."""
    before = installation.get("deployment", "turnout")["metadata"]
    installation.upgrade()
    after = installation.get("deployment", "turnout")["metadata"]
    assert (after["uid"], after["generation"]) == (before["uid"], before["generation"])
    wait_until(lambda: installation.get("service", "turnout-metrics"), what="the Service")


def test_people_are_told_what_deleting_the_crds_deletes(installation: Installation) -> None:
    """Where they install, in the chart, and where they read how to uninstall."""
    notes = installation.helm("status").partition("NOTES:")[2]
    readme = (CHART / "README.md").read_text(encoding="utf-8")
    for said in (notes, readme, pages.text("docs/uninstall.md")):
        assert "deletes every policy" in " ".join(said.lower().split())
        assert "all routes" in said.lower()
    assert f"kubectl -n {installation.namespace} rollout status deployment/turnout" in notes


def test_people_are_told_what_uninstalling_one_of_several_releases_does(installation: Installation) -> None:
    """Where they install, and where they read of several releases and of uninstalling."""
    notes = installation.helm("status").partition("NOTES:")[2]
    for said in (notes, pages.text("docs/install.md"), pages.text("docs/uninstall.md")):
        assert "`release.enabled=false` for all but the last" in " ".join(said.split())


def test_a_status_that_is_refused_for_a_while_is_written_then(
    installation: Installation, tmp_path: Path
) -> None:
    """Though nothing else happens: so nobody who reads it is misled once the API server is well again."""
    account, namespace = installation.account, installation.namespace
    proxied = Proxied(installation.control_plane, account, tmp_path, namespace=namespace)
    try:
        installation.start(through=proxied).says(LEADS)
        site = installation.site()
        site.version("wisdom-0")
        site.policy("wisdom")
        wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", timeout=20, what="Ready")
        refused: list[str] = []

        def fault(method: str, target: str) -> bytes | None:
            if method != "PATCH" or "/routingpolicies/wisdom/status" not in target:
                return None
            refused.append(target)
            return refusal(500, "InternalError")

        proxied.proxy.fault = fault
        site.version("wisdom-1")
        site.until_shares(HALVES)
        wait_until(lambda: len(refused) >= 6, timeout=60, what="it is tried again")
        proxied.proxy.fault = None
        told = "wisdom-0 50% / wisdom-1 50%"
        wait_until(
            lambda: site.get("routingpolicy", "wisdom")["status"]["split"] == told, timeout=60, what="told"
        )
    finally:
        installation.close()
        proxied.close()


def test_a_pod_answers_its_probes_and_tells_metrics(installation: Installation) -> None:
    """At the paths that the Deployment and the ServiceMonitor name."""
    installation.start().says(LEADS)
    pod = container(installation.get("deployment", "turnout"))
    paths = [pod[f"{probe}Probe"]["httpGet"]["path"] for probe in ("liveness", "readiness")]
    (endpoint,) = only(objects("--set=serviceMonitor.create=true"), "ServiceMonitor")["spec"]["endpoints"]
    for path in (*paths, endpoint["path"]):
        assert wait_until(partial(answers, f"http://{installation.address}{path}"), what=path)
