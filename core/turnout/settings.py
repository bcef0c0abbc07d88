"""What the administrator sets: `turnout run --settings FILE`. Keys are in camelCase, unknown ones refused.

Options of plugins come from three places: the administrator's defaults, the policy's `spec.config`
over them, and the administrator's fixed values over both.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from turnout import yaml_input
from turnout.calling import Calls, PluginError
from turnout.errors import Invalid, Problem
from turnout.plugin import AdministratorsPlugin, Options, Plugin, Probe, Router
from turnout.plugin_lists import Distributions, PluginNames, SettingsModel, unknown
from turnout.registry import Loaded, Registry, UnknownPlugin
from turnout.validation import Expected, broken, path_of, problems, shown

ANY = "*"
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

Namespace = Annotated[str, Field(pattern=rf"^{_LABEL}$"), Expected("the name of a namespace")]
NamespaceOrAny = Annotated[
    str, Field(pattern=rf"^(\*|{_LABEL})$"), Expected('the name of a namespace, or "*" for all others')
]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), Expected("a number of seconds")]
SomeSeconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Expected("a number of seconds, more than 0")]


DRAIN_LIMIT = 60.0
"""Seconds that a deletion waits at most, but for routers that need longer."""


class PluginSettings(SettingsModel):
    """Option values for the policies that use a plugin, by option."""

    defaults: Mapping[str, Any] = Field(default_factory=dict)
    """What holds where a policy says nothing."""

    fixed: Mapping[str, Any] = Field(default_factory=dict)
    """What holds for every policy; one that says otherwise is not accepted."""

    @model_validator(mode="after")
    def _one_place_for_an_option(self) -> "PluginSettings":
        for option in self.fixed:
            if option in self.defaults:
                raise broken("nothing: the option is fixed", "defaults", option, found=self.defaults[option])
        return self

    def problems(self, plugin: Plugin[Any], prefix: str) -> Iterator[Problem]:
        """What the plugin does not understand of it."""
        for place, values in (("defaults", self.defaults), ("fixed", self.fixed)):
            _, faults = (
                _validated(plugin, values, path_of((plugin.name, place), prefix)) if values else (None, ())
            )
            # What is missing here may come from the other place, or from the policy.
            yield from (fault for fault in faults if fault.message or fault.found is not None)


class Drain(SettingsModel):
    """How long a version that is being deleted may be kept."""

    enabled: bool = True
    """false: a deleted version goes at once, and calls to it may fail."""

    in_flight_seconds: Seconds = 5
    """For calls that began before the proxies followed the change of routes."""

    limit_seconds: Seconds | None = None
    """From the deletion; after it the version goes, whatever routes still lead to it. By default 60, or as
    long as the routers of its policies need where that is longer."""

    propagation_seconds: Mapping[str, Seconds] = Field(default_factory=dict)
    """By router: how long its network needs to follow, where that differs from what the router says."""

    @property
    def in_flight(self) -> timedelta:
        return timedelta(seconds=self.in_flight_seconds)

    def limit(self, needed: float) -> float:
        """The limit in seconds, for routes that need so many to move and to be followed."""
        return max(DRAIN_LIMIT, needed) if self.limit_seconds is None else self.limit_seconds

    def propagation(self, router: Router[Any]) -> timedelta:
        """How long the router's network needs to follow an accepted write."""
        seconds = self.propagation_seconds.get(router.name)
        return router.propagation if seconds is None else timedelta(seconds=seconds)


class Gates(SettingsModel):
    """What counts where gates do not answer."""

    fail_open: tuple[str, ...] = ()
    """Gates, by name, that count as open when they fail; the others count as closed."""


class LeaseTiming(SettingsModel):
    """How the one of several controllers that writes is found, where `turnout run --lease` names a Lease."""

    duration_seconds: Annotated[int, Field(ge=2), Expected("a whole number of seconds, 2 or more")] = 15
    """Another controller takes over when the Lease has not changed for so long."""

    renew_seconds: SomeSeconds = 10
    """Its holder writes nothing more when it could not renew for so long; less than the duration."""

    retry_seconds: SomeSeconds = 1
    """Between two renewals, and between two looks of those who stand by; less than that."""

    @model_validator(mode="after")
    def _in_order(self) -> "LeaseTiming":
        if not self.renew_seconds < self.duration_seconds:
            told = f"less than durationSeconds, which is {self.duration_seconds}"
            raise broken(told, "renewSeconds", found=self.renew_seconds)
        if not self.retry_seconds < self.renew_seconds:
            told = f"less than renewSeconds, which is {self.renew_seconds:g}"
            raise broken(told, "retrySeconds", found=self.retry_seconds)
        return self


