"""A policy, the objects of its versions, and what is decided of them, step after step."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.toys import ToyHosts, ToySteps, ToyTable
from turnout.calling import Calls
from turnout.decision.accept import Accepted, Declared, accept
from turnout.decision.decide import Known, Outcome, decide
from turnout.decision.move import Former, former
from turnout.decision.objects import Entry
from turnout.decision.shares import shares
from turnout.decision.stored import Carried, dump, load
from turnout.plugin import Environment, Observation, Pairs, Plugin, Policy, Ref, RoutePlan, Router, Strategy
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.strategies.blue_green import BlueGreen
from turnout.strategies.canary import Canary
from turnout.strategies.mirror import Mirroring
from turnout.testing.builders import NOW, entry, observation, policy
from turnout_deployment.environment import Deployments
from turnout_envoy.router import Envoy
from turnout_gateway_api.router import GatewayApi
from turnout_istio.router import Istio
from turnout_kserve.environment import KServe
from turnout_kserve_modelmesh.environment import KServeModelMesh

PLUGINS: tuple[Plugin[Any], ...] = (
    KServeModelMesh(),
    KServe(),
    Deployments(),
    ToyHosts(),
    BlueGreen(),
    Canary(),
    Mirroring(),
    ToySteps(),
    Envoy(),
    GatewayApi(),
    Istio(),
    ToyTable(),
)
REGISTRY = Registry.of(*PLUGINS)

ADDRESSES: Mapping[str, Callable[[Ref], Pairs]] = {
    "deployment": lambda ref: (("port", "8080"),) if ref.kind.kind == "Service" else (),
    "kserve": lambda ref: (("service", f"{ref.name}-predictor"),),
    "toy-hosts": lambda ref: (("authority", f"{ref.name}.example.com"),),
}
"""Where objects say that they can be reached, by environment."""


def knative(ref: Ref) -> Pairs:
    """What an InferenceService in Knative mode says to the environment kserve."""
    return ("service", ref.name), ("authority", f"{ref.name}.{ref.namespace}.svc.cluster.local")


class World:
    """What a controller would know. Every decision becomes the plan in force for the next one."""

    def __init__(
        self,
        strategy: str | Strategy[Any] = "blue-green",
        of: Policy | None = None,
        *,
        environment: str | Environment[Any] = "kserve-modelmesh",
        router: str | Router[Any] = "istio",
        config: Mapping[str, Mapping[str, Any]] | None = None,
        settings: Settings | None = None,
        addresses: Callable[[Ref], Pairs] | None = None,
    ) -> None:
        """`addresses`: where objects say that they can be reached, if not as their environment's usually do."""
        self.settings = settings or Settings()
        self.config = config or {}
        chosen = {
            axis: _plugin(axis, one)
            for axis, one in zip(
                ("environments", "strategies", "routers"), (environment, strategy, router), strict=True
            )
        }
        own = {plugin.name for plugin in chosen.values()}
        others = [plugin for plugin in PLUGINS if plugin.name not in own]
        self.registry = Registry.of(*chosen.values(), *others)
        self.names = [plugin.name for plugin in chosen.values()]
        self.accepted = self._accept(of or policy())
        self.objects: dict[Ref, Entry] = {}
        self.carried: Carried | None = None
        self.state: Mapping[str, Any] = {}
        self.now: datetime = NOW
        self.addresses = addresses or _addresses(self.names[0])

    @property
    def in_force(self) -> RoutePlan | None:
        return self.carried.plan if self.carried else None

    @in_force.setter
    def in_force(self, plan: RoutePlan | None) -> None:
        self.carried = Carried(plan, self.names[0]) if plan else None

    def ready(self, *names: str, **fields: Any) -> "World":
        return self._observe(names, observation(True), fields)

    def down(self, *names: str, **fields: Any) -> "World":
        return self._observe(names, observation(False, message="it crashed"), fields)

    def unknown(self, *names: str, **fields: Any) -> "World":
        return self._observe(names, observation(None, message="it has not said"), fields)

    def unprotected(self, *names: str) -> "World":
        """Ready, but without the finalizer that lets a deletion wait."""
        return self.ready(*names, finalizers=())

    def deleting(self, *names: str) -> "World":
        """Ready still, and waiting to be released."""
        return self.ready(*names, deleting=NOW)

    def gone(self, *names: str) -> "World":
        for ref in (ref for name in names for ref in self.accepted.refs[name]):
            self.objects.pop(ref, None)
        return self

    def later(self, seconds: float) -> "World":
        self.now += timedelta(seconds=seconds)
        return self

    def change(self, of: Policy) -> "World":
        """Someone applies the policy anew."""
        self.accepted = self._accept(of)
        return self

    def move(self, environment: str, of: Policy | None = None) -> "World":
        """Someone gives the policy another environment."""
        self.names[0], self.addresses = environment, _addresses(environment)
        return self.change(of or self.accepted.policy)

    def decide(self) -> Outcome:
        """Decide, and put it in force, the way it survives a restart."""
        outcome = self.ask()
        if outcome.carried:
            self.carried = load(dump(outcome.carried), self.accepted.policy)
            assert self.carried is not None
        self.state = outcome.strategy_state
        return outcome

    def ask(self) -> Outcome:
        """Decide, and leave everything as it is."""
        known = Known(self.objects.get, self.now, self.in_force, self.state, self._former())
        return decide(self.accepted, known, self.registry, self.settings, Calls())

    def _former(self) -> Former | None:
        return former(self.accepted, self.carried, self.registry, self.settings, Calls())

    def split(self) -> dict[str, float]:
        """Decide, and return the shares of the calls that no rule matches, by version."""
        return {name: round(share, 1) for name, share in shares(self.decide().plan).items()}

    def matched(self) -> dict[str, str]:
        """The version that each rule with matches leads to, by rule, in the plan in force."""
        rules = self.in_force.rules[:-1] if self.in_force else ()
        return {rule.name: rule.shares[0].version.name for rule in rules}

    def mirrored(self) -> dict[str, float]:
        """The percentage that each version gets copies of, in the plan in force."""
        rules = self.in_force.rules if self.in_force else ()
        return {mirror.version.name: mirror.percentage for rule in rules for mirror in rule.mirrors}

    def _accept(self, of: Policy) -> Accepted:
        environment, strategy, router = self.names
        declared = Declared(of, environment, strategy, router, self.config)
        return accept(declared, self.registry, self.settings, Calls())

    def _observe(self, names: tuple[str, ...], seen: Observation, fields: Mapping[str, Any]) -> "World":
        environment = self.names[0]
        for name in names:
            for ref in self.accepted.refs[name]:
                told = replace(seen, addresses=self.addresses(ref), revision="1")
                uid = f"uid-of-{name}" if ref == self._ref(name) else f"uid-of-{ref}"
                self.objects[ref] = entry({environment: told}, **{"uid": uid, **fields})
        return self

    def _ref(self, name: str) -> Ref:
        return self.accepted.refs[name][0]


def _addresses(environment: str) -> Callable[[Ref], Pairs]:
    return ADDRESSES.get(environment, lambda ref: ())


def _plugin(axis: str, plugin: str | Plugin[Any]) -> Plugin[Any]:
    if isinstance(plugin, Plugin):
        return plugin
    found: Plugin[Any] = getattr(REGISTRY, axis)[plugin].plugin
    return found
