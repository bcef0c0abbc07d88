"""What the controller does before it knows enough, and how little it does once nothing changes."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from importlib.resources import files

import pytest
import yaml

from tests.runtime.harness import Bed, refuse, vs
from turnout.names import ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Kind
from turnout.runtime.transport import Request, Response
from turnout_istio.gateway import GATEWAY, SERVICE_ENTRY
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

LISTS = (ROUTING_POLICY, TRAFFIC_WEIGHTS, INFERENCE_SERVICE, VIRTUAL_SERVICE, GATEWAY, SERVICE_ENTRY)


@pytest.fixture
def stopped(bed: Bed) -> Bed:
    """Routes at 20/80 by traffic weights, and no controller."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.weights(wisdom_0=20, wisdom_1=80)
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 20% / wisdom-1 80%")
    bed.settle()
    bed.stop()
    bed.forget_calls()
    return bed


def delayed(kind: Kind, seconds: float) -> Callable[[Request], Awaitable[Response | None]]:
    """An `on_request` that answers the lists of a kind late."""

    async def hook(request: Request) -> None:
        if request.method == "GET" and request.path.endswith(f"/{kind.plural}"):
            await asyncio.sleep(seconds)

    return hook


@pytest.mark.parametrize("kind", LISTS, ids=str)
def test_nothing_is_written_before_everything_is_known(stopped: Bed, kind: Kind) -> None:
    """Whichever list comes last: without the weights, say, the traffic would shift."""
    stopped.cluster.on_request = delayed(kind, 3.0)
    stopped.start()
    stopped.sleep(2.5)
    assert stopped.writes == []
    stopped.settle(4.0)
    assert stopped.writes == []
    assert stopped.shares() == {"wisdom-0": 20, "wisdom-1": 80}


@pytest.mark.parametrize("kind", LISTS, ids=str)
def test_a_list_that_fails_at_first_is_waited_for(stopped: Bed, kind: Kind) -> None:
    """At most the status says so; what has changed meanwhile is then acted upon."""
    stopped.ready("wisdom-1", False)
    stopped.cluster.on_request = refuse(verb="list", kind=kind, code=500, reason="InternalError")
    stopped.start()
    stopped.sleep(2.0)
    assert set(stopped.writes) <= {"apply routingpolicies/wisdom/status"}
    assert stopped.shares() == {"wisdom-0": 20, "wisdom-1": 80}
    stopped.cluster.on_request = None
    stopped.until(lambda: stopped.shares() == {"wisdom-0": 100})


def test_a_restart_where_nothing_has_changed_writes_nothing(stopped: Bed) -> None:
    stopped.start()
    stopped.settle()
    assert stopped.writes == []


