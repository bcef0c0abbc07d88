"""A plugin's attributes are checked at start, and every message says what would be right."""

from typing import Any

import pytest
from pydantic import AliasChoices, ConfigDict, Field

from tests.toys import ToyHosts, ToyProbe, ToySteps, ToyTable
from turnout.loading import InvalidPlugin, Registry
from turnout.plugin import Feature, Kind, Options, Plugin, Uses


class Loose(Options):
    model_config = ConfigDict(extra="allow")


class TwoKeys(Options):
    port: int = Field(default=80, validation_alias=AliasChoices("port", "portNumber"))


NO_TUPLE: Any = "v1"


async def decide(self: Any, inputs: Any, options: Any) -> None: ...


def in_force(self: Any, routes: Any, options: Any) -> bool:
    return True


WRONG: dict[str, tuple[type[Plugin[Any]], dict[str, Any], str]] = {
    "upper case": (ToySteps, {"name": "Toy"}, "name: found 'Toy', expected a DNS label"),
    "too long": (ToySteps, {"name": "a" * 64}, "expected a DNS label: up to 63"),
    "a newline": (ToySteps, {"name": "toy\n"}, "expected a DNS label"),
    "no name": (ToySteps, {"name": None}, "name: found None, expected a DNS label"),
    "no options": (
        ToySteps,
        {"options": None},
        "options: found None, expected a subclass of turnout.plugin.Options",
    ),
    "an instance": (ToySteps, {"options": Options()}, "expected a subclass of turnout.plugin.Options"),
    "loose": (ToySteps, {"options": Loose}, "Loose changes model_config, expected extra='forbid'"),
    "two keys": (ToySteps, {"options": TwoKeys}, "TwoKeys.port has no single key"),
    "uses texts": (
        ToySteps,
        {"uses": frozenset({"weights"})},
        "uses: found 'weights' in it, expected members of Uses",
    ),
    "uses a set": (ToySteps, {"uses": {Uses.WEIGHTS}}, "expected a frozenset of Uses"),
    "watches nothing": (
        ToyHosts,
        {"watches": ()},
        "watches: found tuple (), expected a tuple of at least one Kind",
    ),
    "watches texts": (ToyHosts, {"watches": ("Service",)}, "watches: found 'Service' in it"),
    "half a kind": (ToyHosts, {"watches": (Kind("", (), "Pod", "pods"),)}, 'expected Kind("group", ("v1",)'),
    "a version text": (
        ToyHosts,
        {"watches": (Kind("", NO_TUPLE, "Pod", "pods"),)},
        'expected Kind("group", ("v1",)',
    ),
    "drain": (ToyHosts, {"drain": "yes"}, "drain: found 'yes', expected True or False"),
    "writes a list": (ToyTable, {"writes": []}, "writes: found list [], expected a tuple"),
    "carries a list": (ToyTable, {"carries": [Feature.WEIGHTS]}, "carries: found list"),
    "seconds": (ToyTable, {"propagation": 15}, "propagation: found 15, expected a timedelta"),
    "async": (ToySteps, {"decide": decide}, "decide is async, expected a plain method"),
    "not async": (
        ToyProbe,
        {"in_force": in_force},
        "in_force is not async, expected async def in_force(self",
    ),
    "no router": (ToyProbe, {"router": None}, "router: found None, expected the name of a router"),
}


@pytest.mark.parametrize(("base", "changes", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_with_what_is_right(
    base: type[Plugin[Any]], changes: dict[str, Any], message: str
) -> None:
    plugin = type("Odd", (base,), changes)()

    with pytest.raises(InvalidPlugin) as caught:
        Registry.of(plugin)

    assert str(caught.value).startswith("Odd: ")
    assert message in str(caught.value)


def test_a_plugin_may_have_no_options_of_its_own() -> None:
    plugin = type("Plain", (ToySteps,), {"options": Options})()

    assert Registry.of(plugin).strategy("toy-steps").plugin is plugin
