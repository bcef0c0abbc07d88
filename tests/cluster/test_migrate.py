"""`turnout migrate --take-over` on a real API server, with a controller that does what Iter8's does."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster.controller import Site
from tests.cluster.iter8 import MANAGER, Iter8
from tests.cluster.test_rollouts import turnout
from tests.migration.charts import Chart, Object
from tests.support import Credentials, wait_until
from tests.takeover.world import entry

HALVES = {"wisdom-0": 50, "wisdom-1": 50}
GATEWAY: Object = {
    "apiVersion": "networking.istio.io/v1beta1",
    "kind": "Gateway",
    "metadata": {"name": "mm-gateway"},
    "spec": {
        "selector": {"istio": "ingressgateway"},
        "servers": [{"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}],
    },
}


class Follows:
    """Every state of a VirtualService, from now on."""

    def __init__(self, site: Site, name: str = "wisdom") -> None:
        what = ("virtualservice", name, f"--namespace={site.namespace}", "--output=json")
        self._process = site.control_plane.watching(*what, "--output-watch-events")

    def end(self) -> list[tuple[str, Object]]:
        """The events, each with the object."""
        self._process.terminate()
        said, _ = self._process.communicate(timeout=20)
        found, at, decoder = [], 0, json.JSONDecoder()
        while at < len(said.rstrip()):
            event, end = decoder.raw_decode(said, at)
            found.append((event["type"], event["object"]))
            at = end + (len(said[end:]) - len(said[end:].lstrip()))
        return found


def applied(site: Site, *documents: Object) -> None:
    for document in documents:
        site.kubectl("apply", "-f", "-", document=json.dumps(document))


def initial(chart: Chart) -> Object:
    """The VirtualService that the chart makes before Iter8's controller does."""
    to = {"host": f"modelmesh-serving.{chart.namespace}.svc.cluster.local", "port": {"number": 8033}}
    headers = {"request": {"set": {"mm-vmodel-id": chart.names[0]}}}
    http = [{"route": [{"destination": to, "headers": headers}]}]
    spec = {"gateways": ["mm-gateway", "mesh"], "hosts": chart.hosts, "http": http}
    head = {"apiVersion": "networking.istio.io/v1beta1", "kind": "VirtualService"}
    return {**head, "metadata": {"name": chart.model}, "spec": spec}


def migrate(site: Site, *arguments: str, user: Credentials | None = None) -> tuple[int, str, str]:
    process = turnout(site, user or site.control_plane.admin, "migrate", *arguments)
    said, told = process.communicate(timeout=90)
    return process.returncode, said, told


@pytest.fixture
def chart(site: Site) -> Chart:
    return Chart(namespace=site.namespace)


@pytest.fixture
def iter8(site: Site, chart: Chart) -> Iterator[Iter8]:
    """The chart's objects, two versions that are ready, and the controller, which has routed to both."""
    for name in chart.names:
        site.version(name)
    applied(site, GATEWAY, entry(chart), initial(chart), *chart.documents())
    controller = Iter8(site)
    controller.start()
    site.until_shares(HALVES)
    yield controller
    controller.stop()
    for name in site.names("configmap"):
        site.kubectl("patch", "configmap", name, "--type=merge", '--patch={"metadata":{"finalizers":null}}')


def managers(site: Site, kind: str, name: str) -> list[Object]:
    """The entries of metadata.managedFields."""
    found = site.kubectl("get", kind, name, "--output=json", "--show-managed-fields").stdout
    listed: list[Object] = json.loads(found)["metadata"]["managedFields"]
    return listed


def routes_stayed(events: list[tuple[str, Object]]) -> None:
    """In no state were the routes others, and it was never gone."""
    assert events
    assert {kind for kind, _ in events} <= {"ADDED", "MODIFIED"}
    assert len({one["metadata"]["uid"] for _, one in events}) == 1
    assert len({json.dumps(one["spec"], sort_keys=True) for _, one in events}) == 1


def belongs_to_the_policy(site: Site) -> None:
    policy, found = site.get("routingpolicy", "wisdom"), site.get("virtualservice", "wisdom")
    (owner,) = found["metadata"]["ownerReferences"]
    assert (owner["uid"], owner["controller"]) == (policy["metadata"]["uid"], True)
    assert "turnout.dev/plan" in found["metadata"]["annotations"]
    entries = managers(site, "virtualservice", "wisdom")
    assert MANAGER not in {one["manager"] for one in entries}
    of_spec = [(one["manager"], one["operation"]) for one in entries if "f:spec" in one["fieldsV1"]]
    assert of_spec == [("turnout", "Apply")]


