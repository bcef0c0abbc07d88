"""The router istio."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from turnout.plugin import Fault, Feature, Manifest, Policy, RoutePlan, Router
from turnout.plugin.reading import service_namespace
from turnout_istio import conflicts, matches
from turnout_istio.gateway import GATEWAY, SERVICE_ENTRY, gateway, service_entry
from turnout_istio.options import IstioOptions
from turnout_istio.virtual_service import VIRTUAL_SERVICE, virtual_service


class Istio(Router[IstioOptions]):
    """Istio: a VirtualService for the routes, a Gateway for clients outside, a ServiceEntry for those inside.

    Its propagation is istiod's default bound: it gathers changes for at most 10 s (PILOT_DEBOUNCE_MAX)
    before it pushes them.
    """

    name = "istio"
    options = IstioOptions
    writes = (VIRTUAL_SERVICE, GATEWAY, SERVICE_ENTRY)
    carries = frozenset(Feature) - {Feature.MIRROR_AUTHORITY}
    """Envoy copies a request after its route has changed the host, and no route takes such a copy."""

    def check(self, policy: Policy, options: IstioOptions) -> Iterable[Fault]:
        return (*matches.faults(policy), *conflicts.faults(policy, options))

    def reaches(self, options: IstioOptions) -> Iterable[tuple[str, str]]:
        namespace, slash, _ = options.external_gateway.partition("/")
        if slash:
            yield "externalGateway", namespace
        if namespace := service_namespace(options.ingress_host):
            yield "ingressHost", namespace

    def objections(self, plan: RoutePlan, options: IstioOptions) -> Iterable[str]:
        return conflicts.objections(plan, options)

    def render(self, plan: RoutePlan, options: IstioOptions) -> Sequence[Manifest]:
        shared = gateway(options)
        manifests = [shared] if shared else []
        for index, frontend in enumerate(plan.frontends):
            model = plan.policy.model_name
            name = model if index == 0 else f"{model}-{frontend.name}"
            entry = service_entry(name, frontend, options) if options.mesh else None
            manifests += [entry] if entry else []
            manifests.append(virtual_service(name, plan, frontend, options))
        return manifests

    def refusal(self, route: Mapping[str, Any]) -> str | None:
        """istiod's verdict, where it is told to write one (PILOT_ENABLE_STATUS)."""
        status = route.get("status")
        messages = status.get("validationMessages") if isinstance(status, Mapping) else None
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, Mapping) and message.get("level") in ("ERROR", 3):
                kind = message.get("type")
                code = kind.get("code", "") if isinstance(kind, Mapping) else ""
                where = message.get("documentationUrl", "its log")
                return f"istiod reports {code or 'an error'}: see {where}"
        return None
