"""Promotes InferenceServices, and reads whether KServe serves what they say now."""

from collections.abc import Iterable, Mapping, Sequence
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
    former = before[0] or {}
    if text(mapping(obj.get("status")).get("deploymentMode"), 64) in KNATIVE:
        return _all(_by_revision(former, obj, component) for component in _components(obj))
    if not now[1:]:
        return None, ""
    earlier = {text(mapping(one.get("metadata")).get("name")): one for one in before[1:] if one}
    return _all(
        _by_deployment(former, obj, component, earlier, deployment)
        for component, deployment in zip(_components(obj), now[1:], strict=True)
    )


def _all(verdicts: Iterable[tuple[bool | None, str]]) -> tuple[bool | None, str]:
    """Of all components; one of which it is not known makes it unknown of all."""
    found = dict(verdicts)
    verdict = next((one for one in (False, None) if one in found), True)
    return verdict, found.get(verdict, "")


def _components(obj: Mapping[str, Any]) -> list[str]:
    return [one for one in COMPONENTS if one in mapping(obj.get("spec"))]


def _another(before: Mapping[str, Any], now: Mapping[str, Any], component: str) -> bool:
    """Whether a component is to be another than it was: if not, KServe may have nothing to do."""
    one, other = (mapping(obj.get("spec")).get(component) for obj in (before, now))
    return one != other


def _by_deployment(
    former: Mapping[str, Any],
    obj: Mapping[str, Any],
    component: str,
    earlier: Mapping[str, Mapping[str, Any]],
    deployment: Mapping[str, Any] | None,
) -> tuple[bool | None, str]:
    if deployment is None:
        return None, ""
    known = earlier.get(text(mapping(deployment.get("metadata")).get("name")))
    changed = known is None or promoting.changed(known, deployment)
    if not changed and _another(former, obj, component):
        return False, "KServe has not changed its Deployment yet"
    done, told = promoting.deployed(deployment)
    return (True if changed else None) if done else False, told


def _by_revision(
    former: Mapping[str, Any], obj: Mapping[str, Any], component: str
) -> tuple[bool | None, str]:
    (earlier, _), (created, latest_ready) = _revisions(former, component), _revisions(obj, component)
    if not created:
        return None, ""
    if created == earlier and _another(former, obj, component):
        return False, "Knative has not made a revision of it yet"
    if created != latest_ready:
        return False, f"Knative's revision {created} is not ready"
    return None if created == earlier else True, ""


def _revisions(obj: Mapping[str, Any], component: str) -> tuple[str, str]:
    """The revision of a component that was created last, and the last that was ready."""
    said = mapping(mapping(mapping(obj.get("status")).get("components")).get(component))
    return text(said.get("latestCreatedRevision")), text(said.get("latestReadyRevision"))
