"""mirror: the primary answers every call, candidates get copies."""

from collections.abc import Iterable

from pydantic import Field

from turnout.plugin import Decision, Fault, Inputs, Mirror, Policy, Rule, Strategy, Uses, Version
from turnout.strategies.common import FallbackOptions, carriers, default_shares, why_out


class MirrorOptions(FallbackOptions):
    """Options of mirror."""

    percentage: float = Field(default=100.0, ge=0, le=100)
    """How many of a hundred calls are copied to each candidate. A candidate's own weight replaces it."""


class Mirroring(Strategy[MirrorOptions]):
    """The primary answers every call; candidates get copies, whose answers are thrown away.

    A candidate's weight is its own percentage, 0..100.
    """

    name = "mirror"
    options = MirrorOptions
    uses = frozenset({Uses.WEIGHTS, Uses.MIRROR_PERCENTAGE})

    def check(self, policy: Policy, options: MirrorOptions) -> Iterable[Fault]:
        for index, version in enumerate(policy.versions):
            if version.name != policy.primary and (version.weight or 0) > 100:
                yield Fault(
                    f"spec.modelVersions[{index}].weight",
                    f"found {version.weight}, expected 0..100: a candidate's weight is its mirror percentage",
                )

    def decide(self, inputs: Inputs, options: MirrorOptions) -> Decision:
        shares, reasons = default_shares(inputs, options)
        reasons = {**{v.name: why_out(v) or "" for v in inputs.candidates}, **reasons}
        answering = {share.version.name for share in shares}
        mirrors: list[Mirror] = []
        for candidate in carriers(inputs.candidates):
            if candidate.name in answering:
                continue
            percentage = _percentage(candidate, inputs, options)
            reasons[candidate.name] = f"gets a copy of {percentage:g}% of the calls"
            if percentage > 0:
                mirrors.append(Mirror(candidate, percentage))
        return Decision((Rule("default", shares, mirrors=tuple(mirrors)),), reasons)


def _percentage(candidate: Version, inputs: Inputs, options: MirrorOptions) -> float:
    if inputs.mirror_percentage is not None:
        return inputs.mirror_percentage
    return options.percentage if candidate.spec.weight is None else float(candidate.spec.weight)
