"""Registers the router istio and the probe istio-gateway."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Probe, Router, hookimpl
from turnout_istio.probe import IstioGateway
from turnout_istio.router import Istio


@hookimpl
def turnout_routers() -> Iterable[Router[Any]]:
    return (Istio(),)


@hookimpl
def turnout_probes() -> Iterable[Probe[Any]]:
    return (IstioGateway(),)
