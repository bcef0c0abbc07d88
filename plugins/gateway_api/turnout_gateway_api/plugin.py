"""Registers the router gateway-api."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Router, hookimpl
from turnout_gateway_api.router import GatewayApi


@hookimpl
def turnout_routers() -> Iterable[Router[Any]]:
    return (GatewayApi(),)
