"""deployment passes the suite of environments, with each kind of workload."""

from tests.plugins.test_deployment import deployment, service, stateful_set
from turnout.testing.builders import policy
from turnout.testing.conformance import EnvironmentConformance
from turnout_deployment.environment import Deployments

TEMPLATE = {"annotations": {"deployment.kubernetes.io/revision": "5"}, "name": "wisdom-0"}

SERVICE = service(ports=[{"name": "grpc", "port": 80}])


class TestDeployments(EnvironmentConformance):
    plugin = Deployments()
    options = ({}, {"servicePort": 80, "port": 8080, "protocol": "grpc", "virtual": False})
    ready = (deployment(), SERVICE)
    not_ready = (deployment(availableReplicas=0), SERVICE)
    unknown = (deployment(generation=3), SERVICE)
    replaced = ({**deployment(), "metadata": TEMPLATE}, SERVICE)
    refused = (policy("wisdom"),)


class TestStatefulSets(EnvironmentConformance):
    plugin = Deployments()
    options = ({"workload": "StatefulSet"},)
    ready = (stateful_set(), service())
    not_ready = (stateful_set(availableReplicas=0), service())
    unknown = (stateful_set(availableReplicas=2), service())
    replaced = (stateful_set(updateRevision="wisdom-0-5c4b"), service())
