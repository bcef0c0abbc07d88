"""Names that other people's manifests and scripts rely on. They must not move."""

from turnout.plugin import Kind

GROUP = "turnout.dev"
VERSION = "v1alpha1"
FIELD_MANAGER = "turnout"
FIELD_MANAGER_OF_PEOPLE = "turnout-cli"
"""Of what people write by commands and by the Python API."""
LABEL_MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGED_BY = "turnout"
LABEL_POLICY = f"{GROUP}/policy"
LABEL_SHARED = f"{GROUP}/shared"
LABEL_INSTANCE = f"{GROUP}/instance"
ANNOTATION_PLAN = f"{GROUP}/plan"
ANNOTATION_DRAIN_FOR = f"{GROUP}/drain-for"
FINALIZER_DRAIN = f"{GROUP}/drain"

ROUTING_POLICY = Kind(GROUP, (VERSION,), "RoutingPolicy", "routingpolicies")
TRAFFIC_WEIGHTS = Kind(GROUP, (VERSION,), "TrafficWeights", "trafficweights")
