"""What is told of a verification: a table for people, data for programs. Pure."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click

from turnout.decision.shares import percent
from turnout.shown import plain
from turnout.verification.question import Question
from turnout.verification.split import (
    FEWEST,
    MOST,
    Judged,
    Share,
    Split,
    Strictness,
    Verdict,
    judge,
    least_tolerance,
    needed,
    overall,
)
from turnout.verification.tally import NOTHING_OF_HTTP, Tally

WIDTH = 20
STRANGERS = 10
"""So many names that are none of a version's are told one by one."""
NO_HOST = {"UNIMPLEMENTED", "HTTP 404"}
"""How a gateway answers for a host that it has no route for: gRPC makes the one of the other."""
NO_HTTP = {"HTTP 502", "HTTP 503", NOTHING_OF_HTTP}
"""How one answers for a server that speaks gRPC alone, and how that answers itself."""
COLOURS = {Verdict.MATCHES: "green", Verdict.DIFFERS: "red", Verdict.UNCERTAIN: "yellow"}


@dataclass(frozen=True, slots=True)
class Report:
    """`doubt`: why the calls may not all have been shared by this split. `interrupted`: it ended early."""

    question: Question
    split: Split
    tally: Tally
    strictness: Strictness
    doubt: str = ""
    interrupted: bool = False

    @property
    def judged(self) -> list[Judged]:
        return judge(self.split, _folded(self.tally.answers, self.split), self.strictness, self.tally.failed)

    @property
    def verdict(self) -> Verdict:
        return Verdict.UNCERTAIN if self.doubt or self._nameless else overall(self.judged)

    @property
    def _nameless(self) -> str:
        """Why no answer says which version gave it; empty where some do."""
        question, names = self.question, set(self.tally.answers)
        told = "the router's option appVersionHeader"
        if question.header:
            return f"no answer has the header {question.header}: {told} sets one" if names == {""} else ""
        if names == {""}:
            return f"no answer names a model; let the routes tell who answered: {told}, and --header"
        if names == {question.model} and question.model not in self.split:
            model = plain(question.model)
            return f"all versions answer as {model}; let the routes tell who answered: {told}, and --header"
        return ""

    @property
    def sentence(self) -> str:
        """The verdict, and what it stands on."""
        sure = f"{100 * self.strictness.confidence:g}%"
        points = f"{100 * self.strictness.tolerance:g} points"
        failed = "1 call" if self.tally.failed == 1 else f"{self.tally.failed} calls"
        if self.interrupted:
            return "interrupted: no verdict"
        if why := self.doubt or self._nameless:
            return f"{Verdict.UNCERTAIN}: {why}"
        match self.verdict:
            case Verdict.MATCHES:
                but = f"; but {failed} failed" if self.tally.failed else ""
                return (
                    f"{Verdict.MATCHES}: no share is off by more than {points}, with {sure} confidence{but}"
                )
            case Verdict.DIFFERS:
                return f"{Verdict.DIFFERS}: {'; '.join(self._differences())}"
        if not self.tally.answered:
            return f"{Verdict.UNCERTAIN}: nothing was answered{self._hint}"
        if self.tally.answered < FEWEST:
            few = "1 answer is" if self.tally.answered == 1 else f"{self.tally.answered} answers are"
            return f"{Verdict.UNCERTAIN}: {few} too few; try {self._remedy}"
        if self.tally.failed:
            return f"{Verdict.UNCERTAIN}: {failed} failed, which may have been for any version"
        return f"{Verdict.UNCERTAIN}: a share may be off by more than {points}; try {self._remedy}"

    @property
    def _remedy(self) -> str:
        """What may bring a verdict."""
        count = needed(self.split, self.strictness)
        if count is None:
            return f"--tolerance {100 * least_tolerance(self.split, self.strictness.confidence):g}"
        if self.tally.answered >= MOST:
            return f"--tolerance {200 * self.strictness.tolerance:g}"
        # What was asked for was not enough, if it all came: then more is.
        return f"--requests {min(MOST, max(count, 100 * math.ceil(self.tally.answered / 80)))}"

    @property
    def _hint(self) -> str:
        """What may be why nothing was answered."""
        if self.tally.failures.keys() & NO_HOST:
            question = self.question
            return f"; does {question.address} serve {plain(question.authority)}? see --authority"
        return "; is the model served over HTTP?" if self.tally.failures.keys() & NO_HTTP else ""

    def _differences(self) -> Iterator[str]:
        # What nobody decided comes first: it is why the others get less.
        for one in sorted(self.judged, key=lambda one: one.expected is not None and one.expected.high > 0):
            if one.verdict is not Verdict.DIFFERS:
                continue
            name, calls = self.shown(one.name), f"{one.count} call" + "s" * (one.count != 1)
            if one.expected is None:
                yield f"{name} answered {calls}, and is no version of the split"
            elif one.expected.high == 0:
                yield f"{name} answered {calls}, and should get none"
            else:
                got = f"{percent(100 * one.low)} to {percent(100 * one.high)}"
                yield f"{name} gets {got}, and should get {decided(one.expected)}"

    def shown(self, version: str) -> str:
        """The name of a version that answered, which may have none, or one that is no text to print."""
        return plain(version) or (f"(no {self.question.header})" if self.question.header else "(no name)")


