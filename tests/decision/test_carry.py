"""What a plan asks of a router, and how far a policy may reach."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from tests.decision.scripted import Scripted, everything
from tests.decision.world import World
from tests.toys import ToyTable
from tests.toys.table import ToyTableOptions
from turnout.calling import Calls, PluginFailed
from turnout.decision.accept import Refused
from turnout.decision.carry import can_carry
from turnout.plugin import (
    Backend,
    Decision,
    Feature,
    Frontend,
    Inputs,
    Manifest,
    Match,
    Options,
    Policy,
    RoutePlan,
    Router,
    Rule,
    Share,
    VersionSpec,
)
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.testing.builders import FRONTEND, plan, policy, spec
from turnout_kserve_modelmesh.environment import KServeModelMesh


@pytest.mark.parametrize(
    ("strategy", "of", "message"),
    [
        pytest.param(
            "canary",
            None,
            "spec.router: toy-table cannot carry header-exact, which kserve-modelmesh with canary needs here;"
            " routers that can: envoy, gateway-api, istio",
            id="canary",
        ),
        pytest.param(
            "canary",
            policy("wisdom-0", spec("wisdom-1", None, Match(method="GET", path=("regex", "/a")))),
            "spec.router: toy-table cannot carry method, path-regex, which kserve-modelmesh with canary needs"
            " here; routers that can: envoy, istio",
            id="canary with matches",
        ),
        pytest.param(
            "mirror",
            None,
            "spec.router: toy-table cannot carry mirror, mirror-headers, which kserve-modelmesh with mirror"
            " needs here; routers that can: envoy, istio",
            id="mirror",
        ),
    ],
)
def test_a_combination_that_cannot_work_is_refused_before_any_version_is_ready(
    strategy: str, of: Policy | None, message: str
) -> None:
    """When the policy is applied, not in the night in which the candidate becomes ready."""
    with pytest.raises(Refused) as caught:
        World(strategy, of, router="toy-table").ask()

    assert (caught.value.reason, str(caught.value)) == (Reason.UNSUPPORTED, message)


def test_a_combination_that_works_is_not_refused() -> None:
    assert World("blue-green", router="toy-table").ready("wisdom-0", "wisdom-1").split() == {
        "wisdom-0": 50,
        "wisdom-1": 50,
    }


def test_what_is_refused_without_any_router_that_can_says_so() -> None:
    class Nothing(ToyTable):
        name = "nothing"
        carries = frozenset()

    class Answering(Scripted):
        """Sets a response header, as session affinity does."""

        def decide(self, inputs: Inputs, options: Any) -> Decision:
            cookie = (("set-cookie", "turnout=wisdom-0"),)
            return Decision((Rule("default", (Share(inputs.versions[0], 1, cookie),)),), {})

    world = World(Answering(everything), router=Nothing())
    world.registry = type(world.registry).of(
        Nothing(), *(one.plugin for one in world.registry.strategies.values())
    )

    with pytest.raises(Refused, match=r"request-headers, response-headers, .* none that may be used"):
        world.ask()


def test_a_router_that_is_kept_out_is_not_offered() -> None:
    world = World("mirror", router="toy-table")
    world.registry = world.registry.without(lambda _, name: "a list" if name == "istio" else None)

    with pytest.raises(Refused, match=r"routers that can: envoy$"):
        world.ask()


def _defaults(plugin: str, defaults: Mapping[str, str]) -> Settings:
    return Settings.of({"plugins": {plugin: {"defaults": dict(defaults)}}})


class Named(Options):
    table: str


class Elsewhere(Router[Named]):
    """Carries everything, once it is told the name of its table."""

    name = "elsewhere"
    options = Named
    writes = ToyTable.writes
    carries = frozenset(Feature)
    propagation = ToyTable.propagation

    def render(self, plan: RoutePlan, options: Named) -> Sequence[Manifest]:
        return ()


@pytest.mark.parametrize(
    ("defaults", "routers"),
    [
        pytest.param({"table": "calls"}, "elsewhere, envoy, istio", id="by the administrator"),
        pytest.param({}, "envoy, istio", id="by nobody"),
    ],
)
def test_a_router_that_needs_an_option_is_offered_where_someone_gives_it(
    defaults: Mapping[str, str], routers: str
) -> None:
    world = World("mirror", router="toy-table", settings=_defaults("elsewhere", defaults))
    world.registry = Registry.of(
        Elsewhere(),
        *(
            one.plugin
            for axis in (world.registry.routers, world.registry.strategies)
            for one in axis.values()
        ),
    )

    with pytest.raises(Refused, match=rf"routers that can: {routers}$"):
        world.ask()


def test_a_router_that_fails_at_a_plan_of_before_is_named() -> None:
    """Nobody can know whether it carries that, so the routes do not stay in silence."""

    class Failing(ToyTable):
        def objections(self, plan: RoutePlan, options: ToyTableOptions) -> Sequence[str]:
            raise LookupError("no such table")

    accepted = World(router=Failing()).accepted
    with pytest.raises(PluginFailed, match="toy-table: objections raised LookupError: no such table"):
        can_carry(plan({"wisdom-0": 1}), accepted, Calls())


def test_a_candidate_that_is_excluded_is_not_foreseen() -> None:
    """It asks nothing of the router for as long as it has weight 0."""
    world = World("canary", policy("wisdom-0", spec("wisdom-1", 0)), router="toy-table")

    assert world.ready("wisdom-0").split() == {"wisdom-0": 100}


class Outside(KServeModelMesh):
    """Clients of the model call elsewhere."""

    name = "outside"

    def frontends(self, policy: Policy, options: Any) -> Sequence[Frontend]:
        return (Frontend("inference", "web", ("wisdom.web",), 80, "http"),)


def test_hosts_of_another_namespace_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        World(environment=Outside()).ask()

    assert (caught.value.reason, str(caught.value)) == (
        Reason.NAMESPACE_NOT_ALLOWED,
        (
            "frontend inference has hosts of namespace web, expected models:"
            " the administrator's allowNamespaces decides"
        ),
    )


CONFIG = {"kserve-modelmesh": {"namespace": "modelmesh-serving"}}


class Picky(ToyTable):
    """A table with room for one version."""

    name = "picky"

    def objections(self, plan: RoutePlan, options: ToyTableOptions) -> Iterable[str]:
        for share in plan.rules[-1].shares[1:]:
            yield f"no room for {share.version.name}"


def test_what_a_router_objects_to_is_refused_before_any_version_is_ready() -> None:
    with pytest.raises(Refused) as caught:
        World(of=policy("wisdom-0", "wisdom-1", "wisdom-2"), router=Picky()).ask()

    assert (caught.value.reason, caught.value.problems) == (
        Reason.UNSUPPORTED,
        (
            (
                "spec.router: picky cannot carry this: no room for wisdom-1; no room for wisdom-2;"
                " routers that can: envoy, gateway-api, istio, toy-table"
            ),
        ),
    )


def test_where_no_router_can_the_strategies_that_would_do_are_named() -> None:
    world = World("canary", router="toy-table")
    world.registry = world.registry.without(lambda axis, name: "a list" if axis == "routers" else None)

    with pytest.raises(Refused) as caught:
        world.ask()

    assert caught.value.problems == (
        (
            "spec.router: toy-table cannot carry header-exact, which kserve-modelmesh with canary needs here;"
            " routers that can: none that may be used; strategies that would do: blue-green, toy-steps"
        ),
    )


def test_a_strategy_that_would_leave_out_a_version_is_not_named() -> None:
    class Primary(Scripted):
        name = "primary"

    world = World("canary", router="toy-table")
    world.registry = Registry.of(ToyTable(), world.accepted.strategy, Primary(everything))

    with pytest.raises(Refused, match=r"strategies that would do: none that may be used$"):
        world.ask()


def test_a_router_without_objections_is_asked_to_render() -> None:
    assert World(of=policy("wisdom-0"), router=Picky()).ready("wisdom-0").split() == {"wisdom-0": 100}


class Reaching(KServeModelMesh):
    """Clients call here, and versions answer elsewhere."""

    name = "reaching"

    def backends(self, version: VersionSpec, seen: Any, options: Any) -> Mapping[str, Backend]:
        return {"inference": Backend("mm", "web", 80)}


def test_backends_in_another_namespace_are_refused() -> None:
    with pytest.raises(Refused) as caught:
        World(environment=Reaching(), of=policy("wisdom-0")).ask()

    assert (caught.value.reason, str(caught.value)) == (
        Reason.NAMESPACE_NOT_ALLOWED,
        (
            "version wisdom-0 is reached in namespace web, expected models:"
            " the administrator's allowNamespaces decides"
        ),
    )


def test_hosts_and_backends_in_a_namespace_that_is_allowed_are_routed() -> None:
    settings = Settings.of({"allowNamespaces": {"models": ["modelmesh-serving"]}})
    world = World(config=CONFIG, settings=settings).ready("wisdom-0")

    assert world.split() == {"wisdom-0": 100}
    plan = world.ask().plan
    assert plan is not None
    assert Feature.CROSS_NAMESPACE in plan.features()


def test_frontends_are_those_of_the_environment() -> None:
    world = World().ready("wisdom-0")
    plan = world.ask().plan
    assert plan is not None
    assert plan.frontends == world.accepted.frontends
    assert plan.frontends[0].port == FRONTEND.port
