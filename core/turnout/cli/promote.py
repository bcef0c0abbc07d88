"""`turnout promote`: makes the primary what the candidate is, and deletes that."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turnout.cli import data, options
from turnout.cli.exits import BadInput, NoCluster, NoController, NotInTime, NotWell, TakenBack
from turnout.cli.program import Command, program_name
from turnout.shown import plain, sentence

if TYPE_CHECKING:
    from turnout.client.promotion import Progress, Promoted, Prospect, Terms


@dataclass(frozen=True, slots=True)
class Asked:
    """Which policy, and which of its candidates; None: the only one."""

    name: str
    candidate: str | None
    namespace: str | None
    context: str | None


@dataclass(slots=True)
class Talk:
    """What is said on stderr, and how far it has got."""

    last: "Progress | None" = None

    def tell(self, progress: "Progress") -> None:
        self.last = progress
        click.echo(sentence(str(progress), 2048), err=True)

    @property
    def begun(self) -> bool:
        """Whether anything may be written by now."""
        return self.last is not None

    def goes_on(self, name: str) -> str:
        """How to go on with what is written."""
        if not self.begun:
            return "nothing is written"
        return f"what is written stays; {program_name()} promote {name} goes on from there"


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout promote wisdom
      turnout promote wisdom --from wisdom-2 --timeout=30m
      turnout promote wisdom --dry-run=server
      turnout promote wisdom --manifest > wisdom-0.yaml

    Exit codes:
      0    promoted, and the candidate is gone
      1    refused, with nothing written: the candidate is not ready, or carries no calls, or the strategy
           cannot spare the primary; or somebody else has changed what it is about
      2    wrong usage; or there are several candidates, and none is named
      3    the cluster cannot be reached, or does not permit something, which is named
      5    there is no such policy
      6    something did not come in time, and it is still under way: promoting again goes on
      7    the primary did not get ready as what the candidate is, or the candidate failed before that could
           be tried: all is as it was before
      8    no controller is at work, by its Lease: promoting again goes on, once one is
      130  interrupted: promoting again goes on
    """,
)
@options.policy
@click.option("--from", "candidate", metavar="VERSION", help="The candidate. Default: the only one there is.")
@click.option(
    "--timeout",
    default="10m",
    show_default=True,
    metavar="DURATION",
    callback=options.duration_given,
    help="How long the primary may take to get ready before it is taken back; and each other wait.",
)
@click.option(
    "--dry-run",
    type=click.Choice(["client", "server"]),
    help="Change nothing. client: print the steps, and how the primary would change. "
    "server: also have the API server check every write, and whether you may.",
)
@click.option(
    "--manifest", is_flag=True, help="Change nothing. Print the primary as it is to be, to be committed."
)
@click.option("-o", "--output", type=click.Choice(["json"]), help="json: the candidate, the rollout after.")
@options.settings("The controller's settings: how long its proxies may take depends on them.")
@options.namespace
@options.context
def command(
    name: str,
    candidate: str | None,
    timeout: float,
    dry_run: str | None,
    manifest: bool,
    output: str | None,
    settings_file: Path | None,
    namespace: str | None,
    context: str | None,
) -> None:
    """Make the primary what the candidate is, and delete the candidate; calls are answered all the while.

    The candidate takes all calls, the primary gets its spec and version, takes all calls once it is ready,
    and the candidate goes when the calls have left it. Each step is on stderr. It can be interrupted at any
    point, and promoting again goes on from what is there. A primary that does not get ready is taken back.
    """
    if manifest + bool(dry_run) + bool(output) > 1:
        raise click.UsageError("--manifest, --dry-run and --output exclude each other")
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.client.promotion import Terms
    from turnout.client.promotion import manifest as manifests
    from turnout.settings import Settings

    talk = Talk()
    settings = Settings.read(settings_file) if settings_file else Settings()
    terms = Terms(timeout=timeout, settings=settings, told=talk.tell)
    asked = Asked(name, candidate, namespace, context)
    with _told(asked, talk):
        if not (manifest or dry_run):
            _show(asyncio.run(_promote(asked, terms)), output)
            return
        found = asyncio.run(_prospect(asked, terms, rehearse=dry_run == "server"))
    if manifest:
        click.echo(manifests.manifests(found.changes), nl=False)
        if not found.changes:
            click.echo(f"Note: {plain(found.rollout.primary)} serves that already", err=True)
        return
    for step in found.steps:
        click.echo(sentence(str(step), 2048))
    for line in manifests.differences(found.changes):
        click.echo(line)
    if dry_run == "server":
        click.echo("the API server would take all of it")


async def _promote(asked: Asked, terms: "Terms") -> "Promoted":
    from turnout.cli.waiting import told
    from turnout.client import Client

    with told() as silence:
        async with Client.connect(asked.namespace or "", context=asked.context) as client:
            await client.get(asked.name)
            silence.cancel()
            return await client.promote(asked.name, candidate=asked.candidate, terms=terms)


async def _prospect(asked: Asked, terms: "Terms", *, rehearse: bool) -> "Prospect":
    from turnout.cli.waiting import told
    from turnout.client import Client

    with told():
        async with Client.connect(asked.namespace or "", context=asked.context) as client:
            return await client.prospect(
                asked.name, candidate=asked.candidate, terms=terms, rehearse=rehearse
            )


def _show(done: "Promoted", output: str | None) -> None:
    if output == "json":
        data.dump(done.data(), output)
        return
    rollout = done.rollout
    told = f"{plain(rollout.primary)} is now what {plain(done.candidate)} was"
    if done.app_version:
        told += f", {plain(done.app_version)}"
    click.echo(f"{rollout.resource} promoted: {told}; in force: {sentence(rollout.split, 2048)}")


@contextmanager
def _told(asked: Asked, talk: Talk) -> Iterator[None]:
    """Tell how it ended, other than well, as one clear error, and how to go on."""
    from turnout.calling import PluginError
    from turnout.cli.cluster import told_errors
    from turnout.client.promotion import (
        CandidateError,
        PromotionError,
        PromotionRefusedError,
        TakenBackError,
        UnderWayError,
    )

    try:
        with told_errors():
            yield
    except KeyboardInterrupt:
        click.echo(f"Interrupted: {talk.goes_on(asked.name)}.", err=True)
        raise
    except (NoCluster, NoController) as error:
        if talk.begun:
            raise type(error)(f"{error.message}; {talk.goes_on(asked.name)}") from None
        raise
    except CandidateError as error:
        raise BadInput(str(error)) from None
    except UnderWayError as error:
        raise NotInTime(str(error)) from None
    except TakenBackError as error:
        raise TakenBack(str(error)) from None
    except (PromotionRefusedError, PluginError) as error:
        under_way = f"; {talk.goes_on(asked.name)}" if talk.begun else ""
        raise NotWell(f"{error}{under_way}") from None
    except PromotionError as error:
        raise NotWell(str(error)) from None
