"""Discovery: which groups, versions and kinds the in-memory cluster serves."""

from turnout.testing.memory.errors import Object, PageNotFoundError
from turnout.testing.memory.resources import Resource, Resources

VERSION: Object = {"major": "1", "minor": "35", "gitVersion": "v1.35.4"}
"""The Kubernetes that is imitated, as /version tells it."""

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


def discover(path: str, resources: Resources) -> Object:
    """Return the document at a path, or raise PageNotFoundError: unknown groups have no Status."""
    match path.strip("/").split("/"):
        case ["version"]:
            return VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            groups = dict.fromkeys(resource.kind.group for resource in resources)
            listed = [_group(group, resources) for group in groups if group]
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
        case ["api", version]:
            return _resources("", version, resources)
        case ["apis", group]:
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group, resources)}
        case ["apis", group, version]:
            return _resources(group, version, resources)
    raise PageNotFoundError(path)


def _group(group: str, resources: Resources) -> Object:
    kinds = [resource.kind for resource in resources if resource.kind.group == group]
    names = dict.fromkeys(version for kind in kinds for version in kind.versions)
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in names]
    if not versions:
        raise PageNotFoundError(group)
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def _resources(group: str, version: str, resources: Resources) -> Object:
    served = [r for r in resources if r.kind.group == group and version in r.kind.versions]
    if not served:
        raise PageNotFoundError(f"{group}/{version}")
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": [entry for resource in served for entry in _entries(resource)],
    }


def _entries(resource: Resource) -> list[Object]:
    kind = resource.kind
    entry: Object = {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": kind.kind,
        "verbs": list(_VERBS),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if not resource.status_subresource:
        return [entry]
    status = {
        **entry,
        "name": f"{kind.plural}/status",
        "singularName": "",
        "verbs": ["get", "patch", "update"],
    }
    status.pop("shortNames", None)
    return [entry, status]
