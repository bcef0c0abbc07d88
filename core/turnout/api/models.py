"""RoutingPolicy and TrafficWeights: the same documents as the CRDs in core/turnout/crds, in Python.

They accept and refuse what a real API server does with strict field validation, except for what it
checks of the metadata of every kind, of which only name and namespace matter here, and for `status`,
which is the controller's own.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from turnout.api.fields import (
    DnsLabel,
    Document,
    HostNames,
    Options,
    Percentage,
    PolicyName,
    Texts,
    Weight,
    Weights,
    is_label,
)
from turnout.api.matches import CallMatches
from turnout.validation import Expected, broken

ApiVersion = Literal["turnout.dev/v1alpha1"]


class Metadata(Document):
    """The metadata of every kind."""

    name: PolicyName
    namespace: DnsLabel = "default"
    uid: str = ""
    generation: int = 0
    labels: Texts = Field(default_factory=dict)
    annotations: Texts = Field(default_factory=dict)
    creation_timestamp: Any = None
    deletion_grace_period_seconds: Any = None
    deletion_timestamp: Any = None
    finalizers: Any = None
    generate_name: Any = None
    managed_fields: Any = None
    owner_references: Any = None
    resource_version: Any = None
    self_link: Any = None

    @model_validator(mode="before")
    @classmethod
    def _without_empty_namespace(cls, data: Any) -> Any:
        """An empty namespace is as good as none."""
        if isinstance(data, dict) and data.get("namespace") == "":
            return {key: value for key, value in data.items() if key != "namespace"}
        return data


class ModelVersion(Document):
    """A version of the model. What it does not say is the policy's or the strategy's to fill in."""

    name: DnsLabel
    namespace: DnsLabel | None = None
    weight: Weight | None = None
    match: CallMatches | None = None


def _named_apart(versions: tuple[ModelVersion, ...]) -> tuple[ModelVersion, ...]:
    first: dict[str, int] = {}
    for index, version in enumerate(versions):
        other = first.setdefault(version.name, index)
        if other != index:
            raise broken(
                f"a name of its own: modelVersions[{other}] has this one", index, "name", found=version.name
            )
    return versions


class RoutingPolicySpec(Document):
    """What the owner of the model wants."""

    target_env: DnsLabel
    traffic_strategy: DnsLabel
    router: DnsLabel = "istio"
    model_name: DnsLabel | None = None
    model_versions: Annotated[
        tuple[ModelVersion, ...],
        Field(min_length=1, max_length=16, strict=False),
        AfterValidator(_named_apart),
        Expected("a list of 1 to 16 versions"),
    ]
    primary: DnsLabel | None = None
    hosts: HostNames = ()
    suspend: bool = False
    config: Options = Field(default_factory=dict)

    @model_validator(mode="after")
    def _primary_is_a_version(self) -> Self:
        names = [version.name for version in self.model_versions]
        if self.primary is not None and self.primary not in names:
            raise broken(
                f"the name of one of modelVersions: {', '.join(names)}", "primary", found=self.primary
            )
        return self


class RoutingPolicy(Document):
    """A policy as written. `turnout.api.to_policy` makes of it what plugins see."""

    api_version: ApiVersion
    kind: Literal["RoutingPolicy"]
    metadata: Metadata
    spec: RoutingPolicySpec
    status: Any = None

    @model_validator(mode="after")
    def _model_name_is_a_label(self) -> Self:
        if self.spec.model_name is None and not is_label(self.metadata.name):
            raise broken(
                "a DNS label, as it is the modelName unless spec.modelName is set",
                "metadata",
                "name",
                found=self.metadata.name,
            )
        return self

    @property
    def model_name(self) -> str:
        """What clients call."""
        return self.spec.model_name or self.metadata.name


class TrafficWeightsSpec(Document):
    """What overrides the policy's weights."""

    weights: Weights | None = None
    mirror_percentage: Percentage | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise broken("either weights or mirrorPercentage")
        return self


class TrafficWeights(Document):
    """Weights over those of the policy of the same name."""

    api_version: ApiVersion
    kind: Literal["TrafficWeights"]
    metadata: Metadata
    spec: TrafficWeightsSpec
    status: Any = None
