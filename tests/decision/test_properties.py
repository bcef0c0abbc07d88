"""What holds for every decision, whatever it starts from."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.decision.generating import CONDITIONS, JSON, ROUTED_BY_PRIMARY, STRATEGIES, Case, cases
from tests.decision.world import World
from turnout import status
from turnout.calling import Calls
from turnout.decision.decide import Outcome
from turnout.decision.drift import difference, foreign
from turnout.decision.observe import observe
from turnout.decision.render import render
from turnout.decision.shares import share_of, shares, split
from turnout.plugin import Match, Version
from turnout.reasons import Reason
from turnout.testing.builders import NOW, policy, spec
from turnout_istio.router import Istio
from turnout_kserve_modelmesh.environment import KServeModelMesh


def everywhere(outcome: Outcome, primary: str) -> Iterator[Version]:
    """Every version that gets calls or copies, but for a primary by the rule without matches."""
    for one in outcome.plan.rules if outcome.plan else ():
        for share in one.shares:
            if one.matches or share.version.name != primary:
                yield share.version
        for mirror in one.mirrors:
            yield mirror.version


def default(outcome: Outcome) -> list[str]:
    """The versions that get the calls which no rule matches."""
    return [share.version.name for share in outcome.plan.rules[-1].shares] if outcome.plan else []


@given(cases())
def test_shares_are_conserved(case: Case) -> None:
    """Every call goes somewhere, and every version in the routes gets some."""
    plan = case.world.ask().plan
    if plan is None:
        return

    assert round(sum(shares(plan).values()), 6) == 100
    assert all(share.weight > 0 for rule in plan.rules for share in rule.shares)
    assert all(0 < mirror.percentage <= 100 for rule in plan.rules for mirror in rule.mirrors)
    assert not plan.rules[-1].matches
    assert all(rule.matches for rule in plan.rules[:-1])


@given(cases())
def test_only_versions_that_may_carry_calls_do_while_there_are_any(case: Case) -> None:
    """A primary under canary and mirror aside, which keeps what no candidate is given."""
    outcome = case.world.ask()
    primary = case.world.accepted.policy.primary
    able = {version.name for version in outcome.versions if version.available and not version.excluded}
    if not able or outcome.held is Reason.NO_BACKEND:
        return

    assert {version.name for version in everywhere(outcome, primary)} <= able
    if case.strategy not in ROUTED_BY_PRIMARY:
        assert set(default(outcome)) <= able


@given(cases())
def test_a_version_that_is_gone_gets_nothing(case: Case) -> None:
    """Not even where routes are held. A primary may have what has no other place to go."""
    outcome = case.world.ask()
    primary = case.world.accepted.policy.primary

    gone = {name for name, condition in case.conditions.items() if condition in ("gone", "deleting")}

    assert gone.isdisjoint(version.name for version in everywhere(outcome, primary))
    if primary in gone and primary in default(outcome):
        assert default(outcome) == [primary]


@given(cases())
def test_a_version_enters_only_when_it_is_ready_and_its_deletion_can_wait(case: Case) -> None:
    outcome = case.world.ask()
    in_force = case.world.in_force
    before = {version.uid for version in in_force.versions()} if in_force else set()

    for version in everywhere(outcome, case.world.accepted.policy.primary):
        if version.uid not in before:
            assert version.ready is True
            assert case.conditions[version.name] == "ready" or not case.world.accepted.drain


@given(cases())
def test_the_same_input_gives_the_same_output(case: Case) -> None:
    """Equal outcomes, and manifests that are equal byte by byte."""
    one, other = case.world.ask(), case.world.ask()

    assert one == other
    if one.plan and other.plan:
        accepted = case.world.accepted
        made, again = render(one.plan, accepted, Calls()), render(other.plan, accepted, Calls())
        assert [(item.canonical, item.plan) for item in made] == [
            (item.canonical, item.plan) for item in again
        ]


@given(cases())
def test_a_decision_in_force_is_decided_again(case: Case) -> None:
    """Nothing changed, nothing moves."""
    first = case.world.decide()
    if first.plan is None:
        return

    assert split(case.world.decide().plan) == split(first.plan)


@given(cases())
def test_everyone_is_told_why(case: Case) -> None:
    outcome = case.world.ask()

    assert set(outcome.reasons) == set(case.conditions)
    for version in outcome.versions:
        assert outcome.reasons[version.name]
        assert share_of(outcome.plan, version.name)


@given(cases(("canary",)))
def test_of_identical_matches_the_earlier_ready_version_wins_and_the_other_is_told(case: Case) -> None:
    outcome = case.world.ask()
    if outcome.plan is None or outcome.held:
        return
    winner: dict[Match, str] = {}
    test = (Match(headers=(("traffic", "exact", "test"),)),)

    for version in outcome.versions:
        if version.name == case.world.accepted.policy.primary or not version.available or version.excluded:
            continue
        for match in dict.fromkeys(version.spec.matches or test):
            first = winner.setdefault(match, version.name)
            if first != version.name:
                assert first in outcome.reasons[version.name].partition("belong to ")[2]

    assert winner == {match: rule.name for rule in outcome.plan.rules[:-1] for match in rule.matches}


OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "metadata": JSON
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                (
                    "uid",
                    "resourceVersion",
                    "generation",
                    "labels",
                    "annotations",
                    "finalizers",
                    "ownerReferences",
                    "managedFields",
                    "deletionTimestamp",
                ),
                JSON,
            ),
        ),
        "status": JSON
        | st.fixed_dictionaries(
            {},
            optional={
                "conditions": JSON
                | st.lists(
                    st.fixed_dictionaries(
                        {"type": st.just("Ready") | JSON},
                        optional={"status": JSON, "reason": JSON, "message": JSON},
                    ),
                    max_size=2,
                ),
                "validationMessages": st.lists(
                    st.dictionaries(st.sampled_from(("level", "type")), JSON), max_size=2
                ),
            },
        ),
        "spec": JSON,
    },
)


@given(OBJECTS)
def test_nothing_in_an_object_breaks_a_decision(obj: dict[str, Any]) -> None:
    world = World("blue-green")
    found = observe(obj, [KServeModelMesh()], [Istio()], Calls())
    for refs in world.accepted.refs.values():
        world.objects[refs[0]] = found

    outcome = world.decide()

    assert outcome.plan is not None
    (*_, route) = render(outcome.plan, world.accepted, Calls())
    assert foreign(found, world.accepted.policy) is None or difference(route, found)
    status.versions(outcome.versions, outcome.reasons, "wisdom-0", outcome.plan)


@given(st.dictionaries(st.sampled_from(("strategy", "candidates", "data", "x")), JSON))
def test_nothing_in_a_strategys_state_breaks_a_decision(state: dict[str, Any]) -> None:
    world = World("toy-steps", environment="toy-hosts").ready("wisdom-0", "wisdom-1")
    world.state = state

    assert world.split() == {"wisdom-1": 10, "wisdom-0": 90}


KEYS = ("observedGeneration", "split", "versions", "routes", "strategyState", "conditions")


@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_nothing_in_a_status_breaks_the_next_one(previous: dict[str, Any]) -> None:
    verdicts = {"Accepted": status.Verdict(True, Reason.VALID)}

    made = status.policy_status(previous, generation=1, verdicts=verdicts, now=NOW)

    assert made["conditions"][0]["status"] == "True"


class Days(RuleBasedStateMachine):
    """What may happen to a model, one thing after the other, each followed by a decision."""

    @initialize(
        strategy=st.sampled_from(STRATEGIES[:3]),
        count=st.integers(1, 4),
        fallback=st.sampled_from(("primary", "candidate")),
    )
    def begin(self, strategy: str, count: int, fallback: str) -> None:
        config = {strategy: {"fallback": fallback}} if strategy in ROUTED_BY_PRIMARY else {}
        self.strategy = strategy
        self.names = [f"wisdom-{index}" for index in range(count)]
        self.world = World(strategy, policy(*self.names), config=config)
        self.uids = dict.fromkeys(self.names, 0)
        self.before: set[str] = set()
        self.condition = dict.fromkeys(self.names, "gone")
        self.outcome = self.world.decide()

    def decide(self) -> None:
        in_force = self.world.in_force
        self.before = {version.uid for version in in_force.versions()} if in_force else set()
        self.outcome = self.world.decide()

    def put(self, index: int, condition: str) -> None:
        name = self.names[index % len(self.names)]
        self.condition[name] = condition
        if condition == "gone":
            self.uids[name] += 1
            self.world.gone(name)
            return
        getattr(self.world, condition)(name)
        ref = self.world.accepted.refs[name][0]
        object.__setattr__(self.world.objects[ref], "uid", f"{name}/{self.uids[name]}")

    @rule(index=st.integers(0, 3), condition=st.sampled_from(CONDITIONS))
    def becomes(self, index: int, condition: str) -> None:
        self.put(index, condition)
        self.decide()

    @rule(index=st.integers(0, 3))
    def is_replaced(self, index: int) -> None:
        """Deleted and made anew, before anyone looks."""
        self.put(index, "gone")
        self.put(index, "unknown")
        self.decide()

    @rule(weights=st.lists(st.sampled_from((None, 0, 10, 100)), min_size=4, max_size=4))
    def get_weights(self, weights: list[int | None]) -> None:
        specs = [spec(name, weight) for name, weight in zip(self.names, weights, strict=False)]
        self.world.change(policy(*specs))
        self.decide()

    @invariant()
    def no_absent_version_is_routed_to(self) -> None:
        absent = {name for name, condition in self.condition.items() if condition in ("gone", "deleting")}
        primary = self.names[0]

        assert absent.isdisjoint(version.name for version in everywhere(self.outcome, primary))
        if primary in absent and primary in default(self.outcome):
            nothing_else = not any(
                version.available and not version.excluded for version in self.outcome.versions
            )
            assert self.strategy in ROUTED_BY_PRIMARY or nothing_else

    @invariant()
    def who_enters_is_ready_and_protected(self) -> None:
        for version in everywhere(self.outcome, self.names[0]):
            if version.uid not in self.before:
                assert self.condition[version.name] == "ready"

    @invariant()
    def all_calls_go_somewhere(self) -> None:
        assert round(sum(shares(self.outcome.plan).values()), 6) == 100


TestDays = Days.TestCase
TestDays.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
