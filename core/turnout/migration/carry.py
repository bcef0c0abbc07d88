"""Makes policies and traffic weights of routemaps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from turnout import yaml_input
from turnout.api import parse_policy, parse_weights
from turnout.errors import Invalid
from turnout.migration import environments, routemap, strategies, weights
from turnout.migration.artifacts import Artifacts
from turnout.migration.chart import VirtualService
from turnout.migration.findings import Finding, Unlike, one_line
from turnout.migration.gotemplate import execute
from turnout.migration.reader import Recognized
from turnout.migration.routemap import KEY, Routemap, RoutingTemplate, is_live
from turnout.names import GROUP, ROUTING_POLICY, TRAFFIC_WEIGHTS, VERSION
from turnout.plugin.reading import mapping
from turnout.shown import shown
from turnout.validation import parse

Manifest = dict[str, Any]

VIRTUAL_SERVICE = "vs"
RELEASE = "meta.helm.sh/release-name"


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of one routemap. `policy` None: nothing, and a finding says why."""

    namespace: str
    routemap: str
    findings: tuple[Finding, ...]
    policy: Manifest | None = None
    weights: Manifest | None = None
    routes_of: Routemap | None = None
    model: str = ""
    rivals: tuple[str, ...] = ()
    """Other routemaps by which Iter8's controller writes the same VirtualService."""

    @property
    def name(self) -> str:
        """Of the policy, which is the model's; of the routemap where it is not known."""
        return self.model or self.routemap

    @property
    def manifests(self) -> list[Manifest]:
        """What to apply."""
        return [one for one in (self.policy, self.weights) if one]


def carry(artifacts: Artifacts) -> list[Carried]:
    """What becomes of all routemaps among the documents, by namespace and name."""
    found = [_carry(artifacts, *place) for place in sorted(artifacts.routemaps)]
    of_models: dict[tuple[str, str], list[str]] = {}
    for one in found:
        if one.policy:
            of_models.setdefault((one.namespace, one.name), []).append(one.routemap)
    return [
        _among(one, of_models[one.namespace, one.name], artifacts) if one.policy else one for one in found
    ]


def _among(one: Carried, routemaps: Sequence[str], artifacts: Artifacts) -> Carried:
    """One of the routemaps for a VirtualService, of which the first is carried over: Iter8 writes by all."""
    first = routemaps[0]
    if one.routemap == first:
        places = ((one.namespace, other) for other in routemaps[1:])
        return replace(one, rivals=tuple(place[1] for place in places if is_live(artifacts.routemaps[place])))
    told = f"its VirtualService {one.name} is that of ConfigMap {first} too, which is carried over"
    finding = Finding(f"ConfigMap {one.namespace}/{one.routemap}", f"{told}: delete one of both")
    return Carried(one.namespace, one.routemap, (finding,), model=one.name)


def _carry(artifacts: Artifacts, namespace: str, name: str) -> Carried:
    subject = f"ConfigMap {namespace}/{name}"
    try:
        read = routemap.read(artifacts.routemaps[namespace, name], namespace, name)
        return _Carrying(read, artifacts).carried()
    except Invalid as error:
        return Carried(namespace, name, (Finding(subject, one_line(error)),))
    except Unlike as error:
        told = f"it is not as Iter8's charts make it, or does not work: {error}; write a policy by hand"
        return Carried(namespace, name, (Finding(subject, told),))


