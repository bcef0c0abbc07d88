"""Where Envoy sends a request, and what it sets on it.

All upstreams go through one of two clusters of the bootstrap, `http` and `grpc`, which know no address:
these dynamic forward proxies look up the name that a request is given by its route. So no cluster ever
has to be there before a route that needs it, and a change of routes is one file.
"""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Backend, Pairs, Policy

TYPE = "type.googleapis.com"
FILTER = "envoy.filters.http.set_filter_state"
_CONFIG = f"{TYPE}/envoy.extensions.filters.http.set_filter_state.v3.Config"
_HOST, _PORT = "envoy.upstream.dynamic_host", "envoy.upstream.dynamic_port"
"""What the forward proxy asks for before the authority, which so stays as the client sent it."""


def host(backend: Backend, policy: Policy) -> str:
    """The name that is looked up: a Service's full one, any other kind's as it was given."""
    if backend.kind == "Service":
        return f"{backend.name}.{backend.namespace}.svc.{policy.cluster_domain}"
    return backend.name


def per_filter_config(backend: Backend, policy: Policy) -> dict[str, Any]:
    """The `typed_per_filter_config` that leads a request to a backend."""
    values = {_HOST: host(backend, policy), _PORT: str(backend.port)}
    return {FILTER: {"@type": _CONFIG, "on_request_headers": [_state(*one) for one in values.items()]}}


def set_headers(headers: Pairs) -> list[dict[str, Any]]:
    """HeaderValueOptions that replace what a message has."""
    return [
        {"header": {"key": name, "value": literal(value)}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        for name, value in headers
    ]


def mutations(headers: Pairs, others: Iterable[str]) -> list[dict[str, Any]]:
    """HeaderMutations for a copy: without the headers of `others`, and with its own."""
    own = {name.lower() for name, _ in headers}
    foreign = sorted({name.lower() for name in others} - own)
    return [*({"remove": name} for name in foreign), *({"append": one} for one in set_headers(headers))]


def literal(value: str) -> str:
    """A value where Envoy takes a percent sign for the beginning of a command."""
    return value.replace("%", "%%")


def _state(key: str, value: str) -> dict[str, Any]:
    return {"object_key": key, "format_string": {"text_format_source": {"inline_string": literal(value)}}}
