"""The values that `turnout template` takes: the keys of Iter8's chart, with what they meant there."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from turnout.api.fields import DnsLabel, Document, Method, Percentage, Weight
from turnout.api.matches import CallMatch, PathMatch
from turnout.validation import Expected, broken

LONGEST_LABEL = 63
CAN_SAY = "only headers, method, queryParams and uri"
BEYOND = (
    "authority",
    "gateways",
    "ignoreUriCase",
    "name",
    "port",
    "scheme",
    "sourceLabels",
    "sourceNamespace",
    "statPrefix",
    "withoutHeaders",
)
"""What Istio's HTTPMatchRequest can say and a match here cannot."""


def _exact_method(method: Any) -> Any:
    """Istio's {exact: POST} is POST. A method by prefix or regex cannot be said."""
    if not isinstance(method, Mapping):
        return method
    if set(method) != {"exact"}:
        raise broken("a method, or {exact: METHOD}")
    return method["exact"]


class HTTPMatchRequest(CallMatch):
    """A match in Istio's terms, or in those of a RoutingPolicy."""

    method: Annotated[Method, BeforeValidator(_exact_method)] | None = None
    uri: PathMatch | None = None

    @model_validator(mode="before")
    @classmethod
    def _nothing_beyond(cls, data: Any) -> Any:
        for key in BEYOND:
            if isinstance(data, Mapping) and data.get(key) is not None:
                raise broken(CAN_SAY, key, found=data[key])
        return data

    @model_validator(mode="after")
    def _one_path(self) -> Self:
        if self.path and self.uri:
            raise broken("either path or uri, which mean the same", "path")
        return self

    def manifest(self) -> dict[str, Any]:
        """The match as a RoutingPolicy says it."""
        said = self.model_dump(mode="json", exclude_none=True)
        uri = said.pop("uri", None)
        return said | ({"path": uri} if uri else {})


HTTPMatchRequests = Annotated[
    tuple[HTTPMatchRequest, ...],
    Field(min_length=1, max_length=8, strict=False),
    Expected("a list of 1 to 8 matches"),
]


class Version(Document):
    """A version of the model. Its place in the list gives it a name where it has none."""

    name: DnsLabel | None = None
    namespace: DnsLabel | None = None
    weight: Weight | None = None
    match: HTTPMatchRequests | None = None


Versions = Annotated[
    tuple[Version, ...],
    Field(min_length=1, max_length=16, strict=False),
    Expected("a list of 1 to 16 versions"),
]
GatewayName = Annotated[
    str,
    Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
    Expected("the name of a Gateway, or namespace/name"),
]
Port = Annotated[int, Field(ge=1, le=65535)]


class Values(Document):
    """All keys of the chart. None stands for what the values leave to defaults."""

    template_name: Literal["initialize-rollout", "modify-weights"]
    target_env: Annotated[str, Expected("the name of an environment, such as kserve-modelmesh")]
    traffic_strategy: Annotated[str, Expected("the name of a strategy, such as blue-green, canary or mirror")]
    model_name: DnsLabel
    model_versions: Versions | None = None
    mirror_percentage: Percentage | None = None
    modelmesh_serving_service: DnsLabel | None = None
    modelmesh_serving_namespace: DnsLabel | None = None
    modelmesh_serving_port: Port | None = None
    external_gateway: GatewayName | None = None
    iter8_version: Any = None
    """Iter8 labelled its objects with it. Nothing here depends on it."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        first: dict[str, int] = {}
        for index, version in enumerate(self.versions()):
            name = self.version_name(index, version)
            if len(name) > LONGEST_LABEL:
                most = LONGEST_LABEL - len(f"-{index}")
                expected = f'at most {most} characters, because a version is named with "-{index}" after it'
                raise broken(expected, "modelName", found=self.model_name)
            other = first.setdefault(name, index)
            if other != index:
                at = ("modelVersions", index, "name")
                raise broken(f"a name of its own: modelVersions[{other}] has this one", *at, found=name)
        return self

    def versions(self) -> tuple[Version, ...]:
        """The versions; a primary and a candidate where the values list none."""
        return self.model_versions or (Version(), Version())

    def version_name(self, index: int, version: Version) -> str:
        """The version's own name, or the one that its place gives it."""
        return version.name or f"{self.model_name}-{index}"
