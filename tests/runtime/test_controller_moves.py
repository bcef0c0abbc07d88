"""A policy moves to another router, or to another environment: make before break, and nothing stays behind."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.runtime.draining import SLACK
from tests.runtime.harness import (
    IN_FLIGHT,
    NAMESPACE,
    PROPAGATION,
    Bed,
    gateway,
    isvc,
    refuse,
    service_entry,
    vs,
)
from tests.toys.hosts import KNATIVE_SERVICE, ToyHosts, ToyHostsOptions
from tests.toys.table import CONFIG_MAP, ToyTable
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Kind, Ref, VersionSpec
from turnout.registry import Registry
from turnout_istio.virtual_service import VIRTUAL_SERVICE

TABLE = Ref(CONFIG_MAP, NAMESPACE, "wisdom-table")
ARRIVAL = 8.0
"""Seconds that the tables need to arrive, as set here."""
DRAIN = {"propagationSeconds": {"istio": PROPAGATION, "toy-table": ARRIVAL}}
OLD = (vs(), service_entry(), gateway())


def start(bed: Bed) -> None:
    bed.start(drain=DRAIN)


def there(bed: Bed, refs: Iterable[Ref] = OLD) -> list[bool]:
    return [bed.exists(ref) for ref in refs]


def listed(bed: Bed) -> list[str]:
    """The kinds of what the status lists."""
    return [one["kind"] for one in bed.status().get("routes", ())]


def in_table(bed: Bed, ref: Ref = TABLE) -> dict[str, int]:
    """The weights by version in a table; empty where there is none."""
    if not bed.exists(ref):
        return {}
    rows, *_ = json.loads(bed.get(ref)["data"]["table.json"]).values()
    return {row["authority"] or row["headers"]["mm-vmodel-id"]: row["weight"] for row in rows}


@pytest.fixture
def halves(bed: Bed) -> Bed:
    """Two versions that share the calls by halves, by VirtualService."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    start(bed)
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.settle()
    bed.forget_calls()
    return bed


def moved(bed: Bed) -> bool:
    return there(bed) == [False] * 3 and listed(bed) == ["ConfigMap"]


