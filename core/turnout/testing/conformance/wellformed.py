"""Are the values that an environment answers with what routers and core take for granted?"""

from collections.abc import Iterator

from turnout.plugin import Backend, Frontend, Observation
from turnout.shapes import DNS_LABEL, DNS_SUBDOMAIN
from turnout.shown import shown

Found = Iterator[tuple[str, str]]
"""What is there, and what is expected."""


def of_observation(seen: object) -> Found:
    """What is wrong with what `observe` returned."""
    if not isinstance(seen, Observation):
        yield type(seen).__name__, "an Observation"
        return
    if seen.ready is not None and not isinstance(seen.ready, bool):
        yield f"ready={shown(seen.ready)}", "ready to be True, False or None"
    for name in ("reason", "message", "revision"):
        if not isinstance(getattr(seen, name), str):
            yield f"{name}={shown(getattr(seen, name))}", f"{name} to be a str"
    if not isinstance(seen.app_version, str | None):
        yield f"app_version={shown(seen.app_version)}", "app_version to be a str or None"
    if not _is_pairs(seen.addresses):
        yield f"addresses={shown(seen.addresses)}", "addresses to be a tuple of pairs of str"


def of_frontend(frontend: Frontend) -> Found:
    """What is wrong with a place where clients call."""
    if not isinstance(frontend.name, str) or not DNS_LABEL.fullmatch(frontend.name):
        yield f"name={shown(frontend.name)}", "a DNS label: routers put it into names of objects"
    for host in frontend.hosts:
        if not _is_name(host):
            yield f"the host {shown(host)}", "a DNS name"
    if not _is_name(frontend.namespace):
        yield f"namespace={shown(frontend.namespace)}", "the name of a namespace"
    yield from _port(frontend.port)
    if frontend.protocol not in ("http", "grpc"):
        yield f"protocol={shown(frontend.protocol)}", '"http" or "grpc"'
    if not _is_pairs(frontend.selector):
        yield f"selector={shown(frontend.selector)}", "a tuple of pairs of str"


def of_backend(backend: Backend) -> Found:
    """What is wrong with what answers for a version."""
    for name in ("name", "namespace"):
        if not _is_name(getattr(backend, name)):
            yield f"{name}={shown(getattr(backend, name))}", f"{name} to be a DNS name"
    yield from _port(backend.port)
    if not isinstance(backend.kind, str) or not backend.kind:
        yield f"kind={shown(backend.kind)}", "kind to name one"
    if backend.authority is not None and not (isinstance(backend.authority, str) and backend.authority):
        yield f"authority={shown(backend.authority)}", "authority to be None or a host"
    if not _is_pairs(backend.set_headers):
        yield f"set_headers={shown(backend.set_headers)}", "set_headers to be a tuple of pairs of str"


def _port(port: object) -> Found:
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        yield f"port={shown(port)}", "port to be an integer 1..65535"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and DNS_SUBDOMAIN.fullmatch(value) is not None


def _is_pairs(value: object) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)
        for pair in value
    )
