"""The toys meet in a plan as real plugins do: this is what the interfaces promise their authors."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.toys import ToyHosts, ToySteps, ToyTable
from tests.toys.hosts import ToyHostsOptions
from tests.toys.steps import ToyStepsOptions
from tests.toys.table import ToyTableOptions
from turnout.plugin import Feature, Inputs, Policy, RoutePlan, Version, VersionSpec

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPECS = (VersionSpec("wisdom-0", "models"), VersionSpec("wisdom-1", "models"))
POLICY = Policy("wisdom", "models", "wisdom", SPECS, "wisdom-0")


def knative_service(name: str, *, ready: str = "True") -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": ready}]
    return {"status": {"conditions": conditions, "url": f"http://{name}.models.example.com"}}


def version(spec: VersionSpec, *, ready: bool = True) -> Version:
    toy = ToyHosts()
    seen = toy.observe(knative_service(spec.name, ready=str(ready)))
    backends = toy.backends(spec, [seen], ToyHostsOptions())
    return Version(spec, seen.ready, bool(seen.ready), seen.reason, backends=backends)


@pytest.fixture
def both() -> tuple[Version, ...]:
    return tuple(version(spec) for spec in SPECS)


def inputs(versions: tuple[Version, ...], *, after: float = 0, state: dict[str, Any] | None = None) -> Inputs:
    return Inputs("wisdom-0", versions, NOW + timedelta(seconds=after), state=state or {})


def shares(decided: Any) -> dict[str, int]:
    return {share.version.name: share.weight for share in decided.rules[-1].shares}


def test_a_new_candidate_gets_the_first_step(both: tuple[Version, ...]) -> None:
    decision = ToySteps().decide(inputs(both), ToyStepsOptions())

    assert shares(decision) == {"wisdom-1": 10, "wisdom-0": 90}
    assert decision.requeue_after == timedelta(seconds=60)


def test_each_interval_is_a_step_counted_from_the_state(both: tuple[Version, ...]) -> None:
    first = ToySteps().decide(inputs(both), ToyStepsOptions())

    later = ToySteps().decide(inputs(both, after=130, state=dict(first.state)), ToyStepsOptions())

    assert shares(later) == {"wisdom-1": 30, "wisdom-0": 70}
    assert later.requeue_after == timedelta(seconds=50)


def test_the_last_step_is_everything_and_asks_for_no_more(both: tuple[Version, ...]) -> None:
    state = {"began": NOW.isoformat()}

    last = ToySteps().decide(inputs(both, after=3600, state=state), ToyStepsOptions())

    assert shares(last) == {"wisdom-1": 100}
    assert last.requeue_after is None


def test_a_candidate_that_is_lost_keeps_neither_traffic_nor_state() -> None:
    lost = (version(SPECS[0]), version(SPECS[1], ready=False))

    decision = ToySteps().decide(inputs(lost, after=200, state={"began": NOW.isoformat()}), ToyStepsOptions())

    assert shares(decision) == {"wisdom-0": 100}
    assert decision.state == {}


def test_an_object_without_an_address_has_no_backend() -> None:
    seen = ToyHosts().observe({})

    assert ToyHosts().backends(SPECS[0], [seen], ToyHostsOptions()) == {}


def test_the_three_toys_meet_in_a_plan(both: tuple[Version, ...]) -> None:
    decision = ToySteps().decide(inputs(both), ToyStepsOptions())
    frontends = tuple(ToyHosts().frontends(POLICY, ToyHostsOptions()))
    plan = RoutePlan(POLICY, frontends, decision.rules)

    (manifest,) = ToyTable().render(plan, ToyTableOptions())

    assert plan.features() == {Feature.WEIGHTS, Feature.AUTHORITY, Feature.AUTHORITY_PER_SHARE}
    assert manifest.name == "wisdom-table"
    assert json.loads(manifest.body["data"]["table.json"]) == {
        "wisdom.models.svc.cluster.local": [
            {
                "address": "knative-local-gateway.models:80",
                "authority": "wisdom-1.models.example.com",
                "headers": {},
                "weight": 10,
            },
            {
                "address": "knative-local-gateway.models:80",
                "authority": "wisdom-0.models.example.com",
                "headers": {},
                "weight": 90,
            },
        ]
    }
