"""The rights that the chart grants are those that the plugins declare, and no others."""

import json
from typing import Any

import pytest
import yaml

from tests.deploy.chart import CHART, granted, objects, only
from turnout.loading import load
from turnout.registry import OWN

READ = {"list", "watch"}
HELD = {"get", *READ, "patch"}
RELEASED = {"list", "patch"}
WRITTEN = {"get", *READ, "create", "patch", "delete"}
OWN_KINDS = {
    "routingpolicies.turnout.dev": {"get", *READ},
    "trafficweights.turnout.dev": {*READ, "patch"},
    "routingpolicies/status.turnout.dev": {"patch"},
    "trafficweights/status.turnout.dev": {"patch"},
    "events": {"create"},
}
REGISTRY = load(allow=[OWN])
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
OFF = [f"--set={axis}.{name}.enabled=false" for axis in ("environments", "routers") for name in VALUES[axis]]


def rules(*arguments: str, name: str = "turnout") -> dict[str, set[str]]:
    """The verbs by kind of a Role or ClusterRole, with only those plugins that are asked for."""
    found = objects(*OFF, *arguments)
    kind = "ClusterRole" if "--set=clusterScoped=true" in arguments else "Role"
    return granted(only(found, kind, name)["rules"])


def test_every_built_in_plugin_has_its_kinds_in_the_values() -> None:
    """And the values name no other plugin."""
    environments = {name: loaded.plugin for name, loaded in REGISTRY.environments.items()}
    routers = {name: loaded.plugin for name, loaded in REGISTRY.routers.items()}
    assert {name: (sorted(one["kinds"]), one["drain"]) for name, one in VALUES["environments"].items()} == {
        name: (sorted(map(str, one.watches)), one.drain) for name, one in environments.items()
    }
    assert {name: sorted(one["kinds"]) for name, one in VALUES["routers"].items()} == {
        name: sorted(map(str, one.writes)) for name, one in routers.items()
    }


@pytest.mark.parametrize("scope", [(), ("--set=clusterScoped=true",)], ids=["namespace", "cluster"])
def test_without_plugins_only_turnouts_own_kinds_are_granted(scope: tuple[str, ...]) -> None:
    assert rules(*scope) == OWN_KINDS


@pytest.mark.parametrize("name", REGISTRY.environments)
def test_an_environment_gets_what_it_declares(name: str) -> None:
    kinds = {str(kind) for kind in REGISTRY.environments[name].plugin.watches}
    enabled = f"--set=environments.{name}.enabled=true"
    assert rules(enabled) == OWN_KINDS | dict.fromkeys(kinds, HELD)
    without_drain = ("--set=settings.drain.enabled=false", enabled)
    assert rules(*without_drain) == OWN_KINDS | dict.fromkeys(kinds, READ)
    assert rules(enabled, name="turnout-release") == dict.fromkeys(kinds, RELEASED)


@pytest.mark.parametrize("drain", ["true", "false"])
def test_a_cluster_role_grants_what_a_role_does(drain: str) -> None:
    """With everything enabled, to the controller and to the Job of the uninstallation."""
    how = [*(one.replace("false", "true") for one in OFF), f"--set=settings.drain.enabled={drain}"]
    for name in ("turnout", "turnout-release"):
        of_role, of_cluster_role = rules(*how, name=name), rules(*how, "--set=clusterScoped=true", name=name)
        assert of_role
        assert of_cluster_role == of_role


@pytest.mark.parametrize("name", REGISTRY.routers)
def test_a_router_gets_what_it_declares(name: str) -> None:
    kinds = {str(kind) for kind in REGISTRY.routers[name].plugin.writes}
    assert rules(f"--set=routers.{name}.enabled=true") == OWN_KINDS | dict.fromkeys(kinds, WRITTEN)


def test_in_a_namespace_that_is_only_reached_versions_are_granted_and_no_policies() -> None:
    """By the settings' allowNamespaces, under a name that is the release's alone."""
    reach = {"team-a": ["models", "team-a", "team-b"], "*": ["shared"], "others": ["secret"]}
    found = objects(
        f"--set-json=settings.allowNamespaces={json.dumps(reach)}", "--set=namespaces={team-a,team-b}"
    )
    roles = [one for one in found if one["kind"] == "Role" and not one["metadata"]["name"].endswith("-lease")]
    names = {(one["metadata"]["namespace"], one["metadata"]["name"]): granted(one["rules"]) for one in roles}
    released = dict.fromkeys(("inferenceservices.serving.kserve.io",), RELEASED)
    reached = {"events": {"create"}, "inferenceservices.serving.kserve.io": HELD}
    own = names["team-a", "turnout"]
    assert own.items() > {**OWN_KINDS, **reached}.items()
    assert names == {
        ("team-a", "turnout"): own,
        ("team-b", "turnout.team-a"): own,
        ("models", "turnout.team-a"): reached,
        ("shared", "turnout.team-a"): reached,
        ("team-a", "turnout-release"): released,
        **{(one, "turnout-release.team-a"): released for one in ("team-b", "models", "shared")},
    }
    bound = {
        (one["metadata"]["namespace"], one["roleRef"]["name"])
        for one in found
        if one["kind"] == "RoleBinding" and not one["metadata"]["name"].endswith("-lease")
    }
    assert bound == names.keys()


def test_plugins_of_others_get_what_the_values_say_of_them() -> None:
    """An environment without a drain may only be read, and the Job of the uninstallation leaves it alone."""
    toys = "--set=environments.toys.enabled=true,environments.toys.kinds={toys.example.com,services}"
    maps = "--set=routers.maps.enabled=true,routers.maps.kinds={maps.example.com}"
    written = {"maps.example.com": WRITTEN}
    assert rules(toys, maps) == OWN_KINDS | written | dict.fromkeys(("toys.example.com", "services"), HELD)
    read = f"{toys},environments.toys.drain=false"
    assert rules(read, maps) == OWN_KINDS | written | dict.fromkeys(("toys.example.com", "services"), READ)
    assert not [one for one in objects(*OFF, read) if one["kind"] == "Job"]


def test_nothing_is_granted_on_secrets_or_by_wildcards() -> None:
    """With everything enabled, in all roles there are."""
    everything = [one.replace("false", "true") for one in OFF]
    found = objects(*everything, "--set=clusterScoped=true")
    roles = [one for one in found if one["kind"] in ("Role", "ClusterRole")]
    assert len(roles) == 7
    for role in roles:
        for kind, verbs in granted(role["rules"]).items():
            assert "*" not in {kind.partition(".")[0], *verbs}
            assert kind.partition("/")[0] not in ("secrets", "pods", "serviceaccounts", "nodes")


def test_a_lease_is_all_that_the_other_role_is_for() -> None:
    """By its name, but for its creation, which RBAC cannot tie to a name."""
    creates, changes = only(objects(), "Role", "turnout-lease")["rules"]
    assert (creates["resources"], creates["verbs"]) == (["leases"], ["create"])
    assert (changes["resourceNames"], changes["verbs"]) == (["turnout"], ["get", "patch"])
