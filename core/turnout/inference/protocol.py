"""The messages and methods of the open inference protocol, as far as they are used here.

The declaration below has the names and numbers of KServe's grpc_predict_v2.proto, and ModelStreamInfer
as Triton's grpc_service.proto adds it. The classes are made from it when they are first asked for, in a
descriptor pool of their own, so that generated code of the same protocol can be loaded beside them.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from turnout.inference.needed import grpc_needed

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"

MESSAGES = """
ServerLiveRequest
ServerLiveResponse
    bool live = 1
ServerReadyRequest
ServerReadyResponse
    bool ready = 1
ModelReadyRequest
    string name = 1
    string version = 2
ModelReadyResponse
    bool ready = 1
ModelMetadataRequest
    string name = 1
    string version = 2
ModelMetadataResponse
    string name = 1
    repeated string versions = 2
    string platform = 3
    repeated ModelMetadataResponse.TensorMetadata inputs = 4
    repeated ModelMetadataResponse.TensorMetadata outputs = 5
ModelMetadataResponse.TensorMetadata
    string name = 1
    string datatype = 2
    repeated int64 shape = 3
ModelInferRequest
    string model_name = 1
    string model_version = 2
    string id = 3
    map<string, InferParameter> parameters = 4
    repeated ModelInferRequest.InferInputTensor inputs = 5
    repeated ModelInferRequest.InferRequestedOutputTensor outputs = 6
    repeated bytes raw_input_contents = 7
ModelInferRequest.InferInputTensor
    string name = 1
    string datatype = 2
    repeated int64 shape = 3
    map<string, InferParameter> parameters = 4
    InferTensorContents contents = 5
ModelInferRequest.InferRequestedOutputTensor
    string name = 1
    map<string, InferParameter> parameters = 2
ModelInferResponse
    string model_name = 1
    string model_version = 2
    string id = 3
    map<string, InferParameter> parameters = 4
    repeated ModelInferResponse.InferOutputTensor outputs = 5
    repeated bytes raw_output_contents = 6
ModelInferResponse.InferOutputTensor
    string name = 1
    string datatype = 2
    repeated int64 shape = 3
    map<string, InferParameter> parameters = 4
    InferTensorContents contents = 5
ModelStreamInferResponse
    string error_message = 1
    ModelInferResponse infer_response = 2
InferParameter
    oneof parameter_choice bool bool_param = 1
    oneof parameter_choice int64 int64_param = 2
    oneof parameter_choice string string_param = 3
InferTensorContents
    repeated bool bool_contents = 1
    repeated int32 int_contents = 2
    repeated int64 int64_contents = 3
    repeated uint32 uint_contents = 4
    repeated uint64 uint64_contents = 5
    repeated float fp32_contents = 6
    repeated double fp64_contents = 7
    repeated bytes bytes_contents = 8
"""

FIELD = re.compile(
    r"(?:(?P<repeated>repeated) |oneof (?P<oneof>\w+) |(?P<map>map<string, ))?"
    r"(?P<type>[\w.]+)>? (?P<name>\w+) = (?P<number>\d+)"
)


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the service. `asked`: the name of its request, where it is not `<name>Request`."""

    name: str
    asked: str = ""

    @property
    def path(self) -> str:
        return f"/{SERVICE}/{self.name}"

    @property
    def request(self) -> Any:
        """The class of its requests. Raises GrpcMissing."""
        return message(self.asked or f"{self.name}Request")

    @property
    def response(self) -> Any:
        """The class of its responses. Raises GrpcMissing."""
        return message(f"{self.name}Response")


SERVER_LIVE = Method("ServerLive")
SERVER_READY = Method("ServerReady")
MODEL_READY = Method("ModelReady")
MODEL_METADATA = Method("ModelMetadata")
MODEL_INFER = Method("ModelInfer")
MODEL_STREAM_INFER = Method("ModelStreamInfer", asked="ModelInferRequest")


def message(name: str) -> Any:
    """The class of a message, such as ModelInferRequest. Raises GrpcMissing."""
    return _classes()[name]


@cache
def _classes() -> dict[str, Any]:
    with grpc_needed():
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    file = descriptor_pb2.FileDescriptorProto(name="inference.proto", package=PACKAGE, syntax="proto3")
    declared: dict[str, Any] = {}
    current = ""
    for line in filter(None, MESSAGES.splitlines()):
        if line.startswith(" "):
            _field(declared[current], current, line.strip())
        else:
            current = line
            outer, _, name = line.rpartition(".")
            declared[current] = (declared[outer].nested_type if outer else file.message_type).add(name=name)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))
        for name in declared
    }


def _field(owner: Any, path: str, line: str) -> None:
    """Add a field to `owner`, a DescriptorProto; `path` is its name within the package."""
    found = FIELD.fullmatch(line)
    if found is None:
        raise ValueError(f"{path}: not a field: {line}")
    field = owner.field.add(name=found["name"], number=int(found["number"]))
    field.label = field.LABEL_REPEATED if found["repeated"] or found["map"] else field.LABEL_OPTIONAL
    type_ = found["type"]
    if found["oneof"]:
        field.oneof_index = 0  # no message has two
        if not owner.oneof_decl:
            owner.oneof_decl.add(name=found["oneof"])
    if found["map"]:  # on the wire a list of entries
        entry = owner.nested_type.add(name=f"{found['name'].title()}Entry")
        entry.options.map_entry = True
        _field(entry, f"{path}.{entry.name}", "string key = 1")
        _field(entry, f"{path}.{entry.name}", f"{type_} value = 2")
        type_ = f"{path}.{entry.name}"
    if type_[0].isupper():
        field.type, field.type_name = field.TYPE_MESSAGE, f".{PACKAGE}.{type_}"
    else:
        field.type = getattr(field, f"TYPE_{type_.upper()}")
