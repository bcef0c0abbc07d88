"""Recognizes where the versions of a routemap run, by their resources and by what its template yields."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from turnout.migration import strategies
from turnout.migration.chart import Destination, Entry, Route, VirtualService
from turnout.migration.clients import for_clients
from turnout.migration.findings import Unlike
from turnout.migration.reader import BRANCH_HEADER, Reader, Recognized
from turnout.migration.routemap import Resource, Routemap
from turnout.migration.strategies import Read, Rules
from turnout.shown import shown

MODELMESH = "kserve-modelmesh"
KSERVE = "kserve"
DEPLOYMENT = "deployment"
VMODEL_HEADER = "mm-vmodel-id"
KNATIVE_GATEWAY = "knative-local-gateway.istio-system.svc.cluster.local"
_SERVICE = re.compile(r"(?P<name>[^.]+)\.(?P<namespace>[^.]+)\.svc\.cluster\.local")
_PREDICTOR = re.compile(r"(?P<name>.+)-predictor(-default)?\.(?P<namespace>[^.]+)\.svc\.cluster\.local")


def recognize(routemap: Routemap, strategy: str, route: VirtualService, weights: Sequence[int]) -> Recognized:
    """What the result of a template means. Raises Unlike where no chart of Iter8's makes such a one."""
    reader = _reader(routemap, route, weights)
    found = reader.recognized(strategy)
    hosts = {
        f"{route.metadata.name}.{reader.host_namespace()}{rest}"
        for rest in ("", ".svc", ".svc.cluster.local")
    }
    if set(route.spec.hosts) != hosts:
        raise Unlike("spec.hosts", shown(route.spec.hosts), shown(sorted(hosts)))
    if route.metadata.namespace not in ("", routemap.namespace):
        raise Unlike("metadata.namespace", shown(route.metadata.namespace), routemap.namespace)
    return for_clients(found, route)


def _reader(routemap: Routemap, route: VirtualService, weights: Sequence[int]) -> "Reader":
    mains = [_only(routemap, index, "isvc", "deploy") for index in range(len(routemap.versions))]
    short = {main.gvr_short for main in mains}
    if short == {"deploy"}:
        return _Deployment(routemap, route, weights, mains)
    if short != {"isvc"}:
        raise Unlike("versions", shown(sorted(short)), "either isvc or deploy for all versions")
    knative = all(one.destination.host == KNATIVE_GATEWAY for entry in route.spec.http for one in entry.route)
    return (_KServe if knative else _ModelMesh)(routemap, route, weights, mains)


def _only(routemap: Routemap, index: int, *short: str) -> Resource:
    path = f"versions[{index}].resources"
    resources = routemap.versions[index].resources
    for at, resource in enumerate(resources):
        if resource.gvr_short not in ("cm", "isvc", "deploy", "svc", "service"):
            raise Unlike(f"{path}[{at}].gvrShort", shown(resource.gvr_short), "isvc, deploy, svc or cm")
    found = [one for one in resources if one.gvr_short in short]
    if len(found) != 1:
        raise Unlike(path, f"{len(found)} of {' and '.join(short)}", "one")
    return found[0]


class _ModelMesh(Reader):
    """One Service for all versions, which a request header tells apart."""

    def recognized(self, strategy: str) -> Recognized:
        self.without_rewrites()
        self.check_headers(set_=[VMODEL_HEADER])
        read = strategies.read(strategy, self.rules())
        service, namespace = self._service()
        options: dict[str, Any] = {"service": service}
        if {namespace, *self.namespaces.values()} != {self.routemap.namespace}:
            options["namespace"] = namespace
        port = self.port()
        if port is None:
            raise Unlike("spec.http[0].route[0].destination.port", "none", "the port of ModelMesh")
        notes: tuple[str, ...] = ()
        if strategy == strategies.MIRROR:
            told = "with Iter8 a ready candidate answers the calls itself, by a fault of its template"
            notes = (f"{told}; with turnout the primary does, and the candidate gets copies",)
        config = {MODELMESH: {**options, "port": port}}
        return Recognized(MODELMESH, read, self.namespaces, config, notes=notes)

    def host_namespace(self) -> str:
        return self._service()[1]

    def _service(self) -> tuple[str, str]:
        hosts = {one.host for _, one in self.destinations()}
        matched = _SERVICE.fullmatch(hosts.pop()) if len(hosts) == 1 else None
        if matched is None:
            raise Unlike("spec.http", shown(sorted(hosts)), "one Service for all versions, by its full name")
        return matched["name"], matched["namespace"]

    def version_of(self, route: Route, path: str) -> str:
        return _header(route.headers.request.set, f"{path}.headers.request.set")

    def copied_to(self, entry: Entry, path: str) -> str:
        return _header(entry.headers.request.set, f"{path}.headers.request.set")


