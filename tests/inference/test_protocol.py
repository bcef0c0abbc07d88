"""The messages on the wire, and what happens where gRPC is not installed."""

import subprocess
import sys

import pytest

from turnout.inference import Tensor, TensorError, protocol

WITHOUT_GRPC = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("grpc", "google"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_request_is_on_the_wire_as_kserve_numbers_its_fields() -> None:
    tensor = Tensor("predict", "FP32", [1, 2], [1.0, -1.0])
    request = protocol.message("ModelInferRequest")(model_name="wisdom", id="7", inputs=[tensor.as_input()])
    request.parameters["k"].int64_param = 3
    contents = b"\x32\x08\x00\x00\x80\x3f\x00\x00\x80\xbf"
    fields = b"\x0a\x07predict\x12\x04FP32\x1a\x02\x01\x02\x2a" + bytes([len(contents)]) + contents
    expected = [
        b"\x0a\x06wisdom",  # 1: model_name
        b"\x1a\x017",  # 3: id
        b"\x22\x07\x0a\x01k\x12\x02\x10\x03",  # 4: parameters, a map
        b"\x2a" + bytes([len(fields)]) + fields,  # 5: inputs
    ]
    assert request.SerializeToString(deterministic=True) == b"".join(expected)


def test_answers_are_read_from_the_wire() -> None:
    wire = b"\x0a\x06wisdom\x12\x02v1\x1a\x017\x32\x01x"
    response = protocol.message("ModelInferResponse").FromString(wire)
    assert (response.model_name, response.model_version, response.id) == ("wisdom", "v1", "7")
    assert list(response.raw_output_contents) == [b"x"]
    streamed = protocol.message("ModelStreamInferResponse").FromString(
        b"\x0a\x02no\x12" + bytes([len(wire)]) + wire
    )
    assert (streamed.error_message, streamed.infer_response) == ("no", response)


def test_parameter_has_one_value() -> None:
    parameter = protocol.message("InferParameter")(bool_param=True)
    parameter.string_param = "x"
    assert parameter.WhichOneof("parameter_choice") == "string_param"
    assert not parameter.HasField("bool_param")


def test_all_methods_have_their_messages() -> None:
    methods = [one for one in vars(protocol).values() if isinstance(one, protocol.Method)]
    assert {one.path for one in methods} == {
        f"/inference.GRPCInferenceService/{name}"
        for name in (
            "ServerLive",
            "ServerReady",
            "ModelReady",
            "ModelMetadata",
            "ModelInfer",
            "ModelStreamInfer",
        )
    }
    for method in methods:
        assert method.request.DESCRIPTOR.file.package == "inference"
        assert method.response.DESCRIPTOR.name == f"{method.name}Response"


@pytest.mark.parametrize(
    ("datatype", "data", "field"),
    [
        ("BOOL", [True], "bool_contents"),
        ("INT8", [-1], "int_contents"),
        ("INT64", [2**40], "int64_contents"),
        ("UINT16", [1], "uint_contents"),
        ("UINT64", [2**63], "uint64_contents"),
        ("FP64", [0.1], "fp64_contents"),
        ("BYTES", ["text"], "bytes_contents"),
    ],
)
def test_tensor_is_sent_in_the_field_of_its_datatype(datatype: str, data: list[object], field: str) -> None:
    tensor = Tensor.from_json({"name": "x", "datatype": datatype, "shape": [1], "data": [data]})
    sent = protocol.message("ModelInferRequest.InferInputTensor")(**tensor.as_input())
    (found, values), *others = sent.contents.ListFields()
    assert (found.name, others) == (field, [])
    assert list(values) == [one.encode() if isinstance(one, str) else one for one in data]
    assert tensor.as_json() == {"name": "x", "datatype": datatype, "shape": [1], "data": data}


def test_tensor_is_read_as_grpcurl_has_it() -> None:
    as_grpcurl = {
        "name": "x",
        "datatype": "FP32",
        "shape": ["1", "2"],
        "contents": {"fp32_contents": [0.5, 1]},
    }
    assert Tensor.from_json(as_grpcurl) == Tensor("x", "FP32", (1, 2), (0.5, 1))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "found list, expected a mapping with name, datatype, shape and data"),
        ({"datatype": "FP16"}, "datatype: found 'FP16', expected one of BOOL, INT8"),
        ({"datatype": "FP32", "shape": [1]}, "data: expected a list, or contents with fp32_contents"),
        ({"datatype": "FP32", "data": [1]}, "shape: expected a list of integers"),
        ({"datatype": "FP32", "data": [1], "shape": ["a"]}, "shape: expected a list of integers"),
    ],
)
def test_what_is_no_tensor_is_told(value: dict[str, object], told: str) -> None:
    with pytest.raises(TensorError) as raised:
        Tensor.from_json(value)
    assert str(raised.value).startswith(told)


def test_messages_live_beside_generated_code_of_the_same_protocol() -> None:
    from google.protobuf import descriptor_pb2, descriptor_pool

    ours = protocol.message("ModelInferRequest").DESCRIPTOR.file
    theirs = descriptor_pb2.FileDescriptorProto(name="grpc_predict_v2.proto", package="inference")
    theirs.message_type.add(name="ModelInferRequest")
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(theirs.SerializeToString())
    assert pool.FindMessageTypeByName("inference.ModelInferRequest").file is not ours


def test_nothing_imports_grpc_before_a_client_is_made() -> None:
    modules = "turnout.cli, turnout.cli.run, turnout.cli.plan, turnout.inference, turnout.offline"
    done = run(f"import sys, {modules}; print([m for m in sys.modules if m in ('grpc', 'google.protobuf')])")
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    "use", ["inference.InferenceClient('127.0.0.1:1')", "inference.protocol.message('InferParameter')"]
)
def test_message_says_how_to_install_grpc(use: str) -> None:
    done = run(f"{WITHOUT_GRPC}\nfrom turnout import inference\nimport turnout.inference.protocol\n{use}")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("turnout.inference.needed.GrpcMissing: gRPC is needed for this (No module named ")
    assert last.endswith("): pip install 'turnout[grpc]'")
