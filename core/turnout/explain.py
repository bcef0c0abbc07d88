"""Says in words what was decided for a policy, and why. For people: nothing parses this."""

from collections.abc import Iterable, Iterator, Sequence

from turnout.decision.assess import Assessment
from turnout.decision.declare import Admitted
from turnout.decision.shares import share_of, split
from turnout.plugin import Role
from turnout.shown import truth


def explain(title: str, admitted: Admitted, assessment: Assessment) -> Iterator[str]:
    """The lines of one policy: its plugins, the split, each version with its reason, what is written."""
    accepted = admitted.accepted
    yield f"{title}: {accepted.environment.name}, {accepted.strategy.name}, {accepted.router.name}"
    outcome = assessment.outcome
    if outcome is None:
        return
    yield f"  split: {split(outcome.plan) or 'none'}"
    if outcome.held:
        yield f"  held: {outcome.held}"
    rows = [
        (
            version.name,
            "primary" if version.name == accepted.policy.primary else "candidate",
            truth(version.ready),
            "" if version.spec.weight is None else str(version.spec.weight),
            share_of(outcome.plan, version.name),
            outcome.reasons.get(version.name, ""),
        )
        for version in outcome.versions
    ]
    yield from (
        f"  {line}" for line in table([("VERSION", "ROLE", "READY", "WEIGHT", "SHARE", "WHY"), *rows])
    )
    written = [f"{item.ref.kind.kind} {item.ref.name}{_note(item.role)}" for item in assessment.rendered]
    yield f"  writes: {', '.join(written) or 'nothing'}"


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as they have to be."""
    found = list(rows)
    widths = [max(len(row[column]) for row in found) for column in range(len(found[0]))]
    for row in found:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _note(role: Role) -> str:
    return " (shared)" if role is Role.SHARED else ""
