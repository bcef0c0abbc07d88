"""Whether calls may be such as a match of the policy gives to one version. Pure.

What cannot be told from here counts as met: regular expressions, the values of headers, and headers that
something on the way may add.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from turnout.plugin.reading import items, mapping

UNASKED = re.compile(
    r":.*|grpc-.*|content-.*|te|host|user-agent|accept(-.*)?|connection"
    r"|x-forwarded-.*|x-envoy-.*|x-request-id|x-real-ip|forwarded|via|traceparent|tracestate|x-b3-.*|b3"
)
"""Headers that gRPC and aiohttp send of themselves, and those that proxies add."""


@dataclass(frozen=True, slots=True)
class Call:
    """What all calls have in common; they are POST, without a query. `headers`: the names of the caller's."""

    path: str
    headers: Collection[str] = ()


def whose(policy: Mapping[str, Any], matched: Collection[str], call: Call) -> str:
    """Which of the `matched` versions may get such calls, and by which match; empty for none.

    The match of a version for which the policy says none is its strategy's own, and not known here: it may
    be met by calls with headers of the caller's.
    """
    said = {str(one.get("name")): one for one in items(mapping(policy.get("spec")).get("modelVersions"))}
    for name in matched:
        index = list(said).index(name) if name in said else 0
        matches = items(said.get(name, {}).get("match"))
        for number, match in enumerate(matches):
            if _may_meet(call, match):
                return f"{name}, by spec.modelVersions[{index}].match[{number}]"
        if not matches and call.headers:
            return f"{name}, by its strategy's own match"
    return ""


def _may_meet(call: Call, match: Mapping[str, Any]) -> bool:
    sent = {name.lower() for name in call.headers}
    path = mapping(match.get("path"))
    return (
        match.get("method") in (None, "POST")
        and not match.get("queryParams")
        and path.get("exact", call.path) == call.path
        and call.path.startswith(str(path.get("prefix", "")))
        and all(name in sent or UNASKED.fullmatch(name) for name in _names(match.get("headers")))
    )


def _names(headers: object) -> list[str]:
    return [str(name).lower() for name in mapping(headers)]
