"""Mirrors to versions that share a destination and differ by a request header.

Istio copies a request as its route has made it, the primary's headers included, so a plain `mirror`
would ask the primary twice. Instead the primary's rule adds one more header, a mark, and mirrors to
the ingress gateway: the copy comes in again, and a rule of its own, which only the mark matches, takes
the mark off and sends it to the candidate with the candidate's headers. With several candidates each
marked rule mirrors on to the next. Without the mark a copy would meet the primary's rule and mirror
itself for ever. Marked rules come before all others, whatever a copy matches besides.

The copy has to keep the host name of the request, as it does by istiod's default
(DISABLE_SHADOW_HOST_SUFFIX=true): with "-shadow" at its end no VirtualService would take it.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from turnout.plugin import Mirror, Policy

MARK_HEADER = "x-turnout-mirror"


class Hop(NamedTuple):
    """One candidate of the chain. `percentage` is of the requests that reached the hop before."""

    mirror: Mirror
    mark: str
    percentage: float


def mark(policy: Policy, version: str, rule: int = 0) -> str:
    """A value that callers cannot guess, as the policy's uid is in it, and that a restart finds again.

    `rule`: the place of the mirroring rule in its plan; copies of each rule's requests go ways of their own.
    """
    return derived(policy, f"{rule}/{version}")


def derived(policy: Policy, what: str) -> str:
    """A value of a policy's own for a header that nobody else is to send."""
    seed = f"{policy.uid}/{policy.namespace}/{policy.name}/{what}"
    return hashlib.sha256(seed.encode()).hexdigest()[:32]


def chain(policy: Policy, mirrors: Sequence[Mirror], rule: int = 0) -> list[Hop]:
    """The candidates, the largest percentage first, so that each later one is a part of the one before."""
    hops: list[Hop] = []
    before = 100.0
    for mirror in sorted(mirrors, key=lambda mirror: -mirror.percentage):
        hops.append(Hop(mirror, mark(policy, mirror.version.name, rule), 100 * mirror.percentage / before))
        before = mirror.percentage
    return hops


def to_gateway(hop: Hop, host: str, port: int) -> dict[str, Any]:
    """The fields of an HTTPRoute that send the copies to the ingress gateway."""
    return {
        "mirror": {"host": host, "port": {"number": port}},
        "mirrorPercentage": {"value": round(hop.percentage, 4)},
    }
