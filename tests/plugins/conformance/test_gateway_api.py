"""gateway-api passes the suite of routers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.support.assets import find_crds
from turnout.plugin import Manifest, Role
from turnout.testing.builders import FRONTEND
from turnout.testing.conformance import RouterConformance
from turnout_gateway_api.router import GatewayApi


class TestGatewayApi(RouterConformance):
    plugin = GatewayApi()

    @property
    def crds(self) -> Sequence[Path]:  # type: ignore[override]
        return (find_crds("gateway-api"),)

    def read(self, manifests: Sequence[Manifest]) -> Mapping[str, float]:
        (route,) = (one for one in manifests if one.role is Role.ROUTE)
        refs = route.body["spec"]["rules"][-1]["backendRefs"]
        return {ref["name"]: ref.get("weight", 1) for ref in refs}


class TestGatewayApiOverHTTP(TestGatewayApi):
    frontend = replace(FRONTEND, protocol="http")