class TestRouter:
    def test_the_new_routes_come_first_and_the_old_go_once_those_have_arrived(self, halves: Bed) -> None:
        halves.policy(router="toy-table")
        halves.until(lambda: halves.exists(TABLE))
        made = halves.now()
        halves.settle()

        assert in_table(halves) == {"wisdom-0": 50, "wisdom-1": 50}
        assert there(halves) == [True] * 3
        assert listed(halves) == ["ConfigMap", "Gateway", "ServiceEntry", "VirtualService"]
        assert halves.condition("Routed") == ("True", "Moving")
        assert halves.message("Routed") == (
            "removed once the new routes have arrived: ServiceEntry models/wisdom, VirtualService models/wisdom"
        )
        halves.until(lambda: not halves.exists(vs()))
        assert (halves.now() - made).total_seconds() > ARRIVAL + IN_FLIGHT - SLACK
        halves.until(lambda: moved(halves))
        assert halves.condition("Routed") == ("True", "InForce")

    def test_nothing_is_written_once_it_is_over(self, halves: Bed) -> None:
        halves.policy(router="toy-table")
        halves.until(lambda: moved(halves))
        halves.settle()
        halves.forget_calls()
        halves.sleep(60)
        assert halves.writes == []
        halves.restart(drain=DRAIN)
        halves.settle(5)
        assert halves.writes == []

    @pytest.mark.parametrize("when", ["before", "under way"])
    def test_a_controller_that_comes_later_ends_it(self, halves: Bed, when: str) -> None:
        """What the status lists tells it what is left over: also the Gateway, which it does not list."""
        if when == "before":
            halves.stop()
            halves.policy(router="toy-table")
            start(halves)
        else:
            halves.policy(router="toy-table")
            halves.until(lambda: "ConfigMap" in listed(halves))
            halves.restart(drain=DRAIN)
        halves.until(lambda: moved(halves))

    def test_the_gateway_stays_for_others(self, halves: Bed) -> None:
        halves.version("other-0")
        halves.policy("other")
        halves.until(lambda: halves.shares("other") == {"other-0": 100})
        halves.policy(router="toy-table")
        halves.until(lambda: there(halves) == [False, False, True])
        halves.until(
            lambda: (
                [owner["name"] for owner in halves.get(gateway())["metadata"]["ownerReferences"]] == ["other"]
            )
        )
        assert halves.exists(vs("other"))

    def test_options_of_the_former_router_may_go_at_once(self, bed: Bed) -> None:
        """Rendering its routes anew would then change them."""
        bed.version("wisdom-0")
        bed.policy(config={"istio": {"gatewayPort": 8080}})
        start(bed)
        bed.until(lambda: bed.exists(gateway()))
        bed.settle()
        before = bed.get(gateway())["spec"]
        bed.policy(router="toy-table", config={"toy-table": {}})
        bed.until(lambda: bed.exists(TABLE))
        bed.settle()
        assert bed.get(gateway())["spec"] == before
        bed.until(lambda: moved(bed))

    def test_the_old_routes_follow_until_they_go(self, halves: Bed) -> None:
        """And a deleted version waits for the network of both."""
        halves.policy(router="toy-table")
        halves.until(lambda: halves.exists(TABLE))
        halves.delete(isvc("wisdom-1"))
        halves.until(lambda: in_table(halves) == {"wisdom-0": 50} and halves.shares() == {"wisdom-0": 100})
        since = halves.now()
        halves.until(lambda: not halves.exists(isvc("wisdom-1")))
        assert (halves.now() - since).total_seconds() > ARRIVAL + IN_FLIGHT - SLACK

    def test_old_routes_that_may_not_be_written_hold_a_deleted_version(self, halves: Bed) -> None:
        """What they say is then as it was, and the new ones go on."""
        halves.policy(router="toy-table")
        halves.until(lambda: halves.exists(TABLE))
        halves.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE)
        halves.delete(isvc("wisdom-1"))
        halves.until(lambda: in_table(halves) == {"wisdom-0": 50})
        assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
        halves.until(lambda: not halves.exists(isvc("wisdom-1")))
        assert not halves.exists(vs())

    def test_what_a_router_has_left_that_is_not_installed_is_removed_when_it_is_back(
        self, halves: Bed
    ) -> None:
        halves.stop()
        halves.policy(router="toy-table")
        registry = halves.registry
        axes = (registry.environments, registry.strategies, registry.routers)
        plugins = [loaded.plugin for axis in axes for loaded in axis.values()]
        without = Registry.of(*(plugin for plugin in plugins if plugin.name != "istio"))
        halves.start(drain={"propagationSeconds": {"toy-table": ARRIVAL}}, registry=without)
        halves.until(lambda: halves.condition("Routed") == ("True", "Moving"))
        halves.sleep(60)
        assert halves.message("Routed") == (
            "stays, as no installed router writes such a kind; its own would remove it: "
            "ServiceEntry models/wisdom, VirtualService models/wisdom"
        )
        assert sorted(listed(halves)) == ["ConfigMap", "ServiceEntry", "VirtualService"]
        halves.restart(drain=DRAIN)
        halves.until(lambda: moved(halves))

    def test_what_is_begun_is_listed_before(self, halves: Bed) -> None:
        """So that whoever comes later finds it, with whatever router the policy has by then."""
        halves.policy(router="toy-table")
        halves.cluster.on_request = refuse(verb="apply", kind=CONFIG_MAP)
        halves.until(lambda: "ConfigMap" in listed(halves))
        halves.cluster.on_request = None
        halves.until(lambda: halves.exists(TABLE))
        halves.kill()
        halves.policy()
        start(halves)
        halves.until(lambda: not halves.exists(TABLE))

    def test_it_may_go_back_half_way(self, halves: Bed) -> None:
        halves.policy(router="toy-table")
        halves.until(lambda: halves.exists(TABLE))
        halves.policy(router="istio")
        halves.until(lambda: not halves.exists(TABLE))
        halves.settle()
        assert there(halves) == [True] * 3
        assert sorted(listed(halves)) == ["ServiceEntry", "VirtualService"]

    def test_what_the_network_refuses_replaces_nothing(self, make_bed: Callable[..., Bed]) -> None:
        bed = make_bed(Refused())
        bed.version("wisdom-0")
        bed.policy()
        start(bed)
        bed.until(lambda: all(there(bed)))
        bed.policy(router="refused")
        bed.until(lambda: bed.condition("Routed") == ("Unknown", "Pending"))
        assert bed.message("Routed") == "ConfigMap models/wisdom-table: it has no word yet"
        bed.sleep(ARRIVAL + IN_FLIGHT + 5)
        assert there(bed) == [True] * 3

        say(bed, "no")
        bed.until(lambda: bed.condition("Routed") == ("False", "RefusedByNetwork"))
        bed.sleep(ARRIVAL + IN_FLIGHT + 5)
        assert there(bed) == [True] * 3

        say(bed, "yes")
        bed.until(lambda: moved(bed))

    def test_their_time_counts_from_when_the_network_takes_them(self, awaited: Bed) -> None:
        """However long ago they were written."""
        awaited.sleep(120)
        assert there(awaited) == [True] * 3
        say(awaited, "yes")
        since = awaited.now()
        awaited.until(lambda: not awaited.exists(vs()))
        assert (awaited.now() - since).total_seconds() > ARRIVAL + IN_FLIGHT - SLACK

    @pytest.mark.parametrize("word", ["none", "no"])
    @pytest.mark.parametrize("again", ["stays", "is killed"])
    def test_the_old_routes_follow_while_the_new_are_not_taken(
        self, awaited: Bed, word: str, again: str
    ) -> None:
        """By the options that they had, and the status says where calls go."""
        if word == "no":
            say(awaited, "no")
        awaited.ready("wisdom-1", False)
        if again == "is killed":
            awaited.restart(drain=DRAIN)
        awaited.until(lambda: awaited.shares() == {"wisdom-0": 100})
        assert awaited.get(vs())["spec"]["http"][-1]["timeout"] == "7s"
        awaited.until(lambda: awaited.split() == "wisdom-0 100%")
        awaited.ready("wisdom-1")
        awaited.until(lambda: awaited.split() == "wisdom-0 50% / wisdom-1 50%")
        awaited.delete(isvc("wisdom-1"))
        awaited.until(lambda: not awaited.exists(isvc("wisdom-1")))
        assert awaited.shares() == {"wisdom-0": 100}

    def test_the_status_says_where_calls_go_meanwhile(self, awaited: Bed) -> None:
        """Not what was written for a network that has not taken it."""
        awaited.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE)
        awaited.ready("wisdom-1", False)
        awaited.until(lambda: in_table(awaited) == {"wisdom-0": 50})
        awaited.settle()
        assert awaited.split() == "wisdom-0 50% / wisdom-1 50%"

    @pytest.mark.parametrize("why", ["forbidden", "not installed", "not to be written"])
    def test_the_old_routes_follow_while_the_new_cannot_be_written(
        self, make_bed: Callable[..., Bed], why: str
    ) -> None:
        bed = shared_by_two(make_bed(Elsewhere()))
        if why == "forbidden":
            bed.cluster.on_request = refuse(kind=CONFIG_MAP)
        elif why == "not to be written":
            bed.cluster.on_request = refuse(kind=CONFIG_MAP, verb="apply")
        bed.policy(router="elsewhere" if why == "not installed" else "toy-table")
        told = {"forbidden": ("Unknown", "Forbidden"), "not to be written": ("False", "Forbidden")}
        bed.until(lambda: bed.condition("Routed") == told.get(why, ("Unknown", "KindNotInstalled")))
        bed.ready("wisdom-1", False)
        bed.until(lambda: bed.shares() == {"wisdom-0": 100})
        bed.until(lambda: bed.split() == "wisdom-0 100%")
        assert bed.get(vs())["spec"]["http"][-1]["timeout"] == "7s"
        bed.sleep(60)
        assert there(bed) == [True] * 3
        if why != "not installed":
            bed.cluster.on_request = None
            bed.until(lambda: moved(bed))


