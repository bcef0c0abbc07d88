"""Which plugins may be used: the administrator's lists, by distribution and by name."""

import re
from collections.abc import Callable, Iterator

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from turnout.errors import Problem
from turnout.registry import Registry, UnknownPlugin
from turnout.shapes import AXES


class SettingsModel(BaseModel):
    """A part of the settings. Keys are in camelCase, unknown ones refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )


class Distributions(SettingsModel):
    """Which distributions may offer plugins. Applied before anything of them is imported."""

    allow: tuple[str, ...] | None = None
    """The only ones; `turnout` itself must be among them for the built-in plugins. Default: all."""

    block: tuple[str, ...] = ()
    """None of these, allowed or not."""

    def keep_out(self, name: str) -> bool:
        """Whether a distribution is none that may be used. Names are compared as package indexes do."""
        allowed = self.allow is None or _normal(name) in map(_normal, self.allow)
        return not allowed or _normal(name) in map(_normal, self.block)


def _normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


class AllowedNames(SettingsModel):
    """The only plugins of an axis that may be used, by axis. One that is not given has all of its own."""

    environments: tuple[str, ...] | None = None
    strategies: tuple[str, ...] | None = None
    routers: tuple[str, ...] | None = None
    probes: tuple[str, ...] | None = None
    admission_checks: tuple[str, ...] | None = None
    gates: tuple[str, ...] | None = None
    notifiers: tuple[str, ...] | None = None


class PluginNames(SettingsModel):
    """Which of the distributions' plugins may be used. Applied once they are imported."""

    allow: AllowedNames = AllowedNames()

    block: tuple[str, ...] = ()
    """None of these, allowed or not. Names are unique over all axes, so none is said here."""

    def keeps_out(self, axis: str, name: str) -> str | None:
        """The list that keeps a plugin out, as its path in the settings. `axis`: one of AXES."""
        if name in self.block:
            return "pluginNames.block"
        allowed = self._allowed(axis)
        return None if allowed is None or name in allowed else _path(axis)

    def problems(self, registry: Registry) -> Iterator[Problem]:
        """The names that no installed plugin has."""
        installed = registry.installed
        for index, name in enumerate(self.block):
            yield from unknown(f"pluginNames.block[{index}]", installed.plugin, name)
        for axis in AXES:
            for index, name in enumerate(self._allowed(axis) or ()):
                yield from unknown(f"{_path(axis)}[{index}]", installed.on, axis, name)

    def _allowed(self, axis: str) -> tuple[str, ...] | None:
        found: tuple[str, ...] | None = getattr(self.allow, axis)
        return found


def unknown(path: str, look_up: Callable[..., object], *asked: str) -> Iterator[Problem]:
    """The problem that a setting names a plugin which is not found, if it does."""
    try:
        look_up(*asked)
    except UnknownPlugin as error:
        yield Problem(path, str(error))


def _path(axis: str) -> str:
    return f"pluginNames.allow.{to_camel(axis)}"
