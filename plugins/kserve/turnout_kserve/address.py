"""Reads where an InferenceService can be reached, as KServe reports it.

In both modes `status.address.url` names a Service in the InferenceService's own namespace: that of the
transformer or else of the predictor in Standard mode, and one that leads to Knative's local gateway,
which tells routes apart by their host, in Knative mode. KServe 0.15 to 0.20 set `restUrl` and `grpcUrl`
of components nowhere.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from turnout.plugin import Pairs
from turnout.plugin.reading import mapping, text

SERVICE, AUTHORITY = "service", "authority"
"""The names of addresses: the Service, and the host that reaches the version there if it needs one."""

STANDARD = ("Standard", "RawDeployment")
KNATIVE = ("Knative", "Serverless")
"""The modes by their names now and before KServe 0.16. A status keeps the name that it once got."""
MODELMESH = "ModelMesh"
ANNOTATION = "serving.kserve.io/deploymentMode"
"""Asks for a mode; all that tells it where the status does not: ModelMesh's, and that of KServe 0.15.0."""
HTTP_PORT = 80

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HOST = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


def locate(obj: Mapping[str, Any]) -> tuple[Pairs, str]:
    """The addresses of an InferenceService; none, and why, where its status names none that can be used."""
    status = mapping(obj.get("status"))
    mode = text(status.get("deploymentMode"), 64) or _annotated(obj)
    if mode == MODELMESH:
        return (), "ModelMesh serves it, so spec.targetEnv has to be kserve-modelmesh"
    if mode not in STANDARD + KNATIVE:
        expected = " or ".join((STANDARD[0], KNATIVE[0]))
        return (), f"its status.deploymentMode is {mode or 'empty'}, expected {expected}"
    said = text(mapping(status.get("address")).get("url"))
    url, port = _parsed(said)
    service, _, rest = (url.hostname or "").partition(".") if url else ("", "", "")
    namespace = text(mapping(obj.get("metadata")).get("namespace"), 63)
    local = f"{rest}.".startswith(f"{namespace}.svc.") and _LABEL.fullmatch(service) and _HOST.fullmatch(rest)
    if not local:
        expected = f"http://SERVICE.{namespace}.svc and the cluster's domain"
        return (), f"its status.address.url is {said or 'empty'}, expected {expected}"
    if port not in (None, HTTP_PORT):
        told = "so its Service is headless, and sidecars cannot route to that (serviceClusterIPNone)"
        return (), f"its status.address.url names the port {port}, {told}"
    found: Pairs = ((SERVICE, service),)
    return (found if mode in STANDARD else (*found, (AUTHORITY, f"{service}.{rest}"))), ""


def _annotated(obj: Mapping[str, Any]) -> str:
    return text(mapping(mapping(obj.get("metadata")).get("annotations")).get(ANNOTATION), 64)


def _parsed(said: str) -> tuple[SplitResult | None, int | None]:
    """An http or https URL of a host alone, and its port; the scheme is that of KServe's ingress."""
    try:
        url = urlsplit(said)
        port = url.port
    except ValueError:
        return None, None
    bare = url.path in ("", "/") and not (url.username or url.query or url.fragment)
    return (url, port) if url.scheme in ("http", "https") and bare else (None, None)
