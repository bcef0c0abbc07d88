"""An API server that knows the schemas of what a router writes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from turnout.decision.drift import difference
from turnout.decision.objects import entry, written_part
from turnout.decision.render import Rendered, api_version
from turnout.names import FIELD_MANAGER
from turnout.plugin import Kind
from turnout.testing.conformance import built_in
from turnout.testing.memory import InMemoryCluster, StatusError
from turnout.testing.memory.resources import BUILT_IN

Definition = Mapping[str, Any] | Path
"""A CustomResourceDefinition, or a YAML file or folder of them; other documents there are passed over."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class NotTaken(Exception):  # noqa: N818  an outcome
    """The API server does not take an object."""


class Server:
    """Serves the kinds that a router writes: by their definitions, or unchecked where none is given."""

    def __init__(self, kinds: Iterable[Kind], definitions: Iterable[Definition]) -> None:
        self._cluster = InMemoryCluster()
        built_in = {(one.kind.group, one.kind.kind): one.kind for one in BUILT_IN}
        wanted = {(kind.group, kind.kind): kind for kind in kinds}
        defined = [
            self._cluster.install_crd(document)
            for document in documents(definitions)
            if (document["spec"]["group"], document["spec"]["names"]["kind"]) in wanted
        ]
        self._served = built_in | {(kind.group, kind.kind): kind for kind in defined}
        self.unchecked = [kind for key, kind in wanted.items() if key not in self._served]
        """Kinds whose schema is not known."""
        for kind in self.unchecked:
            self._cluster.install(kind)

    def apply(self, rendered: Rendered) -> str | None:
        """Write an object in each version that is served, as core would; where it then differs, if it does.

        Raises NotTaken.
        """
        kind = rendered.ref.kind
        served = self._served.get((kind.group, kind.kind), kind).versions
        versions = [version for version in kind.versions if version in served]
        if not versions:
            raise NotTaken(f"{kind} is defined in {', '.join(served)}, and not in {', '.join(kind.versions)}")
        found = None
        for version in versions:
            document = rendered.document(api_version(kind.group, version), [])
            if wrong := built_in.faults(kind, document):
                raise NotTaken("; ".join(wrong))
            try:
                (stored,) = self._cluster.apply_manifest(document, manager=FIELD_MANAGER)
            except StatusError as error:
                raise NotTaken(str(error)) from error
            found = found or difference(rendered, entry(stored, {}, written_part(stored)))
        return found


def documents(definitions: Iterable[Definition]) -> Iterable[Mapping[str, Any]]:
    """The CustomResourceDefinitions among the documents that are given."""
    for given in definitions:
        if isinstance(given, Path):
            files = sorted(given.rglob("*.y*ml")) if given.is_dir() else [given]
            found = [one for file in files for one in yaml.load_all(file.read_text("utf-8"), Loader=_Loader)]
        else:
            found = [given]
        yield from (one for one in found if one and one.get("kind") == "CustomResourceDefinition")
