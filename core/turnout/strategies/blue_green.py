"""blue-green: all ready versions share the calls by weight."""

from turnout.plugin import Decision, Inputs, Options, Rule, Strategy, Uses
from turnout.strategies.common import carriers, split, why_out


class BlueGreenOptions(Options):
    """blue-green has no options."""


class BlueGreen(Strategy[BlueGreenOptions]):
    """All ready versions share the calls by weight, 50 each unless said otherwise.

    A primary that is not ready leaves its share to the candidates, and the other way round.
    """

    name = "blue-green"
    options = BlueGreenOptions
    uses = frozenset({Uses.WEIGHTS})

    def decide(self, inputs: Inputs, options: BlueGreenOptions) -> Decision:
        shares = split(carriers(inputs.versions))
        total = sum(share.weight for share in shares)
        reasons = {version.name: why_out(version) or "" for version in inputs.versions}
        reasons |= {
            share.version.name: f"{_standing(share.version.ready)}, weight {share.weight} of {total}"
            for share in shares
        }
        return Decision((Rule("default", shares),), reasons)


def _standing(ready: bool | None) -> str:
    return "ready" if ready else "readiness unknown, keeps its share"
