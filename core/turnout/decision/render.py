"""Has the router render a plan, checks what it returned, and stamps what core owns on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision.accept import Accepted
from turnout.decision.answers import items
from turnout.decision.objects import canonical
from turnout.decision.stored import Carried, dump
from turnout.names import (
    ANNOTATION_PLAN,
    GROUP,
    LABEL_MANAGED_BY,
    LABEL_POLICY,
    LABEL_SHARED,
    MANAGED_BY,
    ROUTING_POLICY,
    VERSION,
)
from turnout.plugin import Kind, Manifest, Policy, Ref, Role, RoutePlan
from turnout.shapes import DNS_SUBDOMAIN
from turnout.shown import shown

CORES = frozenset({"apiVersion", "kind", "metadata", "status"})


@dataclass(frozen=True, slots=True)
class Rendered:
    """An object that should exist. `canonical` is the JSON of its body, for comparison."""

    ref: Ref
    role: Role
    body: Mapping[str, Any]
    canonical: bytes
    labels: Mapping[str, str]
    plan: str | None = None

    def document(self, api_version: str, owners: list[dict[str, Any]]) -> dict[str, Any]:
        """The whole object, in the form in which it is applied."""
        metadata: dict[str, Any] = {
            "name": self.ref.name,
            "namespace": self.ref.namespace,
            "labels": dict(self.labels),
        }
        if self.plan is not None:
            metadata["annotations"] = {ANNOTATION_PLAN: self.plan}
        if owners:
            metadata["ownerReferences"] = owners
        return {
            "apiVersion": api_version,
            "kind": self.ref.kind.kind,
            "metadata": metadata,
            **self.body,
        }


def owner_reference(name: str, uid: str, *, controller: bool) -> dict[str, Any]:
    """A policy as the owner of what is written for it. Shared objects have no controller among theirs."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": ROUTING_POLICY.kind,
        "name": name,
        "uid": uid,
        **({"controller": True} if controller else {}),
    }


def render(
    plan: RoutePlan, accepted: Accepted, calls: Calls, *, carried: Carried | None = None
) -> tuple[Rendered, ...]:
    """What the router makes of a plan: shared and supporting objects first, then the routes.

    `carried`: what the routes are to say of it, if it does not lead to the policy's environment.

    Raises PluginError for manifests that no router may return.
    """
    router = accepted.router
    manifests = items(calls, router, "render", Manifest, plan, accepted.router_options)
    stored = dump((carried or Carried.of(plan, accepted)).written_by(accepted))
    rendered = []
    for manifest in manifests:
        if fault := _fault(manifest, accepted):
            raise PluginError(router.name, f"plugin {router.name}: render returned {fault}")
        try:
            rendered.append(_stamp(manifest, accepted.policy, stored))
        except (TypeError, ValueError) as error:
            told = f"render returned {manifest.name}, whose body is no JSON: {error}"
            raise PluginError(router.name, f"plugin {router.name}: {told}") from error
    if not any(item.role is Role.ROUTE for item in rendered):
        raise PluginError(router.name, f"plugin {router.name}: render returned no route")
    if len({item.ref for item in rendered}) < len(rendered):
        raise PluginError(router.name, f"plugin {router.name}: render returned an object twice")
    order = (Role.SHARED, Role.SUPPORT, Role.ROUTE)
    return tuple(sorted(rendered, key=lambda item: order.index(item.role)))


def api_version(kind_group: str, version: str) -> str:
    """`group/version`, or the version alone for the core group."""
    return f"{kind_group}/{version}" if kind_group else version


def _fault(manifest: Manifest, accepted: Accepted) -> str | None:
    kind: object = manifest.kind
    if kind not in accepted.router.writes:
        named = kind.kind if isinstance(kind, Kind) else f"manifest with kind={shown(kind)}"
        return f"a {named}, a kind that it does not declare in `writes`"
    name: object = manifest.name
    if not isinstance(name, str) or not DNS_SUBDOMAIN.fullmatch(name):
        return f"the name {shown(name)}, which is no DNS subdomain"
    if not isinstance(manifest.body, Mapping) or not isinstance(manifest.role, Role):
        return f"{name} whose body is no mapping or whose role is no Role"
    if taken := CORES & manifest.body.keys():
        return f"{', '.join(sorted(taken))} in the body of {manifest.name}; core writes these"
    return None


def _stamp(manifest: Manifest, policy: Policy, stored: str) -> Rendered:
    shared = manifest.role is Role.SHARED
    return Rendered(
        ref=Ref(manifest.kind, policy.namespace, manifest.name),
        role=manifest.role,
        body=manifest.body,
        canonical=canonical(dict(manifest.body)),
        labels={
            LABEL_MANAGED_BY: MANAGED_BY,
            **({LABEL_SHARED: "true"} if shared else {LABEL_POLICY: policy.name}),
        },
        plan=stored if manifest.role is Role.ROUTE else None,
    )
