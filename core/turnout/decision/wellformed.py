"""Are the values that plugins answer with what core and routers take for granted?

Each rule tells what is there, with its field, and what is expected. Nothing here raises: a plugin may
put anything into a field.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from turnout.api.fields import TOKEN
from turnout.plugin import (
    Backend,
    Decision,
    Fault,
    Frontend,
    Kind,
    Match,
    Mirror,
    Observation,
    Ref,
    Rule,
    Share,
    Version,
    VersionSpec,
)
from turnout.shapes import DNS_LABEL, DNS_SUBDOMAIN
from turnout.shown import shown

T = TypeVar("T")

Found = Iterator[tuple[str, str]]
"""What is there, and what is expected."""

HOWS = ("exact", "prefix", "regex")
NAME_LIMIT = 253
"""Characters of a rule's name."""

_TOKEN = re.compile(TOKEN)
_VALUE = re.compile("[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
"""What a header may hold; control characters would end it, and surrogates are no text."""
_AUTHORITY = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]{1,255}")


def of_observation(seen: object) -> Found:
    """What is wrong with what `observe` returned. Asked once an event, so it is kept cheap."""
    if not isinstance(seen, Observation):
        yield _kind(seen), "an Observation"
        return
    if seen.ready is not None and not isinstance(seen.ready, bool):
        yield f"ready={shown(seen.ready)}", "ready to be True, False or None"
    if not isinstance(seen.reason, str):
        yield f"reason={shown(seen.reason)}", "reason to be a str"
    if not isinstance(seen.message, str):
        yield f"message={shown(seen.message)}", "message to be a str"
    if not isinstance(seen.revision, str):
        yield f"revision={shown(seen.revision)}", "revision to be a str"
    if seen.app_version is not None and not isinstance(seen.app_version, str):
        yield f"app_version={shown(seen.app_version)}", "app_version to be a str or None"
    if seen.addresses != () and not _is_pairs(seen.addresses):
        yield f"addresses={shown(seen.addresses)}", "addresses to be a tuple of pairs of str"
    if not isinstance(seen.evidence, str):
        yield f"evidence={shown(seen.evidence)}", "evidence to be a str"
    if seen.since is not None and not (isinstance(seen.since, datetime) and seen.since.tzinfo):
        yield f"since={shown(str(seen.since))}", "since to be a datetime with a timezone, or None"


def of_ref(ref: Ref) -> Found:
    """What is wrong with the reference to an object; whether its kind is watched is for others to see."""
    if not isinstance(ref.kind, Kind):
        yield f"kind={shown(ref.kind)}", "kind to be a Kind"
    if not _is_name(ref.name):
        yield f"name={shown(ref.name)}", "name to be a DNS name"
    if not _is_label(ref.namespace):
        yield f"namespace={shown(ref.namespace)}", "namespace to be the name of one"


def of_frontend(frontend: Frontend) -> Found:
    """What is wrong with a place where clients call."""
    if not _is_label(frontend.name):
        yield f"name={shown(frontend.name)}", "name to be a DNS label: routers put it into names of objects"
    if not _is_label(frontend.namespace):
        yield f"namespace={shown(frontend.namespace)}", "namespace to be the name of one"
    if not (isinstance(frontend.hosts, tuple) and frontend.hosts and all(map(_is_name, frontend.hosts))):
        yield f"hosts={shown(frontend.hosts)}", "hosts to be a tuple of DNS names, one at least"
    yield from _port(frontend.port)
    if frontend.protocol not in ("http", "grpc"):
        yield f"protocol={shown(frontend.protocol)}", 'protocol to be "http" or "grpc"'
    if not _is_texts(frontend.selector, _VALUE):
        yield f"selector={shown(frontend.selector)}", "selector to be a tuple of pairs of str"
    if not isinstance(frontend.virtual, bool):
        yield f"virtual={shown(frontend.virtual)}", "virtual to be True or False"


def of_backend(backend: Backend) -> Found:
    """What is wrong with what answers for a version."""
    if not _is_name(backend.name):
        yield f"name={shown(backend.name)}", "name to be a DNS name"
    if not _is_label(backend.namespace):
        yield f"namespace={shown(backend.namespace)}", "namespace to be the name of one"
    yield from _port(backend.port)
    if not (isinstance(backend.kind, str) and backend.kind.isascii() and backend.kind.isalnum()):
        yield f"kind={shown(backend.kind)}", "kind to name one, such as Service"
    if backend.authority is not None and not _fits(_AUTHORITY, backend.authority):
        yield f"authority={shown(backend.authority)}", "authority to be None or a host"
    if not _is_headers(backend.set_headers):
        yield f"set_headers={shown(backend.set_headers)}", f"set_headers to be {_HEADERS}"


