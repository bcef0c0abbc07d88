"""Plugins that fail, and plugins with time and state: what they may do to policies, and what not."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.runtime.harness import NAMESPACE, Bed, Object, isvc, refuse, rp, vs
from tests.toys.naughty import Hangs, Nonsense, Oversteps, Raises, Recurses
from tests.toys.odd import odd
from tests.toys.table import CONFIG_MAP
from turnout.names import ROUTING_POLICY
from turnout.plugin import (
    Decision,
    Inputs,
    Observation,
    Options,
    Plugin,
    Ref,
    Rule,
    Share,
    Strategy,
    VersionSpec,
)
from turnout.runtime.transport import Request
from turnout_kserve_modelmesh.environment import KServeModelMesh


def with_neighbour(bed: Bed, **spec: Any) -> Bed:
    """A policy that uses a plugin, and one that does not."""
    for name in ("wisdom", "other"):
        bed.version(f"{name}-0")
    bed.policy(**spec)
    bed.policy("other")
    bed.start()
    return bed


@pytest.mark.parametrize(
    ("plugin", "told"),
    [
        (Raises(), "this strategy always fails"),
        (Raises(SystemExit(1)), "SystemExit"),
        (Recurses(), "RecursionError"),
        (Nonsense(), "decide returned str, expected a Decision"),
        (Nonsense(None), "decide returned NoneType, expected a Decision"),
    ],
    ids=["raises", "exits", "recurses", "nonsense", "nothing"],
)
def test_a_strategy_that_fails_marks_only_its_own_policies(
    make_bed: Callable[..., Bed], plugin: Plugin[Any], told: str
) -> None:
    """With the plugin's name and what it did; the others go on."""
    bed = with_neighbour(make_bed(plugin), trafficStrategy=plugin.name)
    bed.until(lambda: bed.condition("Routed") == ("False", "PluginFailed"))
    assert f"plugin {plugin.name}" in bed.message("Routed")
    assert told in bed.message("Routed")
    bed.until(lambda: bed.condition("Routed", "other") == ("True", "InForce"))
    bed.version("other-1")
    bed.until(lambda: bed.shares("other") == {"other-0": 50, "other-1": 50})


def test_a_strategy_that_hangs_is_left_behind(make_bed: Callable[..., Bed]) -> None:
    """The others go on after five seconds."""
    hangs = Hangs()
    bed = with_neighbour(make_bed(hangs), trafficStrategy="toy-hangs")
    bed.until(lambda: bed.condition("Routed") == ("False", "PluginFailed"))
    assert "did not return within 5 s" in bed.message("Routed")
    bed.until(lambda: bed.condition("Routed", "other") == ("True", "InForce"))
    hangs.release.set()


def test_a_router_that_writes_what_it_did_not_declare_writes_nothing(make_bed: Callable[..., Bed]) -> None:
    bed = with_neighbour(make_bed(Oversteps()), router="toy-oversteps")
    bed.until(lambda: bed.condition("Routed") == ("False", "PluginFailed"))
    assert "a Secret, a kind that it does not declare" in bed.message("Routed")
    assert not bed.exists(Ref(CONFIG_MAP, NAMESPACE, "wisdom-table"))


def test_routes_stay_when_their_strategy_begins_to_fail(make_bed: Callable[..., Bed]) -> None:
    """And what they lead to stays protected."""
    bed = make_bed(Raises())
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    before = bed.get(vs())
    bed.policy(trafficStrategy="toy-raises")
    bed.until(lambda: bed.condition("Routed") == ("False", "PluginFailed"))
    bed.restart()
    bed.settle()
    assert bed.get(vs()) == before
    assert bed.split() == "wisdom-0 50% / wisdom-1 50%"
    assert bed.protected("wisdom-0")
    assert bed.protected("wisdom-1")


def test_a_strategy_that_recovers_is_asked_again(make_bed: Callable[..., Bed]) -> None:
    """Without anybody touching the policy."""
    nonsense = Nonsense()
    bed = with_neighbour(make_bed(nonsense), trafficStrategy="toy-nonsense")
    bed.until(lambda: bed.condition("Routed") == ("False", "PluginFailed"))
    nonsense.decide = lambda inputs, options: everything(inputs)  # type: ignore[method-assign]
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})


