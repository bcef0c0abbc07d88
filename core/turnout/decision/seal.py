"""Turns what a strategy decided into a plan that no plugin can have got wrong."""

from collections.abc import Mapping

import orjson

from turnout.calling import PluginError
from turnout.decision.accept import Accepted
from turnout.plugin import Decision, Mirror, RoutePlan, Rule, Share, Version

STATE_LIMIT = 16 * 1024
"""Bytes of a strategy's state: it lives in the policy's status."""


def seal(decision: Decision, accepted: Accepted, versions: tuple[Version, ...]) -> RoutePlan | None:
    """The plan with zero weights dropped; None if nothing is left to carry the default traffic.

    Raises PluginError for a decision that breaks a rule: the strategy is at fault, not the policy.
    """
    fault = _Faults(accepted)
    if not isinstance(decision, Decision):
        raise fault(f"decide returned {type(decision).__name__}, expected a Decision")
    known = {version.name: version for version in versions}
    rules = [_rule(rule, known, fault) for rule in decision.rules]
    _check_state(decision.state, fault)
    if not rules or rules[-1].matches:
        raise fault("the last rule has matches; it has to take every call that is left")
    if any(not rule.matches for rule in rules[:-1]):
        raise fault("a rule before the last has no matches; nothing would reach those behind it")
    if not rules[-1].shares:
        return None
    kept = tuple(rule for rule in rules if rule.shares)
    for rule in kept:
        for share in rule.shares:
            _check_named(share.version, rule, fault, primary_may=not rule.matches)
        for mirror in rule.mirrors:
            _check_named(mirror.version, rule, fault, primary_may=False)
    plan = RoutePlan(accepted.policy, accepted.frontends, kept)
    return plan if all(_reachable(version, plan) for version in plan.versions()) else None


class _Faults:
    """Makes the errors of a strategy."""

    def __init__(self, accepted: Accepted) -> None:
        self.primary = accepted.policy.primary
        self._strategy = accepted.strategy.name

    def __call__(self, message: str) -> PluginError:
        return PluginError(self._strategy, f"plugin {self._strategy}: {message}")


def _rule(rule: Rule, known: Mapping[str, Version], fault: _Faults) -> Rule:
    """The rule over core's own versions, so that a strategy cannot pass on others."""
    if not isinstance(rule, Rule):
        raise fault(f"a rule is {type(rule).__name__}, expected a Rule")
    shares = []
    for share in rule.shares:
        weight = share.weight
        if isinstance(weight, bool) or not isinstance(weight, int) or weight < 0:
            raise fault(f"rule {rule.name}: weight {weight!r} of {share.version.name}, expected 0 or more")
        if weight:
            shares.append(Share(_known(share.version, known, fault), weight, share.set_response_headers))
    mirrors = []
    for mirror in rule.mirrors:
        if not 0 <= mirror.percentage <= 100:
            raise fault(f"rule {rule.name}: mirrors {mirror.percentage!r}%, expected 0..100")
        if mirror.percentage:
            mirrors.append(Mirror(_known(mirror.version, known, fault), float(mirror.percentage)))
    names = [share.version.name for share in shares]
    if len(set(names)) < len(names):
        raise fault(f"rule {rule.name}: names a version twice")
    return Rule(rule.name, tuple(shares), rule.matches, tuple(mirrors))


def _known(version: Version, known: Mapping[str, Version], fault: _Faults) -> Version:
    if version.name not in known:
        raise fault(f"decide routes to {version.name}, which is no version of the policy")
    return known[version.name]


def _check_named(version: Version, rule: Rule, fault: _Faults, *, primary_may: bool) -> None:
    if primary_may and version.name == fault.primary:
        return
    if not version.available:
        raise fault(f"rule {rule.name}: routes to {version.name}, which is not ready")
    if version.excluded:
        raise fault(f"rule {rule.name}: routes to {version.name}, which has weight 0")


def _check_state(state: Mapping[str, object], fault: _Faults) -> None:
    try:
        size = len(orjson.dumps(dict(state)))
    except (TypeError, ValueError) as error:
        raise fault(f"its state is no JSON: {error}") from error
    if size > STATE_LIMIT:
        raise fault(f"its state has {size} bytes, expected at most {STATE_LIMIT}")


def _reachable(version: Version, plan: RoutePlan) -> bool:
    return all(frontend.name in version.backends for frontend in plan.frontends)
