"""Lists: selected, page by page, each page of a list as of the same moment."""

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from turnout.testing.memory.errors import Object, StatusError, bad_request, expired
from turnout.testing.memory.objects import shown
from turnout.testing.memory.paths import Target
from turnout.testing.memory.resources import Resource
from turnout.testing.memory.selectors import selection
from turnout.testing.memory.storage import Storage


class _Page(NamedTuple):
    """Where a list goes on: at which revision, after which object."""

    revision: int
    after: str = ""


def list_objects(storage: Storage, resource: Resource, target: Target, query: Mapping[str, str]) -> Object:
    """Return a List. Without `limit`, or with resourceVersion=0, it is whole.

    Raises 410 for a page whose revision is compacted, 504 for a revision that is yet to come.
    """
    page = _page(storage, query)
    if page.revision == storage.revision:
        found = storage.select(target.group, target.plural, target.namespace)
    else:
        found = storage.select_at(page.revision, target.group, target.plural, target.namespace)
    matches = selection(query, resource)
    rest = [(key, document) for key, document in found if key.order > page.after and matches(document)]
    limit = int(query.get("limit") or 0) if query.get("resourceVersion") != "0" else 0
    part = rest[:limit] if limit else rest
    metadata: Object = {"continue": "", "resourceVersion": str(page.revision)}
    if len(part) < len(rest):
        metadata["continue"] = _token(_Page(page.revision, part[-1][0].order))
        if not query.get("labelSelector") and not query.get("fieldSelector"):
            metadata["remainingItemCount"] = len(rest) - len(part)
    items = [shown(resource, target.version, document) for _, document in part]
    if not resource.custom:
        items = [{k: v for k, v in item.items() if k not in ("apiVersion", "kind")} for item in items]
    return {
        "apiVersion": target.api_version,
        "kind": f"{resource.kind.kind}List",
        "metadata": metadata,
        "items": items,
    }


def _page(storage: Storage, query: Mapping[str, str]) -> _Page:
    token = query.get("continue")
    if token:
        page = _parsed(token)
        if page.revision < storage.compacted:
            raise expired(
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter."
            )
        return page
    revision = int(query.get("resourceVersion") or 0)
    if revision > storage.revision:
        message = f"Timeout: Too large resource version: {revision}, current: {storage.revision}"
        raise StatusError(504, "Timeout", message)
    if query.get("resourceVersionMatch") == "Exact":
        return _Page(revision)
    return _Page(storage.revision)


def _token(page: _Page) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(page._asdict())).decode()


def _parsed(token: str) -> _Page:
    try:
        return _Page(**orjson.loads(base64.urlsafe_b64decode(token)))
    except (binascii.Error, orjson.JSONDecodeError, TypeError) as error:
        raise bad_request(f"continue key is not valid: {error}") from error
