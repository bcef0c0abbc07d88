"""Promotes InferenceServices, and reads whether KServe serves what they say now."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from turnout.plugin import Kind, Ref
from turnout.plugin import promotion as promoting
from turnout.plugin.reading import mapping, text, verdict
from turnout_kserve.address import ANNOTATION, KNATIVE, STANDARD
from turnout_kserve.readiness import deciding

DEPLOYMENT = Kind("apps", ("v1",), "Deployment", "deployments")
COMPONENTS = ("predictor", "transformer", "explainer")
OF_KSERVE = "serving.kserve.io/"
"""Annotations that say how a model is served, such as from which storage."""
KEPT = ("minReplicas", "maxReplicas", "canaryTrafficPercent")
"""Of a component: the primary's scale, and the share that KServe gives a new revision."""


def promoted(primary: Mapping[str, Any], candidate: Mapping[str, Any]) -> dict[str, Any]:
    """The primary's InferenceService with what the candidate's serves."""
    served = promoting.annotations(primary, candidate, prefix=OF_KSERVE, but=frozenset({ANNOTATION}))
    both = (one for one in COMPONENTS if all(one in mapping(o.get("spec")) for o in (primary, candidate)))
    keep = [("spec", component, key) for component in both for key in KEPT]
    return promoting.taken(primary, candidate, (promoting.SPEC, promoting.VERSION, *served), keep)


def witnesses(obj: Mapping[str, Any]) -> tuple[Ref, ...]:
    """In Standard mode, the Deployments of its components: Ready is True while any of their pods is."""
    metadata = mapping(obj.get("metadata"))
    if text(mapping(obj.get("status")).get("deploymentMode"), 64) not in STANDARD:
        return ()
    namespace, name = text(metadata.get("namespace")), text(metadata.get("name"))
    there = (one for one in COMPONENTS if one in mapping(obj.get("spec")))
    return tuple(Ref(DEPLOYMENT, namespace, f"{name}-{component}") for component in there)


def rolled_out(
    before: Sequence[Mapping[str, Any] | None], now: Sequence[Mapping[str, Any] | None]
) -> tuple[bool | None, str]:
    """By Knative's revisions, or by KServe's Deployments; None where neither is known."""
    obj = now[0]
    if obj is None:
        return False, "it does not exist"
    ready, reason, message = verdict(obj.get("status"), deciding(obj))
    if ready is not True:
        return False, message or reason
    if text(mapping(obj.get("status")).get("deploymentMode"), 64) in KNATIVE:
        return _by_revisions(before[0] or {}, obj)
    known: bool | None = True if now[1:] else None
    for earlier, deployment in zip_longest(before[1:], now[1:]):
        if deployment is None:
            known = None
            continue
        if earlier and not promoting.changed(earlier, deployment):
            return False, "KServe has not changed its Deployment yet"
        done, told = promoting.deployed(deployment)
        if not done:
            return False, told
    return known, ""


def _by_revisions(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[bool | None, str]:
    (earlier, _), (created, latest_ready) = _revisions(before), _revisions(now)
    if not created:
        return None, ""
    if created == earlier:
        return False, "Knative has not made a revision of it yet"
    if created != latest_ready:
        return False, f"Knative's revision {created} is not ready"
    return True, ""


def _revisions(obj: Mapping[str, Any]) -> tuple[str, str]:
    """The revision of the predictor that was created last, and the last that was ready."""
    said = mapping(mapping(mapping(obj.get("status")).get("components")).get("predictor"))
    return text(said.get("latestCreatedRevision")), text(said.get("latestReadyRevision"))
