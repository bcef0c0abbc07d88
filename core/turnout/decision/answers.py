"""Takes plugins' answers, and says which plugin answered what to which method where one is of no use."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from turnout.calling import Calls, PluginError
from turnout.decision.wellformed import Found
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
    calls: Calls, plugin: str, of: type[T], method: Callable[..., Iterable[T]], /, *args: object
) -> tuple[T, ...]:
    """All that a plugin's method returns, each of the type `of`. Raises PluginError."""
    name, expected = method.__name__, f"a list of {of.__name__}"

    def read() -> tuple[object, ...]:
        found: object = method(*args)
        if isinstance(found, str | bytes | of) or not isinstance(found, Iterable):
            raise wrong(plugin, name, shown(found), expected)
        return tuple(found)

    read.__name__ = name
    sound = []
    for item in calls.to(plugin, read):
        if not isinstance(item, of):
            raise wrong(plugin, name, f"{shown(item)} in a list", expected)
        sound.append(item)
    return tuple(sound)