def everything(inputs: Inputs) -> Decision:
    share = Share(inputs.version(inputs.primary), 100)
    return Decision((Rule("default", (share,)),), {})


class Picky(KServeModelMesh):
    """An environment that stumbles over one object."""

    name = "toy-picky"

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        if obj["metadata"]["name"] == "wisdom-1":
            raise KeyError("status")
        return super().observe(obj)


class ByKind(KServeModelMesh):
    """An environment of a built-in kind, whose objects it reads by their kind."""

    name = "toy-by-kind"
    watches = (CONFIG_MAP,)
    drain = False

    def refs(self, version: VersionSpec, options: Options) -> tuple[Ref, ...]:
        return (Ref(CONFIG_MAP, version.namespace, version.name),)

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        return Observation(obj["kind"] == "ConfigMap", "Ready")


def test_an_object_tells_its_kind_whether_it_was_listed_or_watched(make_bed: Callable[..., Bed]) -> None:
    """The API server leaves it out where it lists built-in kinds."""

    def deploy(name: str) -> None:
        config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
        bed.cluster.apply_manifest(config_map, namespace=NAMESPACE)

    bed = make_bed(ByKind())
    deploy("wisdom-0")
    bed.policy(targetEnv="toy-by-kind")
    bed.start()
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    assert bed.status()["versions"][0]["ready"] == "True"
    deploy("wisdom-1")
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")


def test_an_object_that_its_environment_cannot_read_is_unknown(make_bed: Callable[..., Bed]) -> None:
    """It does not enter, the versions beside it do, and the status says why."""
    bed = make_bed(Picky())
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(targetEnv="toy-picky")
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.settle()
    second = bed.status()["versions"][1]
    assert (second["ready"], second["reason"]) == ("Unknown", "PluginFailed")
    assert "toy-picky" in second["message"]


def test_an_observation_of_wrong_types_is_told_in_the_status(make_bed: Callable[..., Bed]) -> None:
    """And no version enters by it."""
    seen: Any = Observation(True, None, revision=7)  # type: ignore[arg-type]
    bed = make_bed(odd(KServeModelMesh, observe=seen))
    bed.version("wisdom-0")
    bed.policy(targetEnv="odd")
    bed.start()
    bed.until(lambda: bed.condition("Ready") == ("False", "NoVersionReady"))
    first = bed.status()["versions"][0]
    assert (first["ready"], first["reason"]) == ("Unknown", "PluginFailed")
    assert first["message"].endswith("plugin odd: observe returned reason=null, expected reason to be a str")


def test_an_unknown_plugin_is_said_with_the_nearest_name(bed: Bed) -> None:
    bed.policy(trafficStrategy="blu-green")
    bed.start()
    bed.until(lambda: bed.condition("Accepted") == ("False", "UnknownPlugin"))
    assert 'did you mean "blue-green"?' in bed.message("Accepted")
    assert bed.condition("Ready") == ("False", "NotAccepted")


def test_a_plugin_that_is_not_installed_any_more_leaves_the_routes(bed: Bed) -> None:
    """An upgrade that lost a plugin must not cost traffic."""
    bed.version("wisdom-0")
    bed.policy()
    bed.start()
    bed.until(lambda: bed.condition("Routed") == ("True", "InForce"))
    bed.settle()
    before = bed.get(vs())
    without = type(bed.registry).by_axis(one for one in bed.registry if one.name != "istio")
    bed.restart(registry=without)
    bed.until(lambda: bed.condition("Accepted") == ("False", "UnknownPlugin"))
    bed.settle()
    assert bed.get(vs()) == before
    assert bed.protected("wisdom-0")


# time and state

STEP = {"toy-steps": {"step": 20, "interval": 4}}


@pytest.fixture
def stepping(bed: Bed) -> Bed:
    """A candidate that has just got its first step."""
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(trafficStrategy="toy-steps", config=STEP)
    bed.start()
    bed.until(lambda: bed.shares() == {"wisdom-0": 80, "wisdom-1": 20})
    return bed


def test_steps_of_time_go_on_by_themselves(stepping: Bed) -> None:
    """The strategy says when to ask again, up to the last step."""
    stepping.until(lambda: stepping.shares() == {"wisdom-0": 60, "wisdom-1": 40})
    stepping.until(lambda: stepping.shares() == {"wisdom-1": 100})
    stepping.settle()
    stepping.forget_calls()
    stepping.sleep(8)
    assert stepping.calls == []


