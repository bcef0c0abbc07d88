"""What a model owner's programs do with rollouts; the commands do it by the same."""

import asyncio
import builtins
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from turnout.client import controllers, removal
from turnout.client import weights as weights_
from turnout.client.following import Found, Lost, NotReadableError, following
from turnout.client.survey import Survey
from turnout.client.surveying import survey
from turnout.client.weights import NotShiftedError
from turnout.expectations import nearest
from turnout.names import FIELD_MANAGER_OF_PEOPLE, ROUTING_POLICY
from turnout.offline import Planned
from turnout.plugin import Ref
from turnout.registry import Registry
from turnout.rollout import Rollout
from turnout.runtime import client as runtime
from turnout.runtime.errors import ApiError
from turnout.runtime.transport import ConnectionFailed, Transport
from turnout.settings import Settings

T = TypeVar("T")

if TYPE_CHECKING:
    from turnout.client.promotion import Promoted, Promoter, Prospect, Terms


class NotFoundError(LookupError):
    """There is no policy of that name; the message offers one that is much like it."""


class DeletedError(LookupError):
    """The policy was deleted while it was waited for."""


class NotInTimeError(TimeoutError):
    """What was waited for did not come. `rollout`: how it was at the end."""

    def __init__(self, rollout: Rollout, timeout: float, awaits: str = "") -> None:
        told = awaits or rollout.awaits or rollout.split
        super().__init__(f"{rollout}: not within {timeout:g} s: {told}")
        self.rollout = rollout


