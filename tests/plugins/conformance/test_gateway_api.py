"""gateway-api passes the suite of routers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.support.assets import find_crds
from turnout.plugin import Manifest
from turnout.testing.builders import FRONTEND
from turnout.testing.conformance import RouterConformance
from turnout_gateway_api.router import GatewayApi
from turnout_gateway_api.routes import GRPC_ROUTE, HTTP_ROUTE


class TestGrpc(RouterConformance):
    """GRPCRoutes."""

    plugin = GatewayApi()
    options = ({}, {"gateway": "infra/shared", "sectionName": "http", "appVersionHeader": "x-version"})

    @property
    def crds(self) -> Sequence[Path]:  # type: ignore[override]
        return (find_crds("gateway-api"),)

    def read(self, manifests: Sequence[Manifest]) -> Mapping[str, float]:
        (route,) = (one for one in manifests if one.kind in (HTTP_ROUTE, GRPC_ROUTE))
        rule = route.body["spec"]["rules"][-1]
        return {backend["name"]: backend["weight"] for backend in rule["backendRefs"]}


class TestHttp(TestGrpc):
    """HTTPRoutes."""

    frontend = replace(FRONTEND, protocol="http")
