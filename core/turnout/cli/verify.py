"""`turnout verify`: does the network share calls as decided? Asked from where the user is."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turnout.cli import options
from turnout.cli import verify_options as given
from turnout.cli.program import Command

if TYPE_CHECKING:
    from turnout.inference import Tensor


@click.command(
    cls=Command,
    epilog="""
    Examples:
      turnout verify wisdom --address localhost:8080 --data request.json
      turnout verify wisdom --address localhost:8080 --expect wisdom-0=20,wisdom-1=80
      turnout verify wisdom --address localhost:8080 -H traffic=test --expect wisdom-1=1

    Exit codes:
      0    matches: the calls are shared as decided
      1    differs, or calls have failed
      2    wrong usage, or input that cannot be used
      3    the cluster cannot be reached, or does not permit to get the policy
      4    not enough evidence: it may match or not
      5    there is no such policy
      130  interrupted, or ended by SIGTERM; what was counted is printed
    """,
)
@options.policy
@click.option(
    "--address", required=True, metavar="HOST:PORT", callback=given.address, help="Where calls are sent."
)
@click.option(
    "--authority",
    metavar="HOST",
    callback=given.authority,
    help="The host that is asked for. Default: the policy's first, <model>.<namespace>.",
)
@click.option(
    "--expect",
    metavar="VERSION=WEIGHT,…",
    callback=options.weights_given,
    help="The decided split, as relative weights; with --header, of what that says. "
    "Default: what the policy's status says.",
)
@click.option(
    "--header",
    default="",
    metavar="NAME",
    callback=given.name_of_header,
    help="The response header that names the version. Default: the model's name in the answer does.",
)
@click.option("--http", "over_http", is_flag=True, help="Ask over HTTP: POST /v2/models/<model>/infer.")
@click.option(
    "--data",
    "tensors",
    metavar="FILE|-",
    callback=given.tensors,
    help="The inputs of each call: the JSON of a request, as curl or grpcurl sends it.",
)
@click.option(
    "-H",
    "--metadata",
    multiple=True,
    metavar="NAME=VALUE",
    callback=given.headers,
    help="A header of each call. Repeatable.",
)
@click.option(
    "--requests",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="How many calls. Default: as many as a verdict is likely to need.",
)
@click.option("--rate", type=given.Finite(0), default=0.0, help="Calls a second at most. Default: any.")
@click.option(
    "--concurrency", type=click.IntRange(1, 1000), default=10, show_default=True, help="Calls at once."
)
@click.option(
    "--timeout",
    type=given.Finite(0, 86400, min_open=True),
    default=5.0,
    show_default=True,
    help="Of a call, in s.",
)
@click.option("--tls", is_flag=True, help="Connect with TLS.")
@click.option(
    "--cacert",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    callback=given.authorities,
    help="Connect with TLS, and trust these authorities instead of the system's.",
)
@click.option(
    "--confidence",
    type=given.Finite(50, 100, max_open=True),
    default=99.9,
    show_default=True,
    help="How sure a verdict is, in percent.",
)
@click.option(
    "--tolerance",
    type=given.Finite(0, 50, min_open=True),
    default=5.0,
    show_default=True,
    help="How far off a share may be in a match, in percentage points.",
)
@options.namespace
@options.context
@options.settings("The controller's settings: the policy's host may depend on them.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    name: str,
    address: str,
    authority: str | None,
    expect: dict[str, float] | None,
    header: str,
    over_http: bool,
    tensors: list["Tensor"],
    metadata: tuple[tuple[str, str], ...],
    requests: int | None,
    rate: float,
    concurrency: int,
    timeout: float,
    tls: bool,
    cacert: bytes | None,
    confidence: float,
    tolerance: float,
    namespace: str | None,
    context: str | None,
    settings_file: Path | None,
    output: str,
) -> int:
    """Ask the model of the policy NAME again and again, and check that versions answer as decided.

    Each version's share is known from its answers within an interval, which holds the true one with the
    confidence. It matches if the interval holds the decided share, and nothing that is further from it than
    the tolerance; with fewer than 100 answers nothing does. A call that fails may have been for any version.
    Needs the right to get the one policy; with --expect, it needs no cluster. Calls that a match of the
    policy's may take need --expect.
    """
    # Here, and not above: the help of a command must not wait for these imports.
    from turnout.cli import verify_run as run
    from turnout.settings import Settings
    from turnout.shown import plain
    from turnout.verification.report import Report
    from turnout.verification.sending import Pace
    from turnout.verification.split import Strictness
    from turnout.verification.tally import Tally

    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it tells of every connection that ends
    place = run.Place(name, namespace, context)
    asked = run.Asked(
        address,
        authority,
        tuple(tensors),
        metadata,
        header,
        tls if cacert is None else cacert,
        timeout,
        over_http=over_http,
        settings=Settings.read(settings_file) if settings_file else Settings(),
    )
    strictness = Strictness(confidence / 100, tolerance / 100)
    with run.told_errors():
        policy = None if expect else run.policy(place)
        question, split = run.prepare(place, asked, policy, expect)
        pace = Pace(requests or run.enough(split, strictness), concurrency, rate)
        click.echo(
            f"asking {question.address} for {plain(question.authority)}, {pace.requests} times …", err=True
        )
        tally, doubt, interrupted = Tally(), "", False
        doubted = partial(run.changed, place, split) if policy is not None else None
        try:
            doubt = asyncio.run(run.count(question, pace, tally, over_http=over_http, doubt=doubted))
        except (KeyboardInterrupt, asyncio.CancelledError):
            interrupted = True
        if not header:
            run.name_versions(tally, policy, asked.settings)
    return run.tell(Report(question, split, tally, strictness, doubt, interrupted), pace.requests, output)
