"""The open inference protocol (KServe v2) over gRPC: its messages, and a client.

It needs the extra `grpc`. Importing this imports no gRPC: that happens when a client is made.
"""

from turnout.inference.client import Answer, InferenceClient, InferenceError
from turnout.inference.needed import GrpcMissing
from turnout.inference.tensors import Tensor, TensorError

__all__ = ["Answer", "GrpcMissing", "InferenceClient", "InferenceError", "Tensor", "TensorError"]
