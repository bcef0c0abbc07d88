"""Reads the ConfigMap in which Iter8 keeps a routemap."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from turnout import yaml_input
from turnout.api.fields import DnsLabel, Document, HostName
from turnout.errors import Invalid, Problem
from turnout.plugin.reading import mapping
from turnout.validation import Expected, parse

LABEL_KIND = "iter8.tools/kind"
ROUTEMAP = "routemap"
TAKEN_OVER = "routemap-taken-over"
"""The label's value once the route is turnout's: Iter8's controller looks for the other one alone."""
KEY = "strSpec"
MOST = 64
"""Items of a list. YAML's aliases make lists of lists that are far greater than their text."""


class Resource(Document):
    """An object that a version is made of. `gvr_short` is a name of Iter8's configuration for its kind."""

    gvr_short: Annotated[str, Expected("a short name, such as isvc, deploy, svc or cm")]
    name: HostName
    namespace: DnsLabel | None = None


class Version(Document):
    """A version. Its first resource is the one whose annotation counts as its weight."""

    resources: Annotated[
        tuple[Resource, ...],
        Field(max_length=MOST, strict=False),
        Expected(f"a list of at most {MOST} resources"),
    ] = ()
    weight: Annotated[int, Field(ge=0)] | None = None


class RoutingTemplate(Document):
    """A Go template that yields one object."""

    gvr_short: str
    template: str


class _Spec(Document):
    versions: Annotated[
        tuple[Version, ...],
        Field(min_length=1, max_length=MOST, strict=False),
        Expected(f"a list of at least one version and at most {MOST}"),
    ]
    routing_templates: dict[str, RoutingTemplate] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Routemap:
    """A routemap, with the ConfigMap that holds it."""

    namespace: str
    name: str
    versions: tuple[Version, ...]
    templates: Mapping[str, RoutingTemplate]
    document: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """For messages."""
        return f"ConfigMap {self.namespace}/{self.name}"

    def namespace_of(self, resource: Resource) -> str:
        """Iter8 looks for a resource without a namespace in that of the routemap."""
        return resource.namespace or self.namespace


def is_routemap(document: Mapping[str, Any]) -> bool:
    """Whether it is a ConfigMap that Iter8 takes for a routemap, or took for one before it was taken over."""
    labels = mapping(mapping(document.get("metadata")).get("labels"))
    return document.get("kind") == "ConfigMap" and labels.get(LABEL_KIND) in (ROUTEMAP, TAKEN_OVER)


def is_live(document: Mapping[str, Any]) -> bool:
    """Whether Iter8's controller finds it."""
    return mapping(mapping(document.get("metadata")).get("labels")).get(LABEL_KIND) == ROUTEMAP


def read(document: Mapping[str, Any], namespace: str, name: str) -> Routemap:
    """The routemap in a ConfigMap. Raises Invalid."""
    subject = f"ConfigMap {namespace}/{name}"
    text = mapping(document.get("data")).get(KEY)
    if not isinstance(text, str):
        raise Invalid(subject, [Problem(f"data.{KEY}", expected="a routemap as text")])
    loaded = yaml_input.documents(text, f"{subject}: data.{KEY}")
    if len(loaded) != 1:
        raise Invalid(subject, [Problem(f"data.{KEY}", f"holds {len(loaded)} YAML documents, expected one")])
    spec = parse(_Spec, loaded[0], subject=subject, prefix=f"data.{KEY}")
    return Routemap(namespace, name, spec.versions, spec.routing_templates, document)
