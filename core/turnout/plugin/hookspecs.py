"""The hooks through which a distribution registers its plugins."""

from collections.abc import Iterable
from typing import Any, Protocol

import pluggy

from turnout.plugin.around import AdmissionCheck, Gate, Notifier, Probe
from turnout.plugin.interfaces import Environment, Router, Strategy

hookspec = pluggy.HookspecMarker("turnout")
hookimpl = pluggy.HookimplMarker("turnout")


class TurnoutSpec(Protocol):
    """Each hook is called once, at start."""

    @hookspec
    def turnout_environments(self) -> Iterable[Environment[Any]]:
        """Environments to offer to `spec.targetEnv`, each with a name of its own."""

    @hookspec
    def turnout_strategies(self) -> Iterable[Strategy[Any]]:
        """Strategies to offer to `spec.trafficStrategy`, each with a name of its own."""

    @hookspec
    def turnout_routers(self) -> Iterable[Router[Any]]:
        """Routers to offer to `spec.router`, each with a name of its own."""

    @hookspec
    def turnout_probes(self) -> Iterable[Probe[Any]]:
        """Probes to offer to the administrator's settings, each with a name of its own."""

    @hookspec
    def turnout_admission_checks(self) -> Iterable[AdmissionCheck[Any]]:
        """Checks of policies to offer to the administrator's settings, each with a name of its own."""

    @hookspec
    def turnout_gates(self) -> Iterable[Gate[Any]]:
        """Gates to offer to the administrator's settings, each with a name of its own."""

    @hookspec
    def turnout_notifiers(self) -> Iterable[Notifier[Any]]:
        """Notifiers to offer to the administrator's settings, each with a name of its own."""
