"""The base classes of the plugins on the three axes that meet in a plan.

Base classes rather than protocols, so that a method added later brings its default. Methods of the
axes are pure: no I/O, no clock, no state kept between calls. Core calls them on a thread of its own;
one that raises marks only the policies that use the plugin, one that takes over five seconds is
quarantined for a while.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from turnout.plugin import promotion
from turnout.plugin.decision import Decision, Inputs
from turnout.plugin.objects import Kind, Manifest, Observation, Ref
from turnout.plugin.plan import Backend, Feature, Frontend, RoutePlan
from turnout.plugin.policy import Fault, Policy, Uses, VersionSpec


class Options(BaseModel):
    """A plugin's options, by its name in `spec.config` or the settings: camelCase, unknown keys refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        validate_default=True,
        use_attribute_docstrings=True,
    )


OptionsT = TypeVar("OptionsT", bound=Options)


class Plugin(ABC, Generic[OptionsT]):
    """What all plugins share.

    `name` is what a policy or the settings say; a DNS label, unique over all axes because options are
    keyed by it. `options` is the model of the plugin's options.
    """

    name: ClassVar[str]
    options: type[OptionsT]

    def check(self, policy: Policy, options: OptionsT) -> Iterable[Fault]:
        """Faults of a policy that only this plugin can see. Any of them makes it not Accepted."""
        return ()

    def reaches(self, options: OptionsT) -> Iterable[tuple[str, str]]:
        """The options that name something of another namespace, by their key, with that namespace.

        A policy may say them only where the administrator lets it reach into the namespace. Hosts and
        backends need no word here, nor what the other side has to agree to itself.
        """
        return ()


class Environment(Plugin[OptionsT]):
    """Knows where a model's versions run: which objects make one up, whether it is ready, how to reach it."""

    watches: ClassVar[tuple[Kind, ...]]
    """The kinds of all objects that `refs` names."""

    drain: ClassVar[bool] = False
    """Whether the objects of a version must stay, once deleted, until its routes are out of force."""

    @abstractmethod
    def refs(self, version: VersionSpec, options: OptionsT) -> Sequence[Ref]:
        """The objects that make up a version, the main one first. Never empty."""

    @abstractmethod
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        """What matters of an object of one of `watches`, whose `kind` it always tells.

        Called once an event, so keep it small.
        """

    @abstractmethod
    def frontends(self, policy: Policy, options: OptionsT) -> Sequence[Frontend]:
        """Where the clients of the model call: at least one, with stable names."""

    @abstractmethod
    def backends(
        self, version: VersionSpec, seen: Sequence[Observation | None], options: OptionsT
    ) -> Mapping[str, Backend]:
        """The version's backend for each frontend, by `Frontend.name`.

        `seen` is in the order of `refs`, None for an object that does not exist. A frontend left out
        makes the version not ready, for which the messages of `seen` are given as the cause.
        """

    def version_of(self, model: str) -> str:
        """The version that a model's name in an answer stands for, as `turnout verify` counts it.

        For servers that make another name of a version's. Any other name stands for itself.
        """
        return model

    def promoted(
        self, primary: Sequence[Mapping[str, Any]], candidate: Sequence[Mapping[str, Any]]
    ) -> Sequence[Mapping[str, Any]]:
        """The primary's objects as they are to be once the candidate is promoted: they serve what it does.

        All are in the order of `refs`, and whole, as the API server has them. What makes an object the
        primary's own stays: names, uid and other metadata, its scale, the selectors of its pods; so do
        traffic shares of other tools, and what only the API server writes. By default the spec is the
        candidate's, and the label `app.kubernetes.io/version`.

        Promoting the same candidate again changes nothing, and promoting the primary's former objects
        undoes it: that is how a promotion is taken back. See `turnout.plugin.promotion.taken`.
        """
        pairs = zip(primary, candidate, strict=True)
        return [promotion.taken(one, other, (promotion.SPEC, promotion.VERSION)) for one, other in pairs]

    def witnesses(self, primary: Sequence[Mapping[str, Any]]) -> Sequence[Ref]:
        """Other objects that tell what is served of a version's objects, for `rolled_out`.

        Of any kinds; whoever promotes needs the right to get them.
        """
        return ()

    def rolled_out(
        self, before: Sequence[Mapping[str, Any] | None], now: Sequence[Mapping[str, Any] | None]
    ) -> tuple[bool | None, str]:
        """Whether the version's objects `now`, with another spec than `before`, serve what that says.

        Both are in the order of `refs`, with those of `witnesses` behind; None for one that does not exist.
        False: not yet, and why. None: they are ready, but may have been so before the change; core then
        waits a while whether they stay so. True: only for what shows that it is about the latest change.
        By default readiness as `observe` tells it, with None in place of True.
        """
        for obj in now:
            seen = self.observe(obj) if obj else None
            if seen is None or seen.ready is not True:
                return False, (seen.message or seen.reason) if seen else "it does not exist"
        return None, ""


class Strategy(Plugin[OptionsT]):
    """Shares the traffic between the versions."""

    uses: ClassVar[frozenset[Uses]] = frozenset()

    @abstractmethod
    def decide(self, inputs: Inputs, options: OptionsT) -> Decision:
        """Share the traffic between the versions that are `available` and not `excluded`.

        Only the primary may be routed to beyond that, alone and in the last rule.
        Called when at least one version is available. The same inputs give the same decision.
        """


class Router(Plugin[OptionsT]):
    """Writes a plan in the terms of one network."""

    writes: ClassVar[tuple[Kind, ...]]
    """The kinds of all manifests that `render` returns."""

    carries: ClassVar[frozenset[Feature]]
    """What the network can say. A plan that asks for more is refused by name and never rendered."""

    propagation: ClassVar[timedelta] = timedelta(seconds=15)
    """How long proxies may take to follow an accepted write, where nothing can tell."""

    def objections(self, plan: RoutePlan, options: OptionsT) -> Iterable[str]:
        """What the network cannot say of a plan that asks for nothing beyond `carries`: a sentence each.

        For what depends on several parts of a plan, or on the options; any of them refuses the plan.
        """
        return ()

    @abstractmethod
    def render(self, plan: RoutePlan, options: OptionsT) -> Sequence[Manifest]:
        """The manifests of a plan; equal plans give equal manifests. At least one is a route."""

    def refusal(self, route: Mapping[str, Any]) -> str | None:
        """Why the network refused this route, read from the route's own status; None if it did not.

        Asked of objects that have a status.
        """
        return None

    def pending(self, route: Mapping[str, Any]) -> str | None:
        """What the network has yet to say of this route before calls can follow it; None if nothing.

        For networks that say in a route's status that they take it: a policy is not Routed before, and
        the routes of its former router stay. Asked of every object of the kinds in `writes`; of shared ones
        the word keeps what the new routes replace, and no more.
        """
        return None
