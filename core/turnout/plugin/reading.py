"""Reads objects of others, which hold anything: nothing here raises, whatever it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

VERSION_LABEL = "app.kubernetes.io/version"
REASON_LIMIT = 128
MESSAGE_LIMIT = 512
"""Characters that are kept."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One of an object's conditions.

    `status` None: Unknown, or a word that means nothing; `word` is what was found, in lower case.
    `observed_generation` is the condition's own, which few controllers set.
    """

    status: bool | None
    word: str
    reason: str = ""
    message: str = ""
    observed_generation: int | None = None


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> tuple[Mapping[str, Any], ...]:
    """The mappings of a list."""
    return tuple(one for one in value if isinstance(one, Mapping)) if isinstance(value, list) else ()


def text(value: object, limit: int = MESSAGE_LIMIT) -> str:
    """`value` if it is a string, cut to so many characters; else an empty one."""
    return value[:limit] if isinstance(value, str) else ""


def integer(value: object) -> int | None:
    """`value` if it is an integer."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def timestamp(value: object) -> datetime | None:
    """A Kubernetes timestamp, with its timezone; YAML makes a datetime of one without quotes."""
    parsed = value if isinstance(value, datetime) else None
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else parsed
    except ValueError:
        return None
    return parsed.replace(tzinfo=UTC) if parsed and parsed.tzinfo is None else parsed


def condition(status: object, kind: str) -> Condition | None:
    """The first condition of a type in something that has `conditions`; its status counts in any case."""
    for said in items(mapping(status).get("conditions")):
        if said.get("type") == kind:
            found = said.get("status")
            word = str(found).lower()[:32] if isinstance(found, str | bool) else ""
            return Condition(
                status={"true": True, "false": False}.get(word),
                word=word,
                reason=text(said.get("reason"), REASON_LIMIT),
                message=text(said.get("message")),
                observed_generation=integer(said.get("observedGeneration")),
            )
    return None


def verdict(status: object, kind: str) -> tuple[bool | None, str, str]:
    """What a condition says of an object's readiness (None: unknown), with a CamelCase reason and a message.

    They are the condition's own where it has any. Its generation is not compared.
    """
    found = condition(status, kind)
    if found is None:
        return None, "NoStatus", f"its status has no {kind} condition yet"
    if found.status:
        return True, "Ready", ""
    if found.status is False:
        return False, found.reason or "NotReady", found.message or f"its {kind} condition is False"
    told = found.message or f"its {kind} condition is {found.word or 'empty'}"
    return None, found.reason or "Unknown", told


def evidence(status: object, kind: str) -> tuple[str, datetime | None]:
    """For people: the field with what it says, `status.conditions[Ready] is True`, and since when."""
    for said in items(mapping(status).get("conditions")):
        if said.get("type") == kind:
            found = text(said.get("status"), 32) or "no word"
            return f"status.conditions[{kind}] is {found}", timestamp(said.get("lastTransitionTime"))
    return f"status.conditions[{kind}] does not exist", None


def app_version(obj: Mapping[str, Any]) -> str | None:
    """What an object's label `app.kubernetes.io/version` says."""
    found = mapping(mapping(obj.get("metadata")).get("labels")).get(VERSION_LABEL)
    return found if isinstance(found, str) else None


def generation(obj: Mapping[str, Any]) -> int | None:
    """The generation of an object's spec."""
    return integer(mapping(obj.get("metadata")).get("generation"))


def service_namespace(host: str) -> str:
    """The namespace of the Service whose full name a host is; empty for any other host."""
    _, _, rest = host.partition(".")
    namespace, _, domain = rest.partition(".")
    return namespace if domain == "svc" or domain.startswith("svc.") else ""
