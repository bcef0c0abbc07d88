"""`turnout run`: the controller."""

import asyncio
import logging
import os
import re
import signal
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from turnout import __version__, loading
from turnout.cli import options
from turnout.cli.exits import BadInput, NoCluster
from turnout.cli.program import Command
from turnout.plugin import Ref
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.shapes import DNS_LABEL, DNS_SUBDOMAIN
from turnout.shown import shown

if TYPE_CHECKING:
    from turnout.runtime.metrics.counted import Metrics
    from turnout.runtime.transport import Transport

log = logging.getLogger(__name__)

LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def _instance(_: click.Context, __: click.Parameter, value: str) -> str:
    if not LABEL_VALUE.fullmatch(value):
        expected = "a label's value: at most 63 letters, digits, -, _ and ., a letter or digit at either end"
        raise click.BadParameter(f"found {shown(value)}, expected {expected}")
    return value


def _lease(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, str] | None:
    """Its namespace, empty for that of the kubeconfig or of the pod, and its name."""
    if value is None:
        return None
    namespace, slash, name = value.rpartition("/")
    if not DNS_SUBDOMAIN.fullmatch(name) or (slash and not DNS_LABEL.fullmatch(namespace)):
        raise click.BadParameter(f"found {shown(value)}, expected NAME or NAMESPACE/NAME in lower case")
    return namespace, name


def _http(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """Its host, an IPv6 address without brackets, and its port."""
    if value is None:
        return None
    found = options.ADDRESS.fullmatch(value)
    if found is None or int(found["port"]) > 65535:
        expected = "HOST:PORT, such as 127.0.0.1:8080, [::1]:8080, or 0.0.0.0:8080 for all interfaces"
        raise click.BadParameter(f"found {shown(value)}, expected {expected}")
    return found["host"].strip("[]"), int(found["port"])


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout run                                 the namespace of the kubeconfig or of the pod
      turnout run --namespace team-a --namespace team-b
      turnout run --all-namespaces --settings settings.yaml
      turnout run --lease turnout                 one of several, as in a Deployment
      turnout run --http 127.0.0.1:8080           with metrics, and answers for probes
    """,
)
@options.namespaces("Serve this namespace. Repeatable.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Serve all namespaces.")
@click.option(
    "--instance",
    default="",
    metavar="NAME",
    callback=_instance,
    help="Serve only policies labelled turnout.dev/instance: NAME.",
)
@click.option(
    "--lease",
    metavar="[NAMESPACE/]NAME",
    callback=_lease,
    help="Of the controllers with this Lease one writes, and the others stand by. Default: this one writes.",
)
@click.option(
    "--http",
    metavar="HOST:PORT",
    callback=_http,
    help="Serve /metrics, /healthz and /readyz there. Default: nothing listens.",
)
@options.settings("The administrator's settings, in YAML.")
@options.context
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "text", "json"]),
    default="auto",
    show_default=True,
    help="auto: text on a terminal, JSON elsewhere.",
)
def command(
    namespaces: tuple[str, ...],
    all_namespaces: bool,
    instance: str,
    lease: tuple[str, str] | None,
    http: tuple[str, int] | None,
    settings_file: Path | None,
    context: str | None,
    log_level: str,
    log_format: str,
) -> None:
    """Run the controller: watch policies and versions, and keep the routes what they should be.

    It uses KUBECONFIG, ~/.kube/config or the pod's own credentials, and runs until it gets SIGINT or
    SIGTERM. Routes stay in force when it stops.
    """
    if all_namespaces and namespaces:
        raise click.UsageError("--all-namespaces and --namespace exclude each other")
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.runtime import kube, logs
    from turnout.runtime.errors import NoCluster as NoClusterFound

    settings = Settings.read(settings_file) if settings_file else Settings()
    registry = loading.load_for(settings)
    logs.configure(log_level, log_format)
    _tell_start(registry, settings)
    try:
        scope = None if all_namespaces else frozenset(namespaces or [kube.default_namespace(context=context)])
        asyncio.run(_run(_Run(registry, settings, scope, instance, context, lease, http)))
    except NoClusterFound as error:
        raise NoCluster(str(error)) from None


def _tell_start(registry: Registry, settings: Settings) -> None:
    log.info("turnout %s; plugins: %s", __version__, ", ".join(str(loaded) for loaded in registry))
    for kept_out in registry.kept_out:
        log.info("plugin kept out by the settings: %s", kept_out)
    for failure in registry.failures:
        log.error("plugin not loaded: %s", failure)
    for problem in settings.problems(registry):
        log.error("settings: %s", problem)


@dataclass(frozen=True, slots=True)
class _Run:
    """What was asked for. `namespaces`: None stands for all."""

    registry: Registry
    settings: Settings
    namespaces: frozenset[str] | None
    instance: str
    context: str | None
    lease: tuple[str, str] | None
    http: tuple[str, int] | None


async def _run(asked: _Run) -> None:
    async with AsyncExitStack() as stack:
        metrics = await _metrics(asked.http, stack) if asked.http else None
        await _serve(asked, metrics, stack)


async def _metrics(address: tuple[str, int], stack: AsyncExitStack) -> "Metrics":
    """Listen, and have something to answer."""
    from turnout.runtime.http import listening
    from turnout.runtime.metrics.counted import Metrics

    metrics, (host, port) = Metrics(), address
    try:
        listener = await stack.enter_async_context(listening(host, port, metrics))
    except OSError as error:
        told = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise BadInput(f"--http: cannot listen on {host}, port {port}: {told}") from None
    where = "all interfaces" if listener.everywhere else host
    log.info("/metrics, /healthz and /readyz on %s, port %d", where, listener.port)
    return metrics


async def _serve(asked: _Run, metrics: "Metrics | None", stack: AsyncExitStack) -> None:
    from turnout.runtime import kube
    from turnout.runtime.client import Client
    from turnout.runtime.controller import Controller
    from turnout.runtime.leading import lead
    from turnout.runtime.lease import LEASE, Lease, Timing

    def client(transport: "Transport") -> Client:
        return Client(transport, on_call=metrics.called if metrics else None)

    def controller(transport: "Transport") -> Controller:
        made = Controller(
            client(transport),
            asked.registry,
            asked.settings,
            namespaces=asked.namespaces,
            instance=asked.instance,
            lease=leased.name if leased else "",
            observer=metrics,
        )
        if metrics:
            metrics.controller = made
        return made

    transport = await kube.connect(context=asked.context)
    stack.push_async_callback(transport.close)
    leased: Lease | None = None
    if asked.lease:
        namespace, name = asked.lease
        ref = Ref(LEASE, namespace or kube.default_namespace(context=asked.context), name)
        identity = f"{socket.gethostname()}_{uuid4()}"
        seconds = asked.settings.lease
        timing = Timing(seconds.duration_seconds, seconds.renew_seconds, seconds.retry_seconds)
        leased = Lease(client(transport), ref, identity, timing)
        if metrics:
            metrics.lease = leased
        work = lead(controller, transport, leased)
    else:
        work = controller(transport).run()
    running = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    everywhere = asked.namespaces is None
    log.info("serving %s", "all namespaces" if everywhere else ", ".join(sorted(asked.namespaces or ())))
    try:
        await running
    except asyncio.CancelledError:
        log.info("stopped; the routes stay in force")
