"""What a model owner's programs do with rollouts; the commands do it by the same."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Self

from turnout.client.following import Latest
from turnout.expectations import nearest
from turnout.names import ROUTING_POLICY
from turnout.plugin import Ref
from turnout.rollout import Rollout
from turnout.runtime import client as runtime
from turnout.runtime.errors import ApiError
from turnout.runtime.reflector import Reflector
from turnout.runtime.transport import ConnectionFailed, Transport


class NotFoundError(LookupError):
    """There is no policy of that name; the message offers one that is much like it."""


class DeletedError(LookupError):
    """The policy was deleted while it was waited for."""


class NotInTimeError(TimeoutError):
    """What was waited for did not come. `rollout`: how it was at the end."""

    def __init__(self, rollout: Rollout, timeout: float) -> None:
        super().__init__(f"{rollout}: not within {timeout:g} s: {rollout.awaits or rollout.split}")
        self.rollout = rollout


class Client:
    """The rollouts of one namespace, by the RoutingPolicies in a cluster.

    Every method raises `turnout.runtime.errors.ApiError` for what the API server refuses, and
    `turnout.runtime.transport.ConnectionFailed` where it cannot be reached.
    """

    def __init__(self, transport: Transport, namespace: str) -> None:
        self._client = runtime.Client(transport)
        self.namespace = namespace

    @classmethod
    @asynccontextmanager
    async def connect(cls, namespace: str = "", *, context: str | None = None) -> AsyncIterator[Self]:
        """Connect where kubectl would, to one of the kubeconfig's contexts; in a pod as its ServiceAccount.

        `namespace`: by default the context's, or the pod's. Raises `turnout.runtime.errors.NoCluster`.
        """
        from turnout.runtime import kube  # it takes most of a second

        transport = await kube.connect(context=context)
        try:
            yield cls(transport, namespace or kube.default_namespace(context=context))
        finally:
            await transport.close()

    async def get(self, name: str) -> Rollout:
        """A rollout by its policy's name, which needs the right to get that one. Raises NotFoundError."""
        return Rollout.read(await self.document(name))

    async def document(self, name: str) -> Mapping[str, Any]:
        """A RoutingPolicy as the API server has it. Raises NotFoundError."""
        found = await self._client.get(Ref(ROUTING_POLICY, self.namespace, name))
        if found is None:
            near = nearest(name, await self._names())
            told = f"; did you mean {near}?" if near else ""
            raise NotFoundError(f"there is no RoutingPolicy {self.namespace}/{name}{told}")
        return found

    async def list(self, *, all_namespaces: bool = False) -> list[Rollout]:
        """All rollouts, by namespace and name."""
        found: list[Rollout] = []
        async with aclosing(self._pages(all_namespaces)) as pages:
            async for page in pages:
                if page.first:
                    found.clear()
                found.extend(map(Rollout.read, page.items))
        return found

    async def watch(self, name: str) -> AsyncGenerator[Rollout | None, None]:
        """A rollout as it is, and again whenever it is another; None while there is none. It never ends.

        States that follow each other faster than they are asked for give way to the last of them. A lost
        connection is logged and made again. Needs the rights to list and to watch the policy of that name.
        Use it with `contextlib.aclosing`.
        """
        latest = Latest()
        reflector = Reflector(self._client, ROUTING_POLICY, self.namespace, latest, name=name)
        following = asyncio.create_task(reflector.run())
        try:
            while True:
                found = await latest.next()
                yield Rollout.read(found) if found else None
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def wait(
        self,
        name: str,
        until: Callable[[Rollout], bool],
        *,
        timeout: float,
        told: Callable[[Rollout], None] = lambda _: None,
    ) -> Rollout:
        """Wait until something holds of a rollout, for `timeout` seconds at most. Returns how it is then.

        `told` is given each state in which it does not hold. Raises NotFoundError, DeletedError and
        NotInTimeError.
        """
        last = await self.get(name)
        try:
            async with asyncio.timeout(timeout), aclosing(self.watch(name)) as states:
                while not until(last):
                    told(last)
                    found = await anext(states)
                    if found is None:
                        raise DeletedError(f"{last} is deleted")
                    last = found
        except TimeoutError:
            raise NotInTimeError(last, timeout) from None
        return last

    def _pages(self, all_namespaces: bool) -> AsyncGenerator[runtime.Page, None]:
        return self._client.pages(ROUTING_POLICY, None if all_namespaces else self.namespace)

    async def _names(self) -> tuple[str, ...]:
        """Of all policies; none where they may not be listed."""
        try:
            return tuple(one.name for one in await self.list())
        except (ApiError, ConnectionFailed):
            return ()