def test_a_take_over_changes_no_route_while_both_controllers_run(site: Site, iter8: Iter8) -> None:
    site.start()
    follows = Follows(site)
    code, said, told = migrate(site, "wisdom", "--take-over")
    assert code == 0, told
    steps = said.splitlines()
    assert steps[:4] == [
        "routingpolicy.turnout.dev/wisdom created",
        "configmap/wisdom-routemap taken from Iter8",
        "serviceentry.networking.istio.io/wisdom handed over",
        "virtualservice.networking.istio.io/wisdom handed over",
    ]
    assert steps[-1] == "routingpolicy.turnout.dev/wisdom in force: wisdom-0 50% / wisdom-1 50%"
    belongs_to_the_policy(site)
    assert site.condition("wisdom", "Routed") == ("True", "InForce")
    assert "Note: Iter8's controller runs, and has put its finalizer back on" in told
    iter8.stop()
    routes_stayed(follows.end())
    kind = "gateways.networking.istio.io"
    gateway = site.get(kind, "mm-gateway")
    assert "turnout" not in {one["manager"] for one in managers(site, kind, "mm-gateway")}
    assert "ownerReferences" not in gateway["metadata"]

    code, said, told = migrate(site, "wisdom", "--take-over")
    assert code == 0, told
    assert "inferenceservice.serving.kserve.io/wisdom-0 released\n" in said
    assert "Iter8's controller runs" not in told
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--wait=false")
    site.until_shares({"wisdom-0": 100})
    wait_until(lambda: not site.get("inferenceservice", "wisdom-1"), timeout=30, what="the version is gone")


def test_routes_of_a_controller_that_is_stopped_outlive_its_routemap(site: Site, chart: Chart) -> None:
    """Since 0.18 the routemap owns them."""
    for name in chart.names:
        site.version(name)
    applied(site, GATEWAY, chart.routemap(), *(chart.weight_config(name, 30) for name in chart.names))
    Iter8(site, owns=True).reconcile()
    (owner,) = site.get("virtualservice", "wisdom")["metadata"]["ownerReferences"]
    assert owner["kind"] == "configmap"
    follows = Follows(site)
    code, said, told = migrate(site, "--all", "--take-over", "--no-wait")
    assert (code, "trafficweights.turnout.dev/wisdom created" in said) == (0, True), told
    assert "Iter8's controller runs" not in told
    belongs_to_the_policy(site)
    site.kubectl("delete", "configmap", "wisdom-routemap", "wisdom-0-weight-config", "wisdom-1-weight-config")
    site.start()
    wait_until(lambda: site.condition("wisdom", "Routed") == ("True", "InForce"), timeout=20, what="Routed")
    routes_stayed(follows.end())
    assert site.shares() == {"wisdom-0": 30, "wisdom-1": 30}


def test_whoever_may_not_write_all_of_it_writes_nothing(site: Site, iter8: Iter8) -> None:
    """The refusal names the verb and the kind. A dry run of somebody who may writes nothing either."""
    account = site.control_plane.service_account(site.namespace, "reader")
    code, said, told = migrate(site, user=account)
    assert (code, said, told.count("\n")) == (3, "", 1)
    assert 'cannot list resource "configmaps"' in told
    reads = ("--verb=get", "--verb=list", "--verb=create", "--verb=patch")
    kinds = "configmaps,routingpolicies,trafficweights,virtualservices,serviceentries,gateways.networking.istio.io"
    site.kubectl("create", "role", "reader", *reads, f"--resource={kinds}")
    site.kubectl("create", "role", "watcher", "--verb=get", "--resource=inferenceservices")
    for role in ("reader", "watcher"):
        to = f"--serviceaccount={site.namespace}:reader"
        site.kubectl("create", "rolebinding", role, f"--role={role}", to)
    wait_until(
        lambda: (
            site.kubectl("get", "inferenceservice", "wisdom-0", user=account, check=False).returncode == 0
        ),
        what="the role bindings count",
    )
    code, said, told = migrate(site, "wisdom", "--take-over", user=account)
    assert (code, said) == (3, ""), told
    assert 'cannot patch resource "inferenceservices"' in told.splitlines()[-1]
    assert site.get("routingpolicy", "wisdom") == {}

    code, said, told = migrate(site, "wisdom", "--take-over", "--dry-run")
    assert code == 0, told
    there = f"{site.namespace}/wisdom"
    assert said.startswith(f"would create RoutingPolicy {there}\nwould hand over ServiceEntry {there}\n")
    assert site.get("routingpolicy", "wisdom") == {}
    labels = site.get("configmap", "wisdom-routemap")["metadata"]["labels"]
    assert labels["iter8.tools/kind"] == "routemap"


