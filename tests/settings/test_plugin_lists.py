"""Which plugins the administrator's lists leave, and what is said of names that nobody has."""

from typing import Any

import pytest

from tests.toys import ToyHosts, ToyProbe, ToySteps, ToyTable
from turnout.errors import Invalid
from turnout.loading import Registry
from turnout.plugin_lists import AllowedNames
from turnout.settings import Settings
from turnout.shapes import AXES


@pytest.fixture
def toys() -> Registry:
    return Registry.of(ToyTable(), ToySteps(), ToyProbe(), ToyHosts())


def settings(**lists: Any) -> Settings:
    return Settings.of({"pluginNames": lists})


LISTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "nothing": ({}, {}),
    "one is blocked": ({"block": ["toy-steps"]}, {"toy-steps": "pluginNames.block"}),
    "one is allowed on its axis": ({"allow": {"strategies": ["toy-steps"]}}, {}),
    "none is allowed on an axis": (
        {"allow": {"probes": [], "routers": ["istio"]}},
        {"toy-table": "pluginNames.allow.routers", "toy-probe": "pluginNames.allow.probes"},
    ),
    "blocked and allowed": (
        {"allow": {"strategies": ["toy-steps"]}, "block": ["toy-steps"]},
        {"toy-steps": "pluginNames.block"},
    ),
    "allowed on another axis": (
        {"allow": {"strategies": ["toy-table"]}},
        {"toy-steps": "pluginNames.allow.strategies"},
    ),
}


@pytest.mark.parametrize(("lists", "kept_out"), LISTS.values(), ids=LISTS)
def test_the_lists_keep_out_by_name(toys: Registry, lists: Any, kept_out: dict[str, str]) -> None:
    left = toys.without(settings(**lists).plugin_names.keeps_out)

    assert {one.loaded.name: one.by for one in left.kept_out} == kept_out
    assert {one.name for one in left} == {one.name for one in toys} - kept_out.keys()
    assert left.installed == toys


def test_there_is_an_allow_list_for_every_axis() -> None:
    assert list(AllowedNames.model_fields) == list(AXES)


def test_an_axis_that_there_is_not_gets_a_hint() -> None:
    with pytest.raises(Invalid, match=r'pluginNames.allow: unknown field "router"; did you mean "routers"\?'):
        settings(allow={"router": ["istio"]})


UNKNOWN: dict[str, tuple[dict[str, Any], str]] = {
    "blocked": (
        {"block": ["toy-table", "toy-step"]},
        'pluginNames.block[1]: unknown plugin "toy-step"; did you mean "toy-steps"?',
    ),
    "allowed": (
        {"allow": {"routers": ["toy-tabel"]}},
        'pluginNames.allow.routers[0]: unknown router "toy-tabel"; did you mean "toy-table"? installed: toy-table',
    ),
    "allowed where another list blocks it": (
        {"allow": {"routers": ["toy-steps"]}, "block": ["toy-steps"]},
        'pluginNames.allow.routers[0]: unknown router "toy-steps"; it is a strategy; installed: toy-table',
    ),
}


@pytest.mark.parametrize(("lists", "told"), UNKNOWN.values(), ids=UNKNOWN)
def test_a_name_that_no_installed_plugin_has_is_a_problem(toys: Registry, lists: Any, told: str) -> None:
    """As in all other settings; what is kept out is installed."""
    given = settings(**lists)

    (problem,) = given.problems(toys.without(given.plugin_names.keeps_out))
    assert str(problem).startswith(told)


def test_settings_for_a_plugin_that_is_kept_out_are_problems(toys: Registry) -> None:
    given = Settings.of(
        {
            "pluginNames": {"block": ["toy-table"]},
            "plugins": {"toy-table": {}},
            "drain": {"propagationSeconds": {"toy-table": 1}},
        }
    )
    told = "is installed, but the administrator's settings keep it out (pluginNames.block); allowed: "

    assert [str(one) for one in given.problems(toys.without(given.plugin_names.keeps_out))] == [
        f'plugins.toy-table: plugin "toy-table" {told}toy-hosts, toy-steps, toy-probe',
        f'drain.propagationSeconds.toy-table: router "toy-table" {told}none',
    ]
