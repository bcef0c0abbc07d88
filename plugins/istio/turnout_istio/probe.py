"""The probe istio-gateway."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from turnout.plugin import Options, Probe, Route
from turnout_istio import marker
from turnout_istio.options import NAME
from turnout_istio.virtual_service import MESH


def _with_port(address: str) -> str:
    if not 0 < int(address.rpartition(":")[2]) < 65536:
        raise ValueError("expected a port from 1 to 65535")
    return address


Address = Annotated[
    str, Field(pattern=rf"^({NAME}|\[[0-9a-f:]+\]):[0-9]{{1,5}}$", max_length=259), AfterValidator(_with_port)
]


class GatewayOptions(Options):
    """Where the gateways are."""

    addresses: tuple[Address, ...] = Field(min_length=1)
    """`host:port` of gateways, for plain HTTP. A host stands for all its addresses: a headless Service."""


class IstioGateway(Probe[GatewayOptions]):
    """Asks ingress gateways by the rule that istio's option `marker` puts before a model's others.

    They do not speak for sidecars: of routes that are for those as well it learns only that a gateway is
    behind.
    """

    name = "istio-gateway"
    options = GatewayOptions
    router = "istio"

    async def in_force(self, routes: Sequence[Route], options: GatewayOptions) -> bool | None:
        from turnout_istio.asking import Question, Word, ask  # it needs aiohttp, and only the controller asks

        specs = [route.body["spec"] for route in routes]
        questions = [Question(spec["hosts"][0], *found) for spec in specs if (found := marker.read(spec))]
        words = await ask(options.addresses, questions) if questions else set()
        if Word.BEHIND in words:
            return False
        whole = len(questions) == len(routes) and Word.UNKNOWN not in words
        sidecars = any(MESH in spec.get("gateways", (MESH,)) for spec in specs)
        return True if whole and not sidecars and Word.CARRIES in words else None
