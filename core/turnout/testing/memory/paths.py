"""What a request's path and query ask for. What is served under a path is left to others."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from turnout.runtime.transport import APPLY, Request


@dataclass(frozen=True, slots=True)
class Target:
    """A collection, an object, or a subresource of one. `namespace` None: none is in the path."""

    group: str
    version: str
    plural: str
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


def parse(path: str) -> Target | None:
    """Return what a path names, or None if it names no resource (discovery is elsewhere)."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        return None
    plural, name, subresource = [*rest, None, None][:3]
    return Target(group, version, plural or "", namespace, name, subresource)


def verb(target: Target, request: Request) -> str:
    """Name what a request does as RBAC does, with "apply" for a server-side apply."""
    match request.method:
        case "GET" if target.name:
            return "get"
        case "GET":
            return "watch" if flag(request.query, "watch") else "list"
        case "POST":
            return "create"
        case "PUT":
            return "update"
        case "PATCH":
            return "apply" if request.content_type == APPLY else "patch"
        case "DELETE":
            return "delete" if target.name else "deletecollection"
        case other:
            return other.lower()


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether a query's parameter is there and says yes."""
    return query.get(name, "false").lower() in ("1", "t", "true")
