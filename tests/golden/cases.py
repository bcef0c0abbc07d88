"""Policies with the objects of their versions: for each strategy, the cases that a file shows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.kserve import condition, knative, standard

Document = dict[str, Any]

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
    versions_are: str = "kserve-modelmesh"
    """A key of OBJECTS."""

    @property
    def file(self) -> Path:
        return FOLDER / self.strategy / f"{self.name}.yaml"

    @property
    def documents(self) -> list[Document]:
        """The policy, and the objects of each version that exists."""
        made = [self._policy()]
        for name, ready in self.ready.items():
            objects = OBJECTS[self.versions_are](name, ready)
            if told := self.app_versions.get(name):
                objects[0]["metadata"]["labels"] = {"app.kubernetes.io/version": told}
            made += objects
        return made

    def _policy(self) -> Document:
        spec = {
            "targetEnv": self.versions_are.partition(" ")[0],
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


def _object(api_version: str, kind: str, name: str, **body: Any) -> Document:
    metadata = {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}", "generation": 1}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **body}


def _inference_service(name: str, status: Document) -> list[Document]:
    return [_object("serving.kserve.io/v1beta1", "InferenceService", name, status=status)]


def _in_modelmesh(name: str, ready: bool | None) -> list[Document]:
    conditions = {} if ready is None else {"conditions": [{"type": "Ready", "status": str(ready)}]}
    return _inference_service(name, conditions)


def _in_knative(name: str, _: bool | None) -> list[Document]:
    return _inference_service(name, knative(name, NAMESPACE))


def _in_standard(name: str, _: bool | None) -> list[Document]:
    return _inference_service(name, standard(name, NAMESPACE))


def _deployment(name: str, _: bool | None) -> list[Document]:
    available = [condition("Available", reason="MinimumReplicasAvailable", message="")]
    counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), 2)
    status = {"observedGeneration": 1, "conditions": available, **counts}
    spec = {"replicas": 2, "template": {"metadata": {"labels": {"app": name}}}}
    service = {"selector": {"app": name}, "clusterIP": "10.0.0.7", "ports": [{"port": 8080}]}
    return [
        _object("apps/v1", "Deployment", name, spec=spec, status=status),
        _object("v1", "Service", name, spec=service),
    ]


OBJECTS: dict[str, Callable[[str, bool | None], list[Document]]] = {
    "deployment": _deployment,
    "kserve": _in_standard,
    "kserve in Knative mode": _in_knative,
    "kserve-modelmesh": _in_modelmesh,
}
"""What a version is made of, by its environment and, in words, its mode. All but ModelMesh's are ready."""


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
    for strategy in STRATEGIES:
        yield Case(strategy, "deployment", BOTH, versions_are="deployment")
        yield Case(strategy, "kserve", BOTH, versions_are="kserve")
        yield Case(strategy, "http-route", BOTH, {"router": "gateway-api"}, versions_are="deployment")
        yield Case(strategy, "elsewhere", BOTH, {"config": {"kserve-modelmesh": {"namespace": "edge"}}})
    for strategy in ("blue-green", "canary"):
        yield Case(strategy, "kserve-knative", BOTH, versions_are="kserve in Knative mode")
