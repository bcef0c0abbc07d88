"""From documents to the policy that plugins see: every default filled in, TrafficWeights on top."""

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
    have are left aside, see `unknown_versions`.
    """
    spec, metadata = document.spec, document.metadata
    overrides = weights.spec.weights or {} if weights else {}
    return Policy(
        name=metadata.name,
        namespace=metadata.namespace,
        model_name=document.model_name,
        versions=tuple(
            _version(version, metadata.namespace, overrides.get(version.name, version.weight))
            for version in spec.model_versions
        ),
        primary=spec.primary or spec.model_versions[0].name,
        uid=metadata.uid,
        hosts=spec.hosts,
        mirror_percentage=weights.spec.mirror_percentage if weights else None,
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