class Settings(SettingsModel):
    """Everything that holds for all policies of a controller."""

    allow_namespaces: Mapping[NamespaceOrAny, tuple[Namespace, ...]] = Field(default_factory=dict)
    """By a policy's namespace: the others that it may reach into. "*" stands for every policy."""

    cluster_domain: Annotated[
        str, Field(pattern=rf"^{_LABEL}(\.{_LABEL})*$", max_length=253), Expected("a domain name")
    ] = "cluster.local"
    """The domain of the cluster's Services."""

    distributions: Distributions = Distributions()
    plugin_names: PluginNames = PluginNames()
    plugins: Mapping[str, PluginSettings] = Field(default_factory=dict)
    drain: Drain = Drain()
    gates: Gates = Gates()
    lease: LeaseTiming = LeaseTiming()

    @classmethod
    def read(cls, file: Path) -> "Settings":
        """The settings in a YAML file; an empty one has only defaults. Raises Invalid."""
        found = yaml_input.documents(yaml_input.read(str(file)), str(file))
        if len(found) > 1:
            raise Invalid(str(file), [Problem("", f"holds {len(found)} YAML documents, expected one")])
        return cls.of(found[0] if found and found[0] is not None else {}, subject=str(file))

    @classmethod
    def of(cls, data: object, *, subject: str = "settings") -> "Settings":
        """Settings from a document. Raises Invalid."""
        try:
            return cls.model_validate(data, by_alias=True, by_name=False)
        except ValidationError as error:
            raise Invalid(subject, problems(error, cls)) from None

    def allowed_namespaces(self, namespace: str) -> frozenset[str]:
        """The namespaces that policies of `namespace` may reach into: their own, and what is allowed."""
        allowed = (*self.allow_namespaces.get(namespace, ()), *self.allow_namespaces.get(ANY, ()))
        return frozenset({namespace, *allowed})

    def options_for(
        self, plugin: Plugin[Any], given: Mapping[str, Any]
    ) -> tuple[Options | None, tuple[Problem, ...]]:
        """A plugin's options for a policy whose `spec.config` gives it `given`.

        Either options or problems, whose paths begin with spec.config.<plugin>, or with
        "settings plugins.<plugin>" where the administrator's values are wrong. Runs the model's own
        validators, which are plugin code: raises PluginError where they do not end with a verdict.
        """
        settings = self.plugins.get(plugin.name, PluginSettings())
        if faults := tuple(settings.problems(plugin, "settings plugins")):
            return None, faults
        prefix = path_of((plugin.name,), "spec.config")
        # With the policy's values on top first: what it asks has to be valid even where something is fixed.
        asked, faults = _validated(plugin, {**settings.defaults, **settings.fixed, **given}, prefix)
        if asked is None or settings.fixed.keys().isdisjoint(given):
            return asked, faults
        held, faults = _validated(plugin, {**settings.defaults, **given, **settings.fixed}, prefix)
        if held is not None:
            faults = tuple(_overruled(plugin, given, settings.fixed, asked, held))
        return (None if faults else held), faults

    def options_of(self, plugin: AdministratorsPlugin[Any]) -> tuple[Options | None, tuple[Problem, ...]]:
        """The plugin's options, or what is wrong with them; neither for one that is not in use.

        Raises PluginError as `options_for` does.
        """
        settings = self.plugins.get(plugin.name)
        if settings is None:
            return None, ()
        if faults := tuple(settings.problems(plugin, "plugins")):
            return None, faults
        given = {**settings.defaults, **settings.fixed}
        return _validated(plugin, given, path_of((plugin.name, "fixed"), "plugins"))

    def in_use(self, plugins: Mapping[str, Loaded[Any]]) -> Iterator[tuple[Any, Options]]:
        """Those of these administrator's plugins that have an entry here, if its options are right."""
        for loaded in plugins.values():
            with suppress(PluginError):
                options, _ = self.options_of(loaded.plugin)
                if options is not None:
                    yield loaded.plugin, options

    def problems(self, registry: Registry) -> Iterator[Problem]:
        """What does not fit the plugins that are installed. Concerns only policies that use them."""
        yield from self.plugin_names.problems(registry)
        for name in self.plugins:
            path = path_of((name,), "plugins")
            try:
                yield from self._misfits(registry.plugin(name).plugin, path, registry)
            except UnknownPlugin as error:
                yield Problem(path, str(error))
            except PluginError as error:
                yield Problem(path, error.message)
        for index, name in enumerate(self.gates.fail_open):
            yield from unknown(f"gates.failOpen[{index}]", registry.gate, name)
        for name in self.drain.propagation_seconds:
            yield from unknown(path_of((name,), "drain.propagationSeconds"), registry.router, name)

    def _misfits(self, plugin: Plugin[Any], path: str, registry: Registry) -> Iterator[Problem]:
        if not isinstance(plugin, AdministratorsPlugin):
            yield from self.plugins[plugin.name].problems(plugin, "plugins")
            return
        yield from self.options_of(plugin)[1]
        if isinstance(plugin, Probe):
            for problem in unknown(path, registry.router, plugin.router):
                yield Problem(path, f"has no routes to ask about: {problem.message}")


def _validated(
    plugin: Plugin[Any], values: Mapping[str, Any], prefix: str
) -> tuple[Options | None, tuple[Problem, ...]]:
    """The options, or what is wrong with them. Raises PluginError for any other error of a validator."""
    model: type[Options] = plugin.options

    def validate() -> tuple[Options | None, tuple[Problem, ...]]:
        try:
            return model.model_validate(dict(values), by_alias=True, by_name=False), ()
        except ValidationError as error:
            return None, problems(error, model, prefix=prefix)

    validate.__name__ = "options"
    return Calls().to(plugin.name, validate)


def _overruled(
    plugin: Plugin[Any], given: Mapping[str, Any], fixed: Mapping[str, Any], asked: Options, held: Options
) -> Iterator[Problem]:
    """The options to which the policy gives another value than the fixed one."""
    for name, option in type(held).model_fields.items():
        key = option.validation_alias
        if isinstance(key, str) and key in given and getattr(asked, name) != getattr(held, name):
            path = path_of((plugin.name, key), "spec.config")
            expected = f"{shown(fixed.get(key))}, which the administrator has fixed"
            yield Problem(path, found=shown(given[key]), expected=expected)
