"""`InMemoryCluster`: a Kubernetes API server without a network, a process or a wait.

It is a `Transport`, so that clients and controllers run on it unchanged, and it has what tests and
demonstrations need around that: kinds to install, a record of the calls, and faults. The helpers to
write and read with are in `helpers`; what it does as the real server does is held by `tests/contract`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from inspect import isawaitable
from typing import Any
from uuid import uuid4

from turnout.plugin import Kind
from turnout.runtime.transport import ConnectionFailed, Request, Response
from turnout.testing.memory.answers import Answer, Stream
from turnout.testing.memory.errors import PageNotFoundError, StatusError
from turnout.testing.memory.helpers import Helpers
from turnout.testing.memory.paths import parse, verb
from turnout.testing.memory.resources import BUILT_IN, Default, Validate, from_crd, plain
from turnout.testing.memory.schema import Schema
from turnout.testing.memory.server import Server
from turnout.testing.memory.watch import Watch

OnRequest = Callable[[Request], Response | Awaitable[Response | None] | None]
OnResponse = Callable[[Request, Response], Awaitable[None] | None]

_READS = ("discover", "get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was received.

    `verb`: discover, get, list, watch, create, update, patch, apply, delete or deletecollection.
    `resource`: plural and group, as `str(kind)` has it; "" for discovery.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    subresource: str
    request: Request


class InMemoryCluster(Helpers):
    """An API server with the built-in kinds of `resources.BUILT_IN`, and with those installed.

    `now` and `new_uid` are where times and uids come from; `user_agent` is the field manager of
    requests that name none. Tests may set these at any time:

    - `on_request(request)` is called before a request is handled. A response that it returns is the
      answer; a StatusError that it raises is answered; anything else that it raises is the caller's,
      such as ConnectionFailed.
    - `on_response(request, response)` is called when the request has taken effect. What it raises,
      the caller gets in place of the answer: a write whose answer was lost.
    - `latency` is how many seconds pass before a request is handled.
    - `chunk_size` is how many bytes of a watch come at once (None: a line).
    - `collects_garbage`: whether objects go with their owners.

    All of it belongs to one event loop.
    """

    def __init__(
        self,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_uid: Callable[[], str] = lambda: str(uuid4()),
        user_agent: str = "turnout",
    ) -> None:
        self._server = Server(now, new_uid)
        super().__init__(self._server)
        for resource in BUILT_IN:
            self._server.resources.add(resource)
        self.user_agent = user_agent
        self.calls: list[Call] = []
        self.on_request: OnRequest | None = None
        self.on_response: OnResponse | None = None
        self.latency = 0.0
        self.chunk_size: int | None = None
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._watches: set[Watch] = set()

    @property
    def writes(self) -> list[Call]:
        """The calls that were not only reading."""
        return [call for call in self.calls if call.verb not in _READS]

    @property
    def revision(self) -> int:
        """The resourceVersion of the last change."""
        return self._server.storage.revision

    @property
    def collects_garbage(self) -> bool:
        return self._server.collects_garbage

    @collects_garbage.setter
    def collects_garbage(self, value: bool) -> None:
        self._server.collects_garbage = value

    def collect_garbage(self) -> None:
        """Delete what has no owner left, also while `collects_garbage` is off."""
        self._server.collect_garbage()

    def compact(self) -> None:
        """Forget what happened until now: older watches and pages of lists are answered 410."""
        self._server.storage.compact()

    def install(
        self,
        kind: Kind,
        schema: Schema | None = None,
        *,
        namespaced: bool = True,
        status_subresource: bool = True,
        validate: Validate | None = None,
        default: Default | None = None,
    ) -> None:
        """Serve a kind of which no CustomResourceDefinition is at hand.

        `schema` (OpenAPI, of the whole object) says only which lists are sets or maps; nothing is
        pruned. `validate` yields the (path, message) of faults, which are answered 422.
        """
        self._server.resources.add(
            plain(
                kind,
                schema,
                namespaced=namespaced,
                status_subresource=status_subresource,
                validate=validate,
                default=default,
            )
        )

    def install_crd(
        self,
        document: Mapping[str, Any],
        *,
        validate: Validate | None = None,
        default: Default | None = None,
    ) -> Kind:
        """Serve what a CustomResourceDefinition defines, and check values against its schema."""
        resource = from_crd(document, validate=validate, default=default)
        self._server.resources.add(resource)
        return resource.kind

    def uninstall(self, kind: Kind) -> None:
        """Remove a kind with all its objects. Its watches tell of that, and end."""
        self._server.withdraw(kind.group, kind.plural)
        self.end_watches(kind)

    def freeze(self) -> None:
        """Neither answer nor tell anything until `thaw`; what is asked meanwhile waits, or times out."""
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def end_watches(self, kind: Kind | None = None, *, broken: bool = False) -> None:
        """End the open watches (of a kind) as if by their time limit, or `broken` off."""
        for watch in self._watches:
            if kind is None or watch.collection == (kind.group, kind.plural):
                watch.end(broken=broken)

    async def send(self, request: Request) -> Response:
        """Answer a request, as `Transport` has it."""
        self.calls.append(_call(request))
        try:
            async with asyncio.timeout(request.timeout):
                await asyncio.sleep(self.latency)
                await self._flowing.wait()
                response = await self._answer(request)
        except TimeoutError:
            late = f"{request.method} {request.path}: no answer within {request.timeout:g} s"
            raise ConnectionFailed(late) from None
        if self.on_response is not None:
            lost = self.on_response(request, response)
            if lost is not None:
                await lost
        return response

    async def close(self) -> None:
        """End all watches. The cluster stays, and may be used again."""
        self.end_watches()

    async def _answer(self, request: Request) -> Response:
        try:
            if self.on_request is not None:
                instead = self.on_request(request)
                if isawaitable(instead):
                    instead = await instead
                if instead is not None:
                    return instead
            status, body = self._server.handle(request, self.user_agent)
        except StatusError as error:
            return Answer(error.code, error.status())
        except PageNotFoundError:
            return Answer(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
        if not isinstance(body, Watch):
            return Answer(status, body)
        self._watches = {watch for watch in self._watches if not watch.ended} | {body}
        return Stream(body, self._flowing, idle=request.idle, cut=self.chunk_size)


def _call(request: Request) -> Call:
    target = parse(request.path)
    if target is None:
        return Call("discover", "", "", "", "", request)
    resource = f"{target.plural}.{target.group}" if target.group else target.plural
    where = (target.namespace or "", target.name or "", target.subresource or "")
    return Call(verb(target, request), resource, *where, request)
