"""From the values of Iter8's chart `traffic-templates` (v0.13 and v0.14) to manifests of turnout.

`initialize-rollout` gives a RoutingPolicy, `modify-weights` a TrafficWeights of the same name. A
manifest says what the values say, and leaves the rest to the defaults of the plugins and of the
administrator. What the values say and a manifest cannot is refused, never left out.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from turnout import names
from turnout.api import parse_policy, parse_weights
from turnout.errors import Invalid, Problem
from turnout.template_values import Values, Version
from turnout.validation import alternatives, nearest, parse, shown

Manifest = dict[str, Any]

API_VERSION = f"{names.GROUP}/{names.VERSION}"
MODELMESH = "kserve-modelmesh"
BLUE_GREEN = "blue-green"
CANARY = "canary"
MIRROR = "mirror"
FULL_PERCENTAGE = 100


@dataclass(frozen=True, slots=True)
class Known:
    """The plugins that values may name. By default those that the chart knew."""

    environments: Collection[str] = (MODELMESH,)
    strategies: Collection[str] = (BLUE_GREEN, CANARY, MIRROR)


def manifests(
    values: Mapping[str, Any],
    *,
    namespace: str | None = None,
    known: Known | None = None,
    subject: str = "values",
) -> list[Manifest]:
    """The manifests that the values ask for, in `namespace` if one is given.

    Raises Invalid, which names `subject`, for unknown keys and values, and for what an API server
    would refuse of the manifests.
    """
    parsed = parse(Values, values, subject=subject)
    if wrong := [*_unknown(parsed, known or Known()), *_unread(parsed)]:
        raise Invalid(subject, wrong)
    if parsed.template_name == "modify-weights":
        manifest = _manifest(names.TRAFFIC_WEIGHTS.kind, parsed, namespace, _weights(parsed, subject))
        parse_weights(manifest)
    else:
        manifest = _manifest(names.ROUTING_POLICY.kind, parsed, namespace, _policy(parsed))
        parse_policy(manifest)
    return [manifest]


def _unknown(values: Values, known: Known) -> Iterator[Problem]:
    for path, name, valid in (
        ("targetEnv", values.target_env, known.environments),
        ("trafficStrategy", values.traffic_strategy, known.strategies),
    ):
        if name not in valid:
            near = nearest(name, valid)
            hint = f'; did you mean "{near}"?' if near else ""
            yield Problem(path, found=shown(name), expected=alternatives(sorted(valid)) + hint)


def _unread(values: Values) -> Iterator[Problem]:
    """What would have no effect, because nothing reads it."""
    strategy = values.traffic_strategy
    if values.mirror_percentage is not None and strategy != MIRROR:
        yield _for_another("mirrorPercentage", _number(values.mirror_percentage), f"trafficStrategy {MIRROR}")
    if values.target_env != MODELMESH:
        for name, field in Values.model_fields.items():
            value = getattr(values, name)
            if name.startswith("modelmesh_serving") and value is not None:
                yield _for_another(str(field.validation_alias), value, f"targetEnv {MODELMESH}")
    for index, version in enumerate(values.versions()):
        path = f"modelVersions[{index}]"
        if version.match and strategy in (BLUE_GREEN, MIRROR):
            found = [match.manifest() for match in version.match]
            yield _for_another(f"{path}.match", found, f"trafficStrategy {CANARY}")
        if strategy == MIRROR and index and (version.weight or 0) > FULL_PERCENTAGE:
            expected = "0..100: the weight of a candidate is its mirror percentage"
            yield Problem(f"{path}.weight", found=shown(version.weight), expected=expected)


def _for_another(path: str, found: object, reader: str) -> Problem:
    return Problem(path, f"found {shown(found)}, which only {reader} reads")


def _manifest(kind: str, values: Values, namespace: str | None, spec: Manifest) -> Manifest:
    metadata = {"name": values.model_name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _policy(values: Values) -> Manifest:
    spec: Manifest = {
        "targetEnv": values.target_env,
        "trafficStrategy": values.traffic_strategy,
        "modelVersions": [
            _version(values, index, version) for index, version in enumerate(values.versions())
        ],
    }
    config = {plugin: options for plugin, options in _options(values) if options}
    return spec | ({"config": config} if config else {})


def _version(values: Values, index: int, version: Version) -> Manifest:
    match = [match.manifest() for match in version.match or ()]
    said = _said(namespace=version.namespace, weight=version.weight, match=match or None)
    return {"name": values.version_name(index, version), **said}


def _options(values: Values) -> Iterator[tuple[str, Manifest]]:
    """Options by plugin, as far as the values say something of them."""
    yield "istio", _said(externalGateway=values.external_gateway)
    yield (
        MODELMESH,
        _said(
            service=values.modelmesh_serving_service,
            namespace=values.modelmesh_serving_namespace,
            port=values.modelmesh_serving_port,
        ),
    )
    yield MIRROR, _said(percentage=_number(values.mirror_percentage))


def _said(**options: object) -> Manifest:
    return {key: value for key, value in options.items() if value is not None}


def _number(value: float | None) -> float | None:
    """30 rather than 30.0."""
    return int(value) if value is not None and value.is_integer() else value


def _weights(values: Values, subject: str) -> Manifest:
    """Weights by the versions' names; for mirror without any, one percentage for all candidates.

    Keys that only initialize-rollout reads may be there: one values file can serve both.
    """
    weights = {
        values.version_name(index, version): version.weight
        for index, version in enumerate(values.versions())
        if version.weight is not None
    }
    percentage = _number(values.mirror_percentage)
    if weights and percentage is not None:
        expected = "either mirrorPercentage or weights"
        raise Invalid(subject, [Problem("mirrorPercentage", found=shown(percentage), expected=expected)])
    if weights:
        return {"weights": weights}
    if values.traffic_strategy == MIRROR:
        return {"mirrorPercentage": FULL_PERCENTAGE if percentage is None else percentage}
    raise Invalid(subject, [Problem("modelVersions", expected="a weight for at least one version")])
