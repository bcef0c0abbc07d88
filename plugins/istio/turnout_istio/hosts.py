"""How Istio names the place that answers for a version."""

from typing import Any

from turnout.plugin import Backend, Policy


def destination(backend: Backend, policy: Policy) -> dict[str, Any]:
    """A VirtualService's Destination.

    A Service goes by its full name, because Istio reads a short one relative to the rule's own
    namespace. Any other kind (a ServiceEntry, say) goes by the host it was given.
    """
    host = backend.name
    if backend.kind == "Service":
        host = f"{backend.name}.{backend.namespace}.svc.{policy.cluster_domain}"
    return {"host": host, "port": {"number": backend.port}}
