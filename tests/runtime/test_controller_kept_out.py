"""Plugins that the administrator's settings keep out, by name, while policies use them."""

from typing import Any

import pytest

from tests.runtime.draining import SLACK, seconds_to_go
from tests.runtime.harness import LIMIT, Bed, vs
from turnout.plugin import Kind
from turnout.registry import Registry
from turnout.settings import Settings
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

KINDS = {"kserve-modelmesh": INFERENCE_SERVICE, "istio": VIRTUAL_SERVICE}
"""Plugins that the policies here use, each with a kind that nobody else needs."""


def under(bed: Bed, **lists: Any) -> Registry:
    """What the settings `pluginNames` leave of the plugins."""
    settings = Settings.of({"pluginNames": lists})
    assert not list(settings.problems(bed.registry))
    return bed.registry.without(settings.plugin_names.keeps_out)


@pytest.mark.parametrize("name", [*KINDS, "blue-green"])
def test_routes_stay_while_a_plugin_of_theirs_is_kept_out(halves: Bed, name: str) -> None:
    """And go on from there once it is back."""
    before = halves.get(vs())
    halves.restart(registry=under(halves, block=[name]))
    halves.until(lambda: halves.condition("Accepted") == ("False", "PluginNotAllowed"))
    assert f'"{name}" is installed, but the administrator\'s settings keep it out' in halves.message(
        "Accepted"
    )
    assert halves.condition("Routed") == ("False", "NotAccepted")
    halves.settle()
    assert halves.get(vs()) == before

    halves.restart()
    halves.until(lambda: halves.condition("Routed") == ("True", "InForce"))
    assert halves.get(vs()) == before


@pytest.mark.parametrize(("name", "kind"), KINDS.items(), ids=KINDS)
def test_kinds_of_a_plugin_that_is_kept_out_are_not_watched(halves: Bed, name: str, kind: Kind) -> None:
    def followed() -> bool:
        return str(kind) in {call.resource for call in halves.calls}

    halves.restart()
    halves.until(followed)
    halves.stop()
    halves.forget_calls()
    halves.start(registry=under(halves, block=[name]))
    halves.until(lambda: halves.condition("Accepted") == ("False", "PluginNotAllowed"))
    halves.settle(3.0)
    assert not followed()


def test_another_router_takes_over_where_only_it_is_allowed(halves: Bed) -> None:
    halves.restart(registry=under(halves, allow={"routers": ["toy-table"]}))
    halves.until(lambda: halves.condition("Accepted") == ("False", "PluginNotAllowed"))
    assert halves.message("Accepted").endswith("(pluginNames.allow.routers); allowed: toy-table")
    halves.policy(router="toy-table")
    halves.until(lambda: halves.condition("Routed") == ("True", "Moving"))
    assert "VirtualService models/wisdom" in halves.message("Routed")


@pytest.mark.parametrize("allowed", [["toy-table"], []], ids=["another", "none"])
def test_what_a_router_that_is_kept_out_routes_to_is_held_until_the_limit(
    halves: Bed, allowed: list[str]
) -> None:
    """Its routes are not read, and may lead anywhere. Nothing moves them."""
    halves.restart(registry=under(halves, allow={"routers": allowed}))
    halves.until(lambda: halves.condition("Accepted") == ("False", "PluginNotAllowed"))
    halves.settle()
    assert LIMIT - SLACK < seconds_to_go(halves, "wisdom-1") < LIMIT + SLACK
