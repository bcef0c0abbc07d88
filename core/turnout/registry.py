"""The plugins that are in use, by axis and name, and what became of the others."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Generic, Never, TypeVar

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


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A plugin that is installed, and that the administrator's settings keep out.

    `axis`: one of AXES. `by`: the list that keeps it out, as its path in the settings.
    """

    loaded: Loaded[Plugin[Any]]
    axis: str
    by: str

    def __str__(self) -> str:
        return f"{self.loaded}: {self.by}"


class UnknownPlugin(LookupError):  # noqa: N818  what was asked for, not a fault of the program
    """No plugin of that name on that axis. Its text tells what could have been meant."""


class PluginNotAllowed(UnknownPlugin):
    """It is installed, and the administrator's settings keep it out. Its text tells what could be used."""


class InvalidPlugin(ValueError):  # noqa: N818  the same
    """An object given to `Registry.of` is no plugin, or claims a name that is taken."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The plugins in use, in the order of their names, which are unique over all axes.

    `skipped`: the distributions that the administrator's lists kept from being imported. `kept_out`: the
    plugins of other distributions that they keep from being used.
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
    kept_out: tuple[KeptOut, ...] = ()

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
        return self.on("environments", name)

    def strategy(self, name: str) -> Loaded[Strategy[Any]]:
        """The strategy of that name. Raises UnknownPlugin."""
        return self.on("strategies", name)

    def router(self, name: str) -> Loaded[Router[Any]]:
        """The router of that name. Raises UnknownPlugin."""
        return self.on("routers", name)

    def gate(self, name: str) -> Loaded[Gate[Any]]:
        """The gate of that name. Raises UnknownPlugin."""
        return self.on("gates", name)

    def on(self, axis: str, name: str) -> Loaded[Any]:
        """The plugin of that name on an axis, one of AXES. Raises UnknownPlugin."""
        found: Mapping[str, Loaded[Any]] = getattr(self, axis)
        return found.get(name) or self._unknown((axis,), _singular(axis), name, found)

    def plugin(self, name: str) -> Loaded[Plugin[Any]]:
        """The plugin of that name, whatever its axis. Raises UnknownPlugin."""
        found = {one.name: one for one in self}
        return found.get(name) or self._unknown(tuple(shapes.AXES), "plugin", name, found)

    def without(self, keeps_out: Callable[[str, str], str | None]) -> "Registry":
        """The registry without some plugins. `keeps_out`: by axis and name, which list does, if any."""
        kept_out = {
            name: KeptOut(loaded, axis, by)
            for axis in shapes.AXES
            for name, loaded in getattr(self, axis).items()
            if (by := keeps_out(axis, name))
        }
        left = Registry.by_axis(
            (one for one in self if one.name not in kept_out), self.failures, self.skipped
        )
        return replace(left, kept_out=(*self.kept_out, *kept_out.values()))

    @property
    def installed(self) -> "Registry":
        """The registry with the plugins that the administrator's settings keep out."""
        return Registry.by_axis([*self, *(one.loaded for one in self.kept_out)], self.failures, self.skipped)

    def __iter__(self) -> Iterator[Loaded[Plugin[Any]]]:
        for name in shapes.AXES:
            yield from getattr(self, name).values()

    def _unknown(self, axes: tuple[str, ...], what: str, name: str, installed: Mapping[str, object]) -> Never:
        out = {one.loaded.name: one.by for one in self.kept_out if one.axis in axes}
        if name in out:
            told = (
                f'{what} "{name}" is installed, but the administrator\'s settings keep it out ({out[name]})'
            )
            raise PluginNotAllowed(f"{told}; allowed: {', '.join(installed) or 'none'}")
        raise UnknownPlugin("; ".join(self._hints(what, name, installed, out)))

    def _hints(
        self, what: str, name: str, installed: Mapping[str, object], out: Iterable[str]
    ) -> Iterator[str]:
        own = [failure for failure in self.failures if failure.plugin == name]
        everything = self.installed
        elsewhere = next((axis for axis in shapes.AXES if name in getattr(everything, axis)), None)
        near = nearest(name, installed)
        yield f'unknown {what} "{name}"'
        names = f"installed: {', '.join(installed) or 'none'}"
        if elsewhere:
            yield f"it is {_with_article(elsewhere)}"
            yield names
        elif near and not own:
            yield f'did you mean "{near}"? {names}'
        else:
            yield names
        if out:
            yield f"kept out by the administrator: {', '.join(out)}"
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


def _with_article(axis: str) -> str:
    """What people call a plugin of an axis: "an admission check"."""
    words = _singular(axis)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _singular(axis: str) -> str:
    return {"strategies": "strategy"}.get(axis, axis.removesuffix("s")).replace("_", " ")


def _of_axis(axis: Any, loaded: Iterable[Loaded[Any]]) -> Mapping[str, Loaded[Any]]:
    return MappingProxyType({one.name: one for one in loaded if isinstance(one.plugin, axis)})