def test_a_policy_costs_two_writes_at_start(bed: Bed) -> None:
    """Its route and its status; once its ServiceEntry, the shared Gateway and the finalizers."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.start()
    bed.settle()
    assert sorted(bed.writes) == [
        "apply gateways/mm-gateway",
        "apply routingpolicies/wisdom/status",
        "apply serviceentries/wisdom",
        "apply virtualservices/wisdom",
        "patch inferenceservices/wisdom-0",
        "patch inferenceservices/wisdom-1",
    ]


def test_routes_that_are_gone_at_start_are_made_anew_without_asking_for_the_policy(stopped: Bed) -> None:
    """One that vanishes later may have been collected with its policy, which is asked for then."""
    stopped.delete(vs())
    stopped.forget_calls()
    stopped.start()
    stopped.until(lambda: stopped.exists(vs()))
    stopped.settle()
    gets = [call for call in stopped.calls if call.verb == "get"]
    assert gets == []


def test_with_many_policies_routes_come_first(bed: Bed) -> None:
    """Statuses and what else can wait follow; in the end each policy has cost what one alone does."""
    names = [f"model-{index}" for index in range(80)]
    for name in names:
        bed.version(f"{name}-0")
        bed.policy(name)
    bed.start()
    bed.until(lambda: all(bed.condition("Ready", name) == ("True", "Ready") for name in names), within=400)
    bed.settle()
    routes = [index for index, write in enumerate(bed.writes) if write.startswith("apply virtualservices/")]
    others = [
        index for index, write in enumerate(bed.writes) if "/status" in write or "serviceentries" in write
    ]
    assert routes[len(names) // 2] < others[0]
    assert Counter(write.partition("/")[0] for write in bed.writes) == {
        "patch inferenceservices": 80,
        "apply virtualservices": 80,
        "apply serviceentries": 80,
        "apply routingpolicies": 80,
        "apply gateways": 1,
    }


def test_a_heartbeat_costs_no_call_at_all(stopped: Bed) -> None:
    """On a version that is routed, and on one that nobody has named."""
    stopped.version("stranger")
    stopped.start()
    stopped.settle()
    stopped.forget_calls()
    for name in ("wisdom-0", "wisdom-1", "stranger"):
        stopped.heartbeat(name)
        stopped.heartbeat(name)
    stopped.settle()
    assert stopped.calls == []


def test_the_routes_are_written_after_what_they_lead_over(bed: Bed) -> None:
    """First the finalizer, then the name for clients in the mesh, then the route, then the status."""
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.settle()
    order = [write for write in bed.writes if "gateways" not in write]
    assert order == [
        "patch inferenceservices/wisdom-0",
        "apply serviceentries/wisdom",
        "apply virtualservices/wisdom",
        "apply routingpolicies/wisdom/status",
    ]


def test_a_missing_kind_stops_only_the_policies_that_need_it(bed: Bed) -> None:
    """Routed names it, and the policy of another router goes on."""
    bed.cluster.uninstall(VIRTUAL_SERVICE)
    bed.version("wisdom-0")
    bed.version("other-0")
    bed.policy()
    bed.policy("other", router="toy-table")
    bed.start()
    bed.until(lambda: bed.condition("Routed", "other") == ("True", "InForce"))
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "KindNotInstalled"))
    assert "virtualservices.networking.istio.io" in bed.message("Routed")
    assert bed.condition("Accepted") == ("True", "Valid")
    assert bed.condition("Ready") == ("Unknown", "NotRouted")


def test_a_kind_that_is_installed_later_is_found(bed: Bed) -> None:
    bed.cluster.uninstall(VIRTUAL_SERVICE)
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "KindNotInstalled"))
    bed.cluster.install(VIRTUAL_SERVICE)
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))


def test_a_kind_that_is_removed_under_way_is_said_and_found_again(stopped: Bed) -> None:
    """The routes are gone with their CRD, and come back with it."""
    stopped.start()
    stopped.settle()
    stopped.cluster.uninstall(VIRTUAL_SERVICE)
    stopped.until(lambda: stopped.condition("Routed")[1] == "KindNotInstalled")
    stopped.cluster.install(VIRTUAL_SERVICE)
    stopped.until(lambda: stopped.condition("Routed") == ("True", "InForce"))
    assert stopped.shares() == {"wisdom-0": 20, "wisdom-1": 80}


def test_policies_are_served_once_their_own_kinds_are_installed(bed: Bed) -> None:
    """A controller may be started before its CRDs."""
    for kind in (ROUTING_POLICY, TRAFFIC_WEIGHTS):
        bed.cluster.uninstall(kind)
    bed.start()
    bed.settle()
    for definition in files("turnout").joinpath("crds").iterdir():
        bed.cluster.install_crd(yaml.safe_load(definition.read_text(encoding="utf-8")))
    bed.version("wisdom-0")
    bed.policy()
    bed.until(lambda: bed.split() == "wisdom-0 100%")


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_a_kind_that_may_not_be_read_is_said(stopped: Bed, verb: str) -> None:
    """With the API server's words, which name the missing permission; and granting it is enough."""
    stopped.cluster.on_request = refuse(verb=verb, kind=INFERENCE_SERVICE)
    stopped.start()
    stopped.until(lambda: stopped.condition("Routed") == ("Unknown", "Forbidden"))
    assert f"{verb} inferenceservices: it is not allowed" in stopped.message("Routed")
    stopped.cluster.on_request = None
    stopped.until(lambda: stopped.condition("Routed") == ("True", "InForce"))
    assert stopped.shares() == {"wisdom-0": 20, "wisdom-1": 80}


def test_a_kind_that_may_not_be_read_stops_no_other_policy(bed: Bed) -> None:
    bed.cluster.on_request = refuse(kind=VIRTUAL_SERVICE)
    for name in ("wisdom", "other"):
        bed.version(f"{name}-0")
    bed.policy()
    bed.policy("other", router="toy-table")
    bed.start()
    bed.until(lambda: bed.condition("Routed", "other") == ("True", "InForce"))
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "Forbidden"))


def test_a_route_that_may_not_be_written_is_said(bed: Bed) -> None:
    """The others are written, and it is tried again."""
    bed.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE, name="wisdom")
    for name in ("wisdom", "other"):
        bed.version(f"{name}-0")
        bed.policy(name)
    bed.start()
    bed.until(lambda: bed.shares("other") == {"other-0": 100})
    bed.until(lambda: bed.condition("Routed") == ("False", "Forbidden"))
    assert "apply virtualservices: it is not allowed" in bed.message("Routed")
    bed.cluster.on_request = None
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})


def test_a_route_that_the_server_refuses_is_said_with_its_words(bed: Bed) -> None:
    """Such as by an admission webhook."""
    bed.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE, code=422, reason="Invalid")
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("False", "WriteFailed"))
    assert "422" in bed.message("Routed")


