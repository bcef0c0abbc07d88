"""envoy passes the suite of routers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from turnout.plugin import Manifest
from turnout.testing.conformance import RouterConformance
from turnout_envoy.router import Envoy


class TestEnvoy(RouterConformance):
    plugin = Envoy()

    def read(self, manifests: Sequence[Manifest]) -> Mapping[str, float]:
        (configuration,) = json.loads(manifests[0].body["data"]["routes.json"])["resources"]
        (host,) = configuration["virtual_hosts"]
        clusters = host["routes"][-1]["route"]["weighted_clusters"]["clusters"]
        return {_service(cluster): cluster["weight"] for cluster in clusters}


def _service(cluster: Mapping[str, Any]) -> str:
    """The first label of the name that Envoy is to look up."""
    (found,) = (one for one in cluster["typed_per_filter_config"].values())
    host, _ = found["on_request_headers"]
    text: str = host["format_string"]["text_format_source"]["inline_string"]
    return text.partition(".")[0]
