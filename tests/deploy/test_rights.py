"""Least privilege, proven: the chart's own account on a real API server, with every plugin enabled.

A verb is needed where a call was made with it: without the verb it would have been refused. The audit log has these
calls, but for `create`, which server-side apply needs besides `patch` and does not show.
"""

import json
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controller import Process, Site
from tests.cluster.proxied import Proxied
from tests.cluster.versions import Workload, apply
from tests.deploy.cast import ALL, POLICIES, SETTINGS, WORKLOADS, Cast
from tests.deploy.chart import granted
from tests.deploy.conftest import Make
from tests.deploy.installation import QUICK, Installation
from tests.deploy.test_install import HALVES, LEADS, denied
from tests.support import wait_until
from tests.support.answering import Answering
from tests.support.faultproxy import refusal

Rules = list[dict[str, Any]]


@pytest.fixture
def cast(make: Make) -> Cast:
    installation = make()
    installation.install(ALL, settings=SETTINGS)
    return Cast(installation)


class OldNews:
    """Answers the first write of each kind as if somebody had been faster, so that it is read anew."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def __call__(self, method: str, target: str) -> bytes | None:
        kind, _, there = target.partition("?")[0].partition("/namespaces/")
        path = there.split("/")
        kind = f"{kind}/{path[1:2]}"
        if (
            method != "PATCH"
            or len(path) != 3
            or path[1] in ("leases", "trafficweights")
            or kind in self._told
        ):
            return None
        self._told.add(kind)
        return refusal(409, "Conflict")


@pytest.fixture
def proxied(cast: Cast, tmp_path: Path) -> Iterator[Proxied]:
    installation = cast.installation
    namespace = installation.namespace
    made = Proxied(installation.control_plane, installation.account, tmp_path, namespace=namespace)
    made.proxy.fault = OldNews()
    yield made
    installation.close()
    made.close()


def test_every_verb_that_is_granted_is_used_and_nothing_is_refused(cast: Cast, proxied: Proxied) -> None:
    """A rollout with all features: drain, weights, shared Gateways, moves, a lease, events, and what people undo."""
    installation, site = cast.installation, cast.site
    installation.start(through=proxied).says(LEADS)
    cast.declare("wisdom", "gateway-api")
    cast.declare("shop", "gateway-api")
    cast.declare("mill", "istio")
    cast.declare("store", "istio")
    cast.declare("wisdom", "istio")
    for name in ("wisdom", "mill", "store"):
        cast.declare(name, "envoy")
    wait_until(lambda: site.names("gateways.networking.istio.io") == [], what="the Gateway is removed")
    cast.declare("wisdom", "istio")
    for router in ("envoy", "istio"):
        cast.declare("shop", router)

    weights = {"wisdom-0": 20, "wisdom-1": 80}
    apply(site, "turnout.dev/v1alpha1", "TrafficWeights", "wisdom", spec={"weights": weights})
    site.version("wisdom-1")
    site.until_shares(weights)
    site.kubectl("delete", "virtualservice", "wisdom")
    site.until_shares(weights)
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=30s")
    for name, kind in WORKLOADS.items():
        site.kubectl("delete", kind, f"{name}-0", "--timeout=60s")
        site.kubectl("delete", "service", f"{name}-0", "--timeout=60s")
    wait_until(lambda: "events" in cast.calls(), what="an event")
    installation.stop()

    rules = role(installation, "turnout") + role(installation, "turnout-lease")
    without_create = {kind: verbs - {"create"} for kind, verbs in granted(rules).items()}
    made_by_post = ("events", "leases.coordination.k8s.io")
    used = cast.calls()
    assert used == without_create | {kind: granted(rules)[kind] for kind in made_by_post}
    assert denied(installation) == []


def role(installation: Installation, name: str) -> Rules:
    found: Rules = installation.get("role", name)["rules"]
    return found


def grant(installation: Installation, name: str, rules: Rules) -> None:
    """Give a Role other rules, and return when they count."""
    installation.kubectl("patch", "role", name, "--type=merge", f"--patch={json.dumps({'rules': rules})}")
    time.sleep(0.3)  # the API server's authorizer hears of it by a watch


@pytest.fixture
def routed(cast: Cast) -> Cast:
    """A policy for each router, whose routes are written."""
    cast.installation.start().says(LEADS)
    for name, router in AT.items():
        cast.declare(name, router)
    return cast


AT = {"wisdom": "istio", "mill": "gateway-api", "shop": "gateway-api", "store": "envoy"}
CREATED = {
    "virtualservices.networking.istio.io": "wisdom",
    "serviceentries.networking.istio.io": "wisdom",
    "gateways.networking.istio.io": "mm-gateway",
    "httproutes.gateway.networking.k8s.io": "shop",
    "grpcroutes.gateway.networking.k8s.io": "mill",
    "gateways.gateway.networking.k8s.io": "model-gateway",
    "configmaps": "store-envoy",
}


def test_without_create_no_object_is_made_again(routed: Cast) -> None:
    """Of each kind, where the other verbs are granted. Afterwards it is made."""
    installation, site = routed.installation, routed.site
    rules = role(installation, "turnout")
    assert set(CREATED) == {
        kind for kind, verbs in granted(rules).items() if "create" in verbs and kind != "events"
    }
    for kind, name in CREATED.items():
        plural, _, group = kind.partition(".")
        mark = installation.control_plane.audit_mark()
        grant(installation, "turnout", [without(rule, plural, group, "create") for rule in rules])
        site.kubectl("delete", kind, name)
        wait_until(partial(routed.is_refused, mark, plural), what=kind)
        assert not site.get(kind, name)
        grant(installation, "turnout", rules)
        apply_again(site)
        wait_until(partial(site.get, kind, name), timeout=20, what=f"{kind} again")


def without(rule: dict[str, Any], plural: str, group: str, verb: str) -> dict[str, Any]:
    """A rule without a verb, if it is that of a kind."""
    if rule["apiGroups"] != [group] or plural not in rule["resources"]:
        return rule
    return {**rule, "verbs": [one for one in rule["verbs"] if one != verb]}


def apply_again(site: Site) -> None:
    """Wake the controller: what it was refused it tries again on its own only after half a minute."""
    for name in POLICIES:
        site.kubectl("annotate", "routingpolicy", name, f"turned={time.monotonic()}", "--overwrite")


def test_each_rule_that_is_removed_is_missed(cast: Cast) -> None:
    """By a controller that starts without it: the API server refuses a call, and the log says which."""
    installation, site = cast.installation, cast.site
    installation.start().says(LEADS)
    for policy, router in AT.items():
        cast.declare(policy, router)
    installation.stop()
    missed = []
    for name in ("turnout", "turnout-lease"):
        rules = role(installation, name)
        for number, rule in enumerate(rules):
            grant(installation, name, rules[:number] + rules[number + 1 :])
            if rule["verbs"] == ["create"] and rule["resources"] == ["leases"]:
                site.kubectl("delete", "lease", "turnout")
            mark = installation.control_plane.audit_mark()
            pod = installation.start(f"{name}-{number}")
            until_missed(cast, rule, pod, mark)
            missed.append(rule)
            installation.stop()
            grant(installation, name, rules)
    assert len(missed) == 12


def until_missed(cast: Cast, rule: dict[str, Any], pod: Process, mark: int) -> None:
    """Wait until a call that the rule is for is refused, and the log says so. Events are written or not, in silence."""
    resources = {resource.partition("/")[0] for resource in rule["resources"]}
    if "leases" not in resources:
        pod.says(LEADS)
        cast.site.kubectl(
            "annotate", "inferenceservice", "wisdom-0", f"turned={time.monotonic()}", "--overwrite"
        )
        cast.turn("wisdom-0")
        cast.site.kubectl("delete", "virtualservice", "wisdom", "--ignore-not-found")
    wait_until(lambda: cast.is_refused(mark, *resources), timeout=20, what=f"missed: {rule}")
    if resources != {"events"}:
        pod.says("cannot")


@pytest.fixture
def served(cast: Cast) -> Cast:
    """Two versions that share the calls by halves."""
    cast.installation.start().says(LEADS)
    cast.site.version("wisdom-1")
    cast.declare("wisdom", "istio")
    cast.site.until_shares(HALVES)
    wait_until(lambda: cast.site.condition("wisdom", "Ready")[0] == "True", what="Ready")
    return cast


def test_commands_work_with_the_controllers_account(served: Cast) -> None:
    """`list`, `wait`, `verify` and `release`, as in a pod; `plan` asks no cluster."""
    installation, there = served.installation, f"--namespace={served.site.namespace}"
    for asking in (("list",), ("wait", "wisdom", "--for=ready")):
        told = installation.turnout(installation.account, *asking, there)
        assert (told.returncode, told.stdout.count("wisdom-0 50% / wisdom-1 50%")) == (0, 1), told.stderr
    with Answering(_0=50, _1=50) as mesh:
        verified = installation.turnout(
            installation.account, "verify", "wisdom", there, f"--address={mesh.address}"
        )
    assert (verified.returncode, "Traceback" in verified.stderr) == (0, False), verified.stderr
    installation.stop()
    released = installation.turnout(installation.account, "release", "--all", there)
    assert (released.returncode, released.stdout.count(" released")) == (0, 2), released.stderr
    assert denied(installation) == []


def test_with_the_drain_switched_off_versions_are_only_read(make: Make) -> None:
    """A rollout goes on, and nothing that it asks is refused."""
    installation = make()
    installation.install(settings={**QUICK, "drain": {"enabled": False}})
    site = installation.site()
    for name in ("wisdom-0", "wisdom-1"):
        site.version(name)
    installation.start().says(LEADS)
    site.policy("wisdom")
    site.until_shares(HALVES)
    site.kubectl("delete", "inferenceservice", "wisdom-1", "--timeout=10s")
    site.until_shares({"wisdom-0": 100})
    assert denied(installation) == []
    calls = installation.control_plane.audit(installation.account, resource="inferenceservices")
    assert {call.verb for call in calls} == {"list", "watch"}


def test_with_the_drain_switched_off_workloads_and_their_services_are_only_read(make: Make) -> None:
    """So are Deployments, StatefulSets and Services: those of deleted versions are gone at once."""
    installation = make()
    installation.install(ALL, settings={**SETTINGS, "drain": {"enabled": False}})
    cast = Cast(installation)
    installation.start().says(LEADS)
    for name, kind in WORKLOADS.items():
        following = Workload(cast.site, kind, f"{name}-1")
        following.apply()
        following.roll_out()
        cast.declare(name, "istio")
        until_routed(cast, name, {f"{name}-0", f"{name}-1"})
        for one in (kind, "service"):
            cast.site.kubectl("delete", one, f"{name}-0", "--timeout=10s")
        until_routed(cast, name, {f"{name}-1"})
    assert denied(installation) == []
    calls = cast.calls()
    for plural in ("deployments.apps", "statefulsets.apps", "services"):
        assert calls[plural] == {"list", "watch"}


def until_routed(cast: Cast, policy: str, versions: set[str]) -> None:
    """Wait until these and no others are named by a policy's routes."""

    def named() -> set[str]:
        routes = json.dumps(cast.site.get("virtualservice", policy).get("spec"))
        return {one for one in (f"{policy}-0", f"{policy}-1") if one in routes}

    wait_until(lambda: named() == versions, timeout=20, what=f"{policy} routes to {versions}")
