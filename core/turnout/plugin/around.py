"""The base classes of plugins around the decision and the write: an organisation's say, and who is told.

The administrator's settings decide whether one is in use, and give all of its options: no policy can
set the addresses that it calls. `check` is never called. Gates, notifiers and probes do I/O. Each has an
event loop of its own, not the controller's; what blocks it delays the plugin's calls for other policies.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from turnout.plugin.interfaces import OptionsT, Plugin
from turnout.plugin.objects import Route
from turnout.plugin.plan import RoutePlan
from turnout.plugin.policy import Fault, Policy


class AdministratorsPlugin(Plugin[OptionsT]):
    """In use wherever the administrator's settings have an entry for it, in `plugins` by its name."""


class AdmissionCheck(AdministratorsPlugin[OptionsT]):
    """An organisation's own rules for policies, besides those of the plugins that a policy uses.

    Pure, like the plugins of the axes: no I/O, no clock.
    """

    @abstractmethod
    def admit(self, policy: Policy, document: Mapping[str, Any], options: OptionsT) -> Iterable[Fault]:
        """What is wrong with a policy. Any fault makes it not Accepted, and its routes stay as they are.

        `document`: the RoutingPolicy as it was applied, with its labels and annotations.
        """


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of a policy's routes. `before` None: there are none yet.

    `gaining`: the versions that get more calls than before, by name. `reasons`: a sentence by version.
    """

    policy: Policy
    before: RoutePlan | None
    after: RoutePlan
    gaining: tuple[str, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """Whether a shift may happen now; `reason`: a sentence for people, where it may not.

    `ask_again_after`: when to ask the next time; at least a second.
    """

    open: bool
    reason: str = ""
    ask_again_after: timedelta = timedelta(seconds=30)


class Gate(AdministratorsPlugin[OptionsT]):
    """Has a say before traffic shifts to a version: change freezes, approvals, error budgets.

    Asked only where a version that is ready is to gain calls and nothing is being rescued: never for
    a version that is lost or deleted, for drift, or for a policy's first routes.
    """

    @abstractmethod
    async def may_shift(self, shift: Shift, options: OptionsT) -> GateAnswer:
        """Whether the shift may happen. Until it may, the routes stay as they are.

        An answer that takes over five seconds, or an exception, counts as the settings say in
        `gates.failOpen`; by default as a closed gate.
        """


class Notifier(AdministratorsPlugin[OptionsT]):
    """Is told of every shift, once its routes have been written."""

    @abstractmethod
    async def shifted(self, shift: Shift, options: OptionsT) -> None:
        """Tell someone. What takes over ten seconds, or raises, becomes an event; no policy suffers."""


class Probe(AdministratorsPlugin[OptionsT]):
    """Asks proxies whether they carry a router's routes yet, for deleted versions that wait for them."""

    router: ClassVar[str]
    """The name of the router whose routes it can ask about."""

    @abstractmethod
    async def in_force(self, routes: Sequence[Route], options: OptionsT) -> bool | None:
        """Whether the proxies follow these routes, which are all that a policy has of the router's kinds.

        True: every proxy that can send calls by them carries them. False: one that was asked does not
        yet. None: that cannot be told; someone does not answer, say, or cannot be asked. An answer that
        takes over two seconds, or an exception, counts as None.
        """
