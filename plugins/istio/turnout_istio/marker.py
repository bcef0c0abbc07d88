"""A rule by which a proxy that is asked tells the revision of the routes that it carries.

It comes before all others, and answers by itself to those who know the mark: nobody's calls meet it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from turnout.plugin import Policy
from turnout_istio.mirror import derived

HEADER = "x-turnout-probe"


def with_marker(policy: Policy, spec: Mapping[str, Any]) -> dict[str, Any]:
    """A VirtualService's spec, with the rule before its others."""
    rule = {
        "match": [{"headers": {HEADER: {"exact": derived(policy, "probe")}}}],
        "directResponse": {"status": 200, "body": {"string": revision(spec)}},
    }
    return {**spec, "http": [rule, *spec["http"]]}


def read(spec: Mapping[str, Any]) -> tuple[str, str] | None:
    """The mark and the revision of a VirtualService's spec.

    None for one without the rule, and for one that somebody has changed since it was written: then the
    revision says nothing of the other rules.
    """
    try:
        rule, *others = spec["http"]
        mark = rule["match"][0]["headers"][HEADER]["exact"]
        found = rule["directResponse"]["body"]["string"]
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    return (mark, found) if found == revision({**spec, "http": others}) else None


def revision(spec: Mapping[str, Any]) -> str:
    """Another one for every other spec. The API server makes 100 of 100.0, which is the same."""
    plain = json.loads(json.dumps(spec), parse_float=_number)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _number(text: str) -> float:
    value = float(text)
    return int(value) if value.is_integer() else value
