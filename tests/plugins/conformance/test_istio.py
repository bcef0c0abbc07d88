"""istio and its probe pass the suites of routers and of probes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.assets import find_crds
from turnout.plugin import Manifest, Match, Route
from turnout.testing.builders import plan, policy, spec
from turnout.testing.conformance import ProbeConformance, RouterConformance
from turnout_istio.options import IstioOptions
from turnout_istio.probe import IstioGateway
from turnout_istio.router import Istio
from turnout_istio.virtual_service import VIRTUAL_SERVICE


class TestIstio(RouterConformance):
    plugin = Istio()
    options = (
        {},
        {"externalGateway": "infra/shared", "mesh": False, "marker": True, "appVersionHeader": "x-version"},
        {
            "delegate": True,
            "exportTo": ["."],
            "timeout": "10s",
            "retries": {"attempts": 1},
            "headers": {"response": {"set": {"cache-control": "no-store"}}},
        },
    )
    refused = (policy("wisdom-0", spec("wisdom-1", None, Match(headers=(("uri", "exact", "/"),)))),)

    @property
    def crds(self) -> Sequence[Path]:  # type: ignore[override]
        return (find_crds("istio.yaml"),)

    def read(self, manifests: Sequence[Manifest]) -> Mapping[str, float]:
        (route,) = (one for one in manifests if one.kind == VIRTUAL_SERVICE)
        return {
            entry["destination"]["host"].partition(".")[0]: entry.get("weight", 100)
            for entry in route.body["spec"]["http"][-1]["route"]
        }


class TestIstioGateway(ProbeConformance):
    plugin = IstioGateway()
    options = ({"addresses": ["127.0.0.1:9"]},)
    routes = tuple(
        Route(one.kind, "models", one.name, one.body)
        for one in Istio().render(plan({"wisdom-0": 100}), IstioOptions(marker=True))
        if one.kind == VIRTUAL_SERVICE
    )
