"""`turnout release`: lets versions go that no controller lets go."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turnout import loading
from turnout.cli import options
from turnout.cli.exits import NoCluster
from turnout.cli.kinds import kind_of, kinds_to_type, watched
from turnout.cli.options import OBJECT_NAME
from turnout.cli.program import Command
from turnout.plugin import Kind
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.shown import shown

if TYPE_CHECKING:
    from turnout.cli.release_report import Report
    from turnout.runtime.marked import Place
    from turnout.runtime.transport import Transport

DRY_RUN = "--dry-run"


class _Command(Command):
    """--dry-run takes its value after = only, as with kubectl, and alone it means the client's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        options = [f"{DRY_RUN}=client" if one == DRY_RUN else one for one in args[:end]]
        return super().parse_args(ctx, [*options, *args[end:]])


@click.command(
    cls=_Command,
    epilog="""
    Examples:
      turnout release wisdom-1 -n modelmesh-serving
      turnout release -A                   all that hang in their deletion
      turnout release -A --all --dry-run   what an uninstallation has to release

    Exit codes:
      0  all that was found is released, or nothing was found
      1  something keeps changing, or is refused by the API server as it stands
      3  the cluster cannot be reached, or does not permit something; the others are released
    """,
)
@click.argument("names", nargs=-1, metavar="[[KIND/]NAME]...")
@options.namespaces("Look in this namespace. Repeatable. Default: the kubeconfig's, or the pod's.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Look in all namespaces.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    shell_complete=kinds_to_type,
    help="Only objects of this kind. Repeatable. Default: all that environments watch.",
)
@click.option("--all", "living", is_flag=True, help="Also versions that are not being deleted.")
@options.held_for(
    "Only versions that policies of this namespace hold. Repeatable. Default: of any namespace."
)
@click.option(
    DRY_RUN,
    "dry_run",
    type=click.Choice(["none", "client", "server"]),
    default="none",
    show_default=True,
    help="client: only say what would be released; server: have the API server check it too.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "name"]),
    help="json: a List of what was released; name: kind and name, one a line.",
)
@options.context
@options.settings("The controller's settings: what they keep from being imported is not looked for.")
def command(
    names: tuple[str, ...],
    namespaces: tuple[str, ...],
    all_namespaces: bool,
    kinds: tuple[str, ...],
    living: bool,
    held_for: tuple[str, ...],
    dry_run: str,
    output: str | None,
    context: str | None,
    settings_file: Path | None,
) -> int:
    """Take the finalizer turnout.dev/drain off versions that are being deleted, so that they go at once.

    For versions that hang in their deletion because no controller runs. It waits for no routes: calls
    to a version that is still routed to will fail. It needs the rights to list and to patch the
    versions, and neither policies nor turnout's CRDs. A controller that runs lets deleted versions go
    by itself, and puts the finalizer back on others as long as a policy names them.
    """
    if all_namespaces and namespaces:
        raise click.UsageError("--all-namespaces and --namespace exclude each other")
    if all_namespaces and names:
        raise click.UsageError("a name needs its namespace: --all-namespaces and NAME exclude each other")
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli.release_report import Report
    from turnout.runtime import kube
    from turnout.runtime.errors import NoCluster as NoClusterFound
    from turnout.runtime.release import DryRun

    settings = Settings.read(settings_file) if settings_file else Settings()
    # Of every environment: what may no longer be used may have left finalizers.
    registry = loading.load(settings.distributions.allow, settings.distributions.block)
    wanted = asked(registry, names, kinds)
    try:
        scope = None if all_namespaces else namespaces or (kube.default_namespace(context=context),)
        report = Report(output, DryRun(dry_run), scope, living=living, held_for=held_for)
        report.begin(registry.failures)
        return asyncio.run(_connect(report, _places(wanted, scope), context))
    except NoClusterFound as error:
        raise NoCluster(str(error)) from None


async def _connect(report: "Report", places: Sequence["Place"], context: str | None) -> int:
    from turnout.runtime import kube

    transport = await kube.connect(context=context)
    try:
        return await run(report, places, transport)
    finally:
        await transport.close()


async def run(report: "Report", places: Sequence["Place"], transport: "Transport") -> int:
    """Release what there is in some places. Returns the exit code."""
    from turnout.runtime.client import Client
    from turnout.runtime.release import Release

    release = Release(
        Client(transport),
        report.released,
        living=report.living,
        held_for=report.held_for,
        dry_run=report.dry_run,
        waits=report.waits,
    )
    looking = asyncio.ensure_future(release.find(places))
    running: asyncio.Future[None] | None = None

    def interrupt() -> None:
        """At first let be finished what has begun; nothing has before all is found."""
        if running is None or report.interrupted:
            (running or looking).cancel()
        report.interrupted = True
        release.end()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        found = await looking
        report.wanted = sum(map(release.wanted, found))
        running = asyncio.ensure_future(release.take_off(found))
        await running
    except asyncio.CancelledError:
        if not report.interrupted:
            raise
        found = []
    return report.end(found, release, places)


def asked(registry: Registry, names: Sequence[str], kinds: Sequence[str]) -> list[tuple[Kind, str | None]]:
    """The kinds to look at, each with a name (None: any). Raises BadParameter and UsageError."""
    known = watched(registry)
    among = [kind_of(text, known, "--kind") for text in kinds] or known
    if not names:
        return [(kind, None) for kind in dict.fromkeys(among)]
    found: list[tuple[Kind, str | None]] = []
    for text in names:
        said, _, name = text.rpartition("/")
        if not OBJECT_NAME.fullmatch(name):
            raise click.BadParameter(f"found {shown(text)}, expected NAME or KIND/NAME", param_hint="NAME")
        found += [(kind, name) for kind in ([kind_of(said, known, "NAME")] if said else among)]
    return list(dict.fromkeys(found))


def _places(wanted: Sequence[tuple[Kind, str | None]], scope: Sequence[str] | None) -> list["Place"]:
    from turnout.runtime.marked import Place

    namespaces = [None] if scope is None else list(dict.fromkeys(scope))
    return [Place(kind, namespace, name) for namespace in namespaces for kind, name in wanted]