def test_state_is_in_the_status_before_the_routes_move(bed: Bed) -> None:
    """Else a crash in between would begin the steps anew."""
    stored: list[bool] = []

    def look(request: Request) -> None:
        if request.method == "PATCH" and "/virtualservices/" in request.path:
            stored.append("strategyState" in bed.status())

    bed.cluster.on_request = look
    for name in ("wisdom-0", "wisdom-1"):
        bed.version(name)
    bed.policy(trafficStrategy="toy-steps", config=STEP)
    bed.start()
    bed.until(lambda: "wisdom-1" in bed.shares())
    assert stored == [True]


def test_routes_do_not_move_while_state_cannot_be_stored(stepping: Bed) -> None:
    stepping.cluster.on_request = refuse(kind=ROUTING_POLICY, verb="apply", code=500, reason="InternalError")
    stepping.delete(isvc("wisdom-1"))
    stepping.until(lambda: not stepping.exists(isvc("wisdom-1")))
    stepping.version("wisdom-1", label="v2")
    stepping.settle()
    assert stepping.shares() == {"wisdom-0": 80, "wisdom-1": 20}
    stepping.cluster.on_request = None
    stepping.until(lambda: stepping.status()["strategyState"]["candidates"].endswith("/1"))


def test_state_survives_a_restart(stepping: Bed) -> None:
    """The second step comes when it would have come."""
    began = stepping.status()["strategyState"]["data"]["began"]
    stepping.sleep(2)
    stepping.restart()
    stepping.until(lambda: stepping.shares() == {"wisdom-0": 60, "wisdom-1": 40})
    assert stepping.status()["strategyState"]["data"]["began"] == began


def test_another_candidate_begins_at_the_first_step(stepping: Bed) -> None:
    stepping.until(lambda: stepping.shares() == {"wisdom-0": 60, "wisdom-1": 40})
    stepping.delete(isvc("wisdom-1"))
    stepping.until(lambda: stepping.shares() == {"wisdom-0": 100})
    stepping.until(lambda: not stepping.exists(isvc("wisdom-1")))
    stepping.version("wisdom-1")
    stepping.until(lambda: stepping.shares() == {"wisdom-0": 80, "wisdom-1": 20})


def test_state_goes_with_the_strategy(stepping: Bed) -> None:
    stepping.policy()
    stepping.until(lambda: stepping.shares() == {"wisdom-0": 50, "wisdom-1": 50})
    stepping.settle()
    assert "strategyState" not in stepping.status()


class Impatient(Strategy[Options]):
    """Wants to be asked again at once, every time."""

    name = "toy-impatient"
    options = Options

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = everything(inputs)
        return Decision(made.rules, made.reasons, requeue_after=timedelta(0))


def test_a_strategy_is_not_asked_more_than_once_a_second(make_bed: Callable[..., Bed]) -> None:
    asked: list[int] = []
    impatient = Impatient()
    decide = impatient.decide

    def counted(inputs: Inputs, options: Options) -> Decision:
        asked.append(1)
        return decide(inputs, options)

    impatient.decide = counted  # type: ignore[method-assign]
    bed = with_neighbour(make_bed(impatient), trafficStrategy="toy-impatient")
    bed.until(lambda: bed.shares() == {"wisdom-0": 100})
    bed.settle()
    asked.clear()
    bed.forget_calls()
    began = bed.now()
    bed.sleep(5)
    seconds = (bed.now() - began).total_seconds()
    assert 2 <= len(asked) <= 2 * seconds + 2  # twice each: once as if all were ready
    assert bed.calls == []


def test_state_that_somebody_edits_is_only_the_strategys_affair(stepping: Bed) -> None:
    """What it cannot read is its failure, of its own policy alone."""
    stepping.policy(trafficStrategy="toy-steps", config={"toy-steps": {"step": 20, "interval": 3600}})
    stepping.settle()  # a turn in flight would write over what is edited, and so would a step that is due
    status: Object = stepping.status()
    status["strategyState"]["data"] = {"began": "yesterday"}
    stepping.cluster.set_status(rp(), status)
    stepping.until(lambda: stepping.condition("Routed") == ("False", "PluginFailed"))
    assert stepping.shares() == {"wisdom-0": 80, "wisdom-1": 20}
