"""What a policy has left of before goes on following what is decided, for as long as calls go by it."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.runtime.harness import (
    IN_FLIGHT,
    LIMIT,
    NAMESPACE,
    Bed,
    isvc,
    refuse,
    vs,
)
from tests.runtime.moves.moving import (
    TABLE,
    Elsewhere,
    Refused,
    host,
    in_table,
    moved,
    say,
    shared_by_two,
    start,
    without,
)
from tests.toys.table import CONFIG_MAP, ToyTable
from turnout.plugin import Manifest, Options, Ref
from turnout_envoy.router import Envoy
from turnout_istio.virtual_service import VIRTUAL_SERVICE


def test_the_old_routes_follow_while_somebody_elses_object_has_the_new_ones_name(halves: Bed) -> None:
    somebodys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": TABLE.name}}
    halves.cluster.create(somebodys, namespace=NAMESPACE)
    halves.policy(router="toy-table")
    halves.until(lambda: halves.condition("Routed") == ("False", "RouteConflict"))
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100})


class Raises(ToyTable):
    """A table that cannot be rendered."""

    name = "raises"

    def render(self, plan: Any, options: Any) -> Any:
        raise RuntimeError("no")


class Picky(ToyTable):
    """A table that cannot carry what there is, as long as the objects of versions are as they are."""

    name = "picky"

    def objections(self, plan: Any, options: Any) -> Any:
        return ["no candidates"] if any(v.uid for v in plan.versions()) else []


@pytest.mark.parametrize(
    ("router", "reason"),
    [
        pytest.param(Raises(), "PluginFailed", id="fails"),
        pytest.param(Picky(), "Unsupported", id="cannot carry what is there"),
    ],
)
def test_the_old_routes_follow_while_the_new_router_makes_none(
    make_bed: Callable[..., Bed], router: ToyTable, reason: str
) -> None:
    bed = shared_by_two(make_bed(router))
    bed.policy(router=router.name)
    bed.until(lambda: bed.condition("Routed") == ("False", reason))
    bed.ready("wisdom-1", False)
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})


class KeyNames(Options):
    key: str = "a"


class Renamed(ToyTable):
    """A table whose object is called by an option; its network has not said a word on others than "a"."""

    name = "renamed"
    options = KeyNames  # type: ignore[assignment]

    def render(self, plan: Any, options: Any) -> Any:
        (made,) = ToyTable.render(self, plan, type("O", (), {"key": "table.json"}))  # type: ignore[arg-type]
        return (Manifest(CONFIG_MAP, f"wisdom-{options.key}", made.body),)

    def pending(self, route: Mapping[str, Any]) -> str | None:
        named = route["metadata"]["name"]
        return None if route.get("status") or named == "wisdom-a" else "it has no word yet"


def test_the_old_routes_of_the_same_router_follow_while_the_new_are_not_taken(
    make_bed: Callable[..., Bed],
) -> None:
    bed = make_bed(Renamed())
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    a, b = (Ref(CONFIG_MAP, NAMESPACE, f"wisdom-{one}") for one in "ab")
    bed.policy(router="renamed")
    start(bed)
    bed.until(lambda: in_table(bed, a) == {"wisdom-0": 50, "wisdom-1": 50})
    bed.policy(router="renamed", config={"renamed": {"key": "b"}})
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "Pending"))
    bed.ready("wisdom-1", False)
    bed.until(lambda: in_table(bed, b) == {"wisdom-0": 100} or in_table(bed, b) == {"wisdom-0": 50})
    bed.until(lambda: list(in_table(bed, a)) == ["wisdom-0"])


def test_all_old_routes_follow_while_a_third_router_cannot_be_used(make_bed: Callable[..., Bed]) -> None:
    """A to B, and on to C, whose kind is not installed, before A's routes are removed."""
    bed = shared_by_two(make_bed(Elsewhere()))
    bed.policy(router="toy-table")
    bed.until(lambda: bed.exists(TABLE))
    bed.policy(router="elsewhere")
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "KindNotInstalled"))
    bed.ready("wisdom-1", False)
    bed.until(lambda: bed.shares() == {"wisdom-0": 100} or list(in_table(bed)) == ["wisdom-0"])
    bed.settle()
    assert (bed.shares(), list(in_table(bed))) == ({"wisdom-0": 100}, ["wisdom-0"])


def test_all_old_routes_follow_while_the_second_and_third_are_pending(make_bed: Callable[..., Bed]) -> None:
    bed = shared_by_two(make_bed(Refused()))
    bed.policy(router="toy-table")
    bed.until(lambda: bed.exists(TABLE))
    bed.policy(router="refused")
    bed.until(lambda: bed.condition("Routed") == ("Unknown", "Pending"))
    bed.ready("wisdom-1", False)
    bed.until(lambda: bed.shares() == {"wisdom-0": 100} and list(in_table(bed)) == ["wisdom-0"])
    say(bed, "yes")
    bed.until(lambda: moved(bed))


