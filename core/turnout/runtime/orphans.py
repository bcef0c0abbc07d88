"""Looks for versions that bear our finalizer though no policy uses their environment any more.

Kinds are followed when a policy first uses them. What a policy left behind that was deleted while no
controller ran is found by one list of each other kind, and followed only where there is something.
"""

import asyncio
import logging
from collections.abc import Iterable

from turnout.plugin import Kind
from turnout.runtime.client import Client
from turnout.runtime.context import Context
from turnout.runtime.errors import ApiError
from turnout.runtime.kinds import KindCaches
from turnout.runtime.marked import Place, read
from turnout.runtime.transport import ConnectionFailed

log = logging.getLogger(__name__)

PAUSE = 0.5
"""Seconds until another look whether all policies have been looked at."""
RETRY = 10.0
"""Seconds until a list is tried again that got no answer."""


async def follow_orphans(
    client: Client, context: Context, kinds: KindCaches, scopes: Iterable[str | None]
) -> None:
    """Follow the kinds of environments that no policy uses, where the finalizer is on one of their objects.

    `scopes`: the namespaces, or None for all of them.
    """
    while not context.settled:  # noqa: ASYNC110 - once, at start
        await asyncio.sleep(PAUSE)
    for loaded in context.assessor.registry.environments.values():
        environment = loaded.plugin
        watched = environment.watches if environment.drain else ()
        for kind, scope in ((kind, scope) for kind in watched for scope in scopes):
            if not kinds.follows(kind, scope) and await _any(client, kind, scope):
                told = "following %s, which bear finalizers of policies that are gone"
                log.info(told, kind, extra={"resource": str(kind)})
                kinds.need(environment)
                break


async def _any(client: Client, kind: Kind, scope: str | None) -> bool:
    """Whether an object of the kind bears a mark of ours. Where we may not look, we have put none."""
    while True:
        try:
            return bool(await read(client, Place(kind, scope)))
        except ApiError as error:
            log.debug("no look for finalizers on %s: %s", kind, error, extra={"resource": str(kind)})
            if error.status < 500 and error.status != 429:
                return False
        except ConnectionFailed as error:
            log.debug("no look for finalizers on %s yet: %s", kind, error, extra={"resource": str(kind)})
        await asyncio.sleep(RETRY)
