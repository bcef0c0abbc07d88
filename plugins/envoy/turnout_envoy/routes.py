"""Renders the rules of a plan as Envoy's RouteConfiguration."""

from typing import Any

from turnout.plugin import Frontend, Mirror, Policy, RoutePlan, Rule, Share
from turnout_envoy.address import TYPE, host, mutations, per_filter_config, set_headers
from turnout_envoy.matches import EVERY, route_match
from turnout_envoy.options import EnvoyOptions

NAME = "turnout"
"""What the bootstrap asks for; Envoy takes no RouteConfiguration of another name."""
_MILLION = 1_000_000


def route_configuration(plan: RoutePlan, frontend: Frontend, options: EnvoyOptions) -> dict[str, Any]:
    """The routes of one frontend, whatever host is asked for: this Envoy serves nothing else."""
    rules = _Rules(plan.policy, frontend, options)
    routes = [route for rule in plan.rules for route in rules.routes(rule)]
    return {
        "@type": f"{TYPE}/envoy.config.route.v3.RouteConfiguration",
        "name": NAME,
        "virtual_hosts": [{"name": plan.policy.model_name, "domains": ["*"], "routes": routes}],
    }


class _Rules:
    """Renders the rules for one frontend. The first route that matches wins, as with rules."""

    def __init__(self, policy: Policy, frontend: Frontend, options: EnvoyOptions) -> None:
        self._policy = policy
        self._frontend = frontend
        self._options = options

    def routes(self, rule: Rule) -> list[dict[str, Any]]:
        """A route for each alternative of a rule's matches, all with the same action."""
        action = self._action(rule)
        matches = [route_match(match) for match in rule.matches] or [dict(EVERY)]
        return [{"name": rule.name, "match": match, "route": action} for match in matches]

    def _action(self, rule: Rule) -> dict[str, Any]:
        action: dict[str, Any] = {
            "weighted_clusters": {"clusters": [self._share(share) for share in rule.shares]},
            "timeout": "0s",  # a call takes as long as its caller allows; Envoy would end it after 15 s
        }
        if rule.mirrors:
            action["request_mirror_policies"] = [self._mirror(one, rule) for one in rule.mirrors]
        return action

    def _share(self, share: Share) -> dict[str, Any]:
        backend = share.version.backends[self._frontend.name]
        cluster: dict[str, Any] = {
            "name": self._frontend.protocol,
            "weight": share.weight,
            "typed_per_filter_config": per_filter_config(backend, self._policy),
        }
        if backend.authority:
            cluster["host_rewrite_literal"] = backend.authority
        if backend.set_headers:
            cluster["request_headers_to_add"] = set_headers(backend.set_headers)
        if response := share.response_headers(self._options.app_version_header):
            cluster["response_headers_to_add"] = set_headers(tuple(response.items()))
        return cluster

    def _mirror(self, mirror: Mirror, rule: Rule) -> dict[str, Any]:
        """Envoy copies a request as its route has made it, headers included, and has no filters for the copy:
        its address is what its authority says.
        """
        backend = mirror.version.backends[self._frontend.name]
        shares = (share.version.backends[self._frontend.name] for share in rule.shares)
        routed = {name for one in shares for name, _ in one.set_headers}
        numerator = max(1, round(mirror.percentage * _MILLION / 100))
        policy: dict[str, Any] = {
            "cluster": self._frontend.protocol,
            "runtime_fraction": {"default_value": {"numerator": numerator, "denominator": "MILLION"}},
            "host_rewrite_literal": f"{host(backend, self._policy)}:{backend.port}",
        }
        if changes := mutations(backend.set_headers, routed):
            policy["request_headers_mutations"] = changes
        return policy
