"""The plugins that are in use, by axis and name, and what became of the others."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from turnout import shapes
from turnout.expectations import nearest
from turnout.plugin import (
    AdmissionCheck,
    Environment,
    Gate,
    Notifier,
    Plugin,
    Probe,
    Router,
    Strategy,
)

OWN = "turnout"
"""The distribution whose plugins keep their names against others that claim them."""

PluginT = TypeVar("PluginT", bound=Plugin[Any], covariant=True)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[PluginT]):
    """A plugin, and the distribution that it came with."""

    plugin: PluginT
    distribution: str
    version: str

    @property
    def name(self) -> str:
        return self.plugin.name

    def __str__(self) -> str:
        return f"{self.name} ({self.distribution} {self.version})"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something of an entry point that could not be used, and why. `plugin`: its name, where it has one."""

    distribution: str
    entry_point: str
    message: str
    plugin: str | None = None

    def __str__(self) -> str:
        return f"{self.distribution} ({self.entry_point}): {self.message}"


class UnknownPlugin(LookupError):  # noqa: N818  what was asked for, not a fault of the program
    """No plugin of that name on that axis. Its text tells what could have been meant."""


class InvalidPlugin(ValueError):  # noqa: N818  the same
    """An object given to `Registry.of` is no plugin, or claims a name that is taken."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The plugins in use, in the order of their names, which are unique over all axes.

    `skipped`: the distributions that the administrator's lists kept from being imported.
    """

    environments: Mapping[str, Loaded[Environment[Any]]] = field(default_factory=dict)
    strategies: Mapping[str, Loaded[Strategy[Any]]] = field(default_factory=dict)
    routers: Mapping[str, Loaded[Router[Any]]] = field(default_factory=dict)
    probes: Mapping[str, Loaded[Probe[Any]]] = field(default_factory=dict)
    admission_checks: Mapping[str, Loaded[AdmissionCheck[Any]]] = field(default_factory=dict)
    gates: Mapping[str, Loaded[Gate[Any]]] = field(default_factory=dict)
    notifiers: Mapping[str, Loaded[Notifier[Any]]] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    skipped: tuple[str, ...] = ()

    @classmethod
    def of(cls, *plugins: Plugin[Any]) -> "Registry":
        """A registry of just these, as of a distribution "test". Raises InvalidPlugin."""
        for plugin in plugins:
            for problem in shapes.problems(plugin, _axis(plugin)):
                raise InvalidPlugin(problem)
        loaded, failures = unique((Loaded(plugin, "test", "0"), "test") for plugin in plugins)
        if failures:
            raise InvalidPlugin(failures[0].message)
        return cls.by_axis(loaded)

    @classmethod
    def by_axis(
        cls,
        loaded: Iterable[Loaded[Plugin[Any]]],
        failures: Iterable[Failure] = (),
        skipped: Iterable[str] = (),
    ) -> "Registry":
        """A registry of plugins whose names are unique."""
        ordered = sorted(loaded, key=lambda one: one.name)
        axes: dict[str, Any] = {name: _of_axis(axis, ordered) for name, axis in shapes.AXES.items()}
        return cls(**axes, failures=tuple(failures), skipped=tuple(skipped))

    def environment(self, name: str) -> Loaded[Environment[Any]]:
        """The environment of that name. Raises UnknownPlugin."""
        return self.environments.get(name) or self._unknown("environment", name, self.environments)

    def strategy(self, name: str) -> Loaded[Strategy[Any]]:
        """The strategy of that name. Raises UnknownPlugin."""
        return self.strategies.get(name) or self._unknown("strategy", name, self.strategies)

    def router(self, name: str) -> Loaded[Router[Any]]:
        """The router of that name. Raises UnknownPlugin."""
        return self.routers.get(name) or self._unknown("router", name, self.routers)

    def gate(self, name: str) -> Loaded[Gate[Any]]:
        """The gate of that name. Raises UnknownPlugin."""
        return self.gates.get(name) or self._unknown("gate", name, self.gates)

    def plugin(self, name: str) -> Loaded[Plugin[Any]]:
        """The plugin of that name, whatever its axis. Raises UnknownPlugin."""
        found = {one.name: one for one in self}
        return found.get(name) or self._unknown("plugin", name, found)

    def __iter__(self) -> Iterator[Loaded[Plugin[Any]]]:
        for name in shapes.AXES:
            yield from getattr(self, name).values()

    def _unknown(self, axis: str, name: str, installed: Mapping[str, object]) -> Any:
        raise UnknownPlugin("; ".join(self._hints(axis, name, installed)))

    def _hints(self, axis: str, name: str, installed: Mapping[str, object]) -> Iterator[str]:
        own = [failure for failure in self.failures if failure.plugin == name]
        elsewhere = next((type(one.plugin).__mro__ for one in self if one.name == name), None)
        near = nearest(name, installed)
        yield f'unknown {axis} "{name}"'
        names = f"installed: {', '.join(installed) or 'none'}"
        if elsewhere:
            yield f"it is {_axis_name(elsewhere)}"
            yield names
        elif near and not own:
            yield f'did you mean "{near}"? {names}'
        else:
            yield names
        for failure in own or [failure for failure in self.failures if failure.plugin is None]:
            yield f"could not be loaded: {failure}"
        if self.skipped and not own:
            yield f"not allowed by the administrator: {', '.join(self.skipped)}"


