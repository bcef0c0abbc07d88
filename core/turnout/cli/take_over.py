"""What `turnout migrate --take-over` does: hands models from Iter8's controller over to turnout's."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from turnout import loading
from turnout.cli.cluster import told_errors
from turnout.cli.exits import Exit
from turnout.cli.guarded import guarded
from turnout.cli.waiting import progress
from turnout.client import Client, NotInTimeError
from turnout.documents import Sourced
from turnout.migration import Artifacts, Carried
from turnout.offline import Offline, Planned
from turnout.plugin import Ref
from turnout.registry import Registry
from turnout.runtime.transport import Transport
from turnout.settings import Settings
from turnout.shown import plain, sentence
from turnout.takeover.prepared import Prepared, Refused
from turnout.takeover.reading import resources
from turnout.takeover.takeover import TakeOver

CLUSTER = "the cluster"


@dataclass(frozen=True, slots=True)
class How:
    """What was asked for. `timeout`: seconds to wait for the controller; None: not at all."""

    dry_run: bool = False
    accept_changes: bool = False
    timeout: float | None = None
    settings_file: Path | None = None
    settle: float = 2.0


@dataclass(slots=True)
class Done:
    """What came of it. `lines`: what was done, as kubectl would say it."""

    code: Exit = Exit.OK
    lines: list[str] = field(default_factory=list)

    def say(self, line: str) -> None:
        """On stdout, the moment it is done."""
        self.lines.append(line)
        click.echo(line)


async def take_over(transport: Transport, artifacts: Artifacts, found: Sequence[Carried], how: How) -> Done:
    """Take models over. What is not as it should be is told on stderr."""
    done = Done()
    settings = Settings.read(how.settings_file) if how.settings_file else Settings()
    plan = partial(_planned, loading.load_for(settings), settings)
    run = TakeOver(transport, plan, done.say, accept_changes=how.accept_changes, settle=how.settle)
    holders = {id(one): resources(artifacts, one.namespace, one.routemap) for one in found}
    taken: list[Carried] = []
    with told_errors():
        # Nothing is written before all that is to be written is found to be permitted.
        for one in found:
            try:
                prepared = await (run.prepare(one) if how.dry_run else run.begin(one))
                await run.permitted(prepared, holders[id(one)])
            except Refused as refused:
                done.code = _refuse(refused)
            else:
                taken.append(one)
                if how.dry_run:
                    _would(done, prepared, await run.held(holders[id(one)]))
        if how.dry_run:
            return done
        for one in taken:
            try:
                await run.run(one, holders[id(one)])
                await _routed(transport, one, how.timeout)
            except Refused as refused:
                done.code = _refuse(refused)
            except NotInTimeError as error:
                click.echo(f"Error: {error}", err=True)
                done.code = Exit.NOT_IN_TIME
        await _still_held(run, [ref for one in taken for ref in holders[id(one)]], how)
    return done


def _planned(
    registry: Registry, settings: Settings, documents: Iterable[Mapping[str, Any]], namespace: str
) -> Planned:
    with guarded() as run:
        offline = Offline(registry, settings, datetime.now(UTC), namespace, run=run)
        offline.add(Sourced(CLUSTER, one) for one in documents)
        (planned,) = offline.plan()
    return planned


def _refuse(refused: Refused) -> Exit:
    for line in refused.lines:
        click.echo(f"Error: {sentence(line, 4096)}", err=True)
    return Exit.NOT_WELL


def _would(done: Done, prepared: Prepared, held: Sequence[Ref]) -> None:
    """Say what would be done."""
    left = [
        *(("create", one) for one in prepared.missing),
        *(("hand over", one.ref) for one in prepared.left),
    ]
    for what, ref in [*left, *(("release", one) for one in held)]:
        done.say(f"would {what} {ref}")


async def _routed(transport: Transport, one: Carried, timeout: float | None) -> None:
    """Wait until turnout's controller says that the routes are the decided ones."""
    if timeout is not None:
        with progress() as told:
            client = Client(transport, one.namespace)
            rollout = await client.wait(one.name, lambda now: now.in_force, timeout=timeout, told=told)
        click.echo(f"{rollout.resource} in force: {plain(rollout.split, 2048)}")


async def _still_held(run: TakeOver, holders: Sequence[Ref], how: How) -> None:
    """Say whether Iter8's controller is still there: it puts its finalizer on what it watches."""
    if holders:
        await asyncio.sleep(how.settle)
    if held := await run.held(holders):
        told = "Iter8's controller runs, and has put its finalizer back on"
        click.echo(
            f"Note: {told} {', '.join(map(str, held))}; run this again once it is stopped, or deletions hang",
            err=True,
        )