def test_a_take_over_that_is_killed_is_gone_on_with(site: Site, iter8: Iter8) -> None:
    """Each run dies when it has told of one step, and the next one begins with another."""
    site.start()
    follows = Follows(site)
    done = []
    for _ in range(4):
        process = turnout(site, site.control_plane.admin, "migrate", "wisdom", "--take-over")
        assert process.stdout
        done.append(process.stdout.readline().split()[0])
        process.kill()
        process.communicate()
    assert done == [
        "routingpolicy.turnout.dev/wisdom",
        "configmap/wisdom-routemap",
        "serviceentry.networking.istio.io/wisdom",
        "virtualservice.networking.istio.io/wisdom",
    ]
    code, _, told = migrate(site, "wisdom", "--take-over")
    assert code == 0, told
    belongs_to_the_policy(site)
    routes_stayed(follows.end())


def test_what_would_be_lost_or_written_by_another_routemap_is_refused(site: Site, iter8: Iter8) -> None:
    site.start()
    chart = Chart(namespace=site.namespace)
    second = chart.routemap()
    second["metadata"]["name"] = "zwei-routemap"
    applied(site, second)
    code, said, told = migrate(site, "wisdom", "--take-over")
    assert (code, said) == (1, ""), told
    there = f"VirtualService {site.namespace}/wisdom"
    assert f"Error: {there} is made by ConfigMap zwei-routemap too: delete one of both\n" in told
    site.kubectl("delete", "configmap", "zwei-routemap")
    site.kubectl("patch", "serviceentry", "wisdom", "--type=merge", '--patch={"spec":{"exportTo":["."]}}')
    code, said, told = migrate(site, "wisdom", "--take-over")
    assert (code, said) == (1, ""), told
    entry = f"ServiceEntry {site.namespace}/wisdom"
    assert told.endswith(f'Error: {entry}: spec.exportTo: found ["."], turnout would write nothing\n')
    assert site.get("routingpolicy", "wisdom") == {}
    assert site.get("serviceentry", "wisdom")["spec"]["exportTo"] == ["."]


@pytest.fixture
def guard(site: Site) -> Iterator[None]:
    """An admission policy against VirtualServices that a RoutingPolicy owns, of which a label shows nothing."""
    name = f"guard-{site.namespace}"
    rule = {
        "apiGroups": ["networking.istio.io"],
        "apiVersions": ["*"],
        "operations": ["UPDATE"],
        "resources": ["virtualservices"],
    }
    owned = (
        "has(object.metadata.ownerReferences) && "
        "object.metadata.ownerReferences.exists(one, one.kind == 'RoutingPolicy')"
    )
    of_site = f"object.metadata.namespace != '{site.namespace}'"
    head = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    applied(
        site,
        {
            **head,
            "kind": "ValidatingAdmissionPolicy",
            "spec": {
                "matchConstraints": {"resourceRules": [rule]},
                "validations": [{"expression": f"{of_site} || !({owned})", "message": "not of policies"}],
            },
        },
        {
            **head,
            "kind": "ValidatingAdmissionPolicyBinding",
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    )
    yield
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        site.kubectl("delete", kind, name)


def test_a_refusal_that_no_question_has_shown_gives_the_routemap_back(
    site: Site, iter8: Iter8, guard: None
) -> None:
    """Iter8's controller follows the versions as before."""

    def guarded() -> bool:
        owner = {"apiVersion": "turnout.dev/v1alpha1", "kind": "RoutingPolicy", "name": "a", "uid": "1"}
        patch = json.dumps({"metadata": {"ownerReferences": [owner]}})
        what = ("virtualservice", "wisdom", "--type=merge", f"--patch={patch}", "--dry-run=server")
        return site.kubectl("patch", *what, check=False).returncode != 0

    wait_until(guarded, timeout=30, what="the admission policy counts")
    code, said, told = migrate(site, "wisdom", "--take-over")
    assert (code, told.count("not of policies")) == (3, 1), told
    assert said.splitlines()[-1] == "configmap/wisdom-routemap given back to Iter8"
    site.ready("wisdom-1", ready=False)
    site.until_shares({"wisdom-0": 100})
