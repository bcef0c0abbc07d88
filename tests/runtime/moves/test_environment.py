"""A policy moves to another environment: make before break, and no share changes by it."""

from collections.abc import Callable, Sequence

import pytest

from tests.runtime.draining import SLACK
from tests.runtime.harness import (
    IN_FLIGHT,
    PROPAGATION,
    Bed,
    isvc,
    vs,
)
from tests.runtime.moves.moving import (
    DRAIN,
    TABLE,
    host,
    hosts,
    in_table,
    listed,
    moved,
    shared_by_two,
    start,
    there,
)
from tests.toys.hosts import ToyHosts, ToyHostsOptions
from turnout.names import FINALIZER_DRAIN
from turnout.plugin import Kind, Ref, VersionSpec


class NotInstalled(ToyHosts):
    """An environment whose kind the cluster does not have."""

    name = "not-installed"
    watches = (Kind("example.com", ("v1",), "Host", "hosts"),)

    def refs(self, version: VersionSpec, options: ToyHostsOptions) -> Sequence[Ref]:
        return [Ref(self.watches[0], version.namespace, version.name)]


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
