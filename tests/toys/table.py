"""The router toy-table: a ConfigMap with the rules as JSON, for proxies that know only shares."""

import json
from collections.abc import Sequence
from datetime import timedelta

from turnout.plugin import Backend, Feature, Kind, Manifest, Options, RoutePlan, Router, Share

CONFIG_MAP = Kind("", ("v1",), "ConfigMap", "configmaps")


class ToyTableOptions(Options):
    """What the table is called."""

    key: str = "table.json"
    """The key of the ConfigMap's data."""


class ToyTable(Router[ToyTableOptions]):
    """A ConfigMap that proxies mount. Shares and request headers; no matches, no mirrors."""

    name = "toy-table"
    options = ToyTableOptions
    writes = (CONFIG_MAP,)
    carries = frozenset(
        {Feature.WEIGHTS, Feature.REQUEST_HEADERS, Feature.AUTHORITY, Feature.AUTHORITY_PER_SHARE}
    )
    propagation = timedelta(seconds=90)

    def render(self, plan: RoutePlan, options: ToyTableOptions) -> Sequence[Manifest]:
        rule = plan.rules[-1]
        table = {
            host: [_row(share, share.version.backends[frontend.name]) for share in rule.shares]
            for frontend in plan.frontends
            for host in frontend.hosts
        }
        body = {"data": {options.key: json.dumps(table, indent=2, sort_keys=True)}}
        return (Manifest(CONFIG_MAP, f"{plan.policy.name}-table", body),)


def _row(share: Share, backend: Backend) -> dict[str, object]:
    return {
        "address": f"{backend.name}.{backend.namespace}:{backend.port}",
        "authority": backend.authority,
        "headers": dict(backend.set_headers),
        "weight": share.weight,
    }
