"""What the routes of Iter8's charts are to clients: by which gateways they come, which headers they see."""

from dataclasses import replace
from typing import Any

from turnout.migration.chart import VirtualService
from turnout.migration.reader import BRANCH_HEADER, VERSION_HEADER, Recognized

ISTIO = "istio"
MESH = "mesh"


def for_clients(found: Recognized, route: VirtualService) -> Recognized:
    """With the gateways, and with what happens to headers for clients."""
    gateways = [one for one in route.spec.gateways if one != MESH]
    istio: dict[str, Any] = {**found.config.get(ISTIO, {})}
    lost, notes = [*found.lost], [*found.notes]
    if gateways:
        istio["externalGateway"] = gateways[0]
    else:
        lost.append(
            "its routes are for clients inside the mesh alone; those of turnout are for a Gateway as well, "
            "by default mm-gateway, which is made: set spec.config.istio.externalGateway to one of yours"
        )
    lost.extend(f"the gateway {one}: a policy has one, here {gateways[0]}" for one in gateways[1:])
    if MESH not in route.spec.gateways:
        istio["mesh"] = False
    routes = [one for entry in route.spec.http for one in entry.route]
    if any(one.headers.response.add for one in routes):
        istio["appVersionHeader"] = VERSION_HEADER
        lost.append(
            f"the response header {VERSION_HEADER} with a version's name: it tells the version's label "
            "app.kubernetes.io/version instead"
        )
    if any(BRANCH_HEADER in one.headers.request.remove for one in routes):
        notes.append(f"the request header {BRANCH_HEADER}, which Iter8 takes off, reaches the versions")
    config = {**found.config, **({ISTIO: istio} if istio else {})}
    return replace(found, config=config, lost=tuple(lost), notes=tuple(notes))
