"""The suite of strategies."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any, ClassVar

import orjson

from turnout.calling import PluginError, describe
from turnout.decision.accept import Accepted, Refused
from turnout.decision.seal import seal, sealed_state
from turnout.plugin import Decision, Inputs, Policy, Strategy, Uses
from turnout.shown import shown
from turnout.testing.builders import accepted
from turnout.testing.conformance import odd
from turnout.testing.conformance.axis import AxisConformance
from turnout.testing.conformance.calls import Call, plain
from turnout.testing.conformance.counterparts import PlainEnvironment, PlainRouter
from turnout.testing.conformance.situations import Situation, complete, of_policy, situations
from turnout.testing.conformance.variants import variants

DECIDE = "turnout.plugin.Strategy.decide"
DECISION = "turnout.plugin.Decision"
STATE = "turnout.plugin.Decision.state"
USES = "turnout.plugin.Strategy.uses"
STRIDE = 5
"""To ask in each of the situations several times, and elsewhere too, would take long."""
ROUNDS = 3
"""So often a strategy with state is asked again."""
OF_ANOTHER_RELEASE = {"ofAnotherRelease": {"step": 1}}
"""A state that a strategy does not know."""
LATER = timedelta(hours=1)
AFTER = (timedelta(days=1), timedelta(days=365), timedelta(days=3650))


class StrategyConformance(AxisConformance[Strategy[Any]]):
    """What every strategy does. A subclass gives `plugin`, and `options` with which its behaviour differs."""

    axis: ClassVar[Any] = Strategy

    accepted: ClassVar[Sequence[Policy]] = ()
    """Policies that `check` accepts, for a plugin that refuses what the suite makes by itself."""

    def calls(self) -> Iterator[Call]:
        yield from self.calls_of_all()
        for document, (label, options) in zip(self.options, self.parsed(), strict=True):
            for one in (*islice(situations(self.plugin.uses), 0, None, STRIDE), *self._own()):
                if not self._accepts(one, document):
                    continue
                where = f"{one.where} with options {label}"
                yield Call(where, "decide", (one.inputs, options))
                for about, inputs in self._later(one.inputs, options):
                    yield Call(f"{where}, {about}", "decide", (inputs, options))

    def _later(self, inputs: Inputs, options: Any) -> Iterator[tuple[str, Inputs]]:
        """The same, asked later, with the state that it has kept and without."""
        later = replace(inputs, now=inputs.now + LATER)
        yield "with a state of another release", replace(inputs, state=OF_ANOTHER_RELEASE)
        with suppress(Exception):
            if kept := orjson.loads(orjson.dumps(dict(self.plugin.decide(inputs, options).state))):
                yield "with its last state", replace(inputs, state=kept)
                yield "an hour later with its last state", replace(later, state=kept)
        yield "an hour later", later  # in the end, so that the other process is asked this first

    def test_decisions_keep_the_rules(self) -> None:
        """Whatever the versions are, core can seal the decision.

        It routes only to versions that are available and not excluded, or to the primary alone in the last
        rule; only the last rule has no matches; weights are integers 0..1000000, and percentages 0..100.
        """
        for where, of, situation, options in self._situations():
            try:
                decision = self.plugin.decide(situation.inputs, options)
            except Exception as error:
                raise self.fault(where, describe(error), "a Decision", DECIDE) from error
            step = partial(seal, decision, of, situation.inputs.versions)
            self.core(where, "a decision that keeps the rules", DECIDE, step)

    def test_ready_versions_get_calls(self) -> None:
        """Where every version is ready and none has weight 0, the last rule has shares."""
        for where, _, situation, _, decision in self._decisions():
            able = all(one.ready and not one.excluded for one in situation.inputs.versions)
            if able and not decision.rules[-1].shares:
                expected = "shares: without them core holds the routes in force"
                raise self.fault(where, "a last rule without shares", expected, DECISION)

    def test_reasons_are_about_versions_of_the_policy(self) -> None:
        """`reasons` has sentences by the names of versions."""
        for where, _, situation, _, decision in self._decisions():
            known = {one.name for one in situation.inputs.versions}
            for name, reason in decision.reasons.items():
                if name not in known or not isinstance(reason, str) or "\n" in reason:
                    found = f"{shown(reason)} for {shown(name)}"
                    expected = f"a sentence on one line for one of {', '.join(sorted(known))}"
                    raise self.fault(where, found, expected, f"{DECISION}.reasons")

    def test_state_comes_back_as_json(self) -> None:
        """What `state` holds is small JSON, with which the strategy decides on when it is asked later."""
        for where, of, situation, options, first in self._decisions():
            decision, inputs = first, situation.inputs
            for _ in range(ROUNDS if decision.state else 0):
                told = f"{where}; state {shown(repr(dict(decision.state)))}"
                step = partial(sealed_state, decision, of)
                kept = self.core(told, "JSON of 16 KiB at most", STATE, step)
                later = inputs.now + (decision.requeue_after or timedelta(minutes=1))
                inputs = replace(inputs, state=kept, now=later)
                again = f"{where}, asked again with the state {shown(dict(kept))}"
                decision = self._decide(again, of, inputs, options)

    def test_any_state_is_taken(self) -> None:
        """A state of another release is no reason to fail: what it does not tell begins anew."""
        for where, of, situation, options, first in self._with_states():
            kept = sealed_state(first, of)
            others = [
                ("a state of another release", OF_ANOTHER_RELEASE),
                ("a key of another one", {**kept, **OF_ANOTHER_RELEASE}),
            ]
            for about, state in (*others, *odd.oddities(kept)):
                told = f"{where}, asked with the state {shown(dict(state))}: {about}"
                self._decide(told, of, replace(situation.inputs, state=state), options)

    def test_it_decides_however_late_it_is_asked(self) -> None:
        """A candidate that is pending for years, or a controller that was away, is no reason to fail."""
        for where, of, situation, options, first in islice(self._decisions(), 0, None, STRIDE):
            inputs, decision = situation.inputs, first
            for after in AFTER:
                with suppress(PluginError):
                    inputs = replace(inputs, state=sealed_state(decision, of))
                inputs = replace(inputs, now=inputs.now + after)
                decision = self._decide(f"{where}, {after.days} days later", of, inputs, options)

    def _with_states(self) -> Iterator[tuple[str, Accepted, Situation, Any, Decision]]:
        """Decisions whose states differ in their keys, one of each, and one that has none."""
        known = set()
        for where, of, situation, options, decision in self._decisions():
            with suppress(PluginError):
                keys = (str(options), *sorted(sealed_state(decision, of)))
                if keys not in known:
                    known.add(keys)
                    yield where, of, situation, options, decision

    def _decide(self, where: str, of: Accepted, inputs: Inputs, options: Any) -> Decision:
        try:
            decision = self.plugin.decide(inputs, options)
            seal(decision, of, inputs.versions)
        except Exception as error:
            raise self.fault(where, describe(error), "a Decision", STATE) from error
        return decision

    def test_what_it_uses_counts(self) -> None:
        """Each input in `uses` changes a decision somewhere: else a policy could give it in vain.

        Skipped for what `check` lets nobody change by itself.
        """
        unknown = []
        for use in sorted(self.plugin.uses):
            several = False
            for _, rules in self._varied(use):
                several = True
                if len(rules) > 1:
                    break
            else:
                if several:
                    found = f"no decision that {use} changes"
                    expected = "one at least, with one of this suite's `options`; else leave it out of `uses`"
                    raise self.fault("uses", found, expected, USES)
                unknown.append(str(use))
        if unknown:
            raise self.skip(f"its `check` refuses every policy in which only {', '.join(unknown)} changes")

    def test_nothing_else_counts(self) -> None:
        """An input that is not in `uses` changes nothing: core refuses policies that give it."""
        for use in sorted(frozenset(Uses) - self.plugin.uses):
            for where, rules in self._varied(use):
                if len(rules) > 1:
                    raise self.fault(where, f"other rules with other {use}", f"{use} in `uses`", USES)

    def _situations(self) -> Iterator[tuple[str, Accepted, Situation, Any]]:
        """The situations that core would ask about: their policies are accepted, by `check` too."""
        for document, (label, options) in zip(self.options, self.parsed(), strict=True):
            refused = None
            asked = False
            for situation in (*situations(self.plugin.uses), *self._own()):
                where = f"{situation.where} with options {label}"
                try:
                    of = self._accept(situation, document)
                except PluginError as error:
                    raise self.fault(
                        where, error.message, "faults, or none", "turnout.plugin.Plugin.check"
                    ) from error
                except Refused as error:
                    refused = error
                    continue
                asked = True
                yield where, of, situation, options
            if not asked:
                found = f"that it accepts none of the policies: {refused}"
                expected = "one at least; give `accepted`, policies that it accepts"
                raise self.fault(f"options {label}", found, expected, "this suite's `options` and `accepted`")

    def _accept(self, situation: Situation, document: Mapping[str, Any]) -> Accepted:
        config = {self.plugin.name: document}
        return accepted(PlainEnvironment(), self.plugin, PlainRouter(), of=situation.policy, config=config)

    def _decisions(self) -> Iterator[tuple[str, Accepted, Situation, Any, Decision]]:
        """The decisions that core can seal: for the others there is a check."""
        for where, of, situation, options in self._situations():
            try:
                decision = self.plugin.decide(situation.inputs, options)
                seal(decision, of, situation.inputs.versions)
            except Exception:  # noqa: BLE001, S112  plugin code
                continue
            yield where, of, situation, options, decision

    def _varied(self, use: Uses) -> Iterator[tuple[str, set[bytes]]]:
        """What is decided in situations in which one input varies, where two of them can be asked about.

        That is where `check` has nothing against the policies, and no plugin raises. An input that is not
        in `uses` core refuses itself: then the policy without it has to be accepted.
        """
        for document, (label, options) in zip(self.options, self.parsed(), strict=True):
            for situation in (*situations(frozenset()), *complete(self.plugin.uses), *self._own()):
                if use not in self.plugin.uses and not self._accepts(situation, document):
                    continue
                asked = []
                for one in variants(situation, use):
                    if use not in self.plugin.uses or self._accepts(one, document):
                        with suppress(Exception):
                            asked.append(_rules(self.plugin.decide(one.inputs, options)))
                if len(asked) > 1:
                    yield f"{situation.where} with options {label}", set(asked)

    def _accepts(self, situation: Situation, document: Mapping[str, Any]) -> bool:
        try:
            self._accept(situation, document)
        except (PluginError, Refused):
            return False
        return True

    def _own(self) -> Iterator[Situation]:
        for policy in self.accepted:
            yield from of_policy(policy)


def _rules(decision: Decision) -> bytes:
    """What a decision's rules say, without what it was told of the versions."""
    return orjson.dumps(
        [
            [
                [plain(match) for match in rule.matches],
                [[share.version.name, share.weight, share.set_response_headers] for share in rule.shares],
                [[mirror.version.name, mirror.percentage] for mirror in rule.mirrors],
            ]
            for rule in decision.rules
        ]
    )
