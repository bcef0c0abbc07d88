"""Policies with the objects of their versions: for each strategy, the cases that a file shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NAMESPACE = "modelmesh-serving"
STRATEGIES = ("blue-green", "canary", "mirror")


@dataclass(frozen=True)
class Case:
    """What is given. `ready` and `app_versions` by version.

    `after`: the case of the strategy whose routes are in force.
    """

    strategy: str
    name: str
    ready: Mapping[str, bool | None]
    spec: Mapping[str, Any] = field(default_factory=dict)
    after: str | None = None
    app_versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return FOLDER / self.strategy / f"{self.name}.yaml"

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The policy, and an InferenceService for each version that exists."""
        services = [_inference_service(name, ready) for name, ready in self.ready.items()]
        for service in services:
            if told := self.app_versions.get(service["metadata"]["name"]):
                service["metadata"]["labels"] = {"app.kubernetes.io/version": told}
        return [self._policy(), *services]

    def _policy(self) -> dict[str, Any]:
        spec = {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": self.strategy,
            "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
            **self.spec,
        }
        metadata = {"name": "wisdom", "namespace": NAMESPACE, "uid": "6f1c3a52-0d0e-4e0c-9d59-0c6a3b7f2e11"}
        return {
            "apiVersion": "turnout.dev/v1alpha1",
            "kind": "RoutingPolicy",
            "metadata": metadata,
            "spec": spec,
        }


def _inference_service(name: str, ready: bool | None) -> dict[str, Any]:
    status = {} if ready is None else {"conditions": [{"type": "Ready", "status": str(ready)}]}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}", "generation": 1},
        "status": status,
    }


def _versions(*weights: int | None, **matches: Any) -> dict[str, Any]:
    """`modelVersions` with these weights; `matches` by version, as wisdom_1."""
    made: list[dict[str, Any]] = [{"name": f"wisdom-{index}"} for index in range(len(weights))]
    for version, weight in zip(made, weights, strict=True):
        version |= {} if weight is None else {"weight": weight}
        version |= {"match": found} if (found := matches.get(version["name"].replace("-", "_"))) else {}
    return {"modelVersions": made}


CUSTOM = {
    "modelName": "sage",
    "modelVersions": [{"name": "new"}, {"name": "old"}],
    "primary": "old",
    "config": {
        "istio": {
            "externalGateway": "inbound",
            "gatewayPort": 8080,
            "gatewaySelector": {"app": "inbound-proxy"},
            "ingressHost": "inbound-proxy.edge.svc.cluster.local",
        },
        "kserve-modelmesh": {"service": "mm-serving", "port": 9000},
    },
}
ELSEWHERE = {
    "externalGateway": "edge/outer",
    "gatewayPort": 9080,
    "ingressHost": "inbound-proxy.edge.svc.cluster.local",
}
WEIGHTS: dict[str, dict[str, Any]] = {
    "blue-green": _versions(20, 80),
    "canary": {**_versions(None, 10, 30), "config": {"canary": {"fallback": "candidate"}}},
    "mirror": _versions(None, 20, 50),
}
MATCHES = _versions(
    None,
    None,
    None,
    wisdom_1=[
        {"headers": {"X-Tier": {"exact": "gold"}, "user-agent": {"regex": ".*beta.*"}}, "method": "POST"},
        {"path": {"prefix": "/inference."}, "queryParams": {"Trace": {"exact": "on"}}},
    ],
    wisdom_2=[{"headers": {"x-tier": {"prefix": "silver"}}}, {"path": {"exact": "/v2/health/ready"}}],
)
GRPC_MATCHES = {
    **_versions(
        None,
        None,
        None,
        wisdom_1=[{"headers": {"user": {"prefix": "test-"}}}, {"headers": {"X-Tier": {"exact": "gold"}}}],
        wisdom_2=[
            {
                "headers": {"region": {"regex": "eu-[a-z]+"}, "stage": {"exact": "late"}},
                "path": {"exact": "/inference.GRPCInferenceService/ModelInfer"},
            }
        ],
    ),
    "router": "gateway-api",
    "config": {"gateway-api": {"gateway": "istio-system/public", "sectionName": "http"}},
}
PASSED = {
    "timeout": "1m30s",
    "retries": {"attempts": 3, "perTryTimeout": "500ms", "retryOn": "connect-failure,unavailable,503"},
    "corsPolicy": {
        "allowOrigins": [
            {"exact": "https://example.com"},
            {"prefix": "https://dev."},
            {"regex": r"https://[a-z]+\.example\.org"},
        ],
        "allowMethods": ["POST", "OPTIONS"],
        "allowHeaders": ["*"],
        "exposeHeaders": ["app-version"],
        "maxAge": "24h",
        "allowCredentials": False,
    },
    "fault": {
        "abort": {"grpcStatus": "UNAVAILABLE", "percentage": {"value": 0.5}},
        "delay": {"fixedDelay": "2.5s", "percentage": {"value": 10}},
    },
    "headers": {
        "request": {"set": {"x-team": "a"}, "add": {"Via": "100%% turnout"}, "remove": ["x-debug"]},
        "response": {"set": {"cache-control": "no-store"}, "add": {"vary": "origin"}, "remove": ["server"]},
    },
}
EXPORTED = {"exportTo": ["modelmesh-serving", "istio-system"]}
BOTH = {"wisdom-0": True, "wisdom-1": True}
THREE = {**BOTH, "wisdom-2": True}


