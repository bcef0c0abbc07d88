"""The VirtualServices that the templates of Iter8's charts yield: these fields, and no others."""

from typing import Annotated, Literal

from pydantic import Field

from turnout.api.fields import Document, HostName
from turnout.migration.routemap import MOST
from turnout.template_values import HTTPMatchRequest
from turnout.validation import Expected

Number = Annotated[int, Field(ge=0)]


class Port(Document):
    """The port of a destination."""

    number: Annotated[int, Field(ge=1, le=65535)]


class Destination(Document):
    """Where a route leads."""

    host: HostName
    port: Port | None = None


class Operations(Document):
    """What happens to the headers of requests or responses."""

    set: dict[str, str] = Field(default_factory=dict, max_length=MOST)
    add: dict[str, str] = Field(default_factory=dict, max_length=MOST)
    remove: Annotated[tuple[str, ...], Field(max_length=MOST, strict=False)] = ()


class Headers(Document):
    """What happens to headers."""

    request: Operations = Field(default_factory=Operations)
    response: Operations = Field(default_factory=Operations)


class Route(Document):
    """A destination with its weight."""

    destination: Destination
    weight: Number | None = None
    headers: Headers = Field(default_factory=Headers)


class Rewrite(Document):
    """What the path becomes."""

    uri: str


class Percent(Document):
    """How many of a hundred."""

    value: Annotated[float, Field(ge=0)]


class Entry(Document):
    """One of `spec.http`. Its name is for logs alone."""

    name: str = ""
    match: Annotated[tuple[HTTPMatchRequest, ...], Field(max_length=MOST, strict=False)] = ()
    rewrite: Rewrite | None = None
    route: Annotated[
        tuple[Route, ...],
        Field(min_length=1, max_length=MOST, strict=False),
        Expected(f"a list of 1 to {MOST} routes"),
    ]
    mirror: Destination | None = None
    mirror_percentage: Percent | None = None
    headers: Headers = Field(default_factory=Headers)


class Spec(Document):
    """For whom, and the rules."""

    gateways: Annotated[tuple[str, ...], Field(strict=False)]
    hosts: Annotated[tuple[HostName, ...], Field(min_length=1, strict=False)]
    http: Annotated[
        tuple[Entry, ...],
        Field(min_length=1, max_length=MOST + 1, strict=False),
        Expected(f"a list of 1 to {MOST + 1} rules"),
    ]


class Metadata(Document):
    """Nothing but a name and a namespace."""

    name: HostName
    namespace: str = ""


class VirtualService(Document):
    """The object."""

    api_version: Literal[
        "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3", "networking.istio.io/v1"
    ]
    kind: Literal["VirtualService"]
    metadata: Metadata
    spec: Spec
