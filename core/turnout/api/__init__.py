"""The documents of the API, from what a person or the API server gives to the data plugins work on."""

from turnout.api.convert import to_policy, unknown_versions
from turnout.api.models import RoutingPolicy, TrafficWeights
from turnout.api.parse import parse_policy, parse_weights

__all__ = [
    "RoutingPolicy",
    "TrafficWeights",
    "parse_policy",
    "parse_weights",
    "to_policy",
    "unknown_versions",
]
