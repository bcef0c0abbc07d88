"""Looking up a plugin by name, and what is said when there is none."""

import pytest

from tests.toys import ToyHosts, ToyProbe, ToySteps, ToyTable
from tests.toys.naughty import OldSteps
from turnout.loading import Failure, InvalidPlugin, Registry, UnknownPlugin
from turnout.registry import PluginNotAllowed


@pytest.fixture
def toys() -> Registry:
    return Registry.of(ToyTable(), ToySteps(), ToyProbe(), ToyHosts())


def test_plugins_are_sorted_onto_their_axes(toys: Registry) -> None:
    found = (toys.environments, toys.strategies, toys.routers, toys.probes)
    assert [list(axis) for axis in found] == [["toy-hosts"], ["toy-steps"], ["toy-table"], ["toy-probe"]]
    assert [one.name for one in toys] == ["toy-hosts", "toy-steps", "toy-table", "toy-probe"]


def test_any_plugin_is_found_by_its_name(toys: Registry) -> None:
    assert toys.plugin("toy-table").plugin is toys.router("toy-table").plugin
    assert toys.plugin("toy-probe") is toys.probes["toy-probe"]


def test_a_name_that_is_nearly_right_gets_a_hint(toys: Registry) -> None:
    with pytest.raises(UnknownPlugin) as caught:
        toys.environment("toy-host")

    assert str(caught.value) == (
        'unknown environment "toy-host"; did you mean "toy-hosts"? installed: toy-hosts'
    )


def test_a_name_of_another_axis_is_said_to_be_one(toys: Registry) -> None:
    with pytest.raises(UnknownPlugin) as caught:
        toys.router("toy-steps")

    assert str(caught.value) == 'unknown router "toy-steps"; it is a strategy; installed: toy-table'


def test_a_probe_is_no_router(toys: Registry) -> None:
    with pytest.raises(
        UnknownPlugin, match='unknown router "toy-probe"; it is a probe; installed: toy-table'
    ):
        toys.router("toy-probe")


def test_a_name_like_no_other_gets_the_list() -> None:
    with pytest.raises(UnknownPlugin) as caught:
        Registry().strategy("canary")

    assert str(caught.value) == 'unknown strategy "canary"; installed: none'


def test_a_failure_of_that_name_explains_its_absence() -> None:
    failures = (
        Failure("turnout-x", "plugin", "name: …", "toy-x"),
        Failure("turnout-y", "plugin", "ImportError: y"),
    )
    registry = Registry.by_axis([], failures)

    with pytest.raises(UnknownPlugin) as caught:
        registry.router("toy-x")

    assert str(caught.value).endswith("; could not be loaded: turnout-x (plugin): name: …")


def test_a_failure_without_a_name_may_explain_any_absence() -> None:
    failures = (
        Failure("turnout-x", "plugin", "name: …", "toy-x"),
        Failure("turnout-y", "plugin", "ImportError: y"),
    )
    registry = Registry.by_axis([], failures)

    with pytest.raises(UnknownPlugin) as caught:
        registry.router("toy-y")

    assert str(caught.value).endswith("; could not be loaded: turnout-y (plugin): ImportError: y")


def test_a_distribution_that_was_kept_out_may_explain_an_absence() -> None:
    with pytest.raises(UnknownPlugin, match="not allowed by the administrator: turnout-linkerd"):
        Registry.by_axis([], skipped=["turnout-linkerd"]).router("linkerd")


def test_a_plugin_that_is_kept_out_is_told_with_those_that_may_be_used(toys: Registry) -> None:
    """It is no unknown one, whether it is asked for on its axis or on any."""
    other = type("Other", (ToyTable,), {"name": "other-table"})()
    registry = Registry.of(*(one.plugin for one in toys), other)
    left = registry.without(
        lambda axis, name: "the list" if (axis, name) == ("routers", "toy-table") else None
    )

    for axis, asked in (("router", left.router), ("plugin", left.plugin)):
        with pytest.raises(PluginNotAllowed) as caught:
            asked("toy-table")
        assert str(caught.value).startswith(
            f'{axis} "toy-table" is installed, but the administrator\'s settings keep it out (the list); allowed: '
        )
        assert str(caught.value).endswith("other-table" if axis == "router" else "other-table, toy-probe")


def test_a_name_near_one_that_is_kept_out_is_not_led_there(toys: Registry) -> None:
    left = toys.without(lambda axis, _: "the list" if axis == "strategies" else None)

    with pytest.raises(UnknownPlugin) as caught:
        left.strategy("toy-step")

    assert str(caught.value) == (
        'unknown strategy "toy-step"; installed: none; kept out by the administrator: toy-steps'
    )


def test_a_name_of_another_axis_is_said_to_be_one_though_it_is_kept_out(toys: Registry) -> None:
    left = toys.without(lambda _, name: "the list" if name == "toy-steps" else None)

    with pytest.raises(
        UnknownPlugin, match='unknown router "toy-steps"; it is a strategy; installed: toy-table'
    ):
        left.router("toy-steps")


def test_a_registry_for_tests_refuses_a_name_that_is_taken() -> None:
    with pytest.raises(InvalidPlugin, match='the name "toy-steps" is claimed by'):
        Registry.of(ToySteps(), OldSteps())


def test_a_registry_for_tests_refuses_what_is_no_plugin() -> None:
    with pytest.raises(
        InvalidPlugin,
        match="expected an instance of one of Environment, Strategy, Router, Probe, AdmissionCheck, ",
    ):
        Registry.of("toy-steps")  # type: ignore[arg-type]
