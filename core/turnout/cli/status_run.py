"""Reads rollouts and shows them for `turnout status`: once, live on a terminal, or at each change."""

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from turnout.cli import data, status_text, terminal, waiting
from turnout.cli.status_text import OPEN, Cell, Line
from turnout.client import Client, DeletedError, Survey
from turnout.client.following import Found
from turnout.rollout import Rollout
from turnout.runtime.transport import ConnectionFailed
from turnout.shown import sentence

TICK = 1.0
"""Seconds after which ages are told anew, and a read that failed is tried again."""
LOOK = 5.0
"""Seconds after which all that is not the policy itself, such as events and routes, is read anew."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How and where. `output`: wide, json, yaml, or None; `observed`: counted shares, 0..1, by version."""

    output: str | None
    observed: Mapping[str, float] | None
    stdout: IO[str]

    @property
    def as_data(self) -> bool:
        return self.output in ("json", "yaml")

    def lines(self, found: Survey) -> list[Line]:
        now = datetime.now(UTC)
        return status_text.lines(found, now, observed=self.observed, wide=self.output == "wide")

    def text(self, found: Survey) -> str:
        """For a stream, of any width."""
        colours, blocks = terminal.coloured(self.stdout), terminal.encodes_blocks(self.stdout)
        painted = (terminal.painted(line, colours=colours, blocks=blocks) for line in self.lines(found))
        return "\n".join(painted)

    def data(self, found: Survey) -> dict[str, Any]:
        said = found.data()
        for version in said["versions"]:
            counted = self.observed
            version["observed"] = None if counted is None else counted.get(version["name"], 0.0)
        return said


async def once(client: Client, name: str | None, shown: Shown) -> None:
    """One policy, or all of the namespace."""
    with waiting.told():
        found = [await client.survey(name)] if name else await client.surveys()
    if shown.as_data:
        said = [shown.data(one) for one in found]
        data.dump(said[0] if name else {"rollouts": said}, str(shown.output), shown.stdout)
    else:
        click.echo("\n\n".join(map(shown.text, found)), file=shown.stdout, nl=bool(found))
    if not found:
        click.echo(f"No policies in namespace {client.namespace}.", err=True)
    for told in dict.fromkeys(told for one in found for told in one.unread):
        click.echo(f"Note: {told}", err=True)


async def watch(client: Client, name: str, shown: Shown) -> None:
    """One policy, again and again, until it is deleted. Raises DeletedError."""
    live = terminal.moves(shown.stdout) and not shown.as_data
    view = Live(shown) if live else Stream(shown)
    with waiting.told():
        document = await client.document(name)
    told = view.lost if live else str  # elsewhere the log tells it
    with _quiet() if live else nullcontext():
        await _follow(client, document, view, client.documents(name, told))


async def _follow(
    client: Client,
    document: Mapping[str, Any],
    view: "Live | Stream",
    documents: AsyncGenerator[Found, None],
) -> None:
    clock = asyncio.get_running_loop().time
    async with aclosing(documents) as states:
        pending = asyncio.ensure_future(anext(states))
        stale, read = True, clock()
        try:
            while True:
                if stale:
                    try:
                        view.show(await client.surveyed(document))
                        stale, read = False, clock()
                    except ConnectionFailed as error:
                        view.lost(str(error))
                await asyncio.wait({pending}, timeout=TICK)
                if not pending.done():
                    view.tick()
                    stale = stale or clock() - read >= LOOK
                    continue
                news = pending.result()
                if news is None:
                    raise DeletedError(f"{Rollout.read(document)} is deleted")
                document, stale = news, True
                pending = asyncio.ensure_future(anext(states))
        finally:
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """What plugins print, and the log, would break a picture."""
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        yield


class Live:
    """On a terminal, in place of what was there before, with ages that go on."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._screen = terminal.Screen(shown.stdout, colours=terminal.coloured(shown.stdout))
        self._found: Survey | None = None
        self._read = datetime.now(UTC)
        self._lost = ""

    def show(self, found: Survey) -> None:
        self._found, self._read, self._lost = found, datetime.now(UTC), ""
        self.tick()

    def tick(self) -> None:
        if self._found is None:
            return
        notes: list[Line] = [(Cell("Note: ", OPEN), Cell(one)) for one in self._found.unread]
        lost: list[Line] = []  # at the top, which the smallest terminal shows
        if self._lost:
            told = f"as it was at {self._read:%H:%M:%S} UTC; the connection is lost: {self._lost}"
            lost.append((Cell(told, OPEN),))
        self._screen.show([*lost, *self._shown.lines(self._found), *([()] if notes else []), *notes])

    def lost(self, why: str) -> None:
        self._lost = why
        self.tick()


class Stream:
    """A piece for each state that says something else, for files and programs."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._last: dict[str, Any] = {}
        self._told: set[str] = set()
        self._lost = ""

    def show(self, found: Survey) -> None:
        self._lost = ""
        said = self._shown.data(found)
        if said == self._last:
            return
        first, self._last = not self._last, said
        if self._shown.as_data:
            data.piece(said, str(self._shown.output), self._shown.stdout)
        else:
            click.echo(("" if first else "\n") + self._shown.text(found), file=self._shown.stdout)
        for told in found.unread:
            if told not in self._told:
                self._told.add(told)
                click.echo(f"Note: {told}", err=True)

    def tick(self) -> None:
        """Nothing is news."""

    def lost(self, why: str) -> None:
        if why != self._lost:
            self._lost = why
            click.echo(f"Note: {sentence(why, 1024)}", err=True)
