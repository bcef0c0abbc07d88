"""An in-memory Kubernetes API server for tests, for `turnout demo`, and for plugin authors."""

from turnout.testing.memory.answers import Answer
from turnout.testing.memory.cluster import Call, InMemoryCluster
from turnout.testing.memory.errors import StatusError

__all__ = ["Answer", "Call", "InMemoryCluster", "StatusError"]
