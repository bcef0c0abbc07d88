"""From documents to the policy that plugins see: every default filled in, TrafficWeights on top."""

from collections.abc import Mapping

from turnout.api.models import ModelVersion, RoutingPolicy, TrafficWeights
from turnout.plugin import Policy, VersionSpec


def to_policy(
    document: RoutingPolicy,
    *,
    weights: TrafficWeights | None = None,
    cluster_domain: str = "cluster.local",
) -> Policy:
    """The policy, with its `weights` if there are any.

    A version that the weights do not name keeps the policy's own; names that the policy does not
    have are left aside, see `unknown_versions`. A mirror percentage counts for every candidate,
    instead of its own weight.
    """
    spec, metadata = document.spec, document.metadata
    primary = spec.primary or spec.model_versions[0].name
    percentage = weights.spec.mirror_percentage if weights else None
    overrides: Mapping[str, int | None] = weights.spec.weights or {} if weights else {}
    if percentage is not None:
        overrides = {version.name: None for version in spec.model_versions if version.name != primary}
    return Policy(
        name=metadata.name,
        namespace=metadata.namespace,
        model_name=document.model_name,
        versions=tuple(
            _version(version, metadata.namespace, overrides.get(version.name, version.weight))
            for version in spec.model_versions
        ),
        primary=primary,
        uid=metadata.uid,
        hosts=spec.hosts,
        mirror_percentage=percentage,
        cluster_domain=cluster_domain,
    )


def unknown_versions(document: RoutingPolicy, weights: TrafficWeights) -> tuple[str, ...]:
    """The versions that the weights name and the policy does not have, in the order of their names."""
    known = {version.name for version in document.spec.model_versions}
    return tuple(sorted((weights.spec.weights or {}).keys() - known))


def _version(version: ModelVersion, namespace: str, weight: int | None) -> VersionSpec:
    return VersionSpec(
        name=version.name,
        namespace=version.namespace or namespace,
        weight=weight,
        matches=tuple(match.to_match() for match in version.match or ()),
    )
