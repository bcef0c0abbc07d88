"""A stand-in for the data plane of ModelMesh: which version answered is told, and nothing is predicted.

For tests and demonstrations. It needs the extra `grpc`. What it does not do:

- A model always loads, after a time that is set, and stays loaded; there is no cache, no scaling.
- It speaks gRPC alone, and only the methods of `turnout.inference.protocol`.
- An InferenceService that is seen to go is unloaded at once. One that was deleted and created anew
  unseen, between two lists, is replaced: the old model answers until the new one is loaded.
"""

from turnout.testing.serving.follow import follow
from turnout.testing.serving.models import Model, Models, State
from turnout.testing.serving.received import Call, Key, Received
from turnout.testing.serving.server import ModelServer

__all__ = ["Call", "Key", "Model", "ModelServer", "Models", "Received", "State", "follow"]
