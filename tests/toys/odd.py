"""Plugins that answer what no plugin should, and otherwise as the toy that they are made of."""

from typing import Any, TypeVar

from turnout.plugin import Plugin

PluginT = TypeVar("PluginT", bound=Plugin[Any])


def odd(toy: type[PluginT], /, **answers: Any) -> PluginT:
    """The toy under the name `odd`, whose methods of these names give these answers to whatever they are asked."""
    methods = {name: lambda *_, answer=answer: answer for name, answer in answers.items()}
    made: type[PluginT] = type("Odd", (toy,), {"name": "odd", **methods})
    return made()
