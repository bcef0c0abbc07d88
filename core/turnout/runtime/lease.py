"""Leads by a Lease of the cluster: of several controllers one writes, and the others stand by.

The Lease is that of client-go's leaderelection, so that `kubectl get lease` tells who leads. No two clocks
are ever compared: a Lease has run out when it has not changed for as long as it says, by the clock of
whoever looks, and that clock goes on while the process or the machine sleeps. A leader writes nothing more
`Timing.renew` seconds after it last began a renewal that succeeded, which is before anybody may take over.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from turnout.plugin import Kind, Ref
from turnout.plugin.reading import integer, mapping, text
from turnout.runtime.client import Client
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import ConnectionFailed

log = logging.getLogger(__name__)

LEASE = Kind("coordination.k8s.io", ("v1",), "Lease", "leases")
RELEASED_SECONDS = 1
"""What a Lease without a holder says once its leader has stopped. client-go leaves it so, too."""
NEVER = -math.inf
FAILED = (ApiError, ConnectionFailed, TimeoutError)
T = TypeVar("T")


class Deposed(Exception):  # noqa: N818 - reads as what happened
    """This controller leads no longer. The message says why."""


@dataclass(frozen=True, slots=True)
class Timing:
    """In seconds, `lease` > `renew` > `retry`.

    Another one takes over when a Lease has not changed for `lease`; its holder writes nothing more after
    `renew`; `retry` lies between two renewals, and between two looks of those who stand by.
    """

    lease: int = 15
    renew: float = 10.0
    retry: float = 1.0


def boot_time() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Lease:
    """A Lease, and whether it is ours. `identity`: who we are, like nobody else."""

    def __init__(
        self,
        client: Client,
        ref: Ref,
        identity: str,
        timing: Timing = Timing(),
        *,
        clock: Callable[[], float] = boot_time,
    ) -> None:
        self._client = client
        self._ref = ref
        self._identity = identity
        self._timing = timing
        self._clock = clock
        self._seen: Mapping[str, Any] = {}
        self._changed = clock()
        self._version = ""
        self._renewed = NEVER
        self._said = ""

    @property
    def name(self) -> str:
        """Its namespace and name."""
        return f"{self._ref.namespace}/{self._ref.name}"

    def __str__(self) -> str:
        return f"Lease {self.name}"

    def remaining(self) -> float:
        """For how many seconds nobody else can lead; not positive where somebody may."""
        return self._renewed + self._timing.renew - self._clock()

    async def acquire(self) -> None:
        """Wait until it is ours."""
        while True:
            try:
                if await self._take():
                    self._said = ""
                    return
            except FAILED as error:
                self._say(logging.WARNING, f"{self} cannot be had: {_told(error)}")
            await asyncio.sleep(self._timing.retry)

    async def keep(self) -> None:
        """Renew it, until cancelled. Raises Deposed once it may be another one's."""
        why = "this process did not run"
        while True:
            await asyncio.sleep(self._timing.retry)
            if (seconds := self.remaining()) <= 0:
                raise self._deposed(f"{self} was not renewed for {self._timing.renew:g} s: {why}")
            try:
                await self._within(seconds, self._renew())
                why = "this process did not run"
            except FAILED as error:
                why = _told(error)
                log.debug("%s is not renewed: %s", self, why, extra={"lease": self.name})

    async def release(self) -> None:
        """Let another one lead at once. Where that fails it takes the time that the Lease says."""
        if (seconds := self.remaining()) > 0:
            with contextlib.suppress(*FAILED):
                await self._within(seconds, self._let_go())
        self._renewed = NEVER

    async def _let_go(self) -> None:
        """Write that nobody has it, over a renewal too whose answer nobody has waited for."""
        while True:
            try:
                await self._write(None, RELEASED_SECONDS)
            except ApiError as error:
                if error.status != 409:
                    raise
            else:
                return
            found = await self._client.get(self._ref)
            if found is None or text(mapping(found.get("spec")).get("holderIdentity")) != self._identity:
                return
            self._version = _version(found)

    async def _take(self) -> bool:
        """Whether it is ours now."""
        found = await self._within(self._timing.renew, self._client.get(self._ref))
        if found is None:
            return await self._make()
        spec = mapping(found.get("spec"))
        if spec != self._seen:
            self._seen, self._changed = spec, self._clock()
        holder, seconds = text(spec.get("holderIdentity")), integer(spec.get("leaseDurationSeconds")) or 0
        released = not holder and seconds == RELEASED_SECONDS
        out = self._changed + max(seconds, self._timing.lease) <= self._clock()
        if not (released or out or holder == self._identity):
            self._say(logging.INFO, f"standing by: {holder or 'nobody'} has the {self}")
            return False
        self._version = _version(found)
        began = self._clock()
        await self._within(self._timing.renew, self._write(self._identity, self._timing.lease, taken=spec))
        self._renewed = began
        return True

    async def _make(self) -> bool:
        """Create it, and wait: it may have been deleted under a leader, which notices at its next renewal."""
        began = self._clock()
        await self._within(self._timing.renew, self._create())
        self._renewed = began
        self._say(
            logging.INFO,
            f"{self} is new: for {self._timing.renew:g} s nothing is written, should another one lead",
        )
        try:
            async with asyncio.timeout(self._timing.renew):
                await self.keep()
        except TimeoutError:
            return self.remaining() > 0
        except Deposed as error:
            self._say(logging.WARNING, str(error))
        return False

    async def _renew(self) -> None:
        began = self._clock()
        try:
            await self._write(self._identity, self._timing.lease)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            await self._recover()
        self._renewed = began

    async def _recover(self) -> None:
        """Renew what has changed or gone. Raises Deposed where it is another one's."""
        found = await self._client.get(self._ref)
        if found is None:
            log.warning("%s was deleted; it is made again", self, extra={"lease": self.name})
            await self._create()
            return
        holder = text(mapping(found.get("spec")).get("holderIdentity"))
        if holder != self._identity:
            raise self._deposed(f"{holder or 'nobody'} has the {self} now")
        self._version = _version(found)
        await self._write(self._identity, self._timing.lease)

    async def _create(self) -> None:
        spec = self._spec(self._identity, self._timing.lease) | {"acquireTime": _now(), "leaseTransitions": 0}
        head = {"apiVersion": f"{LEASE.group}/{LEASE.versions[0]}", "kind": LEASE.kind}
        document = {**head, "metadata": {"name": self._ref.name}, "spec": spec}
        self._version = _version(await self._client.create(LEASE, self._ref.namespace, document))

    async def _write(
        self, holder: str | None, seconds: int, *, taken: Mapping[str, Any] | None = None
    ) -> None:
        """Write exactly over what is known. `taken`: what it was, where it changes hands."""
        spec = self._spec(holder, seconds)
        if taken is not None:
            transitions = (integer(taken.get("leaseTransitions")) or 0) + 1
            spec |= {"acquireTime": _now(), "leaseTransitions": transitions}
        patch = {"metadata": {"resourceVersion": self._version}, "spec": spec}
        self._version = _version(await self._client.merge_patch(self._ref, patch))

    @staticmethod
    def _spec(holder: str | None, seconds: int) -> dict[str, Any]:
        return {"holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": _now()}

    def _deposed(self, why: str) -> Deposed:
        self._renewed = NEVER
        return Deposed(why)

    def _say(self, level: int, what: str) -> None:
        """Log it, unless it is what was said last."""
        if what != self._said:
            self._said = what
            log.log(level, what, extra={"lease": self.name})

    @staticmethod
    async def _within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(seconds):
            return await work


def _version(obj: Mapping[str, Any]) -> str:
    return text(mapping(obj.get("metadata")).get("resourceVersion"))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _told(error: Exception) -> str:
    return "the API server does not answer" if isinstance(error, TimeoutError) else str(error)
