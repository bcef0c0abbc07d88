"""The strategy toy-steps: the candidate gains a step of traffic at a time."""

from datetime import datetime, timedelta

from pydantic import Field

from turnout.plugin import Decision, Inputs, Options, Rule, Share, Strategy, Version


class ToyStepsOptions(Options):
    """How much, and how often."""

    step: int = Field(default=10, ge=1, le=100)
    """Percent of the traffic that the candidate gains at a time."""

    interval: float = Field(default=60, gt=0)
    """Seconds from one step to the next."""


class ToySteps(Strategy[ToyStepsOptions]):
    """Moves the traffic to the first candidate in steps of time. One that is lost begins again."""

    name = "toy-steps"
    options = ToyStepsOptions

    def decide(self, inputs: Inputs, options: ToyStepsOptions) -> Decision:
        primary = inputs.version(inputs.primary)
        candidate = next((v for v in inputs.candidates if v.available and not v.excluded), None)
        if candidate is None:
            return _everything_to(primary, "there is no candidate")
        if not primary.available or primary.excluded:
            return _everything_to(candidate, f"{primary.name} is out")
        interval = timedelta(seconds=options.interval)
        began = datetime.fromisoformat(inputs.state["began"]) if inputs.state else inputs.now
        steps = 1 + (inputs.now - began) // interval
        percent = min(100, steps * options.step)
        shares = (Share(candidate, percent), Share(primary, 100 - percent))
        return Decision(
            rules=(Rule("default", tuple(share for share in shares if share.weight)),),
            reasons={
                candidate.name: f"step {steps}: {percent}%",
                primary.name: "has the rest" if percent < 100 else "all steps are done",
            },
            state={"began": began.isoformat()},
            requeue_after=began + steps * interval - inputs.now if percent < 100 else None,
        )


def _everything_to(version: Version, reason: str) -> Decision:
    return Decision((Rule("default", (Share(version, 100),)),), {version.name: f"has everything: {reason}"})
