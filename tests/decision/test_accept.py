"""Is a policy valid: its plugins, their options, what it names, and what it says that nobody reads."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.decision.scripted import Scripted, everything
from tests.decision.world import REGISTRY, World
from tests.toys.odd import odd
from turnout.calling import Calls, PluginError
from turnout.decision.accept import Accepted, Declared, Refused, accept
from turnout.plugin import Fault, Match, Options, Policy, Ref
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.testing.builders import policy, spec
from turnout_kserve_modelmesh.environment import KServeModelMesh

MATCH = Match(method="POST")


def take(
    of: Policy | None = None, *, settings: Any = None, registry: Registry = REGISTRY, **said: Any
) -> Accepted:
    """Accept a policy of which `said` is unusual."""
    names = {"environment": "kserve-modelmesh", "strategy": "blue-green", "router": "istio", "config": {}}
    declared = Declared(of or policy(), **{**names, **said})
    return accept(declared, registry, Settings.of(settings or {}), Calls())


def refusal(of: Policy | None = None, **said: Any) -> tuple[Reason, list[str]]:
    with pytest.raises(Refused) as caught:
        take(of, **said)
    return caught.value.reason, list(caught.value.problems)


def test_an_accepted_policy_has_plugins_options_objects_and_frontends() -> None:
    accepted = take(config={"istio": {"gatewayPort": 8080}})

    assert (accepted.environment.name, accepted.strategy.name, accepted.router.name) == (
        "kserve-modelmesh",
        "blue-green",
        "istio",
    )
    assert accepted.router_options.model_dump()["gateway_port"] == 8080
    assert [str(ref) for ref in accepted.refs["wisdom-1"]] == ["InferenceService models/wisdom-1"]
    assert [frontend.name for frontend in accepted.frontends] == ["inference"]
    assert accepted.allowed == frozenset({"models"})


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param(
            {"environment": "kserve-modelmash"},
            'unknown environment "kserve-modelmash"; did you mean "kserve-modelmesh"?'
            " installed: deployment, kserve, kserve-modelmesh, toy-hosts",
            id="environment",
        ),
        pytest.param(
            {"strategy": "bluegreen"},
            'unknown strategy "bluegreen"; did you mean "blue-green"?'
            " installed: blue-green, canary, mirror, toy-steps",
            id="strategy",
        ),
        pytest.param(
            {"router": "canary"},
            'unknown router "canary"; it is a strategy; installed: envoy, gateway-api, istio, toy-table',
            id="strategy as router",
        ),
    ],
)
def test_a_plugin_that_is_not_installed_is_refused_by_name(said: Any, message: str) -> None:
    assert refusal(**said) == (Reason.UNKNOWN_PLUGIN, [message])


def without(name: str) -> Registry:
    """The plugins that an administrator leaves who keeps out one."""
    return REGISTRY.without(lambda _, found: "a list" if found == name else None)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "kserve-modelmesh",
            'environment "kserve-modelmesh" is installed, but {}deployment, kserve, toy-hosts',
        ),
        ("blue-green", 'strategy "blue-green" is installed, but {}canary, mirror, toy-steps'),
        ("istio", 'router "istio" is installed, but {}envoy, gateway-api, toy-table'),
    ],
)
def test_a_plugin_that_is_kept_out_is_refused_with_those_that_may_be_used(name: str, message: str) -> None:
    told = message.format("the administrator's settings keep it out (a list); allowed: ")
    assert refusal(registry=without(name)) == (Reason.PLUGIN_NOT_ALLOWED, [told])


def test_options_of_a_plugin_that_is_kept_out_and_not_used_harm_nobody() -> None:
    """The policy may have been there before; nobody reads them."""
    assert take(config={"mirror": {"percentage": 101}}, registry=without("mirror"))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        pytest.param(
            {"istio": {"gatewayPort": 0}},
            "spec.config.istio.gatewayPort: found 0, expected an integer 1..65535",
            id="of the router",
        ),
        pytest.param(
            {"kserve-modelmesh": {"prot": 8033}},
            'spec.config.kserve-modelmesh: unknown field "prot"; did you mean "port"?',
            id="of the environment",
        ),
        pytest.param(
            {"blue-green": {"percentage": 5}},
            'spec.config.blue-green: unknown field "percentage"; known: none',
            id="of the strategy",
        ),
        pytest.param(
            {"mirror": {"percentage": 101}},
            "spec.config.mirror.percentage: found 101, expected a number 0..100",
            id="of a plugin that is installed and not used",
        ),
        pytest.param(
            {"mirorr": {}},
            'spec.config.mirorr: unknown plugin "mirorr"; did you mean "mirror"? installed: deployment, kserve, kserve-modelmesh,'
            " toy-hosts, blue-green, canary, mirror, toy-steps, envoy, gateway-api, istio, toy-table",
            id="of a plugin that is not installed",
        ),
    ],
)
def test_options_that_are_wrong_are_named_by_their_path(config: Any, message: str) -> None:
    assert refusal(config=config) == (Reason.INVALID_SPEC, [message])


def test_options_of_plugins_that_are_not_used_may_be_there() -> None:
    assert take(config={"mirror": {"percentage": 10}, "toy-table": {"key": "t"}})


def test_all_that_is_wrong_is_said_at_once() -> None:
    reason, problems = refusal(
        policy("wisdom-0", spec("wisdom-1", None, MATCH), hosts=("wisdom.example.com",)),
        config={"istio": {"gatewayPort": 0}, "mirror": {"percentage": -1}},
    )

    assert reason is Reason.INVALID_SPEC
    assert [problem.partition(":")[0] for problem in problems] == [
        "spec.modelVersions[1].match",
        "spec.hosts",
        "spec.config.mirror.percentage",
        "spec.config.istio.gatewayPort",
    ]


@pytest.mark.parametrize(
    ("strategy", "of", "message"),
    [
        pytest.param(
            "blue-green",
            policy("wisdom-0", spec("wisdom-1", None, MATCH)),
            "spec.modelVersions[1].match: strategy blue-green has no use for matches; leave it out",
            id="matches under blue-green",
        ),
        pytest.param(
            "canary",
            policy(spec("wisdom-0", None, MATCH), "wisdom-1"),
            "spec.modelVersions[0].match: the primary has no use for matches; leave it out",
            id="matches on the primary",
        ),
        pytest.param(
            "toy-steps",
            policy("wisdom-0", spec("wisdom-1", 20)),
            "spec.modelVersions[1].weight: strategy toy-steps has no use for weights; leave it out",
            id="weights that the strategy does not read",
        ),
        pytest.param(
            "mirror",
            policy("wisdom-0", spec("wisdom-1", 101)),
            "spec.modelVersions[1].weight: found 101, expected 0..100: a candidate's weight is its"
            " mirror percentage",
            id="a weight that is no percentage",
        ),
        pytest.param(
            "blue-green",
            policy(hosts=("wisdom.example.com",)),
            "spec.hosts: is reserved for later; leave it out",
            id="hosts",
        ),
    ],
)
def test_what_nobody_would_read_is_refused(strategy: str, of: Policy, message: str) -> None:
    assert refusal(of, strategy=strategy) == (Reason.INVALID_SPEC, [message])


@pytest.mark.parametrize(
    ("strategy", "of"),
    [
        pytest.param("canary", policy("wisdom-0", spec("wisdom-1", None, MATCH)), id="matches under canary"),
        pytest.param("toy-steps", policy("wisdom-0", spec("wisdom-1", 0)), id="weight 0 under any strategy"),
        pytest.param("mirror", policy(spec("wisdom-0", 500), spec("wisdom-1", 100)), id="100% mirrored"),
    ],
)
def test_what_the_strategy_reads_is_accepted(strategy: str, of: Policy) -> None:
    assert take(of, strategy=strategy)


ELSEWHERE = policy("wisdom-0", spec("wisdom-1", namespace="secret"))


def test_a_version_in_another_namespace_is_refused() -> None:
    assert refusal(ELSEWHERE) == (
        Reason.NAMESPACE_NOT_ALLOWED,
        [
            (
                "spec.modelVersions[1].namespace: found secret, expected models: the administrator's"
                " allowNamespaces decides"
            )
        ],
    )


@pytest.mark.parametrize("whose", ["models", "*"])
def test_a_version_in_a_namespace_that_is_allowed_is_accepted(whose: str) -> None:
    accepted = take(ELSEWHERE, settings={"allowNamespaces": {whose: ["secret"]}})

    assert str(accepted.refs["wisdom-1"][0]) == "InferenceService secret/wisdom-1"


GATEWAY = {"istio": {"externalGateway": "team-b/public"}}


@pytest.mark.parametrize(
    ("router", "option", "said"),
    [
        pytest.param("istio", "externalGateway", "team-b/public", id="its Gateway"),
        pytest.param("istio", "ingressHost", "theirs.team-b.svc.cluster.local", id="its proxies"),
        pytest.param(
            "gateway-api", "gatewayAddresses", ["mine.models.svc", "theirs.team-b.svc"], id="others"
        ),
    ],
)
def test_what_belongs_to_another_namespace_is_refused(router: str, option: str, said: Any) -> None:
    expected = "expected models: the administrator's allowNamespaces decides"
    assert refusal(router=router, config={router: {option: said}}) == (
        Reason.NAMESPACE_NOT_ALLOWED,
        [f"spec.config.{router}.{option}: names namespace team-b, {expected}"],
    )


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        pytest.param(GATEWAY, {"allowNamespaces": {"models": ["team-b"]}}, id="allowed"),
        pytest.param({}, {"plugins": {"istio": {"defaults": GATEWAY["istio"]}}}, id="the default"),
        pytest.param(GATEWAY, {"plugins": {"istio": {"fixed": GATEWAY["istio"]}}}, id="fixed"),
        pytest.param({"istio": {"externalGateway": "models/public"}}, {}, id="of its own namespace"),
        pytest.param({"istio": {"ingressHost": "proxies.example.com"}}, {}, id="of no namespace"),
    ],
)
def test_what_the_administrator_lets_a_policy_name_is_accepted(config: Any, settings: Any) -> None:
    assert take(config=config, settings=settings)


def test_what_another_namespaces_policies_may_do_does_not_count() -> None:
    reason, _ = refusal(ELSEWHERE, settings={"allowNamespaces": {"others": ["secret"]}})

    assert reason is Reason.NAMESPACE_NOT_ALLOWED


@pytest.mark.parametrize(
    ("settings", "drain"),
    [
        pytest.param({}, True, id="unless said otherwise"),
        pytest.param({"drain": {"enabled": False}}, False, id="not where the administrator says so"),
    ],
)
def test_a_deletion_waits_where_the_environment_needs_it(settings: Any, drain: bool) -> None:
    assert take(settings=settings).drain is drain


def test_no_deletion_waits_where_the_environment_does_not_need_it() -> None:
    assert take(environment="toy-hosts").drain is False


def test_a_plugins_own_fault_makes_a_policy_invalid() -> None:
    with pytest.raises(Refused) as caught:
        World(environment=odd(KServeModelMesh, check=[Fault("spec.modelName", "is too nice")]))

    assert (caught.value.reason, str(caught.value)) == (Reason.INVALID_SPEC, "spec.modelName: is too nice")


def test_objects_in_a_namespace_that_is_not_allowed_are_refused() -> None:
    """Whatever made the environment name them."""
    kind = KServeModelMesh.watches[0]
    with pytest.raises(Refused) as caught:
        World(
            environment=odd(KServeModelMesh, refs=[Ref(kind, "models", "a"), Ref(kind, "secret", "b")]),
            of=policy("wisdom-0"),
        )

    assert (caught.value.reason, str(caught.value)) == (
        Reason.NAMESPACE_NOT_ALLOWED,
        (
            "version wisdom-0 is made up of InferenceService secret/b, expected objects in models:"
            " the administrator's allowNamespaces decides"
        ),
    )


def test_a_plugin_that_raises_is_named() -> None:
    class Raises(Scripted):
        name = "raises"

        def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
            raise RuntimeError("boom")
            yield  # a generator raises late

    with pytest.raises(PluginError) as caught:
        World(Raises(everything))

    assert caught.value.message == "plugin raises: check raised RuntimeError: boom"
