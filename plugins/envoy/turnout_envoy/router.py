"""The router envoy."""

import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta

from turnout.plugin import Feature, Frontend, Kind, Manifest, RoutePlan, Router
from turnout_envoy.options import EnvoyOptions
from turnout_envoy.routes import route_configuration

CONFIG_MAP = Kind("", ("v1",), "ConfigMap", "configmaps")
KEY = "routes.json"
"""The key of the ConfigMap's data, and so the file that Envoy reads where it is mounted."""
LIMIT = 1024 * 1024
"""Bytes that the data of a ConfigMap may have (MaxSecretSize, which validates ConfigMaps too)."""


class Envoy(Router[EnvoyOptions]):
    """One Envoy for one model, without a mesh: a ConfigMap of routes that it mounts and follows.

    Its propagation is the kubelet's: that syncs a pod, and with it the ConfigMaps that are mounted there,
    60 to 90 s after the last time (`syncFrequency` is 1m, and workerResyncIntervalJitterFactor adds up to
    half of it), and hears of their changes by a watch. The rest is for that watch and for a slow node.
    """

    name = "envoy"
    options = EnvoyOptions
    writes = (CONFIG_MAP,)
    carries = frozenset(Feature) - {Feature.MIRROR_AUTHORITY}
    """Envoy finds the address of a copy by its authority, which so cannot be another one."""
    propagation = timedelta(minutes=2)

    def render(self, plan: RoutePlan, options: EnvoyOptions) -> Sequence[Manifest]:
        """A ConfigMap for each frontend. Raises ValueError for one that would be too large."""
        return [self._manifest(index, plan, one, options) for index, one in enumerate(plan.frontends)]

    def _manifest(self, index: int, plan: RoutePlan, frontend: Frontend, options: EnvoyOptions) -> Manifest:
        name = f"{plan.policy.model_name}-envoy"
        name = name if index == 0 else f"{name}-{frontend.name}"
        text = _response(route_configuration(plan, frontend, options))
        if len(text) > LIMIT:
            told = f"the routes of ConfigMap {name} have {len(text)} bytes, expected at most {LIMIT}"
            raise ValueError(f"{told}: give the versions fewer matches")
        return Manifest(CONFIG_MAP, name, {"data": {KEY: text}})


def _response(resource: dict[str, object]) -> str:
    """A DiscoveryResponse, as Envoy reads it from a file: JSON in ASCII, so that bytes are characters.

    Its version is a digest, which Envoy shows at /config_dump once it carries these routes.
    """
    version = hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()[:16]
    return json.dumps({"version_info": version, "resources": [resource]}, indent=1) + "\n"