def unique(
    found: Iterable[tuple[Loaded[PluginT], str]],
) -> tuple[list[Loaded[PluginT]], list[Failure]]:
    """The plugins, each with its entry point, whose name nobody else claims; and a failure for each other.

    A name that turnout's own distribution uses stays with it: installing a package must not take the
    routes of running policies away from the code that wrote them. Between others there is no order
    that would not change with the next installation, so none of them gets the name.
    """
    claims: defaultdict[str, list[tuple[Loaded[PluginT], str]]] = defaultdict(list)
    for loaded, entry_point in found:
        claims[loaded.name].append((loaded, entry_point))
    kept: list[Loaded[PluginT]] = []
    failures: list[Failure] = []
    for name, claimants in claims.items():
        own = [loaded for loaded, _ in claimants if loaded.distribution == OWN]
        winner = claimants[0][0] if len(claimants) == 1 else own[0] if len(own) == 1 else None
        if winner:
            kept.append(winner)
        for loaded, entry_point in claimants:
            if loaded is not winner:
                message = _clash(name, [one for one, _ in claimants], winner)
                failures.append(Failure(loaded.distribution, entry_point, message, name))
    return kept, failures


def _clash(name: str, claimants: Iterable[Loaded[Any]], winner: Loaded[Any] | None) -> str:
    sources = sorted(f"{one.distribution} {one.version} ({type(one.plugin).__name__})" for one in claimants)
    verdict = f"it stays {winner.distribution}'s" if winner else "none of them is used"
    return f'the name "{name}" is claimed by {" and ".join(sources)}: {verdict}; block or uninstall the other'


def _axis(plugin: object) -> shapes.Axis:
    for axis in shapes.AXES.values():
        if isinstance(plugin, axis):
            return axis
    expected = ", ".join(axis.__name__ for axis in shapes.AXES.values())
    raise InvalidPlugin(f"found {shapes.repr_of(plugin)}, expected an instance of one of {expected}")


def _axis_name(bases: Iterable[type]) -> str:
    """What people call plugins of an axis: "an admission check"."""
    name = next(name for base in bases for name, axis in shapes.AXES.items() if axis is base)
    words = {"strategies": "strategy"}.get(name, name.removesuffix("s")).replace("_", " ")
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _of_axis(axis: Any, loaded: Iterable[Loaded[Any]]) -> Mapping[str, Loaded[Any]]:
    return MappingProxyType({one.name: one for one in loaded if isinstance(one.plugin, axis)})
