"""Four models of a release of the chart, in environments of every kind of object."""

from tests.cluster.controller import Site
from tests.cluster.versions import Workload, apply
from tests.deploy.installation import QUICK, Installation
from tests.support import wait_until

ALL = "--set=environments.deployment.enabled=true,routers.gateway-api.enabled=true,routers.envoy.enabled=true"
ROUTERS = {"istio": "networking.istio.io/", "gateway-api": "gateway.networking.k8s.io/", "envoy": "v1"}
"""And how the API versions of their routes begin."""
SETTINGS = {
    **QUICK,
    "drain": {"inFlightSeconds": 0, "limitSeconds": 3, "propagationSeconds": dict.fromkeys(ROUTERS, 0)},
}
POLICIES = {
    "wisdom": "kserve-modelmesh",
    "mill": "kserve-modelmesh",
    "shop": "deployment",
    "store": "deployment",
}
WORKLOADS = {"shop": "Deployment", "store": "StatefulSet"}


class Cast:
    """Four models, in environments of every kind of object, and one pod of the release."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.site: Site = installation.site()
        for name in ("wisdom-0", "mill-0"):
            self.site.version(name)
        for name, kind in WORKLOADS.items():
            workload = Workload(self.site, kind, f"{name}-0")
            workload.apply()
            workload.roll_out()

    def declare(self, name: str, router: str) -> None:
        """Apply a policy with a router, and return when it is the only one that has written its routes."""
        environment = POLICIES[name]
        config = {"workload": WORKLOADS[name]} if name in WORKLOADS else {}
        spec = {
            "targetEnv": environment,
            "trafficStrategy": "blue-green",
            "router": router,
            "modelVersions": [{"name": f"{name}-0"}, {"name": f"{name}-1"}],
            "config": {environment: config},
        }
        apply(self.site, "turnout.dev/v1alpha1", "RoutingPolicy", name, spec=spec)
        wait_until(
            lambda: self.groups(name) and all(one.startswith(ROUTERS[router]) for one in self.groups(name)),
            timeout=20,
            what=f"{name} is {router}'s",
        )

    def groups(self, name: str) -> list[str]:
        """The API versions of a policy's own routes, by its status. Gateways go later, where others share them."""
        status = self.site.get("routingpolicy", name).get("status", {})
        return [one["apiVersion"] for one in status.get("routes", ()) if one["kind"] != "Gateway"]

    def turn(self, name: str) -> None:
        """Say of an InferenceService that was ready that it is not, and the other way round."""
        (condition,) = self.site.get("inferenceservice", name)["status"]["conditions"]
        self.site.ready(name, condition["status"] != "True")

    def calls(self, since: int = 0) -> dict[str, set[str]]:
        """What the release's account has called and was granted: verbs by kind."""
        found: dict[str, set[str]] = {}
        for call in self.installation.control_plane.audit(self.installation.account, since=since):
            if call.resource and call.code != 403:
                resource = "/".join(filter(None, (call.resource, call.subresource)))
                kind = f"{resource}.{call.group}" if call.group else resource
                found.setdefault(kind, set()).add(call.verb)
        return found

    def is_refused(self, since: int, *resources: str) -> bool:
        """Whether a call to one of these was answered with 403."""
        calls = self.installation.control_plane.audit(self.installation.account, since=since)
        return any(call.code == 403 and call.resource in resources for call in calls)
