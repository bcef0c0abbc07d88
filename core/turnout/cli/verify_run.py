"""What `turnout verify` does: reads the policy, asks, and tells."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import click

from turnout import loading
from turnout.cli import cluster, waiting
from turnout.cli.exits import BadInput, Exit
from turnout.client import Client, NotFoundError
from turnout.inference import GrpcMissing, Tensor, TensorError
from turnout.registry import Registry
from turnout.runtime.errors import ApiError
from turnout.runtime.errors import NoCluster as NoClusterFound
from turnout.runtime.transport import ConnectionFailed
from turnout.settings import Settings
from turnout.shown import plain
from turnout.verification import report as reports
from turnout.verification.decided import decided, host
from turnout.verification.matching import Call, whose
from turnout.verification.naming import by_version, environments
from turnout.verification.question import Question, infer_path
from turnout.verification.report import Report
from turnout.verification.sending import Asker, Pace, send
from turnout.verification.split import (
    MOST,
    Split,
    Strictness,
    Verdict,
    least_tolerance,
    needed,
    of_weights,
)
from turnout.verification.tally import Tally

Policy = Mapping[str, Any]
PATIENCE = 5.0
"""Seconds for which the policy is waited for once the calls are made: the counts are what was asked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the policy is. Without a namespace: the kubeconfig's, or the pod's."""

    name: str
    namespace: str | None = None
    context: str | None = None

    @property
    def there(self) -> str:
        """The namespace. Raises the runtime's NoCluster."""
        if self.namespace:
            return self.namespace
        from turnout.runtime import kube  # it takes most of a second

        return kube.default_namespace(context=self.context)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command was given about the calls."""

    address: str
    authority: str | None
    tensors: tuple[Tensor, ...]
    metadata: tuple[tuple[str, str], ...]
    header: str
    tls: bool | bytes
    timeout: float
    over_http: bool
    settings: Settings = field(default_factory=Settings)


@contextmanager
def told_errors() -> Iterator[None]:
    """Tell what a user can do something about as one clear error."""
    try:
        with cluster.told_errors():
            yield
    except TensorError as error:
        raise BadInput(f"--data: {error}") from None
    except GrpcMissing as error:
        raise BadInput(f"{error}, or ask over HTTP: --http") from None


def policy(place: Place) -> Policy:
    """The policy in the cluster. Raises what `told_errors` tells."""
    return asyncio.run(read(place))


async def read(place: Place) -> Policy:
    """Likewise, within a running event loop; if it takes long, that is said."""
    with waiting.told():
        async with Client.connect(place.namespace or "", context=place.context) as client:
            return await client.document(place.name)


def installed(settings: Settings) -> Registry:
    """The plugins. By name nothing is kept out: routes stay in force that no policy may have anew."""
    chosen = settings.distributions
    return loading.load(chosen.allow, chosen.block)


def prepare(
    place: Place, asked: Asked, policy: Policy | None, expect: Mapping[str, float] | None
) -> tuple[Question, Split]:
    """What is asked, and the split that is decided: by `expect`, else by the policy. Raises BadInput."""
    model, authority = place.name, asked.authority
    split: Split = of_weights(expect or {})
    named: Mapping[str, str] = {}
    if policy is not None:
        said = decided(policy)
        model, split = said.model, said.split
        call = Call(infer_path(model, over_http=asked.over_http), [name for name, _ in asked.metadata])
        if found := whose(policy, said.matched, call):
            raise BadInput(
                f"these calls may be those of {plain(found)}; say with --expect who should answer them"
            )
        if not split:
            why = f": {plain(said.unsettled)}" if said.unsettled else ""
            raise BadInput(f"RoutingPolicy {place.name}: no share is decided yet{why}")
        if asked.header:
            try:
                named = said.named()
            except ValueError as error:
                raise BadInput(
                    f"{plain(str(error))}: {asked.header} cannot tell them apart; leave out --header"
                ) from None
        if said.unsettled:
            click.echo(f"Note: the routes may not be the decided ones: {plain(said.unsettled)}", err=True)
        if authority is None:
            registry = installed(asked.settings)
            authority = host(policy, registry, "http" if asked.over_http else "grpc", asked.settings)
            if authority is None:
                told = "give the controller's --settings, or say it with --authority"
                raise BadInput(f"the policy's host cannot be told from here: {told}")
    question = Question(
        address=asked.address,
        authority=authority or f"{model}.{place.there}",
        model=model,
        tensors=asked.tensors,
        metadata=asked.metadata,
        header=asked.header,
        named=named,
        tls=asked.tls,
        timeout=asked.timeout,
    )
    return question, split


async def count(
    question: Question,
    pace: Pace,
    tally: Tally,
    *,
    over_http: bool,
    doubt: Callable[[], Awaitable[str]] | None,
) -> str:
    """Make all calls. Returns what `doubt` says of them then. SIGTERM cancels it.

    Raises GrpcMissing, TensorError.
    """
    asker: Asker
    if task := asyncio.current_task():
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not here, or not in this thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    if over_http:
        from turnout.verification.over_http import Http

        asker = Http(question)
    else:
        from turnout.verification.over_grpc import Grpc

        asker = Grpc(question)
    async with asker:
        await send(asker, pace, tally)
    return await doubt() if doubt else ""


def name_versions(tally: Tally, policy: Policy | None, settings: Settings) -> None:
    """Count by version what was counted by the names of models."""
    tally.answers = by_version(tally.answers, environments(policy, installed(settings)))


async def changed(place: Place, split: Split) -> str:
    """Why the split may not be the policy's any more; empty if it is."""
    try:
        async with asyncio.timeout(PATIENCE):
            again = decided(await read(place)).split
    except TimeoutError:
        return f"the policy cannot be read again: no answer within {PATIENCE:g} s"
    except (NotFoundError, NoClusterFound, ApiError, ConnectionFailed) as error:
        return f"the policy cannot be read again: {plain(str(error))}"
    return "" if again == split else "the decided split has changed while the calls were made"


def enough(split: Split, strictness: Strictness) -> int:
    """How many calls a verdict is likely to need. Raises BadInput if it is more than can be asked for."""
    count = needed(split, strictness)
    if count is None:
        found, least = strictness.tolerance, least_tolerance(split, strictness.confidence)
        expected = f"{100 * least:g} or more: for less, {MOST} calls are too few"
        raise BadInput(f"--tolerance: found {100 * found:g}, expected {expected}")
    return count


def tell(report: Report, requests: int, output: str) -> int:
    """Print the report; `requests`: how many calls were to be made. Returns the exit code."""
    if report.tally.hopeless and not report.interrupted:
        rest = ": the rest was not sent" if report.tally.failed < requests else ""
        click.echo(f"Error: not one call was answered{rest}", err=True)
    if output == "json":
        click.echo(json.dumps(reports.data(report), indent=2))
    else:
        colour = False if os.environ.get("NO_COLOR") else None
        for line in reports.text(report):
            click.echo(line, color=colour)
    if report.interrupted:
        return Exit.INTERRUPTED
    if report.tally.failed or report.verdict is Verdict.DIFFERS:
        return Exit.NOT_WELL
    return Exit.UNDECIDED if report.verdict is Verdict.UNCERTAIN else Exit.OK
