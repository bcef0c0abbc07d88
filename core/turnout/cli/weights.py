"""`turnout weights`: shifts the calls between versions."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from turnout.cli import options, shifting
from turnout.cli.exits import BadInput
from turnout.cli.program import Command
from turnout.expectations import nearest
from turnout.shown import plain, shown

if TYPE_CHECKING:
    from turnout.rollout import Rollout

AMOUNT = re.compile(r"(?P<number>[0-9]{1,7})(?P<percent>%?)")
EXPECTED = "such as 20/80, wisdom-1=80 or candidate=80%"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whole weights, or percents of the calls, by version or alias; without names in the policy's order."""

    amounts: tuple[tuple[str | None, int], ...]
    percent: bool

    def of(self, rollout: "Rollout") -> dict[str, int]:
        """The weights to write. Raises BadInput where the policy's versions are others."""
        found: dict[str, int] = {}
        for name, amount in self._named(rollout):
            if name in found:
                raise BadInput(f"{plain(name)} comes twice")
            found[name] = amount
        if self.percent:
            found = _filled(found, rollout)
        if not any({**found, **{one: 1 for one in rollout.names if one not in found}}.values()):
            raise BadInput(f"found 0 for each version of {rollout}, expected a weight above 0")
        return found

    def _named(self, rollout: "Rollout") -> list[tuple[str, int]]:
        if any(name is None for name, _ in self.amounts):
            names, found = rollout.names, len(self.amounts)
            if found != len(names):
                told = f"found {found} weights, expected {len(names)}: of {', '.join(map(plain, names))}"
                raise BadInput(f"{rollout}: {told}")
            return [(name, amount) for name, (_, amount) in zip(names, self.amounts, strict=True)]
        return [(_version(name or "", rollout), amount) for name, amount in self.amounts]


def _version(name: str, rollout: "Rollout") -> str:
    """One of the policy's versions, by its name, or as the primary or the only candidate."""
    if name in rollout.names:
        return name
    if name == "primary":
        return rollout.primary
    known = ", ".join(map(plain, rollout.names))
    if name == "candidate":
        if len(rollout.candidates) == 1:
            return rollout.candidates[0]
        told = f"{rollout} has {len(rollout.candidates)} candidates, expected the name of one of {known}"
        raise BadInput(told)
    near = nearest(name, rollout.names)
    hint = f"; did you mean {near}?" if near else ""
    raise BadInput(f"{rollout} has no version {shown(name)}, it has {known}{hint}")


def _filled(found: dict[str, int], rollout: "Rollout") -> dict[str, int]:
    """Percents, with what is left for the versions that are not named."""
    left = 100 - sum(found.values())
    others = [name for name in rollout.names if name not in found]
    if left < 0 or (left and len(others) != 1):
        for_others = f"; {', '.join(map(plain, others))} have none" if others else ""
        raise BadInput(f"found {100 - left}% in all, expected 100%{for_others}")
    return found | dict.fromkeys(others, left)


def wanted_given(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> Wanted | None:
    """The callback of the weights: `20/80`, or `wisdom-0=20` as often as need be."""
    if not values:
        return None
    if len(values) == 1 and "/" in values[0]:
        parts: list[tuple[str | None, str]] = [(None, one) for one in values[0].split("/")]
    else:
        parts = [_part(part) for value in values for part in value.split(",")]
    percents = set()
    amounts = []
    for name, text in parts:
        amount = AMOUNT.fullmatch(text)
        if amount is None or int(amount["number"]) > options.HEAVIEST:
            expected = f"a whole weight from 0 to {options.HEAVIEST} or a whole percentage, {EXPECTED}"
            raise click.BadParameter(f"found {shown(text)}, expected {expected}")
        percents.add(bool(amount["percent"]))
        amounts.append((name, int(amount["number"])))
    if len(percents) > 1:
        raise click.BadParameter(
            f"found {shown(' '.join(values))}, expected weights or percentages, not both"
        )
    return Wanted(tuple(amounts), percents == {True})


def _part(text: str) -> tuple[str | None, str]:
    name, equals, amount = text.partition("=")
    if not (name.strip() and equals):
        raise click.BadParameter(f"found {shown(text)}, expected VERSION=WEIGHT, {EXPECTED}")
    return name.strip(), amount.strip()


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout weights wisdom 20/80
      turnout weights wisdom wisdom-0=20 wisdom-1=80
      turnout weights wisdom candidate=80% --timeout=5m
      turnout weights wisdom --reset

    Exit codes:
      0    the routes in force have these weights
      1    they do not count, or the policy is suspended: why is on stderr
      2    wrong usage, or weights of versions that the policy does not have
      3    the cluster cannot be reached, or does not permit it
      5    there is no such policy
      6    they are written, and the routes have not followed in time
      8    they are written, and no controller is at work
      130  interrupted
    """,
)
@options.policy
@click.argument("wanted", nargs=-1, metavar="[WEIGHT]...", callback=wanted_given)
@click.option("--reset", is_flag=True, help="Back to the policy's own weights.")
@shifting.no_wait
@shifting.timeout
@shifting.output
@options.namespace
@options.context
def command(
    name: str,
    wanted: Wanted | None,
    reset: bool,
    no_wait: bool,
    timeout: float,
    output: str | None,
    namespace: str | None,
    context: str | None,
) -> None:
    """Shift the calls of a rollout, and say how they were shared before and after.

    WEIGHT: 20/80, in the order of the policy's versions; or VERSION=WEIGHT for some of them, where the
    others have the policy's own; or percentages, such as candidate=80%: one that is left out gets the rest.

    It writes TrafficWeights, in place of those there are. They hold until --reset, for later candidates too.
    """
    if reset == (wanted is not None):
        raise click.UsageError("expected weights, such as 20/80, or --reset")
    where = shifting.Where(name, namespace, context, None if no_wait else timeout)
    shifting.show(shifting.shift(where, lambda rollout: wanted.of(rollout) if wanted else None), output)
