"""A version whose object asks the router for what it cannot carry is left out, and the others go on."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.decision.world import World, knative
from turnout.calling import Calls
from turnout.decision.render import render
from turnout.plugin import Backend, Observation, Pairs, Ref, VersionSpec
from turnout.reasons import Reason
from turnout.testing.builders import policy
from turnout_kserve.environment import KServe

PER_SHARE = (
    "spec.router: gateway-api cannot carry authority-per-share, which kserve with blue-green needs here;"
    " routers that can: envoy, istio, toy-table"
)


def mixed(*in_knative_mode: str, **fields: Any) -> World:
    """InferenceServices behind Gateway API, which has one host for all shares; these have hosts of their own."""

    def addresses(ref: Ref) -> Pairs:
        return knative(ref) if ref.name in in_knative_mode else (("service", f"{ref.name}-predictor"),)

    of = policy("wisdom-0", "wisdom-1", "wisdom-2")
    return World(
        **{"of": of, "environment": "kserve", "router": "gateway-api", **fields}, addresses=addresses
    )


def seen(world: World, name: str) -> tuple[bool | None, str, str]:
    """A version's readiness, reason and message."""
    (found,) = (one for one in world.ask().versions if one.name == name)
    return found.ready, found.reason, found.message


def test_the_others_share_without_it_and_stand_in_for_each_other() -> None:
    world = mixed("wisdom-2").ready("wisdom-0", "wisdom-1", "wisdom-2")

    assert world.split() == {"wisdom-0": 50, "wisdom-1": 50}
    assert seen(world, "wisdom-2") == (False, Reason.UNSUPPORTED, PER_SHARE)
    assert world.ask().reasons["wisdom-2"] == f"not ready: {PER_SHARE}"
    assert world.down("wisdom-0").split() == {"wisdom-1": 100}


def test_one_that_is_not_ready_changes_nothing() -> None:
    world = mixed("wisdom-2").ready("wisdom-0", "wisdom-1").down("wisdom-2")

    assert world.split() == {"wisdom-0": 50, "wisdom-1": 50}
    assert world.down("wisdom-0").split() == {"wisdom-1": 100}


def test_the_primary_comes_first() -> None:
    """Of versions that fit one by one, and takes its calls back once it is ready again."""
    world = mixed("wisdom-0", "wisdom-1", "wisdom-2").ready("wisdom-0", "wisdom-1")

    assert world.split() == {"wisdom-0": 100}
    assert seen(world, "wisdom-1") == (False, Reason.UNSUPPORTED, PER_SHARE)
    assert world.down("wisdom-0").split() == {"wisdom-1": 100}
    assert world.ready("wisdom-0").split() == {"wisdom-0": 100}


def test_what_is_routed_comes_before_what_was_left_out() -> None:
    """Whatever their order: a failing primary moves no call from one candidate to another."""
    world = mixed("wisdom-1").ready("wisdom-0", "wisdom-1", "wisdom-2")
    assert world.split() == {"wisdom-0": 50, "wisdom-2": 50}

    assert world.down("wisdom-0").split() == {"wisdom-2": 100}
    assert world.gone("wisdom-2").split() == {"wisdom-1": 100}


def test_where_no_router_can_the_strategies_that_would_do_are_named() -> None:
    world = World("mirror", environment="kserve", addresses=knative).ready("wisdom-0", "wisdom-1")

    assert (world.split(), world.mirrored()) == ({"wisdom-0": 100}, {})
    assert seen(world, "wisdom-1")[2] == (
        "spec.router: istio cannot carry mirror-authority, which kserve with mirror needs here; routers that"
        " can: none that may be used; strategies that would do: blue-green, canary, toy-steps"
    )


@pytest.mark.parametrize("strategy", ["blue-green", "canary", "mirror"])
def test_where_none_can_be_carried_nothing_is_decided(strategy: str) -> None:
    """GRPCRoute sets no host at all. The policy is accepted; why it has no routes is told."""
    config = {"kserve": {"protocol": "grpc"}}
    world = mixed("wisdom-0", "wisdom-1", "wisdom-2", strategy=strategy, config=config)

    outcome = world.ready("wisdom-0", "wisdom-1").ask()

    assert outcome.plan is None
    assert outcome.refused
    reason, message = outcome.refused
    assert reason is Reason.UNSUPPORTED
    assert "version wisdom-0 is reached by an authority of its own, which GRPCRoute cannot set" in message
    assert [version.ready for version in outcome.versions] == [False, False, False]


def test_routes_in_force_outlive_a_primary_that_cannot_be_carried() -> None:
    config = {"kserve": {"protocol": "grpc"}}
    world = mixed("wisdom-0", config=config).ready("wisdom-1")
    assert world.split() == {"wisdom-1": 100}

    assert world.ready("wisdom-0").split() == {"wisdom-1": 100}
    assert seen(world, "wisdom-0")[:2] == (False, Reason.UNSUPPORTED)


class Elsewhere(KServe):
    """Its objects say in which namespace they are reached."""

    name = "elsewhere"

    def backends(
        self, version: VersionSpec, seen: Sequence[Observation | None], options: Any
    ) -> Mapping[str, Backend]:
        found = dict(seen[0].addresses) if seen[0] else {}
        return {"inference": Backend(version.name, found["namespace"], 80)} if found else {}


def test_an_object_that_leads_to_a_foreign_namespace_is_left_out() -> None:
    def addresses(ref: Ref) -> Pairs:
        return (("namespace", "kube-system" if ref.name == "wisdom-1" else "models"),)

    world = World(environment=Elsewhere(), addresses=addresses).ready("wisdom-0", "wisdom-1")

    assert world.split() == {"wisdom-0": 100}
    ready, reason, message = seen(world, "wisdom-1")
    assert (ready, reason) == (False, Reason.NAMESPACE_NOT_ALLOWED)
    assert message.startswith("version wisdom-1 is reached in namespace kube-system, expected models")


def test_a_move_waits_for_a_version_that_would_be_left_out() -> None:
    """As the split would change: both share in the environment that the policy has left."""
    world = World(environment="deployment", router="gateway-api").ready("wisdom-0", "wisdom-1")
    assert world.split() == {"wisdom-0": 50, "wisdom-1": 50}
    world.move("kserve")
    world.addresses = knative
    world.ready("wisdom-0", "wisdom-1")

    outcome = world.decide()

    assert outcome.held is Reason.MOVING
    assert [(one.name, one.reason) for one in outcome.awaited] == [("wisdom-1", Reason.UNSUPPORTED)]
    assert world.split() == {"wisdom-0": 50, "wisdom-1": 50}


def test_what_is_decided_can_be_written() -> None:
    world = mixed("wisdom-1").ready("wisdom-0", "wisdom-1", "wisdom-2")
    plan = world.ask().plan

    assert plan is not None
    assert {item.ref.kind.kind for item in render(plan, world.accepted, Calls())} == {"Gateway", "HTTPRoute"}
