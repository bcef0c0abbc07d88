"""The next step of a promotion, by what there is. Pure: it depends on nothing that was done before.

So whoever runs it again, after whatever interruption, goes on from what is there.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum


class Step(StrEnum):
    """What is to be done next."""

    LEAVE = "leave"
    """Lead all calls to the candidate: the primary is about to change, or has changed and is not ready."""
    REPLACE = "replace"
    """Give the primary what the candidate serves."""
    AWAIT = "await"
    """Wait until the primary is ready, with what it is to serve."""
    SHIFT = "shift"
    """Lead all calls to the primary."""
    DELETE = "delete"
    """Delete the candidate."""
    DRAIN = "drain"
    """Wait until the candidate is gone."""
    GIVE_UP = "give up"
    """From now on, take it back."""
    PUT_BACK = "put back"
    """Give the primary what it served before."""
    RESTORE = "restore"
    """Set the weights for the time after it."""
    FORGET = "forget"
    """It is over."""


class Ready(Enum):
    """Whether the primary is ready, with the spec that it has now."""

    NO = 0
    MAYBE = 1
    """It says so, and may have said so before its last change."""
    YES = 2


class Candidate(Enum):
    """Whether the candidate is still there."""

    THERE = 0
    GOING = 1
    """It is being deleted."""
    GONE = 2


class Lead(Enum):
    """Where the routes in force lead all calls, by the traffic weights."""

    ELSEWHERE = 0
    CANDIDATE = 1
    """And nothing calls the primary any more."""
    PRIMARY = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """`promoted`: all of the primary's objects are what they are to be. `former`: all are as they were.

    Neither, if some are and some are not. `restored`: the weights are those for the time after it.
    `returning`: it is taken back. `fit`: nothing says that the candidate is not ready.
    """

    promoted: bool
    former: bool
    ready: Ready
    candidate: Candidate
    lead: Lead
    restored: bool = False
    returning: bool = False
    fit: bool = True

    @property
    def helps(self) -> bool:
        """Whether the candidate can carry the calls."""
        return self.candidate is Candidate.THERE and self.fit


def next_step(facts: Facts) -> Step:
    """The rules, each for what is left by those before it."""
    if facts.returning:
        return _back(facts)
    if facts.promoted:
        return _onward(facts)
    if not facts.helps:
        return Step.GIVE_UP  # nothing is left that could carry the calls meanwhile
    return Step.REPLACE if facts.lead is Lead.CANDIDATE else Step.LEAVE


def _onward(facts: Facts) -> Step:
    """With a primary that has what it is to serve."""
    if facts.candidate is Candidate.THERE:
        if facts.ready is Ready.YES:
            return Step.DELETE if facts.lead is Lead.PRIMARY else Step.SHIFT
        if facts.lead is Lead.CANDIDATE or (facts.lead is Lead.PRIMARY and facts.ready is Ready.MAYBE):
            return Step.AWAIT
        if not facts.fit:
            return Step.AWAIT  # whoever is ready first has the calls
        return Step.LEAVE
    if facts.candidate is Candidate.GOING:
        return Step.DRAIN
    if facts.ready is not Ready.YES:
        return Step.AWAIT
    return Step.FORGET if facts.restored else Step.RESTORE


def _back(facts: Facts) -> Step:
    """To where it was."""
    if not facts.former:
        return Step.PUT_BACK if facts.lead is Lead.CANDIDATE or not facts.helps else Step.LEAVE
    if facts.ready is not Ready.YES:
        return Step.AWAIT
    return Step.FORGET if facts.restored else Step.RESTORE