def test_a_finalizer_that_may_not_be_put_on_is_said(stopped: Bed) -> None:
    """That version gets no calls; what is routed stays routed."""
    stopped.cluster.on_request = refuse(verb="patch", kind=INFERENCE_SERVICE)
    stopped.policy(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
    stopped.version("wisdom-2")
    stopped.start()
    stopped.until(lambda: stopped.condition("Routed") == ("False", "Forbidden"))
    told = "wisdom-2 lacks the finalizer turnout.dev/drain, before which no route is led to it: "
    assert told in stopped.message("Routed")
    assert stopped.shares() == {"wisdom-0": 20, "wisdom-1": 80}
    stopped.cluster.on_request = None
    stopped.until(lambda: stopped.shares().keys() == {"wisdom-0", "wisdom-1", "wisdom-2"})


@pytest.mark.parametrize(("code", "why"), [(403, "Forbidden"), (422, "WriteFailed"), (500, "WriteFailed")])
def test_a_finalizer_that_is_refused_again_and_again_is_not_said_to_be_lost(
    stopped: Bed, code: int, why: str
) -> None:
    """Nobody takes it off: the API server's words stay."""
    stopped.cluster.on_request = refuse(verb="patch", kind=INFERENCE_SERVICE, code=code, reason="Word")
    stopped.policy(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
    stopped.version("wisdom-2")
    stopped.start()
    stopped.until(lambda: stopped.condition("Routed") == ("False", why))
    for number in range(6):
        stopped.policy(
            modelVersions=[{"name": f"wisdom-{one}"} for one in range(3)], labels={"n": f"{number}"}
        )
        stopped.sleep(2)
        assert stopped.condition("Routed") == ("False", why)
    assert f"({code} Word)" in stopped.message("Routed")


@pytest.mark.parametrize(("code", "reason"), [(422, "Invalid"), (500, "InternalError"), (400, "BadRequest")])
def test_a_finalizer_that_the_server_refuses_stops_no_other_version(
    stopped: Bed, code: int, reason: str
) -> None:
    """Such as by an admission webhook that is about one object."""
    hook = refuse(verb="patch", kind=INFERENCE_SERVICE, name="wisdom-2", code=code, reason=reason)
    stopped.cluster.on_request = hook
    stopped.policy(modelVersions=[{"name": f"wisdom-{number}"} for number in range(3)])
    stopped.version("wisdom-2")
    stopped.start()
    stopped.until(lambda: stopped.condition("Routed") == ("False", "WriteFailed"))
    assert "wisdom-2" in stopped.message("Routed")
    stopped.ready("wisdom-1", False)
    stopped.until(lambda: stopped.shares() == {"wisdom-0": 100})


def test_a_status_that_may_not_be_written_stops_no_route(bed: Bed) -> None:
    """Not the shared ones either, nor the release of what is deleted."""
    bed.cluster.on_request = refuse(kind=ROUTING_POLICY, verb="apply")
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.until(lambda: "apply gateways/mm-gateway" in bed.writes)


def test_a_kind_is_written_in_the_version_that_the_cluster_serves(bed: Bed) -> None:
    """Older Istio has v1beta1 only."""
    old = Kind("networking.istio.io", ("v1beta1",), "VirtualService", "virtualservices")
    bed.cluster.uninstall(VIRTUAL_SERVICE)
    bed.cluster.install(old)
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    assert bed.get(vs())["apiVersion"] == "networking.istio.io/v1beta1"
    assert {route["apiVersion"] for route in bed.status()["routes"] if route["kind"] == "VirtualService"} == {
        "networking.istio.io/v1beta1"
    }


def test_a_router_that_writes_something_else_since_the_last_start_accuses_nobody(stopped: Bed) -> None:
    """A new release of a plugin, or another default of its options: routes are rewritten, once."""
    stopped.start(settings={"plugins": {"istio": {"defaults": {"marker": True}}}})
    stopped.settle()
    assert stopped.writes == ["apply virtualservices/wisdom"]
    (told,) = stopped.events("Corrected")
    assert told == (
        "VirtualService models/wisdom is not what would be written now, at spec.http[0].directResponse, "
        "and is rewritten"
    )


@pytest.mark.parametrize("allowed", [True, False], ids=["allowed", "forbidden"])
def test_kinds_that_no_policy_uses_are_looked_at_once_and_not_followed(
    bed: Bed, allowed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Rights for the kinds in use are enough: nobody wants to grant those of all plugins there are."""
    bed.version("wisdom-0")
    if not allowed:
        bed.cluster.on_request = refuse(verb="list", kind=INFERENCE_SERVICE)
    bed.start()
    bed.settle(3.0)
    assert [call.verb for call in bed.calls if call.resource == str(INFERENCE_SERVICE)] == ["list"]
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
    bed.cluster.on_request = None
    bed.policy()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
