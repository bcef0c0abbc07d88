"""What the readers of environments share: they recognize what a routemap and its template's result mean."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from turnout.migration.chart import Destination, Entry, Route, VirtualService
from turnout.migration.findings import Unlike
from turnout.migration.routemap import Resource, Routemap
from turnout.migration.strategies import Read, Rules
from turnout.shown import shown

BRANCH_HEADER = "branch"
VERSION_HEADER = "app-version"

Config = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Recognized:
    """What a routemap means. `config`: options by plugin; `lost`, `notes`: what to tell of it."""

    environment: str
    read: Read
    namespaces: Mapping[str, str]
    config: Config = field(default_factory=dict)
    lost: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader(ABC):
    """Reads one routemap with the route that its template gives. Raises Unlike for what no chart makes."""

    routemap: Routemap
    route: VirtualService
    weights: Sequence[int]
    mains: Sequence[Resource]

    @property
    def names(self) -> list[str]:
        return [main.name for main in self.mains]

    @property
    def namespaces(self) -> dict[str, str]:
        return {main.name: self.routemap.namespace_of(main) for main in self.mains}

    def host_namespace(self) -> str:
        """That of the model's host names."""
        return self.routemap.namespace

    @abstractmethod
    def recognized(self, strategy: str) -> Recognized:
        """What it means, by one of the strategies."""

    def rules(self) -> Rules:
        return Rules(self.route.spec.http, self.names, self.weights, self.version_of, self.copied_to)

    @abstractmethod
    def version_of(self, route: Route, path: str) -> str:
        """The version to which a destination leads."""

    def copied_to(self, entry: Entry, path: str) -> str:
        """The version that gets the copies of an entry's calls; by default there is no chart that copies."""
        raise Unlike(f"{path}.mirror", shown(entry.mirror and entry.mirror.host), "none")

    def without_rewrites(self) -> None:
        for index, entry in enumerate(self.route.spec.http):
            if entry.rewrite:
                raise Unlike(f"spec.http[{index}].rewrite", shown(entry.rewrite.uri), "none")

    def _all_routes(self) -> Iterator[tuple[str, Route]]:
        for index, entry in enumerate(self.route.spec.http):
            for place, route in enumerate(entry.route):
                yield f"spec.http[{index}].route[{place}]", route

    def check_headers(self, *, set_: Sequence[str] = ()) -> None:
        """Headers are changed as the charts do it, and in no other way."""
        for path, route in self._all_routes():
            request, response = route.headers.request, route.headers.response
            for name, found, known in (
                ("request.set", [*request.set], set_),
                ("request.add", [*request.add], ()),
                ("request.remove", [*request.remove], (BRANCH_HEADER,)),
                ("response.set", [*response.set], ()),
                ("response.add", [*response.add], (VERSION_HEADER,)),
                ("response.remove", [*response.remove], ()),
            ):
                if not set(found) <= set(known):
                    raise Unlike(f"{path}.headers.{name}", shown(found), shown([*known]) if known else "none")

    def destinations(self) -> list[tuple[str, Destination]]:
        found = [(f"{path}.destination", route.destination) for path, route in self._all_routes()]
        mirrors = ((index, entry.mirror) for index, entry in enumerate(self.route.spec.http))
        return [*found, *((f"spec.http[{index}].mirror", one) for index, one in mirrors if one)]

    def port(self) -> int | None:
        """That of all destinations."""
        ports = {one.port.number if one.port else None for _, one in self.destinations()}
        if len(ports) > 1:
            raise Unlike(
                "spec.http", f"the ports {shown(sorted(map(str, ports)))}", "one port for all versions"
            )
        return ports.pop()
