"""A rollout as people read it at a terminal: versions with bars for their shares, routes, the last shifts.

Pure. Where it is printed, in which colours, and how often, is left to others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest

from turnout.cli.ages import age
from turnout.client.survey import LeaseSeen, RouteSeen, Survey
from turnout.names import FIELD_MANAGER
from turnout.rollout import RolloutVersion
from turnout.shown import escaped, sentence, truth
from turnout.verification.split import Share

BAR = 20
"""Characters of a whole bar."""
SHIFTS = 3
"""So many of the last ones are shown."""
UNKNOWN = "?"
LATE = 60.0
"""Seconds without a renewal after which a controller stands out."""

GOOD, BAD, OPEN, QUIET, SHARE = "good", "bad", "open", "quiet", "share"
"""Styles: what is well, what is not, what nobody knows yet, what is by the way, and bars."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a line that has one style; empty: none."""

    text: str
    style: str = ""

    def __post_init__(self) -> None:
        """What objects of others hold never reaches a terminal as more than characters."""
        object.__setattr__(self, "text", escaped(self.text))


Line = tuple[Cell, ...]


def lines(found: Survey, now: datetime, *, observed: Mapping[str, float] | None, wide: bool) -> list[Line]:
    """The lines of one rollout. `observed`: shares of calls, 0..1, by version, where they were counted."""
    return [
        *_head(found, now),
        (),
        *_table(_versions(found, now, observed, wide)),
        *_section(_table(_routes(found, now))),
        *_section(_shifts(found, now, wide)),
    ]


def _head(found: Survey, now: datetime) -> Iterator[Line]:
    rollout = found.rollout
    yield (Cell(f"{rollout}: {rollout.environment}, {rollout.strategy}, {rollout.router}"),)
    ready = {True: Cell("Ready", GOOD), False: Cell("Not ready", BAD), None: Cell("Not known", OPEN)}
    split = sentence(rollout.split, 2048) or "none"
    yield (ready[rollout.ready], Cell(f", {'suspended, ' if rollout.suspended else ''}split: {split}"))
    if rollout.awaits:
        yield (Cell("Waits: ", OPEN), Cell(sentence(rollout.awaits, 2048)))
    for version in found.versions:
        if version.ready is not True:
            why = ": ".join(filter(None, (version.reason, version.message)))
            yield (Cell(f"{version.name} is {_state(version)}: ", OPEN), Cell(sentence(why)))
    if found.lease:
        yield _controller(found.lease, now)
    problem = found.planned.problem if found.planned else None
    if problem and problem[1] not in rollout.awaits:
        yield (Cell("By what is there now: ", OPEN), Cell(f"{problem[0]}: {sentence(problem[1])}"))


def _controller(lease: LeaseSeen, now: datetime) -> Line:
    """Facts alone: whether it is at work cannot be told from one look."""
    renewed = f"renewed {age(lease.renewed, now)} ago" if lease.renewed else "never renewed"
    if not lease.holder:
        return (Cell("Controller: none", BAD), Cell(f" has the Lease {sentence(lease.name)}, {renewed}"))
    fresh = lease.renewed and (now - lease.renewed).total_seconds() < LATE
    told = f"{sentence(lease.holder)}, by the Lease {sentence(lease.name)}, {renewed}"
    return (Cell("Controller: ", "" if fresh else OPEN), Cell(told))


def _state(version: RolloutVersion) -> str:
    return "not ready" if version.ready is False else "not known to be ready"


def _versions(
    found: Survey, now: datetime, observed: Mapping[str, float] | None, wide: bool
) -> Iterator[Sequence[Cell]]:
    head = ["VERSION", "ROLE", "APP", "READY", "SINCE", "WEIGHT", "DESIRED", "APPLIED", "OBSERVED", ""]
    yield [Cell(one, QUIET) for one in (*head, *(["WHY"] if wide else []))]
    styles = {True: GOOD, False: BAD, None: OPEN}
    for one in found.versions:
        desired = found.desired(one.name)
        late = desired is not None and desired != one.share
        since = found.since(one)
        counted = None if observed is None else observed.get(one.name, 0.0)
        yield [
            Cell(one.name),
            Cell(one.role),
            Cell(one.app_version or UNKNOWN),
            Cell(truth(one.ready), styles[one.ready]),
            Cell(age(since, now) if since else UNKNOWN),
            Cell("" if one.weight is None else str(one.weight)),
            Cell(UNKNOWN if desired is None else desired, OPEN if late else ""),
            Cell(one.share or UNKNOWN),
            Cell(UNKNOWN if counted is None else f"{100 * counted:.1f}%"),
            Cell(bar(one.share), SHARE),
            *([Cell(sentence(one.message or one.reason))] if wide else []),
        ]


def bar(share: str) -> str:
    """The part of the calls, as long as it is large; a part that is not nothing shows."""
    found = Share.parse(share)
    if found is None:
        return ""
    full = round(found.middle * BAR) or int(found.high > 0)
    return "█" * full + "░" * (BAR - full)


def _routes(found: Survey, now: datetime) -> Iterator[Sequence[Cell]]:
    if not found.routes:
        return
    yield [Cell("ROUTE", QUIET), Cell("WRITTEN BY", QUIET)]
    for one in found.routes:
        yield [Cell(f"{one.kind} {one.name}"), _written(one, now)]


def _written(route: RouteSeen, now: datetime) -> Cell:
    if route.exists is None:
        return Cell(f"{UNKNOWN} (it cannot be read)", OPEN)
    if not route.exists:
        return Cell("it does not exist", BAD)
    told = ", ".join(f"{sentence(one.manager)} {age(one.time, now)} ago" for one in route.writers)
    others = any(one.manager != FIELD_MANAGER for one in route.writers)
    return Cell(told, OPEN if others else "")


def _shifts(found: Survey, now: datetime, wide: bool) -> list[Line]:
    if not found.shifts:
        return []
    shown = found.shifts if wide else found.shifts[:SHIFTS]
    rows = [(Cell(f"{age(one.time, now)} ago"), Cell(sentence(one.message, 1024))) for one in shown]
    return [(Cell("SHIFTS", QUIET),), *_table(rows)]


def _section(found: Sequence[Line]) -> list[Line]:
    return [(), *found] if found else []


def _table(rows: Iterator[Sequence[Cell]] | Sequence[Sequence[Cell]]) -> list[Line]:
    """Columns as wide as they have to be, with two spaces between them."""
    found = list(rows)
    columns = zip_longest(*([len(cell.text) for cell in row] for row in found), fillvalue=0)
    widths = [max(column) for column in columns]
    return [
        tuple(Cell(f"{cell.text:<{width}}  ", cell.style) for cell, width in zip(row, widths, strict=False))
        for row in found
    ]
