"""canary: calls that match go to a candidate, all others to the primary."""

from turnout.plugin import Decision, Inputs, Match, Rule, Share, Strategy, Uses
from turnout.strategies.common import FallbackOptions, carriers, default_shares, why_out

DEFAULT_MATCH = Match(headers=(("traffic", "exact", "test"),))
"""Iter8's default: calls with the header `traffic: test` are the candidate's."""


class CanaryOptions(FallbackOptions):
    """Options of canary."""


class Canary(Strategy[CanaryOptions]):
    """Calls that match go to a candidate, all others to the primary.

    Candidates come in the policy's order; the default match is the header `traffic: test`.
    """

    name = "canary"
    options = CanaryOptions
    uses = frozenset({Uses.MATCHES, Uses.WEIGHTS})

    def decide(self, inputs: Inputs, options: CanaryOptions) -> Decision:
        shares, reasons = default_shares(inputs, options)
        reasons = {**{v.name: why_out(v) or "" for v in inputs.candidates}, **reasons}
        rules: list[Rule] = []
        owner: dict[Match, str] = {}
        for candidate in carriers(inputs.candidates):
            matches = dict.fromkeys(candidate.spec.matches or (DEFAULT_MATCH,))
            free = tuple(match for match in matches if _canonical(match) not in owner)
            taken = sorted({owner[_canonical(m)] for m in matches if _canonical(m) in owner})
            owner |= {_canonical(match): candidate.name for match in free}
            if free:
                rules.append(Rule(candidate.name, (Share(candidate, 100),), free))
            reasons[candidate.name] = _reason(len(free), taken, reasons[candidate.name])
        return Decision((*rules, Rule("default", shares)), reasons)


def _reason(free: int, taken: list[str], takes_over: str) -> str:
    parts = []
    if free:
        parts.append("gets the calls that match")
    if taken:
        whose = "some of its" if free else "its"
        parts.append(f"{whose} matches belong to {', '.join(taken)}, which comes first")
    if takes_over:
        parts.append(takes_over)
    return "; ".join(parts)


def _canonical(match: Match) -> Match:
    """Equal for matches that match the same: header names have no case, conditions no order."""
    return Match(
        headers=tuple(sorted((name.lower(), how, value) for name, how, value in match.headers)),
        query=tuple(sorted(match.query)),
        path=match.path,
        method=match.method,
    )