def _folded(answers: Counter[str], split: Split) -> Counter[str]:
    """The answers; of names that are none of a version's, all but the most frequent ones under one."""
    strangers = Counter({name: count for name, count in answers.items() if name not in split})
    others = dict(strangers.most_common()[STRANGERS:])
    if not others:
        return answers
    return answers - Counter(others) + Counter({f"… {len(others)} other names": sum(others.values())})


def decided(share: Share | None) -> str:
    """A decided share, as a policy's status has it."""
    if share is None:
        return "-"
    if share.low == 0.0 < share.high:
        return f"<{100 * share.high:g}%"
    if share.low < 1.0 == share.high:
        return f">{100 * share.low:g}%"
    return percent(100 * share.middle)


def text(report: Report) -> Iterator[str]:
    """The lines of a table, styled, and the verdict."""
    question, tally = report.question, report.tally
    sent = tally.answered + tally.failed
    asked = f"{sent} calls to {question.address} as {plain(question.authority)}"
    yield f"{plain(question.model)}: {asked}, {tally.answered} answered"
    judged = report.judged
    names = {one.name: report.shown(one.name) for one in judged}
    width = max(map(len, ("VERSION", *names.values())))
    yield f"  {'VERSION':<{width}}  DECIDED  ANSWERS   SHARE  INTERVAL"
    for one in judged:
        interval = f"{percent(100 * one.low)} to {percent(100 * one.high)}" if tally.answered else "-"
        filled = round(one.share * WIDTH)
        colour = COLOURS[one.verdict]
        bar = click.style("█" * filled, fg=colour) + click.style("░" * (WIDTH - filled), dim=True)
        numbers = f"{decided(one.expected):>7}  {one.count:>7}  {percent(100 * one.share):>6}"
        yield f"  {names[one.name]:<{width}}  {numbers}  {interval:<16}  {bar}"
    for code, count in tally.failures.most_common():
        message = plain(tally.messages[code])
        yield click.style(f"  failed: {count} x {code}{': ' if message else ''}{message}", fg="red")
    yield click.style(report.sentence, fg=None if report.interrupted else COLOURS[report.verdict], bold=True)


def data(report: Report) -> dict[str, Any]:
    """The same for programs. Shares are within 0..1."""
    question, tally = report.question, report.tally
    return {
        "model": question.model,
        "address": question.address,
        "authority": question.authority,
        "verdict": "interrupted" if report.interrupted else str(report.verdict),
        "message": report.sentence,
        "requests": tally.answered + tally.failed,
        "answered": tally.answered,
        "confidence": report.strictness.confidence,
        "tolerance": report.strictness.tolerance,
        "versions": [
            {
                "name": one.name,
                "decided": None if one.expected is None else one.expected.middle,
                "answers": one.count,
                "share": one.share,
                "interval": [one.low, one.high],
                "verdict": str(one.verdict),
            }
            for one in report.judged
        ],
        "failures": [
            {"code": code, "count": count, "message": tally.messages[code]}
            for code, count in tally.failures.most_common()
        ],
    }
