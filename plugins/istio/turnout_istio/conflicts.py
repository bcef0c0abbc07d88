"""Options that cannot work as they stand, by the paths of their fields."""

from collections.abc import Iterator
from typing import NamedTuple

from turnout.plugin import Fault, Feature, Policy, RoutePlan
from turnout_istio import marker
from turnout_istio.mirror import MARK_HEADER
from turnout_istio.options import IstioOptions

PATH = "spec.config.istio"


class _Named(NamedTuple):
    """A header that the options change: `way` is request or response, `name` in lower case."""

    path: str
    way: str
    name: str


def faults(policy: Policy, options: IstioOptions) -> Iterator[Fault]:
    """What is wrong whatever the plan."""
    if options.delegate and options.marker:
        told = "found true, expected false with delegate: the probe asks for a host, and a delegate has none"
        yield Fault(f"{PATH}.marker", told)
    if {".", policy.namespace} <= set(options.export_to):
        yield Fault(f"{PATH}.exportTo", f'found "." and "{policy.namespace}", which are the same')
    marks = {MARK_HEADER, marker.HEADER}
    for path, way, name in _headers(options):
        if name == "host":
            yield Fault(path, "the host is how a call finds its routes; turnout alone changes it")
        elif way == "request" and name in marks:
            yield Fault(path, "this header is a mark of turnout's own")
        elif way == "response" and name == options.app_version_header:
            yield Fault(path, "this header is that of appVersionHeader")


def objections(plan: RoutePlan, options: IstioOptions) -> Iterator[str]:
    """What a plan and the options have against each other."""
    if options.delegate and Feature.MIRROR_HEADERS in plan.features():
        yield (
            f"{PATH}.delegate: found true, expected false where copies go to versions that a request header "
            "tells apart: they come in through the gateway again, and if the VirtualService that delegates "
            "keeps them from the rule for copies, they are copied without end"
        )
    reserved = {"request": _of_versions(plan), "response": _of_shares(plan)}
    for path, way, name in _headers(options):
        if name in reserved[way]:
            yield f"{path}: the routes set this header for each version"


def _headers(options: IstioOptions) -> Iterator[_Named]:
    if options.headers:
        for way, operations in (("request", options.headers.request), ("response", options.headers.response)):
            for where, name in operations.named():
                yield _Named(f"{PATH}.headers.{way}.{where}", way, name)


def _of_versions(plan: RoutePlan) -> set[str]:
    backends = (backend for version in plan.versions() for backend in version.backends.values())
    return {name.lower() for backend in backends for name, _ in backend.set_headers}


def _of_shares(plan: RoutePlan) -> set[str]:
    shares = (share for rule in plan.rules for share in rule.shares)
    return {name.lower() for share in shares for name, _ in share.set_response_headers}
