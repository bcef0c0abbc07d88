"""The suite of strategies."""

from dataclasses import replace
from typing import Any

import pytest

from tests.testing.conformance.checking import Broken, checks, failures
from tests.testing.conformance.sound import OfSoundStrategy, SoundStrategy
from turnout.plugin import Decision, Fault, Inputs, Match, Options, Rule, Share, Uses
from turnout.testing.conformance import StrategyConformance
from turnout.testing.conformance.axis import AxisConformance


def of(plugin: type[SoundStrategy], **given: Any) -> type[StrategyConformance]:
    """A suite of that plugin."""
    return type(plugin.__name__, (OfSoundStrategy,), {"plugin": plugin(), **given})


class ToTheUnready(SoundStrategy):
    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        first = inputs.versions[0]
        if len(inputs.versions) == 16 and not first.available:
            made = replace(made, rules=(Rule("default", (Share(first, 1), *made.rules[0].shares)),))
        return made


class ToTheExcluded(SoundStrategy):
    def decide(self, inputs: Inputs, options: Options) -> Decision:
        able = [Share(one, one.spec.weight or 1) for one in inputs.versions if one.available]
        return replace(super().decide(inputs, options), rules=(Rule("default", tuple(able)),))


class InPercent(SoundStrategy):
    """Its weights are no integers."""

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        total = sum(share.weight for share in made.rules[0].shares) or 1
        shares = tuple(
            replace(one, weight=100 * one.weight / total)  # type: ignore[arg-type]  # its fault
            for one in made.rules[0].shares
        )
        return replace(made, rules=(Rule("default", shares),))


class MatchesAtTheEnd(SoundStrategy):
    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        return replace(made, rules=(replace(made.rules[0], matches=(Match(method="POST"),)),))


class Stumbles(SoundStrategy):
    """Takes it for granted that the primary is ready."""

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        if len(inputs.versions) == 2:
            next(share for share in made.rules[0].shares if inputs.version(inputs.primary).available)
        return made


class Idle(SoundStrategy):
    """Gives nothing to the only version."""

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        return replace(made, rules=(Rule("default", ()),)) if len(inputs.versions) == 1 else made


class Gossips(SoundStrategy):
    def decide(self, inputs: Inputs, options: Options) -> Decision:
        return replace(super().decide(inputs, options), reasons={"nobody": "is a version"})


class KeepsItself(SoundStrategy):
    """Its state is no JSON."""

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        return replace(super().decide(inputs, options), state={"inputs": inputs.now.tzinfo})


class Forgets(SoundStrategy):
    """Does not know its own state again, which JSON has made a list of."""

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        hash(inputs.state.get("steps", ()))
        return replace(super().decide(inputs, options), state={"steps": (1, 2)})


class ClaimsMatches(SoundStrategy):
    uses = frozenset({Uses.WEIGHTS, Uses.MATCHES})


class ConcealsMirrors(SoundStrategy):
    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        if inputs.mirror_percentage is None:
            return made
        return replace(made, rules=(Rule("default", made.rules[0].shares[:1]),))


BROKEN = (
    Broken(of(ToTheUnready), "test_decisions_keep_the_rules", "which is not ready"),
    Broken(of(ToTheExcluded), "test_decisions_keep_the_rules", "which has weight 0"),
    Broken(of(InPercent), "test_decisions_keep_the_rules", "expected an integer 0..1000000"),
    Broken(of(MatchesAtTheEnd), "test_decisions_keep_the_rules", "the last rule has matches"),
    Broken(of(Stumbles), "test_decisions_keep_the_rules", "found StopIteration"),
    Broken(of(Idle), "test_ready_versions_get_calls", "decide of wisdom-0 (ready); primary wisdom-0"),
    Broken(of(Gossips), "test_reasons_are_about_versions_of_the_policy", '"is a version" for "nobody"'),
    Broken(of(KeepsItself), "test_state_comes_back_as_json", "the state is no JSON"),
    Broken(of(Forgets), "test_state_comes_back_as_json", 'asked again with the state {"steps": [1, 2]}'),
    Broken(of(ClaimsMatches), "test_what_it_uses_counts", "no decision that matches changes"),
    Broken(of(ConcealsMirrors), "test_nothing_else_counts", "expected mirror-percentage in `uses`"),
)


def test_a_sound_strategy_passes() -> None:
    assert failures(OfSoundStrategy, elsewhere=True) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_fails_its_check_alone(broken: Broken) -> None:
    found = failures(broken.suite)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]


def test_every_check_of_its_own_can_fail() -> None:
    own = set(checks(StrategyConformance)) - set(checks(AxisConformance))
    assert {broken.check for broken in BROKEN} == own


def test_policies_that_a_strategy_refuses_are_no_samples() -> None:
    """So `check` may ask for what the strategy takes for granted."""

    class OnlyLight(SoundStrategy):
        def check(self, policy: Any, options: Options) -> Any:
            heavy = [n for n, one in enumerate(policy.versions) if (one.weight or 0) > 100]
            return [Fault("spec.modelVersions[0].weight", "found more than 100") for _ in heavy]

        def decide(self, inputs: Inputs, options: Options) -> Decision:
            assert all((one.spec.weight or 0) <= 100 for one in inputs.versions)
            return super().decide(inputs, options)

    StrategyConformance.test_decisions_keep_the_rules(of(OnlyLight)())


def test_a_strategy_that_refuses_every_policy_is_told() -> None:
    class Refuses(SoundStrategy):
        def check(self, policy: Any, options: Options) -> Any:
            return [Fault("spec.hosts", "found none")]

    with pytest.raises(AssertionError, match=r"accepts none of the policies: spec.hosts: found none"):
        StrategyConformance.test_decisions_keep_the_rules(of(Refuses)())
