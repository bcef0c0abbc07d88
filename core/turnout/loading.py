"""Finds plugins through the entry-point group `turnout`: turnout's own in exactly the way of others.

Each entry point is loaded and registered alone, so that what is wrong with one costs the others
nothing. What went wrong is kept as a Failure; the traceback goes to the log at level DEBUG.
"""

import inspect
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from turnout import shapes
from turnout.calling import describe
from turnout.expectations import nearest
from turnout.plugin import Plugin
from turnout.plugin.hookspecs import TurnoutSpec
from turnout.plugin_lists import Distributions
from turnout.registry import Failure, InvalidPlugin, Loaded, Registry, UnknownPlugin, unique
from turnout.settings import Settings

__all__ = ["Failure", "InvalidPlugin", "Loaded", "Registry", "UnknownPlugin", "load", "load_for"]

GROUP = "turnout"

HOOKS: dict[str, shapes.Axis] = {f"turnout_{name}": axis for name, axis in shapes.AXES.items()}

_log = logging.getLogger(__name__)


def load(allow: Collection[str] | None = None, block: Collection[str] = ()) -> Registry:
    """Everything that is installed, except the distributions that the administrator's lists keep out.

    `allow`: the only distributions to import, turnout's own included if it is to be; None allows all.
    `block`: distributions never to import, allowed or not. Names are compared as package indexes do.
    """
    lists = Distributions(allow=None if allow is None else tuple(allow), block=tuple(block))
    found: list[tuple[Loaded[Plugin[Any]], str]] = []
    failures: list[Failure] = []
    skipped: set[str] = set()
    for entry_point in sorted(entry_points(group=GROUP), key=lambda point: (_source(point), point.name)):
        distribution = _source(entry_point)[0]
        if lists.keep_out(distribution):
            skipped.add(distribution)
            continue
        plugins, wrong = _Loader(entry_point).load()
        found += ((plugin, entry_point.name) for plugin in plugins)
        failures += wrong
    kept, clashes = unique(found)
    return Registry.by_axis(kept, [*failures, *clashes], sorted(skipped))


def load_for(settings: Settings) -> Registry:
    """What the administrator's settings leave of it, by distribution and then by name."""
    registry = load(settings.distributions.allow, settings.distributions.block)
    return registry.without(settings.plugin_names.keeps_out)


class _Loader:
    """Loads one entry point, with a pluggy manager of its own: what it registers is what it is asked for."""

    def __init__(self, entry_point: EntryPoint) -> None:
        self._entry_point = entry_point
        self._distribution, self._version = _source(entry_point)
        self._failures: list[Failure] = []
        self._manager = pluggy.PluginManager("turnout")
        self._manager.add_hookspecs(TurnoutSpec)

    def load(self) -> tuple[list[Loaded[Plugin[Any]]], list[Failure]]:
        """The plugins that it offers, and what is wrong with it."""
        return list(self._plugins()), self._failures

    def _plugins(self) -> Iterator[Loaded[Plugin[Any]]]:
        for hook in self._hooks():
            axis = HOOKS[hook]
            results = self._attempt(f"{hook} raised", getattr(self._manager.hook, hook))
            for result in [None] if results == [] else results or ():
                for plugin in self._items(hook, axis, result):
                    yield Loaded(plugin, self._distribution, self._version)

    def _hooks(self) -> list[str]:
        """The known hooks that the entry point implements."""
        target = self._attempt(f'"{self._entry_point.value}" cannot be imported:', self._entry_point.load)
        if target is None:
            return []
        if self._attempt("cannot be registered:", self._manager.register, target) is None:
            return []
        callers = self._manager.get_hookcallers(target) or []
        implemented = [caller.name for caller in callers if caller.has_spec()]
        for caller in callers:
            if not caller.has_spec() and not all(impl.optionalhook for impl in caller.get_hookimpls()):
                self._fail(_unknown_hook(caller.name))
        for hook in HOOKS:
            if hook not in implemented and inspect.isroutine(inspect.getattr_static(target, hook, None)):
                self._fail(f"{hook} is not marked, expected @hookimpl above it")
        if not callers and not self._failures:
            self._fail(
                f"found no hook in {shapes.repr_of(target)}, "
                f"expected a module with a function {' or '.join(HOOKS)} marked with @hookimpl"
            )
        return implemented

    def _items(self, hook: str, axis: shapes.Axis, result: object) -> Iterator[Any]:
        """The plugins among what a hook returned. Those that are none cost only themselves."""
        expected = f"expected an iterable of {axis.__name__} instances"
        if not isinstance(result, Iterable) or isinstance(result, str | bytes):
            if inspect.iscoroutine(result):
                result.close()  # or it would complain that nobody awaited it
            self._fail(f"{hook} returned {shapes.repr_of(result)}, {expected}")
            return
        for item in self._attempt(f"{hook} raised", list, result) or ():
            wrong = self._attempt(f"{hook}: cannot be examined:", _examined, item, axis)
            if wrong == []:
                yield item
            for problem in wrong or ():
                self._fail(f"{hook}: {problem}", shapes.name_of(item))

    def _attempt(self, what: str, step: Callable[..., Any], *args: object) -> Any:
        """What `step` gives; None, and a failure, if it raises anything at all."""
        try:
            return step(*args)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  SystemExit at import must not end the controller
            _log.debug("%s (%s): %s", self._distribution, self._entry_point.name, what, exc_info=True)
            self._fail(f"{what} {describe(error)}")
            return None

    def _fail(self, message: str, plugin: str | None = None) -> None:
        self._failures.append(Failure(self._distribution, self._entry_point.name, message, plugin))


def _examined(item: object, axis: shapes.Axis) -> list[str]:
    return list(shapes.problems(item, axis))


def _unknown_hook(name: str) -> str:
    near = nearest(name, HOOKS)
    hint = f"; did you mean {near}?" if near else ""
    return f"unknown hook {name}{hint} (hooks: {', '.join(HOOKS)})"


def _source(entry_point: EntryPoint) -> tuple[str, str]:
    """The name and the version of the distribution that an entry point belongs to."""
    distribution = entry_point.dist
    return (distribution.name, distribution.version) if distribution else ("unknown", "0")
