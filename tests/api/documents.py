"""Documents of the API, good and bad: what the models say of each, a real API server has to say too."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

POLICY: dict[str, Any] = {
    "apiVersion": "turnout.dev/v1alpha1",
    "kind": "RoutingPolicy",
    "metadata": {"name": "wisdom"},
    "spec": {
        "targetEnv": "kserve-modelmesh",
        "trafficStrategy": "blue-green",
        "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
    },
}
"""The least that a policy can say."""

FULL_POLICY: dict[str, Any] = {
    "apiVersion": "turnout.dev/v1alpha1",
    "kind": "RoutingPolicy",
    "metadata": {"name": "wisdom.v2", "labels": {"turnout.dev/instance": "blue"}},
    "spec": {
        "targetEnv": "kserve-modelmesh",
        "trafficStrategy": "canary",
        "router": "istio",
        "modelName": "wisdom",
        "modelVersions": [
            {"name": "wisdom-0", "namespace": "models", "weight": 50},
            {
                "name": "wisdom-1",
                "weight": 0,
                "match": [
                    {
                        "headers": {"Traffic": {"exact": "test"}, "x-user": {"regex": "a.*"}},
                        "method": "POST",
                        "path": {"prefix": "/inference."},
                        "queryParams": {"tier": {"prefix": "gold"}},
                    },
                    {"path": {"regex": "/v2/.*"}},
                ],
            },
        ],
        "primary": "wisdom-1",
        "hosts": ["wisdom.example.com"],
        "suspend": True,
        "config": {
            "istio": {"externalGateway": "mm-gateway", "anything": [None, 1, {"a": 1.5}]},
            "mirror": {},
        },
    },
}
"""A policy that says all that there is to say."""

WEIGHTS: dict[str, Any] = {
    "apiVersion": "turnout.dev/v1alpha1",
    "kind": "TrafficWeights",
    "metadata": {"name": "wisdom"},
    "spec": {"weights": {"wisdom-0": 20, "wisdom-1": 80}},
}

MIRROR: dict[str, Any] = {**WEIGHTS, "spec": {"mirrorPercentage": 30}}

VERSION: Path = ("spec", "modelVersions", 0)
MATCH: Path = (*VERSION, "match")


class Absent:
    """Stands for a field that is taken away."""


def replaced(document: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """A copy of the document with another value at the path; Absent takes the field away."""
    document = copy.deepcopy(document)
    *parents, last = path
    target: Any = document
    for key in parents:
        target = target[key]
    if value is Absent:
        del target[last]
    else:
        target[last] = value
    return document


@dataclass(frozen=True)
class Case:
    """A document, and whether it is to be accepted."""

    name: str
    document: dict[str, Any]
    accepted: bool
    kind: str = "RoutingPolicy"


def cases() -> list[Case]:
    """All of them."""
    return [*_whole(), *_policies(), *_matches(), *_weights(), *_configs(), *_names()]


def _whole() -> Iterator[Case]:
    yield Case("policy: the least", POLICY, True)
    yield Case("policy: all there is", FULL_POLICY, True)
    yield Case("weights", WEIGHTS, True, "TrafficWeights")
    yield Case("mirror percentage", MIRROR, True, "TrafficWeights")


def _case(name: str, path: Path, value: object, accepted: bool, base: dict[str, Any] = POLICY) -> Case:
    return Case(name, replaced(base, path, value), accepted, base["kind"])


def _named(count: int) -> list[dict[str, str]]:
    return [{"name": f"wisdom-{index}"} for index in range(count)]


def _policies() -> Iterator[Case]:
    for name, weight, accepted in [
        ("0", 0, True),
        ("highest", 1_000_000, True),
        ("integral float", 50.0, True),
        ("null", None, True),
        ("negative", -1, False),
        ("too high", 1_000_001, False),
        ("huge", 10**20, False),
        ("fraction", 0.5, False),
        ("text", "50", False),
        ("boolean", True, False),
        ("list", [50], False),
    ]:
        yield _case(f"weight: {name}", (*VERSION, "weight"), weight, accepted)
    versions: Path = ("spec", "modelVersions")
    yield _case("versions: none", versions, [], False)
    yield _case("versions: one", versions, _named(1), True)
    yield _case("versions: 16", versions, _named(16), True)
    yield _case("versions: 17", versions, _named(17), False)
    yield _case("versions: duplicate name", versions, [{"name": "a"}, {"name": "a", "weight": 1}], False)
    yield _case("versions: absent", versions, Absent, False)
    yield _case("versions: null", versions, None, False)
    yield _case("versions: object", versions, {"wisdom-0": {}}, False)
    yield _case("versions: null item", versions, [None], False)
    yield _case("versions: no name", versions, [{"weight": 1}], False)
    yield _case("versions: unknown field", (*VERSION, "weigth"), 1, False)
    for field in ("targetEnv", "trafficStrategy"):
        yield _case(f"{field}: absent", ("spec", field), Absent, False)
        yield _case(f"{field}: null", ("spec", field), None, False)
        yield _case(f"{field}: a plugin nobody knows yet", ("spec", field), "acme-mesh", True)
    yield _case("router: null", ("spec", "router"), None, True)
    yield _case("suspend: null", ("spec", "suspend"), None, True)
    yield _case("suspend: text", ("spec", "suspend"), "true", False)
    yield _case("primary: a version", ("spec", "primary"), "wisdom-1", True)
    yield _case("primary: no version", ("spec", "primary"), "wisdom-2", False)
    yield _case("primary: null", ("spec", "primary"), None, True)
    yield _case("spec: absent", ("spec",), Absent, False)
    yield _case("spec: null", ("spec",), None, False)
    yield _case("spec: list", ("spec",), [], False)
    yield _case("spec: unknown field", ("spec", "modelVersion"), [], False)
    yield _case("spec: unknown field, null", ("spec", "modelVersion"), None, False)
    yield _case("root: unknown field", ("data",), {}, False)
    yield _case("apiVersion: another", ("apiVersion",), "turnout.dev/v1", False)
    yield _case("apiVersion: absent", ("apiVersion",), Absent, False)
    yield _case("kind: another", ("kind",), "Policy", False)
    yield _case("metadata: unknown field", ("metadata", "lables"), {}, False)
    yield _case("metadata: null label", ("metadata", "labels"), {"a": None}, True)
    yield _case("metadata: numeric label", ("metadata", "labels"), {"a": 1}, False)
    yield _case("metadata: empty namespace", ("metadata", "namespace"), "", True)
    yield _case("hosts: empty", ("spec", "hosts"), [], True)
    yield _case("hosts: duplicate", ("spec", "hosts"), ["a.b", "c", "a.b"], False)
    yield _case("hosts: 17", ("spec", "hosts"), [f"a{index}" for index in range(17)], False)
    yield _case("hosts: null item", ("spec", "hosts"), [None], False)
    yield _case("hosts: wildcard", ("spec", "hosts"), ["*.example.com"], False)
    yield _case("hosts: 254 characters", ("spec", "hosts"), ["a" * 254], False)


def _matches() -> Iterator[Case]:
    good: list[tuple[str, Any]] = [
        ("header", {"headers": {"traffic": {"exact": "test"}}}),
        ("header in capitals", {"headers": {"X-Traffic": {"prefix": "test"}}}),
        ("regex that is none", {"headers": {"traffic": {"regex": "("}}}),
        ("null beside the comparison", {"headers": {"traffic": {"exact": "test", "prefix": None}}}),
        ("null beside the header", {"headers": {"traffic": {"exact": "test"}, "other": None}}),
        ("1024 characters beyond ASCII", {"headers": {"traffic": {"exact": "é" * 1024}}}),
        ("header of 128 characters", {"headers": {"a" * 128: {"exact": "x"}}}),
        ("header of odd characters", {"headers": {"!#$%&'*+.^_`|~-": {"exact": "x"}}}),
        ("8 headers", {"headers": {f"h{index}": {"exact": "x"} for index in range(8)}}),
        ("method", {"method": "POST"}),
        ("path", {"path": {"exact": "/"}}),
        ("path by regex", {"path": {"regex": "no slash"}}),
        ("query parameter", {"queryParams": {"tier": {"exact": "gold"}}}),
        ("query parameters by case", {"queryParams": {"tier": {"exact": "a"}, "Tier": {"exact": "b"}}}),
    ]
    bad: list[tuple[str, Any]] = [
        ("nothing", {}),
        ("null", None),
        ("unknown type", {"headers": {"traffic": {"exakt": "test"}}}),
        ("unknown condition", {"authority": {"exact": "x"}}),
        ("no headers", {"headers": {}}),
        ("only a null header", {"headers": {"traffic": None}}),
        ("no comparison", {"headers": {"traffic": {}}}),
        ("null comparison", {"headers": {"traffic": {"exact": None}}}),
        ("two comparisons", {"headers": {"traffic": {"exact": "a", "prefix": "b"}}}),
        ("empty value", {"headers": {"traffic": {"exact": ""}}}),
        ("number for a value", {"headers": {"traffic": {"exact": 1}}}),
        ("text for a comparison", {"headers": {"traffic": "test"}}),
        ("1025 characters", {"headers": {"traffic": {"exact": "é" * 1025}}}),
        ("header of 129 characters", {"headers": {"a" * 129: {"exact": "x"}}}),
        ("header without a name", {"headers": {"": {"exact": "x"}}}),
        ("pseudo header", {"headers": {":path": {"exact": "x"}}}),
        ("headers that differ in case", {"headers": {"a": {"exact": "x"}, "A": {"exact": "x"}}}),
        ("9 headers", {"headers": {f"h{index}": {"exact": "x"} for index in range(9)}}),
        ("method in small letters", {"method": "post"}),
        ("method as an object", {"method": {"exact": "POST"}}),
        ("path without a slash", {"path": {"exact": "v2"}}),
        ("empty path", {"path": {"prefix": ""}}),
        ("two paths", {"path": {"exact": "/a", "regex": "b"}}),
        ("query parameter beyond ASCII", {"queryParams": {"größe": {"exact": "x"}}}),
    ]
    for name, match in good:
        yield _case(f"match: {name}", MATCH, [match], True)
    for name, match in bad:
        yield _case(f"match: {name}", MATCH, [match], False)
    yield _case("match: list of nothing", MATCH, [], False)
    yield _case("match: null list", MATCH, None, True)
    yield _case("match: no list", MATCH, {"method": "GET"}, False)
    yield _case("match: 8 alternatives", MATCH, [{"method": "GET"}] * 8, True)
    yield _case("match: 9 alternatives", MATCH, [{"method": "GET"}] * 9, False)


def _weights() -> Iterator[Case]:
    for name, spec, accepted in [
        ("nothing", {}, False),
        ("both", {"weights": {"a": 1}, "mirrorPercentage": 1}, False),
        ("null beside the other", {"weights": {"a": 1}, "mirrorPercentage": None}, True),
        ("no versions", {"weights": {}}, False),
        ("null weights", {"weights": None}, False),
        ("null weight alone", {"weights": {"a": None}}, False),
        ("null weight beside another", {"weights": {"a": None, "b": 1}}, True),
        ("all 0", {"weights": {"a": 0, "b": 0}}, True),
        ("16 versions", {"weights": {f"a{index}": 1 for index in range(16)}}, True),
        ("17 versions", {"weights": {f"a{index}": 1 for index in range(17)}}, False),
        ("negative", {"weights": {"a": -1}}, False),
        ("too high", {"weights": {"a": 1_000_001}}, False),
        ("text", {"weights": {"a": "20"}}, False),
        ("integral float", {"weights": {"a": 20.0}}, True),
        ("fraction", {"weights": {"a": 20.5}}, False),
        ("list", {"weights": [20, 80]}, False),
        ("name in capitals", {"weights": {"A": 1}}, False),
        ("empty name", {"weights": {"": 1}}, False),
        ("name of 64 characters", {"weights": {"a" * 64: 1}}, False),
        ("unknown field", {"weights": {"a": 1}, "mirrorPercent": 1}, False),
        ("mirror 0", {"mirrorPercentage": 0}, True),
        ("mirror 100", {"mirrorPercentage": 100}, True),
        ("mirror fraction", {"mirrorPercentage": 12.5}, True),
        ("mirror above 100", {"mirrorPercentage": 100.1}, False),
        ("mirror negative", {"mirrorPercentage": -0.1}, False),
        ("mirror text", {"mirrorPercentage": "30"}, False),
        ("mirror boolean", {"mirrorPercentage": True}, False),
    ]:
        yield _case(f"weights: {name}", ("spec",), spec, accepted, WEIGHTS)


def _configs() -> Iterator[Case]:
    configs: list[tuple[str, Any, bool]] = [
        ("null", None, True),
        ("empty", {}, True),
        ("list", [], False),
        ("null options", {"istio": None}, True),
        ("options the schema cannot know", {"istio": {"kind": 1, "metadata": [None]}}, True),
        ("options in a list", {"istio": []}, False),
        ("number for options", {"istio": 1}, False),
        ("name that is no label", {"Istio": {}}, False),
        ("16 plugins", {f"a{index}": {} for index in range(16)}, True),
        ("17 plugins", {f"a{index}": {} for index in range(17)}, False),
    ]
    for name, config, accepted in configs:
        yield _case(f"config: {name}", ("spec", "config"), config, accepted)


def _names() -> Iterator[Case]:
    label_fields: list[Path] = [
        ("spec", "targetEnv"),
        ("spec", "trafficStrategy"),
        ("spec", "router"),
        ("spec", "modelName"),
        (*VERSION, "name"),
        (*VERSION, "namespace"),
    ]
    for path in label_fields:
        for name, accepted in [
            ("a" * 63, True),
            ("0-a", True),
            ("a" * 64, False),
            ("", False),
            ("Wisdom", False),
            ("wisdom_0", False),
            ("-wisdom", False),
            ("wisdom-", False),
            ("wis.dom", False),
            ("wisdom\n", False),
            ("wïsdom", False),
            (7, False),
        ]:
            shown = repr(name) if len(str(name)) < 20 else f"{len(str(name))} characters"
            yield _case(f"{path[-1]} of {path[-2]}: {shown}", path, name, accepted)
    named: Path = ("metadata", "name")
    for base in (POLICY, WEIGHTS):
        kind = base["kind"]
        yield _case(f"name of {kind}: 63 characters", named, "a" * 63, True, base)
        yield _case(f"name of {kind}: 64 characters", named, "a" * 64, False, base)
        yield _case(f"name of {kind}: in capitals", named, "Wisdom", False, base)
        yield _case(f"name of {kind}: absent", named, Absent, False, base)
        yield _case(f"name of {kind}: empty", named, "", False, base)
    yield _case("name with a dot and no modelName", named, "wisdom.v2", False)
    yield _case("name with a dot and a modelName", named, "wis.dom", True, FULL_POLICY)
    yield _case("name with a dot, of weights", named, "wisdom.v2", True, WEIGHTS)