@dataclass(frozen=True, slots=True)
class _Carrying:
    routemap: Routemap
    artifacts: Artifacts

    def carried(self) -> Carried:
        read = self.routemap
        if not read.templates:
            told = "it has no routing template, so that Iter8 routes nothing by it; turnout has no use for it"
            return Carried(read.namespace, read.name, (Finding(read.subject, told),))
        if len(read.templates) > 1:
            raise Unlike(f"data.{KEY}.routingTemplates", f"{len(read.templates)} templates", "one")
        ((strategy, template),) = read.templates.items()
        if strategy not in strategies.STRATEGIES:
            raise Unlike(_path(strategy), "this name", ", ".join(strategies.STRATEGIES))
        if template.gvr_short != VIRTUAL_SERVICE:
            told = f"routes of the kind {shown(template.gvr_short)}: only VirtualServices are carried over"
            finding = Finding(read.subject, f"{told}; write a policy with the router gateway-api by hand")
            return Carried(read.namespace, read.name, (finding,))
        count = len(read.versions)
        name, recognized = self._recognized(strategy, template, range(1, count + 1))
        # A number that looks like a version's weight does so once.
        self._recognized(strategy, template, range(count + 1, 2 * count + 1))
        return self._made(strategy, name, recognized)

    def _recognized(
        self, strategy: str, template: RoutingTemplate, marks: Sequence[int]
    ) -> tuple[str, Recognized]:
        """The name of the route that the template yields for weights, and what it means."""
        path = f"{_path(strategy)}.template"
        result = yaml_input.documents(execute(template.template, marks, path), path)
        route = parse(VirtualService, result[0] if len(result) == 1 else None, subject=path)
        return route.metadata.name, environments.recognize(self.routemap, strategy, route, marks)

    def _made(self, strategy: str, name: str, recognized: Recognized) -> Carried:
        read, found = self.routemap, weights.read(self.routemap, self.artifacts)
        findings = [*self._told(recognized), *found.findings]
        versions = [self._version(strategy, recognized, one, found.declared) for one in recognized.read.names]
        spec = {
            "targetEnv": recognized.environment,
            "trafficStrategy": strategy,
            "modelVersions": versions,
            "config": {plugin: dict(options) for plugin, options in recognized.config.items()},
        }
        policy: Manifest | None = _manifest(ROUTING_POLICY.kind, name, read.namespace, spec)
        overrides = self._overrides(strategy, recognized, found)
        told = (
            _manifest(TRAFFIC_WEIGHTS.kind, name, read.namespace, {"weights": overrides})
            if overrides
            else None
        )
        try:
            parse_policy(policy or {})
            if told:
                parse_weights(told)
        except Invalid as error:
            findings.append(Finding(read.subject, f"{error.subject} would be refused: {one_line(error)}"))
            policy = told = None
        return Carried(read.namespace, read.name, tuple(findings), policy, told, read, name)

    def _version(
        self, strategy: str, recognized: Recognized, name: str, declared: tuple[int, ...]
    ) -> Manifest:
        version: Manifest = {"name": name}
        if recognized.namespaces[name] != self.routemap.namespace:
            version["namespace"] = recognized.namespaces[name]
        index = [*recognized.namespaces].index(name)
        weight = declared[index]
        # A primary that answers whatever no candidate is given has no weight that would say anything.
        if strategy == strategies.BLUE_GREEN or (strategy == strategies.MIRROR and index):
            version["weight"] = weight
        elif strategy == strategies.CANARY and index and weight == 0:
            version["weight"] = 0
        if match := recognized.read.matches.get(name):
            version["match"] = list(match)
        return version

    def _overrides(self, strategy: str, recognized: Recognized, found: weights.Weights) -> dict[str, int]:
        """The weights that annotations say, where they count for the strategy."""
        said = dict(zip(recognized.namespaces, found.overrides, strict=True))
        primary = recognized.read.names[0]
        if strategy == strategies.CANARY:
            # A candidate is in or out.
            said = {name: 0 if weight == 0 else None for name, weight in said.items()}
        if strategy != strategies.BLUE_GREEN:
            said[primary] = None
        elif found.effective[0] and not any(_merged(found)):
            said[primary] = found.effective[0]
        return {name: said[name] or 0 for name in recognized.read.names if said[name] is not None}

    def _told(self, recognized: Recognized) -> Iterator[Finding]:
        subject = self.routemap.subject
        for text in recognized.lost:
            yield Finding(subject, text)
        for text in recognized.notes:
            yield Finding(subject, text, lost=False)
        for name in recognized.namespaces:
            if name not in recognized.read.names:
                told = f"the version {name}, which Iter8's template gives no calls and no copies"
                yield Finding(subject, f"{told}: add it to spec.modelVersions if it is to have them")
        metadata = mapping(self.routemap.document.get("metadata"))
        if release := mapping(metadata.get("annotations")).get(RELEASE):
            told = f"it is of the Helm release {shown(release)}: to uninstall that deletes all that it made"
            yield Finding(subject, f"{told}, routes, versions, Gateways and Services too", lost=False)


def _path(strategy: str) -> str:
    return f"data.{KEY}.routingTemplates[{shown(strategy)}]"


def _merged(found: weights.Weights) -> Iterator[int]:
    for own, over in zip(found.declared, found.overrides, strict=True):
        yield own if over is None else over


def _manifest(kind: str, name: str, namespace: str, spec: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": dict(spec),
    }