def cases() -> Iterator[Case]:
    """All of them."""
    for strategy in STRATEGIES:
        yield Case(strategy, "primary-only", {"wisdom-0": True})
        yield Case(strategy, "all-ready", BOTH)
        yield Case(strategy, "primary-not-ready", {**BOTH, "wisdom-0": False}, after="all-ready")
        yield Case(strategy, "none-ready", {"wisdom-0": False, "wisdom-1": False}, after="all-ready")
        middle = {"wisdom-1": False} if strategy == "blue-green" else {}
        yield Case(strategy, "three-versions", {**THREE, **middle}, _versions(None, None, None))
        yield Case(strategy, "custom-names", {"new": True, "old": True}, CUSTOM)
        down = {"wisdom-0": False} if strategy == "canary" else {}
        given = THREE if strategy != "blue-green" else BOTH
        yield Case(strategy, "weights", {**given, **down}, WEIGHTS[strategy])
        given = {"marker": True} | ({"mesh": False} if strategy == "blue-green" else {})
        yield Case(strategy, "marker", BOTH, {"config": {"istio": given}})
        yield Case(strategy, "passed", BOTH, {"config": {"istio": PASSED}})
        yield Case(strategy, "envoy", THREE, {**WEIGHTS[strategy], "router": "envoy"})
        header = {"config": {"istio": {"appVersionHeader": "app-version"}}}
        told = {"wisdom-0": "v0", "wisdom-1": "v1"}
        yield Case(strategy, "response-header", BOTH, header, app_versions=told)
        yield Case(strategy, "gateway-elsewhere", BOTH, {"config": {"istio": ELSEWHERE}})
    yield Case("canary", "matches", THREE, MATCHES)
    yield Case("canary", "envoy-matches", THREE, {**MATCHES, "router": "envoy"})
    yield Case("blue-green", "delegate", BOTH, {"config": {"istio": {"delegate": True}}})
    yield Case("blue-green", "export-to", BOTH, {"config": {"istio": EXPORTED}})
    delegate = {"delegate": True, "timeout": "10s", "mesh": False, **EXPORTED}
    yield Case("canary", "delegate", THREE, {**MATCHES, "config": {"istio": delegate}})
    yield Case("blue-green", "gateway-api", BOTH, {"router": "gateway-api", **_versions(20, 80)})
    yield Case("canary", "gateway-api", THREE, GRPC_MATCHES)