def _header(headers: Mapping[str, str], path: str) -> str:
    if VMODEL_HEADER not in headers:
        raise Unlike(path, shown(headers), VMODEL_HEADER)
    return headers[VMODEL_HEADER]


class _Deployment(Reader):
    """A Service for each version."""

    def recognized(self, strategy: str) -> Recognized:
        self.without_rewrites()
        self.check_headers()
        read = strategies.read(strategy, self.rules())
        options: dict[str, Any] = {"virtual": False}
        suffixes = {service.removeprefix(name) for service, name in self._services().items()}
        (suffix,) = suffixes if len(suffixes) == 1 else (None,)
        if suffix is None or any(name + suffix not in self._services() for name in self.names):
            expected = "the names of the Deployments, with the same after each"
            raise Unlike("versions", f"the Services {shown(sorted(self._services()))}", expected)
        if suffix:
            options["serviceSuffix"] = suffix
        if port := self.port():
            options["servicePort"] = port
        return Recognized(
            DEPLOYMENT, read, self.namespaces, {DEPLOYMENT: options}, notes=(_of_the_name(self.route),)
        )

    def _services(self) -> dict[str, str]:
        """The versions by their Services."""
        found = {}
        for version, main in zip(self.routemap.versions, self.mains, strict=True):
            services = [one.name for one in version.resources if one.gvr_short in ("svc", "service")]
            found[services[0] if services else main.name] = main.name
        return found

    def version_of(self, route: Route, path: str) -> str:
        return self._behind(route.destination, f"{path}.destination")

    def copied_to(self, entry: Entry, path: str) -> str:
        if entry.mirror is None:
            raise Unlike(f"{path}.mirror", "none", "the Service of a candidate")
        return self._behind(entry.mirror, f"{path}.mirror")

    def _behind(self, destination: Destination, path: str) -> str:
        matched = _SERVICE.fullmatch(destination.host)
        version = matched and self._services().get(matched["name"])
        if matched is None or version is None or matched["namespace"] != self.namespaces[version]:
            raise Unlike(f"{path}.host", shown(destination.host), "the full name of a version's Service")
        return version


class _KServe(Reader):
    """Knative's gateway for all versions, which the host tells apart."""

    def recognized(self, strategy: str) -> Recognized:
        self.check_headers(set_=["Host", "host", BRANCH_HEADER])
        told = "the rewritten path /v2/models/<version>/infer"
        lost = [f"{told}: a call keeps its path, and all versions have to serve the model that it names"]
        if strategy == strategies.BLUE_GREEN:
            read = self._split()
            lost.append(f"the request header {BRANCH_HEADER}, by which a client can choose its version")
        elif strategy == strategies.CANARY:
            read = strategies.read(strategy, replace(self.rules(), copied_to=None))
        else:
            raise Unlike("routingTemplates", strategy, f"{strategies.BLUE_GREEN} or {strategies.CANARY}")
        options = {"virtual": False}
        note = _of_the_name(self.route)
        return Recognized(KSERVE, read, self.namespaces, {KSERVE: options}, tuple(lost), (note,))

    def _split(self) -> Read:
        """A rule for each version by the header that the last rule, by weight, sets before it comes again."""
        *branches, last = self.route.spec.http
        if len(branches) != len(self.names):
            raise Unlike("spec.http", f"{len(branches) + 1} items", str(len(self.names) + 1))
        for index, (entry, name) in enumerate(zip(branches, self.names, strict=True)):
            at = f"spec.http[{index}]"
            match = [one.manifest() for one in entry.match]
            if match != [{"headers": {BRANCH_HEADER: {"exact": name}}}]:
                raise Unlike(f"{at}.match", shown(match), f"the header {BRANCH_HEADER}: {name}")
            if len(entry.route) != 1 or self.version_of(entry.route[0], f"{at}.route[0]") != name:
                raise Unlike(f"{at}.route", "another", f"one to {name}")
        rules = Rules([last], self.names, self.weights, _branch)
        return strategies.split(rules, f"spec.http[{len(branches)}:]")

    def version_of(self, route: Route, path: str) -> str:
        host = route.headers.request.set.get("Host", "")
        matched = _PREDICTOR.fullmatch(host)
        if matched is None or self.namespaces.get(matched["name"]) is None:
            raise Unlike(f"{path}.headers.request.set.Host", shown(host), "the predictor of a version")
        return matched["name"]


def _branch(route: Route, path: str) -> str:
    found = route.headers.request.set.get(BRANCH_HEADER)
    if found is None:
        raise Unlike(f"{path}.headers.request.set", shown(route.headers.request.set), BRANCH_HEADER)
    return found


def _of_the_name(route: VirtualService) -> str:
    name = route.metadata.name
    return f"the Service {name}, by which clients find the model's name, is Iter8's chart's: it has to stay"
