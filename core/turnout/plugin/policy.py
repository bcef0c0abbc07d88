"""What a policy says, with its defaults and namespaces filled in. Weights are relative, 0..1000000."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple

MatchType = Literal["exact", "prefix", "regex"]
"""How a value is compared. A regex is RE2 and matches the whole value."""


@dataclass(frozen=True, slots=True)
class Match:
    """A request matches when all of it does; a rule's matches are alternatives."""

    headers: tuple[tuple[str, MatchType, str], ...] = ()
    query: tuple[tuple[str, MatchType, str], ...] = ()
    path: tuple[MatchType, str] | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class VersionSpec:
    """What the policy, or TrafficWeights over it, says. `weight` None: the strategy's default."""

    name: str
    namespace: str
    weight: int | None = None
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A routing policy with its defaults filled in. `uid` is empty offline."""

    name: str
    namespace: str
    model_name: str
    versions: tuple[VersionSpec, ...]
    primary: str
    uid: str = ""
    hosts: tuple[str, ...] = ()
    mirror_percentage: float | None = None
    cluster_domain: str = "cluster.local"


class Uses(StrEnum):
    """Which of a policy's inputs a strategy reads; core refuses the others instead of dropping them.

    `weight: 0` needs no declaration: under every strategy it excludes a version.
    """

    WEIGHTS = "weights"
    MATCHES = "matches"
    MIRROR_PERCENTAGE = "mirror-percentage"


class Fault(NamedTuple):
    """One thing that is wrong with a policy: where, and what would be right."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
