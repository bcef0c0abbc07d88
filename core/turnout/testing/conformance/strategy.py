"""The suite of strategies."""

from collections.abc import Iterator, Mapping
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
from turnout.plugin import Decision, Match, Strategy, Uses
from turnout.shown import shown
from turnout.testing.builders import accepted
from turnout.testing.conformance.axis import AxisConformance
from turnout.testing.conformance.calls import Call, plain
from turnout.testing.conformance.counterparts import PlainEnvironment, PlainRouter
from turnout.testing.conformance.situations import Situation, situations

DECIDE = "turnout.plugin.Strategy.decide"
DECISION = "turnout.plugin.Decision"
STATE = "turnout.plugin.Decision.state"
USES = "turnout.plugin.Strategy.uses"
STRIDE = 5
"""To ask in each of the situations several times, and elsewhere too, would take long."""
ROUNDS = 3
"""So often a strategy with state is asked again."""


class StrategyConformance(AxisConformance[Strategy[Any]]):
    """What every strategy does. A subclass gives `plugin`, and `options` with which its behaviour differs."""

    axis: ClassVar[Any] = Strategy

    def calls(self) -> Iterator[Call]:
        yield from self.calls_of_all()
        for label, options in self.parsed():
            for one in islice(situations(self.plugin.uses), 0, None, STRIDE):
                yield Call(f"{one.where} with options {label}", "decide", (one.inputs, options))

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
                try:
                    decision = self.plugin.decide(inputs, options)
                    seal(decision, of, inputs.versions)
                except Exception as error:
                    raise self.fault(again, describe(error), "a Decision", STATE) from error

    def test_what_it_uses_counts(self) -> None:
        """Each input in `uses` changes a decision somewhere: else a policy could give it in vain."""
        for use in sorted(self.plugin.uses):
            if next(self._changes(use), None) is None:
                found = f"no decision that {use} changes"
                expected = "one at least, with one of this suite's `options`; else leave it out of `uses`"
                raise self.fault("uses", found, expected, USES)

    def test_nothing_else_counts(self) -> None:
        """An input that is not in `uses` changes nothing: core refuses policies that give it."""
        for use in sorted(frozenset(Uses) - self.plugin.uses):
            if where := next(self._changes(use), None):
                raise self.fault(where, f"other rules with other {use}", f"{use} in `uses`", USES)

    def _situations(self) -> Iterator[tuple[str, Accepted, Situation, Any]]:
        """The situations that core would ask about: their policies are accepted, by `check` too."""
        for document, (label, options) in zip(self.options, self.parsed(), strict=True):
            refused = None
            asked = False
            for situation in situations(self.plugin.uses):
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
                raise self.fault(f"options {label}", found, "one at least", "this suite's `options`")

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

    def _changes(self, use: Uses) -> Iterator[str]:
        """Where a decision changes with an input."""
        for document, (label, options) in zip(self.options, self.parsed(), strict=True):
            for situation in situations(frozenset()):
                rules: set[bytes] = set()
                for one in _variants(situation, use):
                    with suppress(Exception):
                        if use in self.plugin.uses:
                            self._accept(one, document)
                        rules.add(_rules(self.plugin.decide(one.inputs, options)))
                if len(rules) > 1:
                    yield f"{situation.where} with options {label}"


def _variants(situation: Situation, use: Uses) -> Iterator[Situation]:
    """The situation with other values of one input. A weight of 0 stays: it means the same to all."""
    primary, specs = situation.policy.primary, situation.policy.versions
    if use is Uses.MIRROR_PERCENTAGE:
        yield from (situation.with_specs(*specs, mirror_percentage=given) for given in (None, 25, 75))
    elif use is Uses.WEIGHTS:
        for first in (None, 1, 20):
            given = (None if first is None else n + first for n in range(len(specs)))
            weights = (0 if spec.weight == 0 else weight for spec, weight in zip(specs, given, strict=True))
            yield situation.with_specs(*(replace(s, weight=w) for s, w in zip(specs, weights, strict=True)))
    else:
        for matches in ((), (Match(method="POST"),), (Match(method="PUT"),)):
            yield situation.with_specs(
                *(spec if spec.name == primary else replace(spec, matches=matches) for spec in specs)
            )


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