def test_a_version_is_held_to_which_routes_of_a_router_lead_that_is_not_installed(halves: Bed) -> None:
    halves.stop()
    halves.policy(router="toy-table")
    halves.start(drain={"propagationSeconds": {"toy-table": 2}}, registry=without(halves.registry, "istio"))
    halves.until(lambda: halves.condition("Routed") == ("True", "Moving"))
    halves.settle()
    halves.delete(isvc("wisdom-1"))
    since = halves.now()
    halves.until(lambda: not halves.exists(isvc("wisdom-1")), within=100)
    assert (halves.now() - since).total_seconds() > LIMIT - 2


def test_two_policies_of_one_model_swap_their_routers(make_bed: Callable[..., Bed]) -> None:
    bed = make_bed(Envoy())
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    names = [{"name": "wisdom-0"}, {"name": "wisdom-1"}]
    bed.policy()
    start(bed)
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.policy("second", modelName="wisdom", modelVersions=names, router="envoy")
    bed.until(lambda: bed.condition("Routed", "second") == ("True", "InForce"))
    bed.policy(router="envoy")
    bed.policy("second", modelName="wisdom", modelVersions=names)
    bed.settle()
    bed.ready("wisdom-1", False)
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})


def test_a_version_that_goes_leaves_the_old_routes_while_the_new_conflict(halves: Bed) -> None:
    somebodys = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": TABLE.name}}
    halves.cluster.create(somebodys, namespace=NAMESPACE)
    halves.policy(router="toy-table")
    halves.until(lambda: halves.condition("Routed") == ("False", "RouteConflict"))
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: not halves.exists(isvc("wisdom-1")))
    assert halves.shares() == {"wisdom-0": 100}


def test_new_routes_follow_while_the_kinds_of_the_old_may_not_be_read(halves: Bed) -> None:
    """The administrator has taken the rights of the router that is left."""
    halves.policy(router="toy-table")
    halves.until(lambda: halves.exists(TABLE))
    halves.settle()
    halves.kill()
    halves.cluster.on_request = refuse(kind=VIRTUAL_SERVICE)
    start(halves)
    halves.ready("wisdom-1", False)
    halves.until(lambda: in_table(halves) == {"wisdom-0": 50})


def test_old_routes_follow_the_former_environment_until_they_go(halves: Bed) -> None:
    """Though the new ones, which lead to the new environment, are taken."""
    for name in ("wisdom-0", "wisdom-1"):
        host(halves, name)
    halves.policy(targetEnv="toy-hosts", router="toy-table")
    halves.until(lambda: halves.condition("Routed") == ("True", "Moving"))
    halves.settle(0.5)
    halves.policy(targetEnv="toy-hosts", router="toy-table", labels={"touched": "yes"})
    halves.settle(0.5)
    halves.ready("wisdom-1", False)
    halves.until(lambda: halves.shares() == {"wisdom-0": 100}, within=4)


class Quick(ToyTable):
    """A table of another name, that arrives soon."""

    name = "quick"

    def render(self, plan: Any, options: Any) -> Any:
        (made,) = super().render(plan, options)
        return (Manifest(CONFIG_MAP, "wisdom-quick", made.body),)


def test_a_deleted_version_waits_for_the_former_router_that_writes_the_same_kind(
    make_bed: Callable[..., Bed],
) -> None:
    bed = make_bed(Quick())
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(router="toy-table")
    bed.start(drain={"propagationSeconds": {"toy-table": 20, "quick": 1}})
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.policy(router="quick")
    bed.until(lambda: bed.exists(Ref(CONFIG_MAP, NAMESPACE, "wisdom-quick")))
    bed.delete(isvc("wisdom-1"))
    bed.until(lambda: list(in_table(bed)) == ["wisdom-0"] or not bed.exists(TABLE))
    since = bed.now()
    bed.until(lambda: not bed.exists(isvc("wisdom-1")))
    assert (bed.now() - since).total_seconds() > 20 + IN_FLIGHT - 2


def test_a_former_version_leaves_what_is_left_of_the_routes_as_soon_as_it_goes(halves: Bed) -> None:
    for name in ("wisdom-0", "wisdom-1"):
        host(halves, name)
    halves.policy(targetEnv="toy-hosts", router="toy-table")
    halves.until(lambda: halves.condition("Routed") == ("True", "Moving"))
    halves.settle(0.5)
    halves.policy(targetEnv="toy-hosts", router="toy-table", labels={"touched": "yes"})
    halves.settle(0.5)
    halves.delete(isvc("wisdom-1"))
    halves.until(lambda: halves.shares() == {"wisdom-0": 100}, within=4)


def test_an_old_route_is_put_back_while_the_new_ones_are_not_taken(awaited: Bed) -> None:
    """It is what calls go by."""
    awaited.delete(vs())
    awaited.until(lambda: awaited.exists(vs()))
