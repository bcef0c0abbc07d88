"""A policy moves to another router: make before break, and nothing stays behind."""

from collections.abc import Callable

import pytest

from tests.runtime.draining import SLACK
from tests.runtime.harness import (
    IN_FLIGHT,
    Bed,
    gateway,
    isvc,
    refuse,
    vs,
)
from tests.runtime.moves.moving import (
    ARRIVAL,
    DRAIN,
    TABLE,
    Elsewhere,
    Refused,
    in_table,
    listed,
    moved,
    say,
    shared_by_two,
    start,
    there,
    without,
)
from tests.toys.table import CONFIG_MAP
from turnout_istio.virtual_service import VIRTUAL_SERVICE


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
        halves.start(
            drain={"propagationSeconds": {"toy-table": ARRIVAL}}, registry=without(halves.registry, "istio")
        )
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
