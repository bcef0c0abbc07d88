"""Registers the router istio."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Router, hookimpl
from turnout_istio.router import Istio


@hookimpl
def turnout_routers() -> Iterable[Router[Any]]:
    return (Istio(),)
