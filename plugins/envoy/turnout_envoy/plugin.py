"""Registers the router envoy."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Router, hookimpl
from turnout_envoy.router import Envoy


@hookimpl
def turnout_routers() -> Iterable[Router[Any]]:
    return (Envoy(),)