class Client:
    """The rollouts of one namespace, by the RoutingPolicies in a cluster.

    Every method raises `turnout.runtime.errors.ApiError` for what the API server refuses, and
    `turnout.runtime.transport.ConnectionFailed` where it cannot be reached.
    """

    def __init__(
        self,
        transport: Transport,
        namespace: str,
        *,
        settings: Settings | None = None,
        registry: Registry | None = None,
    ) -> None:
        self._client = runtime.Client(transport, manager=FIELD_MANAGER_OF_PEOPLE)
        self.namespace = namespace
        self._settings = settings or Settings()
        self._registry = registry

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, namespace: str = "", *, context: str | None = None, settings: Settings | None = None
    ) -> AsyncIterator[Self]:
        """Connect where kubectl would, to one of the kubeconfig's contexts; in a pod as its ServiceAccount.

        `namespace`: by default the context's, or the pod's. `settings`: the administrator's, as the
        controller has them, for what is decided here. Raises `turnout.runtime.errors.NoCluster`.
        """
        from turnout.runtime import kube  # it takes most of a second

        transport = await kube.connect(context=context)
        try:
            yield cls(transport, namespace or kube.default_namespace(context=context), settings=settings)
        finally:
            await transport.close()

    async def get(self, name: str) -> Rollout:
        """A rollout by its policy's name, which needs the right to get that one. Raises NotFoundError."""
        return Rollout.read(await self.document(name))

    async def document(self, name: str) -> Mapping[str, Any]:
        """A RoutingPolicy as the API server has it. Raises NotFoundError."""
        found = await self._client.get(self._ref(name))
        if found is None:
            near = nearest(name, await self._names())
            told = f"; did you mean {near}?" if near else ""
            raise NotFoundError(f"there is no RoutingPolicy {self.namespace}/{name}{told}")
        return found

    async def survey(self, name: str) -> Survey:
        """A rollout with what it is made of: what would be decided, its routes' writers, its last shifts.

        What may not be read is in `unread`. Needs the rights to get its traffic weights, its versions'
        objects and its routes, and to list events. Raises NotFoundError.
        """
        return await self.surveyed(await self.document(name))

    async def surveyed(self, policy: Mapping[str, Any]) -> Survey:
        """The same of a RoutingPolicy that was read already."""
        return await survey(self._client, policy, self.registry, self._settings, datetime.now(UTC))

    async def surveys(self) -> builtins.list[Survey]:
        """The same of all policies of the namespace, by name, one after another."""
        return [await self.surveyed(one) for one in await self._policies(all_namespaces=False)]

    async def plan(self, name: str) -> Planned:
        """What this turnout would decide for a rollout now, with its reasons and manifests.

        By the plugins that are installed here; `turnout.explain.explain` tells it in words. Raises
        NotFoundError and NotReadableError.
        """
        found = await self.survey(name)
        if found.planned is None:
            raise NotReadableError("; ".join(found.unread))
        return found.planned

    @property
    def registry(self) -> Registry:
        """The plugins by which it is decided here."""
        if self._registry is None:
            from turnout import loading  # it imports all plugins

            self._registry = loading.load_for(self._settings)
        return self._registry

    async def list(self, *, all_namespaces: bool = False) -> list[Rollout]:
        """All rollouts, by namespace and name."""
        return [Rollout.read(one) for one in await self._policies(all_namespaces=all_namespaces)]

    async def watch(self, name: str) -> AsyncGenerator[Rollout | None, None]:
        """A rollout as it is, and again whenever it is another; None while there is none. It never ends.

        States that follow each other faster than they are asked for give way to the last of them. A lost
        connection is logged and made again. Needs the rights to list and to watch the policy of that name.
        Use it with `contextlib.aclosing`. Raises NotReadableError without them.
        """
        async with aclosing(self.documents(name)) as states:
            async for found in states:
                yield Rollout.read(found) if found else None

    def documents(self, name: str, lost: Lost = str) -> AsyncGenerator[Found, None]:
        """The same of a RoutingPolicy as the API server has it. `lost`: told of a connection that is lost."""
        return following(self._client, self._ref(name), lost)

    async def wait(
        self,
        name: str,
        until: Callable[[Rollout], bool],
        *,
        timeout: float,
        told: Callable[[Rollout], None] = lambda _: None,
    ) -> Rollout:
        """Wait until something holds of a rollout, for `timeout` seconds at most. Returns how it is then.

        `told` is given each state in which it does not hold. Raises NotFoundError, NotReadableError,
        DeletedError, NotInTimeError, and NoControllerError where the Lease of its controller tells that none
        is at work.
        """
        last = await self.get(name)
        try:
            async with asyncio.timeout(timeout), aclosing(self.watch(name)) as states:
                while not until(last):
                    told(last)
                    found = await self._while_controlled(anext(states), last)
                    if found is None:
                        raise DeletedError(f"{last} is deleted")
                    last = found
        except TimeoutError:
            raise NotInTimeError(last, timeout) from None
        return last

    async def _while_controlled(self, work: Awaitable[T], rollout: Rollout) -> T:
        """What some work gives. Raises NoControllerError once no controller is there that could bring it."""
        return await controllers.until_missing(work, self._missing(rollout))

    async def _missing(self, rollout: Rollout) -> None:
        """Of a policy that no controller has looked at yet, by the Lease of one that has looked at others."""
        lease = rollout.lease
        if not rollout.conditions:
            with suppress(ApiError, ConnectionFailed):
                others = (one for one in await self.list() if one.instance == rollout.instance)
                lease = next((one.lease for one in others if one.lease), "")
        try:
            await controllers.missing(self._client, lease)
        except controllers.NoControllerError as error:
            raise controllers.NoControllerError(f"{rollout}: {error}") from None

    async def put_weights(self, name: str, weights: Mapping[str, int] | None) -> bool:
        """Write a policy's traffic weights, in place of any there are; None deletes them.

        The weights are relative, 0 to 1000000, by version; one that is not named has the policy's own.
        Returns whether that changed anything. Needs the rights to get, create, patch and delete them.
        """
        return await weights_.put(self._client, self.namespace, name, weights)

    async def weighed(
        self,
        name: str,
        weights: Mapping[str, int] | None,
        *,
        timeout: float,
        told: Callable[[Rollout], None] = lambda _: None,
    ) -> Rollout:
        """Wait until the routes in force are those of traffic weights that are written. Otherwise as `wait`.

        Raises NotShiftedError as well, where they do not count.
        """

        def there(rollout: Rollout) -> bool:
            if rollout.suspended:
                raise NotShiftedError(f"{rollout} is suspended: its routes stay until spec.suspend is false")
            return rollout.weighs(weights or {})

        waiting = asyncio.create_task(self.wait(name, there, timeout=timeout, told=told))
        looked_at = asyncio.create_task(self._looked_at(name, weights))
        try:
            await asyncio.wait({waiting, looked_at}, return_when=asyncio.FIRST_COMPLETED)
            if looked_at.done():
                looked_at.result()
            try:
                return await waiting
            except NotInTimeError as error:
                if looked_at.done():
                    raise
                silent = "no controller has looked at the traffic weights; is it running?"
                raise NotInTimeError(error.rollout, timeout, silent) from None
        finally:
            for task in (waiting, looked_at):
                task.cancel()
            await asyncio.gather(waiting, looked_at, return_exceptions=True)

    async def set_weights(
        self, name: str, weights: Mapping[str, int] | None, *, timeout: float = 60.0
    ) -> Rollout:
        """Do what `put_weights` does, and then wait as `weighed` does."""
        await self.put_weights(name, weights)
        return await self.weighed(name, weights, timeout=timeout)

    async def delete_candidates(
        self, name: str, *, timeout: float, told: Callable[[str], None] = lambda _: None
    ) -> builtins.list[str]:
        """Delete all that candidates alone are made of, once no calls go there, and wait until it is gone.

        Where a deletion has to wait for the drain it does. Returns the names of the versions that were there.
        Needs the rights to get and delete the kinds of versions. Raises NotFoundError, NotInTimeError, and
        NotShiftedError, where nothing is deleted.
        """
        policy = await self.document(name)
        made_up = removal.candidates(policy, self.registry, self._settings)
        uids = await removal.delete(self._client, made_up)
        last = "they are being deleted"

        def tell(awaits: str) -> None:
            nonlocal last
            last = awaits
            told(awaits)

        try:
            async with asyncio.timeout(timeout):
                await removal.gone(self._client, uids, tell)
        except TimeoutError:
            raise NotInTimeError(Rollout.read(policy), timeout, last) from None
        return sorted({made_up[ref] for ref in uids})

    async def promote(
        self, name: str, *, candidate: str | None = None, terms: "Terms | None" = None
    ) -> "Promoted":
        """Make the primary what a candidate is, and delete that; calls are answered all the while.

        `candidate`: which one; by default the only one there is. One promotion that was interrupted is
        gone on with. Returns once the candidate is gone. Raises the subclasses of
        `turnout.client.promotion.PromotionError`, NotFoundError, and `turnout.calling.PluginError`.
        """
        return await self._promoter(name, terms).run(candidate)

    async def prospect(
        self, name: str, *, candidate: str | None = None, terms: "Terms | None" = None, rehearse: bool = False
    ) -> "Prospect":
        """What `promote` would do. Nothing is changed. Raises the same.

        `rehearse`: also have the API server check all that would be written, and by whom.
        """
        promoter = self._promoter(name, terms)
        found = await promoter.prospect(candidate)
        if rehearse:
            await promoter.rehearse(candidate)
        return found

    def _promoter(self, name: str, terms: "Terms | None") -> "Promoter":
        # Here, and not above: it imports what decides, and all plugins.
        from turnout import loading
        from turnout.client.promotion import Promoter, Stage, Terms

        given = terms or Terms(settings=self._settings)
        lists = given.settings.distributions
        # By name nothing is kept out: routes stay in force that no policy may have anew.
        registry = loading.load(lists.allow, lists.block)
        stage = Stage(self._client, self.namespace, name, registry, given.settings)
        return Promoter(self, stage, given)

    async def _looked_at(self, name: str, weights: Mapping[str, int] | None) -> None:
        if weights is not None:
            await weights_.accepted(self._client, self.namespace, name)

    def _ref(self, name: str) -> Ref:
        return Ref(ROUTING_POLICY, self.namespace, name)

    async def _policies(self, *, all_namespaces: bool) -> builtins.list[Mapping[str, Any]]:
        """All RoutingPolicies as the API server has them, by namespace and name."""
        found: list[Mapping[str, Any]] = []
        namespace = None if all_namespaces else self.namespace
        async with aclosing(self._client.pages(ROUTING_POLICY, namespace)) as pages:
            async for page in pages:
                if page.first:
                    found.clear()
                found.extend(page.items)
        return found

    async def _names(self) -> tuple[str, ...]:
        """Of all policies; none where they may not be listed."""
        try:
            return tuple(one.name for one in await self.list())
        except (ApiError, ConnectionFailed):
            return ()
