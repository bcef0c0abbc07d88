"""Takes plugins' answers, and says which plugin answered what to which method where one is of no use."""

from collections.abc import Iterable
from typing import Any, TypeVar

from turnout.calling import Calls, PluginError
from turnout.decision.wellformed import Found
from turnout.plugin import Plugin
from turnout.shown import shown

T = TypeVar("T")


def wrong(plugin: str, method: str, found: str, expected: str) -> PluginError:
    """The error of a plugin whose method returned what it may not."""
    return PluginError(plugin, f"plugin {plugin}: {method} returned {found}, expected {expected}")


def check(plugin: str, method: str, found: Found, about: str = "") -> None:
    """Raises PluginError for the first thing that a rule of `wellformed` found. `about`: in what."""
    for there, expected in found:
        raise wrong(plugin, method, f"{there} {about}".rstrip(), expected)


def items(
    calls: Calls, plugin: Plugin[Any], method: str, of: type[T], /, *args: object, about: str = ""
) -> tuple[T, ...]:
    """All that a plugin's method returns, each of the type `of`. Raises PluginError.

    `about`: the policy whose matter alone a hang would be; by default it is everybody's.
    """
    expected = f"a list of {of.__name__}"

    def read() -> tuple[object, ...]:
        found: object = getattr(plugin, method)(*args)
        alone = isinstance(found, str | bytes | of) and type(found) is not tuple
        if alone or not isinstance(found, Iterable):
            raise wrong(plugin.name, method, shown(found), expected)
        return tuple(found)

    read.__name__ = method
    sound = []
    for item in calls.about(about, plugin.name, read) if about else calls.to(plugin.name, read):
        if not isinstance(item, of):
            raise wrong(plugin.name, method, f"{shown(item)} in a list", expected)
        sound.append(item)
    return tuple(sound)
