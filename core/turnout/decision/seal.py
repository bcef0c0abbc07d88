"""Turns what a strategy decided into a plan that no plugin can have got wrong."""

from collections.abc import Mapping
from typing import Any

import orjson

from turnout.calling import PluginError
from turnout.decision import answers, wellformed
from turnout.decision.accept import Accepted
from turnout.plugin import Decision, Mirror, RoutePlan, Rule, Share, Version
from turnout.shown import plain, sentence, shown

STATE_LIMIT = 16 * 1024
"""Bytes of a strategy's state: it lives in the policy's status."""

HEAVIEST = 1_000_000
"""The largest weight, as in the policy's schema."""


def seal(decision: Decision, accepted: Accepted, versions: tuple[Version, ...]) -> RoutePlan | None:
    """The plan with zero weights dropped; None if nothing is left to carry the default traffic.

    A primary that is not ready or has weight 0 may keep that traffic alone, and share it with nobody.
    Raises PluginError for a decision that breaks a rule: the strategy is at fault, not the policy.
    """
    fault = _Faults(accepted)
    answers.check(accepted.strategy.name, "decide", wellformed.of_decision(decision))
    rules = _rules(decision, {version.name: version for version in versions}, fault)
    if not rules[-1].shares:
        return None
    plan = RoutePlan(accepted.policy, accepted.frontends, tuple(rule for rule in rules if rule.shares))
    for rule in plan.rules:
        alone = not rule.matches and len(rule.shares) == 1
        for share in rule.shares:
            _check_named(share.version, rule, fault, primary_may=alone)
        for mirror in rule.mirrors:
            _check_named(mirror.version, rule, fault, primary_may=False)
    return plan if all(_reachable(version, plan) for version in plan.versions()) else None


def sealed_reasons(decision: Decision, accepted: Accepted) -> Mapping[str, str]:
    """The sentences of the policy's versions, each on one line and cut where it gets long.

    Raises PluginError for what is no text.
    """
    reasons = {}
    for version in accepted.policy.versions:
        if version.name in decision.reasons:
            reason: object = decision.reasons[version.name]
            if not isinstance(reason, str):
                found = f"the reason {shown(reason)} for {version.name}"
                raise answers.wrong(accepted.strategy.name, "decide", found, "a sentence")
            reasons[version.name] = sentence(reason)
    return reasons


def sealed_state(decision: Decision, accepted: Accepted) -> Mapping[str, Any]:
    """The state as JSON gives it back: a tuple is a list, so that equal states stay equal.

    Raises PluginError for what is no JSON or too large.
    """
    fault = _Faults(accepted)
    try:
        text = orjson.dumps(dict(decision.state))
    except (TypeError, ValueError) as error:
        raise fault(f"the state is no JSON: {error}") from error
    if len(text) > STATE_LIMIT:
        raise fault(f"the state has {len(text)} bytes, expected at most {STATE_LIMIT}")
    state: Mapping[str, Any] = orjson.loads(text)
    return state


class _Faults:
    """Makes the errors of a strategy."""

    def __init__(self, accepted: Accepted) -> None:
        self.primary = accepted.policy.primary
        self._strategy = accepted.strategy.name

    def __call__(self, message: str) -> PluginError:
        return PluginError(self._strategy, f"plugin {self._strategy}: decide: {message}")


def _rules(decision: Decision, known: Mapping[str, Version], fault: _Faults) -> list[Rule]:
    rules = [_rule(rule, known, fault) for rule in decision.rules]
    if not rules or rules[-1].matches:
        raise fault("the last rule has matches; it has to take every call that is left")
    if any(not rule.matches for rule in rules[:-1]):
        raise fault("a rule before the last has no matches; nothing would reach those behind it")
    return rules


def _rule(rule: Rule, known: Mapping[str, Version], fault: _Faults) -> Rule:
    """The rule over core's own versions, so that a strategy cannot pass on others."""
    shares = []
    for share in rule.shares:
        version, weight = _known(share.version, known, fault), share.weight
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight <= HEAVIEST:
            told = f"weight {shown(weight)} of {version.name}, expected an integer 0..{HEAVIEST}"
            raise fault(f"rule {rule.name}: {told}")
        if weight:
            shares.append(Share(version, weight, share.set_response_headers))
    mirrors = []
    for mirror in rule.mirrors:
        version, percentage = _known(mirror.version, known, fault), mirror.percentage
        number = isinstance(percentage, int | float) and not isinstance(percentage, bool)
        if not number or not 0 <= percentage <= 100:
            raise fault(f"rule {rule.name}: mirrors {shown(percentage)}% to {version.name}, expected 0..100")
        if percentage:
            mirrors.append(Mirror(version, float(percentage)))
    for named in ([share.version.name for share in shares], [mirror.version.name for mirror in mirrors]):
        if len(set(named)) < len(named):
            raise fault(f"rule {rule.name}: names a version twice")
    return Rule(rule.name, tuple(shares), tuple(rule.matches), tuple(mirrors))


def _known(version: Version, known: Mapping[str, Version], fault: _Faults) -> Version:
    if version.name not in known:
        raise fault(f"routes to {plain(version.name)}, which is no version of the policy")
    return known[version.name]


def _check_named(version: Version, rule: Rule, fault: _Faults, *, primary_may: bool) -> None:
    if primary_may and version.name == fault.primary:
        return
    if not version.available:
        raise fault(f"rule {rule.name}: routes to {version.name}, which is not ready")
    if version.excluded:
        raise fault(f"rule {rule.name}: routes to {version.name}, which has weight 0")


def _reachable(version: Version, plan: RoutePlan) -> bool:
    return all(frontend.name in version.backends for frontend in plan.frontends)
