"""The suite of strategies."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from tests.testing.conformance.checking import Broken, checks, failures, skipped
from tests.testing.conformance.sound import OfSoundStrategy, SoundStrategy
from turnout.plugin import Decision, Fault, Inputs, Match, Options, Rule, Share, Uses
from turnout.testing.builders import NOW, policy, spec
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
        if NOW < inputs.now < NOW + timedelta(hours=1):
            hash(inputs.state.get("steps", ()))
        return replace(super().decide(inputs, options), state={"steps": (1, 2)})


class Trusting(SoundStrategy):
    """Takes a state for its own."""

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        before = inputs.state["asked"] if inputs.state else 0
        return replace(super().decide(inputs, options), state={"asked": int(before == 1)})


class LosesPatience(SoundStrategy):
    """Waits for a candidate for a day."""

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        pending = any(one.ready is False for one in inputs.versions)
        if pending and inputs.now - NOW > timedelta(hours=24, minutes=1):
            raise TimeoutError("the candidate does not get ready")
        return super().decide(inputs, options)


class CountsDown(SoundStrategy):
    """Decides by what it was asked last, if it has a state."""

    asked: ClassVar[list[Any]] = []

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        if not inputs.state:
            return made
        self.asked.append(inputs.now)
        return replace(made, state={"asked": len(self.asked)})


class KeepsItsFirstAnswer(SoundStrategy):
    """Has a cache that knows neither times nor states."""

    asked: ClassVar[dict[Any, Any]] = {}

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        reason = self.asked.setdefault((inputs.primary, len(inputs.versions)), f"at {inputs.now}")
        return replace(made, reasons={inputs.primary: reason})


class ClaimsMatches(SoundStrategy):
    uses = frozenset({Uses.WEIGHTS, Uses.MATCHES})


class ConcealsMirrors(SoundStrategy):
    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        if inputs.mirror_percentage is None:
            return made
        return replace(made, rules=(Rule("default", made.rules[0].shares[:1]),))


class InSum(SoundStrategy):
    """Asks for weights that sum up to 100, and counts them."""

    def check(self, policy: Any, options: Options) -> Any:
        if sum(one.weight or 0 for one in policy.versions) != 100:
            yield Fault("spec.modelVersions", "found weights that do not sum up to 100")


class ByHeader(SoundStrategy):
    """Asks for headers to match by on each candidate, and for weights that sum up to 100."""

    uses = frozenset({Uses.WEIGHTS, Uses.MATCHES})

    def check(self, policy: Any, options: Options) -> Any:
        for index, one in enumerate(policy.versions):
            if one.name != policy.primary and not any(match.headers for match in one.matches):
                yield Fault(f"spec.modelVersions[{index}].match", "is missing, expected a header")
        yield from InSum.check(self, policy, options)  # type: ignore[arg-type]

    def decide(self, inputs: Inputs, options: Options) -> Decision:
        made = super().decide(inputs, options)
        able = [share.version for share in made.rules[0].shares]
        rules = [Rule(v.name, (Share(v, 1),), v.spec.matches) for v in able if v.spec.matches]
        return replace(made, rules=(*rules, *made.rules))


class ForOwls(SoundStrategy):
    """Serves but one model, in which nothing varies."""

    def check(self, policy: Any, options: Options) -> Any:
        if [one.weight for one in policy.versions] != [60, 30, 10]:
            yield Fault("spec.modelVersions", "found others, expected three of 60, 30 and 10")


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
    Broken(of(Trusting), "test_any_state_is_taken", "a state of another release: found KeyError"),
    Broken(
        of(LosesPatience), "test_it_decides_however_late_it_is_asked", "365 days later: found TimeoutError"
    ),
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


@pytest.mark.parametrize("plugin", [InSum, ByHeader])
def test_a_strategy_that_asks_for_much_is_asked_about_such_policies(plugin: type[SoundStrategy]) -> None:
    """Weights that sum up to 100, say, are changed together; what `check` refuses is passed over."""
    assert failures(of(plugin)) == {}


def test_inputs_that_nobody_can_change_alone_are_skipped() -> None:
    """What is to be asked about instead are policies of the suite's."""
    policies = (policy(spec("owl-0", 60), spec("owl-1", 30), spec("owl-2", 10)),)

    assert "accepts none of the policies" in failures(of(ForOwls))["test_decisions_keep_the_rules"]
    assert failures(of(ForOwls, accepted=policies)) == {}
    why = skipped(of(ForOwls, accepted=policies), "test_what_it_uses_counts")
    assert "its `check` refuses every policy in which only weights changes" in why


@pytest.mark.parametrize(
    ("plugin", "check"),
    [
        (CountsDown, "test_answers_do_not_depend_on_earlier_calls"),
        (KeepsItsFirstAnswer, "test_answers_are_the_same_in_another_process"),
    ],
)
def test_a_strategy_is_pure_with_a_state_and_later_too(plugin: type[SoundStrategy], check: str) -> None:
    plugin.asked.clear()  # type: ignore[attr-defined]

    assert check in failures(of(plugin), elsewhere=True)


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
