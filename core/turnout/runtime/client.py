"""The API server's verbs on objects as plain dicts: one call each, and no opinion on what to do next.

Every failure is an ApiError or a ConnectionFailed. How a single call is made, counted and, when the
server is too busy, made again, is in `turnout.runtime.calls`.
"""

import random
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from turnout.names import FIELD_MANAGER
from turnout.plugin import Kind, Ref
from turnout.runtime.calls import Calls, Object, OnCall
from turnout.runtime.errors import KIND_NOT_SERVED, ApiError
from turnout.runtime.stream import Event, Garbled, Lines, parse
from turnout.runtime.transport import APPLY, MERGE, ConnectionFailed, Request, Transport

NO_FIELDS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `first` marks the beginning of one: whatever came before it is void.

    A second `first` page comes when the server forgets the snapshot that the pages are cut from.
    Items of built-in kinds carry neither apiVersion nor kind.
    """

    items: Sequence[Object]
    resource_version: str
    first: bool


class Client:
    """The verbs, typed. Namespace None means all of them; a Ref without one is cluster-scoped.

    `manager`: the field manager of what is written.

    A kind that the cluster does not serve raises an ApiError whose `kind_missing` is true, from any verb.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        manager: str = FIELD_MANAGER,
        on_call: OnCall | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self._calls = Calls(transport, on_call=on_call, on_gone=self.forget, rng=rng)
        self._manager = manager
        self._served: dict[Kind, str] = {}

    async def served(self, kind: Kind) -> str | None:
        """The first of the kind's versions that the cluster serves, or None if it serves none.

        Only a found version is remembered: a kind that is missing is looked for each time.
        """
        if kind in self._served:
            return self._served[kind]
        for version in kind.versions:
            found = await self._resources(kind, version)
            if any(isinstance(one, dict) and one.get("name") == kind.plural for one in found):
                self._served[kind] = version
                return version
        return None

    def forget(self, kind: Kind) -> None:
        """Look the kind's version up again when it is next needed."""
        self._served.pop(kind, None)

    async def get(self, ref: Ref) -> Object | None:
        """Read an object; None if there is none."""
        try:
            return await self._object("get", ref, Request("GET", await self._path(ref)))
        except ApiError as error:
            if _absent(error):
                return None
            raise

    async def pages(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        name: str | None = None,
        fields: Mapping[str, str] = NO_FIELDS,
        labels: str | None = None,
        limit: int = 500,
    ) -> AsyncGenerator[Page, None]:
        """List a kind, so many objects at a time. All pages since the last `first` one are one snapshot.

        `name`: only objects of that name, for which the right to list just that one is enough. `fields`: only
        objects with these, of those by which the kind can be selected. `labels`: only those that this label
        selector matches.

        When the snapshot expires between two pages (410), the list begins again, as one page: that
        cannot expire. (The token that the server then offers continues with a newer snapshot, and
        what changed in the pages already read would be missed for good.)
        """
        path = await self._collection(kind, namespace)
        what = f"list {_where(kind, namespace)}"
        selected = _selected({**fields, "metadata.name": name} if name else fields)
        selected |= {"labelSelector": labels} if labels else {}
        query, first = {"limit": str(limit), **selected}, True
        while True:
            try:
                found = await self._calls.object("list", kind, Request("GET", path, query), what)
            except ApiError as error:
                if error.status != 410 or "continue" not in query:
                    raise
                query, first = dict(selected), True
                continue
            meta = _mapping(found.get("metadata"))
            items = [item for item in found.get("items") or () if isinstance(item, dict)]
            yield Page(items, str(meta.get("resourceVersion") or ""), first)
            token = meta.get("continue")
            if not token:
                return
            query, first = {"limit": str(limit), "continue": token, **selected}, False

    async def watch(
        self,
        kind: Kind,
        namespace: str | None,
        resource_version: str,
        *,
        name: str | None = None,
        timeout_seconds: int = 60,
        idle: float = 75.0,
    ) -> AsyncGenerator[list[Event], None]:
        """Follow what happens after `resource_version`, one list for each chunk that arrives.

        `name`: to objects of that name, for which the right to watch just that one is enough.

        The first list is empty, and says that the watch is open. The server ends the watch after
        about `timeout_seconds`; silence of more than `idle` seconds is a ConnectionFailed. An ERROR
        event is raised as the ApiError that it holds, after the events before it. A last line that
        was cut off is dropped: whoever goes on from the last resourceVersion gets it again. Use it
        with `contextlib.aclosing`.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(timeout_seconds),
            **_selected({"metadata.name": name} if name else NO_FIELDS),
        }
        what = f"watch {_where(kind, namespace)}"
        path = await self._collection(kind, namespace)
        response = await self._calls.open(
            "watch", kind, Request("GET", path, query, stream=True, idle=idle), what
        )
        lines = Lines()
        try:
            yield []
            async for chunk in response.chunks():
                events: list[Event] = []
                for event in map(parse, lines.feed(chunk)):
                    if event.type == "ERROR":
                        if events:
                            yield events
                        raise ApiError.from_status(event.object, what)
                    events.append(event)
                if events:
                    yield events
        except Garbled as error:
            raise ConnectionFailed(f"{what}: a line cannot be read: {error}") from None
        finally:
            response.close()

    async def apply(
        self, ref: Ref, body: Mapping[str, Any], *, subresource: str | None = None, force: bool = True
    ) -> Object:
        """Server-side apply, creating the object if there is none. Return what is then stored.

        The caller fills in apiVersion, kind, metadata.name and metadata.namespace.
        """
        query = {"fieldManager": self._manager, "force": "true" if force else "false"}
        path = await self._path(ref, subresource)
        return await self._object("patch", ref, Request("PATCH", path, query, body, APPLY))

    async def merge_patch(
        self, ref: Ref, patch: Mapping[str, Any], *, subresource: str | None = None, dry_run: bool = False
    ) -> Object:
        """Merge a patch into an existing object. Return what is then stored, or with `dry_run` would be."""
        path = await self._path(ref, subresource)
        return await self._object("patch", ref, Request("PATCH", path, self._query(dry_run), patch, MERGE))

    async def replace(self, ref: Ref, body: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Replace an object as it was read: one that has changed since is a conflict.

        Return what is then stored, or with `dry_run` would be.
        """
        request = Request("PUT", await self._path(ref), self._query(dry_run), body)
        return await self._object("update", ref, request)

    async def create(
        self, kind: Kind, namespace: str | None, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Object:
        """Create an object, named by `metadata.name` or `generateName`.

        Return what is then stored, or with `dry_run` would be.
        """
        path = await self._collection(kind, namespace)
        request = Request("POST", path, self._query(dry_run), body)
        return await self._calls.object("create", kind, request, f"create {_where(kind, namespace)}")

    async def delete(
        self,
        ref: Ref,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str | None = None,
        dry_run: bool = False,
    ) -> bool:
        """Ask for an object's deletion; False if there is none.

        If another uid or resourceVersion is stored than the one given, nothing happens and the
        error is a conflict. `propagation`: Background, Foreground or Orphan. `dry_run`: nothing happens.
        """
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        options: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if given := {key: value for key, value in preconditions.items() if value is not None}:
            options["preconditions"] = given
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if dry_run:
            options["dryRun"] = ["All"]
        query = {"dryRun": "All"} if dry_run else {}
        try:
            await self._object("delete", ref, Request("DELETE", await self._path(ref), query, options))
        except ApiError as error:
            if _absent(error):
                return False
            raise
        return True

    def _query(self, dry_run: bool) -> dict[str, str]:
        return {"fieldManager": self._manager} | ({"dryRun": "All"} if dry_run else {})

    async def _collection(self, kind: Kind, namespace: str | None) -> str:
        version = await self.served(kind)
        if version is None:
            versions = " or ".join(kind.versions)
            message = f"the cluster does not serve {kind} in version {versions}; is its CRD installed?"
            raise ApiError(404, KIND_NOT_SERVED, message)
        scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        return f"{_root(kind, version)}{scope}/{kind.plural}"

    async def _path(self, ref: Ref, subresource: str | None = None) -> str:
        path = f"{await self._collection(ref.kind, ref.namespace or None)}/{quote(ref.name, safe='')}"
        return f"{path}/{subresource}" if subresource else path

    async def _resources(self, kind: Kind, version: str) -> Sequence[Any]:
        """What one version of the kind's group consists of; nothing, if the cluster does not serve it."""
        request = Request("GET", _root(kind, version))
        try:
            found = await self._calls.object("discover", kind, request, f"look for {kind}")
        except ApiError as error:
            if error.status == 404:
                return ()
            raise
        resources = found.get("resources")
        return resources if isinstance(resources, list) else ()

    async def _object(self, verb: str, ref: Ref, request: Request) -> Object:
        return await self._calls.object(verb, ref.kind, request, f"{verb} {ref}")


def _root(kind: Kind, version: str) -> str:
    return f"/apis/{kind.group}/{version}" if kind.group else f"/api/{version}"


def _selected(fields: Mapping[str, str]) -> dict[str, str]:
    wanted = ",".join(f"{path}={value}" for path, value in fields.items())
    return {"fieldSelector": wanted} if wanted else {}


def _where(kind: Kind, namespace: str | None) -> str:
    return f"{kind} in {namespace}" if namespace else f"{kind}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _absent(error: ApiError) -> bool:
    """Whether a 404 is about the object: one about the kind does not come from the API machinery."""
    return error.status == 404 and error.from_api and not error.kind_missing