def of_fault(fault: Fault) -> Found:
    """What is wrong with what a check has against a policy. No path: it is about all of it."""
    if not isinstance(fault.path, str):
        yield f"a Fault with path={shown(fault.path)}", "path to be a str, such as spec.modelName"
    if not isinstance(fault.message, str) or not fault.message.strip():
        yield f"a Fault with message={shown(fault.message)}", "message to say what is wrong"


def of_reached(pair: object) -> Found:
    """What is wrong with one of what `reaches` returned."""
    if not (isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(text, str) for text in pair)):
        yield shown(pair), "pairs of an option and a namespace"


def of_decision(decision: object) -> Found:
    """What is wrong with the types and texts of what `decide` returned. `seal` knows the other rules."""
    if not isinstance(decision, Decision):
        yield _kind(decision), "a Decision"
        return
    yield from _each("rules", decision.rules, Rule, _rule)
    if not isinstance(decision.reasons, Mapping):
        yield f"reasons={shown(decision.reasons)}", "reasons to be a mapping of str by version name"
    if not isinstance(decision.state, Mapping):
        yield f"state={shown(decision.state)}", "state to be a mapping"
    if not isinstance(decision.requeue_after, timedelta | None):
        yield f"requeue_after={shown(decision.requeue_after)}", "requeue_after to be a timedelta or None"


def _rule(path: str, rule: Rule) -> Found:
    name: object = rule.name
    if not (isinstance(name, str) and 0 < len(name) <= NAME_LIMIT and name.isprintable()):
        yield f"{path}.name={shown(name)}", "a name on one line"
    yield from _each(f"{path}.shares", rule.shares, Share, _share)
    yield from _each(f"{path}.matches", rule.matches, Match, _match)
    yield from _each(f"{path}.mirrors", rule.mirrors, Mirror, _version)


def _share(path: str, share: Share) -> Found:
    yield from _version(path, share)
    if not _is_headers(share.set_response_headers):
        yield f"{path}.set_response_headers={shown(share.set_response_headers)}", _HEADERS


def _version(path: str, named: Share | Mirror) -> Found:
    version: object = named.version
    known = isinstance(version, Version) and isinstance(version.spec, VersionSpec)
    if not known or not isinstance(named.version.name, str):
        yield f"{path}.version={shown(version)}", "a Version of the Inputs"


def _match(path: str, match: Match) -> Found:
    if not (match.headers or match.query or match.path or match.method):
        yield f"{path} without any condition", "headers, query, path or method: it would take every call"
    if not _is_conditions(match.headers, _TOKEN):
        expected = 'a tuple of such as ("x-user", "exact", "test")'
        yield f"{path}.headers={shown(match.headers)}", expected
    if not _is_conditions(match.query, _VALUE):
        yield f"{path}.query={shown(match.query)}", 'a tuple of such as ("user", "exact", "test")'
    if match.path is not None and not _is_condition(match.path):
        yield f"{path}.path={shown(match.path)}", 'None, or such as ("prefix", "/v2")'
    if match.method is not None and not _fits(_TOKEN, match.method):
        yield f"{path}.method={shown(match.method)}", 'None, or such as "POST"'


def _each(path: str, found: object, of: type[T], rule: Callable[[str, T], Found]) -> Found:
    """What is wrong with a tuple of values of one type, and with each of them."""
    if not isinstance(found, tuple | list):
        yield f"{path}={shown(found)}", f"a tuple of {of.__name__}"
        return
    for index, one in enumerate(found):
        if isinstance(one, of):
            yield from rule(f"{path}[{index}]", one)
        else:
            yield f"{path}[{index}]={shown(one)}", f"a {of.__name__}"


def _port(port: object) -> Found:
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        yield f"port={shown(port)}", "port to be an integer 1..65535"


_HEADERS = "a tuple of pairs of a header's name and its value, on one line"


def _is_headers(value: object) -> bool:
    return _is_texts(value, _TOKEN)


def _is_texts(value: object, names: re.Pattern[str]) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(pair, tuple) and len(pair) == 2 and _fits(names, pair[0]) and _fits(_VALUE, pair[1])
        for pair in value
    )


def _is_conditions(value: object, names: re.Pattern[str]) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(one, tuple) and len(one) == 3 and _fits(names, one[0]) and _is_condition(one[1:])
        for one in value
    )


def _is_condition(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and value[0] in HOWS and _fits(_VALUE, value[1])


def _is_name(value: object) -> bool:
    return _fits(DNS_SUBDOMAIN, value)


def _is_label(value: object) -> bool:
    return _fits(DNS_LABEL, value)


def _is_pairs(value: object) -> bool:
    if not isinstance(value, tuple):
        return False
    for pair in value:  # a loop, as `all` would take twice as long, and observations come by the event
        if not (isinstance(pair, tuple) and len(pair) == 2):
            return False
        if not (isinstance(pair[0], str) and isinstance(pair[1], str)):
            return False
    return True


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _kind(value: object) -> str:
    return type(value).__name__
