"""What a user has Istio do with every call besides, as the fields of an HTTPRoute."""

from typing import Any

from turnout_istio.options import IstioOptions


def for_calls(options: IstioOptions) -> dict[str, Any]:
    """The fields for routes of calls."""
    return _fields(options, "timeout", "retries", "cors_policy", "fault", "headers")


def for_copies(options: IstioOptions) -> dict[str, Any]:
    """The fields for routes of mirrored copies: the rest has been done to the call before it was copied."""
    return _fields(options, "timeout", "retries")


def _fields(options: IstioOptions, *names: str) -> dict[str, Any]:
    found = options.model_dump(mode="json", by_alias=True, include=set(names), exclude_defaults=True)
    return {name: value for name, value in found.items() if value}
