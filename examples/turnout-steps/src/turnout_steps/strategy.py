"""The strategy steps: who carries traffic, and which candidate's turn it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from turnout.plugin import Decision, Fault, Inputs, Policy, Rule, Share, Strategy, Version
from turnout_steps.options import StepsOptions, WhenLost, duration
from turnout_steps.progress import Progress


class Steps(Strategy[StepsOptions]):
    """The candidate gains traffic step by step, with a pause after each; the primary has the rest.

    One candidate at a time: the others wait for their turn with no traffic. A pause counts only while the
    primary and the candidate are both ready. Where one of them is out, the other has everything.
    """

    name = "steps"
    options = StepsOptions

    def check(self, policy: Policy, options: StepsOptions) -> Iterator[Fault]:
        return options.faults()

    def decide(self, inputs: Inputs, options: StepsOptions) -> Decision:
        primary = inputs.version(inputs.primary)
        known = Progress.of(inputs.state)
        candidate = _whose_turn(inputs, known)
        if candidate is None:
            state = _kept(inputs, known, options)
            return (
                _everything_to(primary, "no candidate can carry calls", state)
                if _able(primary)
                else _nothing(state)
            )
        waiting = {
            one.name: f"waits until {candidate.name} is done"
            for one in inputs.candidates
            if one is not candidate and _able(one)
        }
        progress = known if known and known.candidate == candidate.name else Progress(candidate.name)
        if not _able(primary):
            alone = _everything_to(candidate, f"{primary.name} is out", progress.standing().state)
            return Decision(alone.rules, {**waiting, **alone.reasons}, alone.state)
        progress = (
            progress.at(inputs.now, options) if _steady(primary, candidate) else _stay(progress, options)
        )
        shares = (Share(primary, 100 - progress.weight), Share(candidate, progress.weight))
        return Decision(
            rules=(Rule("default", tuple(share for share in shares if share.weight)),),
            reasons={
                **waiting,
                primary.name: "has the rest" if progress.weight < 100 else "all steps are done",
                candidate.name: _told(progress, options),
            },
            state=progress.state,
            requeue_after=progress.remaining(inputs.now, options),
        )


def _able(version: Version) -> bool:
    return version.available and not version.excluded


def _steady(*versions: Version) -> bool:
    return all(version.ready is True for version in versions)


def _whose_turn(inputs: Inputs, known: Progress | None) -> Version | None:
    """The candidate that is on its way, or else the first that can carry traffic."""
    able = [one for one in inputs.candidates if _able(one)]
    underway = (one for one in able if known and one.name == known.candidate)
    return next(underway, able[0] if able else None)


def _kept(inputs: Inputs, known: Progress | None, options: StepsOptions) -> Mapping[str, Any]:
    """What is remembered of a candidate that is out. One that the policy excludes begins again."""
    if known is None or options.when_lost is WhenLost.RESTART:
        return {}
    excluded = any(one.excluded for one in inputs.candidates if one.name == known.candidate)
    return {} if excluded else known.standing().state


def _stay(progress: Progress, options: StepsOptions) -> Progress:
    """No further than it is, while somebody's readiness is unknown."""
    step = options.steps[options.reached(progress.weight)]
    return Progress(progress.candidate, step.weight)


def _everything_to(version: Version, why: str, state: Mapping[str, Any]) -> Decision:
    return Decision(
        (Rule("default", (Share(version, 100),)),), {version.name: f"has everything: {why}"}, state
    )


def _nothing(state: Mapping[str, Any]) -> Decision:
    """Nobody can carry traffic: core holds the routes in force."""
    return Decision((Rule("default", ()),), {}, state)


def _told(progress: Progress, options: StepsOptions) -> str:
    index = options.reached(progress.weight)
    step = options.steps[index]
    where = f"step {index + 1} of {len(options.steps)}"
    if duration(step.pause) is None:
        return f"{where}, the last"
    if progress.since is None:
        return f"{where}, whose pause of {step.pause} begins when all are ready"
    return f"{where}, for {step.pause} since {progress.since:%Y-%m-%d %H:%M:%S} UTC"
