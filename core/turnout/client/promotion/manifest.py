"""Objects as people keep them in files, and how they differ. Pure."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from turnout import yaml_output
from turnout.client.promotion.terms import Change
from turnout.names import GROUP
from turnout.plugin.reading import mapping, text

Object = Mapping[str, Any]

OF_TOOLS = ("deployment.kubernetes.io/revision", "kubectl.kubernetes.io/last-applied-configuration")
"""Annotations that nobody writes by hand."""


def manifest(obj: Object) -> dict[str, Any]:
    """An object as it would be committed: without status, and metadata that the cluster gives it."""
    metadata = mapping(obj.get("metadata"))
    kept: dict[str, Any] = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    for key in ("labels", "annotations"):
        found = {name: one for name, one in mapping(metadata.get(key)).items() if not _of_a_tool(name)}
        kept |= {key: found} if found else {}
    rest = {k: one for k, one in obj.items() if k not in ("apiVersion", "kind", "metadata", "status")}
    return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": kept, **rest}


def _of_a_tool(name: str) -> bool:
    return name in OF_TOOLS or name.startswith(f"{GROUP}/")


def manifests(changes: Iterable[Change]) -> str:
    """YAML of the objects as they are to be; empty where none changes."""
    documents = [manifest(one.after) for one in changes]
    return yaml_output.dump(documents) if documents else ""


def differences(changes: Iterable[Change]) -> Iterator[str]:
    """The lines in which the objects change, as diff has them."""
    for one in changes:
        before, after = (yaml_output.dump([manifest(obj)]).splitlines() for obj in (one.before, one.after))
        metadata = mapping(one.after.get("metadata"))
        name = f"{text(one.after.get('kind'))} {text(metadata.get('namespace'))}/{text(metadata.get('name'))}"
        yield from difflib.unified_diff(before, after, name, name, "now", "promoted", lineterm="")