@pytest.fixture
def awaited(make_bed: Callable[..., Bed]) -> Bed:
    """Two versions that share the calls, and a new router whose network has not said a word."""
    bed = shared_by_two(make_bed(Refused()))
    bed.policy(router="refused")
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "Pending"))
    return bed


def shared_by_two(bed: Bed) -> Bed:
    """With two versions that share the calls by VirtualService, with an option of it."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(config={"istio": {"timeout": "7s"}})
    start(bed)
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    return bed


class Refused(ToyTable):
    """A table whose status has a word on it."""

    name = "refused"
    propagation = timedelta(seconds=ARRIVAL)

    def refusal(self, route: Mapping[str, Any]) -> str | None:
        return "no" if route["status"].get("word") == "no" else None

    def pending(self, route: Mapping[str, Any]) -> str | None:
        return None if route.get("status") else "it has no word yet"


class Elsewhere(ToyTable):
    """A table of a kind that the cluster does not have."""

    name = "elsewhere"
    writes = (Kind("example.com", ("v1",), "Table", "tables"),)


def say(bed: Bed, word: str) -> None:
    """What a network does to its route's status."""
    status = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": TABLE.name},
        "status": {"word": word},
    }
    bed.cluster.apply_manifest(status, namespace=NAMESPACE)


