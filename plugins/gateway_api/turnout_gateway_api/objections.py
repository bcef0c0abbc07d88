"""What HTTPRoute and GRPCRoute cannot say of a plan, told when the policy is applied."""

import re
from collections.abc import Iterator
from itertools import combinations

from turnout.plugin import Frontend, RoutePlan, Rule, Version
from turnout_gateway_api.matches import unsayable_grpc, unsayable_http
from turnout_gateway_api.options import SUBDOMAIN
from turnout_gateway_api.precedence import Unsayable, in_order

RULES = 16
HOSTS = 16
_HOST = re.compile(SUBDOMAIN)


def objections(plan: RoutePlan) -> Iterator[str]:
    """A sentence for each thing, once."""
    return iter(dict.fromkeys(_objections(plan)))


def _objections(plan: RoutePlan) -> Iterator[str]:
    if len(plan.rules) > RULES:
        yield f"a route has room for {RULES} rules, found {len(plan.rules)}"
    for first, second in combinations(plan.frontends, 2):
        if hosts := set(first.hosts) & set(second.hosts):
            told = f"frontends {first.name} and {second.name} share the host {min(hosts)}"
            yield f"{told}; of two routes with one host a Gateway serves the older alone"
    for frontend in plan.frontends:
        yield from _hosts(frontend)
        yield from _backends(plan, frontend)
        yield from _matches(plan, frontend)


def _hosts(frontend: Frontend) -> Iterator[str]:
    if len(frontend.hosts) > HOSTS:
        yield f"a route has room for {HOSTS} hosts, found {len(frontend.hosts)} of frontend {frontend.name}"
    for host in frontend.hosts:
        if not _HOST.fullmatch(host):
            yield f"frontend {frontend.name} has the host {host}, expected a DNS name without a port"


def _backends(plan: RoutePlan, frontend: Frontend) -> Iterator[str]:
    for version in plan.versions():
        backend = version.backends[frontend.name]
        if backend.kind != "Service":
            yield f"version {version.name} is reached at a {backend.kind}, expected a Service"
        if backend.authority and frontend.protocol == "grpc":
            yield f"version {version.name} is reached by an authority of its own, which GRPCRoute cannot set"
        elif backend.authority and not _HOST.fullmatch(backend.authority):
            told = f"version {version.name} is reached by the authority {backend.authority}"
            yield f"{told}, expected a DNS name without a port"
    for rule in plan.rules:
        yield from _copies(rule, frontend)


def _copies(rule: Rule, frontend: Frontend) -> Iterator[str]:
    """A copy has the headers that were set for the version which answers."""
    for version in (share.version for share in rule.shares if rule.mirrors):
        if names := _set(version, frontend):
            yield f"copies of its calls would carry the headers of version {version.name}: {names}"


def _set(version: Version, frontend: Frontend) -> str:
    return ", ".join(name for name, _ in version.backends[frontend.name].set_headers)


def _matches(plan: RoutePlan, frontend: Frontend) -> Iterator[str]:
    http = frontend.protocol == "http"
    unsayable = unsayable_http if http else unsayable_grpc
    found = [told for rule in plan.rules for match in rule.matches for told in unsayable(match)]
    if not found:
        try:
            ordered = in_order(plan.rules, prefixes_end_at_slashes=http)
        except Unsayable as error:
            found = [str(error)]
        else:
            found = [told for matches in ordered for match in matches for told in unsayable(match)]
    yield from found
