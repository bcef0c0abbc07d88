"""Says in words what was decided for a policy, and why. For people: nothing parses this.

It is a chain of causes, from objects to routes: which field of which object told whether it is ready, which
rule gave which share, and which manifests came of it.
"""

from collections.abc import Iterable, Iterator, Sequence

from turnout.decision.decide import Outcome
from turnout.decision.drift import difference, foreign, shared_foreign
from turnout.decision.objects import Entry
from turnout.decision.render import Rendered
from turnout.decision.shares import percent, share_of, split
from turnout.offline import Entries, Planned
from turnout.plugin import Match, Observation, Policy, Ref, Role, Rule
from turnout.shown import escaped, plain, sentence, truth
from turnout.status import stamp

HEAD = ("VERSION", "ROLE", "READY", "WEIGHT", "SHARE", "WHY")


def explain(planned: Planned) -> Iterator[str]:
    """The lines of one policy: its plugins, the split, its versions, and the chain of causes.

    Of a policy that is refused, as far as that goes, with the reason. A terminal prints all of it as such,
    whatever the objects hold.
    """
    return map(escaped, _lines(planned))


def _lines(planned: Planned) -> Iterator[str]:
    title, admitted, outcome = str(planned), planned.admitted, planned.assessment.outcome
    if admitted:
        accepted = admitted.accepted
        title += f": {accepted.environment.name}, {accepted.strategy.name}, {accepted.router.name}"
    yield title
    if planned.problem:
        reason, message = planned.problem
        yield f"  refused: {reason}: {sentence(message, 2048)}"
    if admitted is None or outcome is None:
        return
    yield f"  split: {split(outcome.plan) or 'none'}"
    if outcome.held:
        yield f"  held: {outcome.held}"
    if planned.weights:
        yield f"  weights: {_weights(planned)}"
    policy = admitted.accepted.policy
    yield from _indented(table([HEAD, *_rows(policy, outcome)]), "  ")
    yield "  objects:"
    for version in outcome.versions:
        for ref in admitted.accepted.refs[version.name]:
            told = observed(ref, planned.entries.get(ref), admitted.accepted.environment.name)
            yield f"    {version.name}: {told}"
    yield "  rules:"
    yield from _indented(_rules(outcome.plan.rules if outcome.plan else ()), "    ")
    yield "  writes:"
    rendered = planned.assessment.rendered
    yield from _indented([_manifest(item, planned.entries, policy) for item in rendered], "    ")


def observed(ref: Ref, entry: Entry | None, environment: str) -> str:
    """What an object says of its readiness, and by which of its fields."""
    if entry is None:
        return f"{ref} does not exist"
    if entry.deleting:
        return f"{ref} is being deleted since {stamp(entry.deleting)}"
    seen = entry.observations.get(environment)
    if seen is None:
        return f"{ref} has not been read yet"
    state = {True: "is ready", False: "is not ready", None: "does not tell whether it is ready"}[seen.ready]
    return f"{ref} {state}: {sentence(_evidence(seen))}"


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they have to be."""
    found = list(rows)
    widths = [max(len(row[column]) for row in found) for column in range(len(found[0]))]
    for row in found:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _rows(policy: Policy, outcome: Outcome) -> Iterator[Sequence[str]]:
    for version in outcome.versions:
        yield (
            version.name,
            "primary" if version.name == policy.primary else "candidate",
            truth(version.ready),
            "" if version.spec.weight is None else str(version.spec.weight),
            share_of(outcome.plan, version.name),
            outcome.reasons.get(version.name, ""),
        )


def _weights(planned: Planned) -> str:
    verdict = planned.weights
    if verdict is None or verdict.counts:
        return "those of TrafficWeights, over the policy's own"
    told = f"TrafficWeights do not count: {verdict.reason}: {sentence(verdict.message)}"
    return f"the policy's own; {told}"


def _evidence(seen: Observation) -> str:
    since = f" since {stamp(seen.since)}" if seen.evidence and seen.since else ""
    why = () if seen.ready else (seen.reason, seen.message)
    return ": ".join(filter(None, (f"{seen.evidence}{since}", *why))) or seen.reason


def _rules(rules: Sequence[Rule]) -> Iterator[str]:
    """As `default: all calls: wisdom-0 20% / wisdom-1 80%`."""
    for rule in rules:
        rest = "all calls" if len(rules) == 1 else "all other calls"
        calls = " or ".join(map(_match, rule.matches)) or rest
        yield f"{plain(rule.name)}: {calls}: {_shares(rule)}"


def _shares(rule: Rule) -> str:
    total = sum(share.weight for share in rule.shares)
    to = " / ".join(f"{one.version.name} {percent(100 * one.weight / total)}" for one in rule.shares)
    copies = (f"copies of {percent(one.percentage)} to {one.version.name}" for one in rule.mirrors)
    return ", ".join((to, *copies))


def _match(match: Match) -> str:
    parts = [match.method] if match.method else []
    parts += [f"path {_pattern(*match.path)}"] if match.path else []
    parts += [f"header {plain(name)} {_pattern(how, value)}" for name, how, value in match.headers]
    parts += [f"query {plain(name)} {_pattern(how, value)}" for name, how, value in match.query]
    return " and ".join(parts) or "all calls"


def _pattern(how: str, value: str) -> str:
    return f"{how} {plain(value)}"


def _manifest(item: Rendered, entries: Entries, policy: Policy) -> str:
    """What is written, and how that stands to what is there, where it is known."""
    shared = item.role is Role.SHARED
    named = f"{item.ref.kind.kind} {item.ref.name}{' (shared)' if shared else ''}"
    if item.ref not in entries:
        return named
    entry = entries[item.ref]
    if entry is None:
        return f"{named}: does not exist yet"
    if shared and shared_foreign(entry):
        return f"{named}: exists and is someone else's, so it is used as it is"
    if not shared and (whose := foreign(entry, policy)):
        return f"{named}: is not written over {whose}"
    path = difference(item, entry)
    return f"{named}: differs from what is there at {path}" if path else f"{named}: is there as decided"


def _indented(lines: Iterable[str], by: str) -> Iterator[str]:
    """The lines; a word where there are none."""
    found = list(lines)
    yield from (f"{by}{line}" for line in found or ["nothing"])