class TestEnvironment:
    def test_the_routes_follow_when_all_versions_are_there(self, halves: Bed) -> None:
        halves.policy(targetEnv="toy-hosts")
        halves.until(lambda: halves.condition("Routed") == ("False", "Moving"))
        assert halves.message("Routed") == (
            "the routes lead to kserve-modelmesh until toy-hosts can take over: "
            "wisdom-0: Service models/wisdom-0 does not exist; wisdom-1: Service models/wisdom-1 does not exist"
        )
        host(halves, "wisdom-0")
        halves.settle(3)
        assert halves.shares() == {"wisdom-0": 50, "wisdom-1": 50}
        host(halves, "wisdom-1")
        halves.until(lambda: hosts(halves) == {"wisdom-0.example.com": 50, "wisdom-1.example.com": 50})
        halves.until(lambda: halves.condition("Routed") == ("True", "InForce"))

    def test_the_former_versions_are_released_when_no_calls_can_come(self, halves: Bed) -> None:
        halves.policy(targetEnv="toy-hosts")
        halves.until(lambda: halves.condition("Routed") == ("False", "Moving"))
        halves.sleep(20)
        assert all(FINALIZER_DRAIN in halves.finalizers(name) for name in ("wisdom-0", "wisdom-1"))
        for name in ("wisdom-0", "wisdom-1"):
            host(halves, name)
        halves.until(lambda: hosts(halves))
        since = halves.now()
        halves.until(lambda: not halves.finalizers("wisdom-0") and not halves.finalizers("wisdom-1"))
        assert (halves.now() - since).total_seconds() > PROPAGATION + IN_FLIGHT - SLACK

    @pytest.mark.parametrize("again", ["stays", "is killed"])
    def test_a_former_version_that_is_deleted_leaves_the_routes_first(self, halves: Bed, again: str) -> None:
        halves.policy(targetEnv="toy-hosts")
        halves.until(lambda: halves.condition("Routed") == ("False", "Moving"))
        if again == "is killed":
            halves.restart(drain=DRAIN)
            halves.settle()
        halves.delete(isvc("wisdom-1"))
        halves.until(lambda: halves.shares() == {"wisdom-0": 100})
        assert halves.exists(isvc("wisdom-1"))
        halves.until(lambda: not halves.exists(isvc("wisdom-1")))

    def test_a_former_version_that_recovers_has_its_share_again(self, halves: Bed) -> None:
        halves.policy(targetEnv="toy-hosts")
        halves.until(lambda: halves.condition("Routed") == ("False", "Moving"))
        halves.ready("wisdom-0", False)
        halves.until(lambda: halves.shares() == {"wisdom-1": 100})
        halves.restart(drain=DRAIN)
        halves.settle()
        halves.ready("wisdom-0", True)
        halves.until(lambda: halves.shares() == {"wisdom-0": 50, "wisdom-1": 50})

    def test_an_aborted_version_leaves_the_routes(self, halves: Bed) -> None:
        halves.policy(targetEnv="toy-hosts")
        halves.until(lambda: halves.condition("Routed") == ("False", "Moving"))
        halves.weights(wisdom_0=100, wisdom_1=0)
        halves.until(lambda: halves.shares() == {"wisdom-0": 100})
        assert halves.condition("Routed") == ("False", "Moving")

    def test_the_policy_is_ready_by_the_versions_that_serve(self, halves: Bed) -> None:
        halves.policy(targetEnv="toy-hosts")
        halves.until(lambda: halves.condition("Routed") == ("False", "Moving"))
        assert halves.condition("Ready") == ("True", "Ready")
        assert halves.message("Ready") == "wisdom-0, wisdom-1 ready in the former environment"
        first = halves.status()["versions"][0]
        assert (first["ready"], first["reason"], first["share"]) == ("False", "Missing", "50%")
        assert first["message"] == (
            "Service models/wisdom-0 does not exist; the routes in force lead to the one of kserve-modelmesh"
        )
        for name in ("wisdom-0", "wisdom-1"):
            halves.ready(name, False)
        halves.until(lambda: halves.condition("Ready") == ("False", "NoVersionReady"))

    def test_routes_that_the_new_router_cannot_carry_stay_until_the_environment_takes_over(
        self, bed: Bed
    ) -> None:
        """Tables know no matches; the policy asks for none any more."""
        for name in ("wisdom-0", "wisdom-1"):
            bed.version(name)
        bed.policy(trafficStrategy="canary")
        start(bed)
        bed.until(lambda: all(there(bed)) and len(bed.get(vs())["spec"]["http"]) == 2)
        before = bed.get(vs())
        bed.policy(targetEnv="toy-hosts", router="toy-table")
        bed.until(lambda: bed.condition("Routed") == ("False", "Moving"))
        bed.restart(drain=DRAIN)
        bed.sleep(60)
        assert bed.condition("Accepted") == ("True", "Valid")
        assert bed.message("Routed").startswith(
            "the routes lead to kserve-modelmesh until toy-hosts can take"
        )
        assert (there(bed), bed.exists(TABLE)) == ([True] * 3, False)
        assert bed.get(vs()) == before
        assert listed(bed) == ["ServiceEntry", "VirtualService"]
        assert all(FINALIZER_DRAIN in bed.finalizers(name) for name in ("wisdom-0", "wisdom-1"))
        for name in ("wisdom-0", "wisdom-1"):
            host(bed, name)
        bed.until(lambda: moved(bed))

    def test_the_former_environment_is_followed_while_the_new_one_is_not_installed(
        self, make_bed: Callable[..., Bed]
    ) -> None:
        bed = shared_by_two(make_bed(NotInstalled()))
        bed.policy(targetEnv="not-installed")
        bed.until(lambda: bed.condition("Routed") == ("Unknown", "KindNotInstalled"))
        bed.ready("wisdom-1", False)
        bed.until(lambda: bed.shares() == {"wisdom-0": 100})
        bed.until(lambda: bed.split() == "wisdom-0 100%")
        bed.restart(drain=DRAIN)
        bed.version("wisdom-2")
        bed.delete(isvc("wisdom-0"))
        bed.sleep(5)
        assert bed.exists(isvc("wisdom-0"))

    def test_both_at_once(self, halves: Bed) -> None:
        halves.policy(targetEnv="toy-hosts", router="toy-table")
        halves.until(lambda: in_table(halves) == {"wisdom-0": 50, "wisdom-1": 50})
        for name in ("wisdom-0", "wisdom-1"):
            host(halves, name)
        halves.until(lambda: in_table(halves) == {"wisdom-0.example.com": 50, "wisdom-1.example.com": 50})
        halves.until(lambda: moved(halves))


class NotInstalled(ToyHosts):
    """An environment whose kind the cluster does not have."""

    name = "not-installed"
    watches = (Kind("example.com", ("v1",), "Host", "hosts"),)

    def refs(self, version: VersionSpec, options: ToyHostsOptions) -> Sequence[Ref]:
        return [Ref(self.watches[0], version.namespace, version.name)]


def host(bed: Bed, name: str) -> None:
    """Deploy a version of the new environment, that is ready."""
    service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": name}}
    bed.cluster.apply_manifest(service, namespace=NAMESPACE)
    conditions = [{"type": "Ready", "status": "True", "reason": "Ready"}]
    status = {"url": f"http://{name}.example.com", "conditions": conditions}
    bed.cluster.set_status(Ref(KNATIVE_SERVICE, NAMESPACE, name), status)


def hosts(bed: Bed) -> dict[str, int]:
    """The weights of the VirtualService by the host that tells the versions apart."""
    routes = bed.get(vs())["spec"]["http"][-1]["route"]
    found = {route["headers"]["request"]["set"].get("Host"): route.get("weight", 100) for route in routes}
    found.pop(None, None)
    return found
