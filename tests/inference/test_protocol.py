"""The messages on the wire, and what happens where gRPC is not installed."""

import asyncio
import math
import subprocess
import sys

import pytest

from turnout.inference import InferenceClient, Tensor, TensorError, protocol

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
        ({"datatype": "FP16"}, 'datatype: found "FP16", expected one of BOOL, INT8'),
        ({"datatype": "FP32", "shape": [1]}, "data: expected a list, or contents with fp32_contents"),
        ({"datatype": "FP32", "data": [1]}, "shape: expected a list of integers"),
        ({"datatype": "FP32", "data": [1], "shape": ["a"]}, "shape: expected a list of integers"),
    ],
)
def test_what_is_no_tensor_is_told(value: dict[str, object], told: str) -> None:
    with pytest.raises(TensorError) as raised:
        Tensor.from_json(value)
    assert str(raised.value).startswith(told)


def nested(depth: int) -> list[object]:
    found: list[object] = [1]
    for _ in range(depth - 1):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("datatype", "value", "told"),
    [
        ("FP32", "x", 'data[1]: found "x", expected a number that FP32 can hold'),
        ("FP32", None, "data[1]: found null, expected a number"),
        ("FP32", 1e39, "data[1]: found 1e+39, expected a number"),
        pytest.param("FP64", 10**400, "data[1]: found 1000", id="huge"),
        ("INT32", 2**40, "data[1]: found 1099511627776, expected an integer from -2147483648 to 2147483647"),
        ("INT64", "1", 'data[1]: found "1", expected an integer'),
        ("UINT8", -1, "data[1]: found -1, expected an integer from 0 to 255"),
        ("INT8", True, "data[1]: found true, expected an integer"),
        ("INT8", 0.5, "data[1]: found 0.5, expected an integer"),
        ("BYTES", 7, "data[1]: found 7, expected text that is UTF-8"),
        ("BYTES", "\ud800", 'data[1]: found "\\ud800", expected text that is UTF-8'),
        ("BOOL", {}, "data[1]: found {}, expected true or false"),
        ("BOOL", 1, "data[1]: found 1, expected true or false"),
        ("FP32", nested(900), "data: more than 64 lists in one another"),
    ],
)
def test_a_value_that_the_datatype_does_not_have_is_told(datatype: str, value: object, told: str) -> None:
    good = {"BYTES": "text", "BOOL": True}.get(datatype, 1)
    with pytest.raises(TensorError) as raised:
        Tensor.from_json({"name": "x", "datatype": datatype, "shape": [2], "data": [good, value]})
    assert str(raised.value).startswith(told)


@pytest.mark.parametrize("size", [2**70, 1e400, -1, 1.5, True, "9" * 30])
def test_a_size_that_none_can_be_is_told(size: object) -> None:
    with pytest.raises(TensorError, match="shape: expected a list of integers, none negative"):
        Tensor.from_json({"datatype": "FP32", "shape": [1, size], "data": [1]})


@pytest.mark.parametrize("name", [7, "\udfff"])
def test_a_name_that_cannot_be_sent_is_told(name: object) -> None:
    with pytest.raises(TensorError, match="name: found"):
        Tensor.from_json({"name": name, "datatype": "FP32", "shape": [1], "data": [1]})


@pytest.mark.parametrize(
    ("datatype", "field", "value", "read"),
    [
        ("FP32", "fp32Contents", 0.5, 0.5),
        ("FP64", "fp64Contents", "-Infinity", -math.inf),
        ("INT64", "int64Contents", "-7", -7),
        ("BYTES", "bytesContents", "_-8=", b"\xff\xef"),
        ("BYTES", "bytes_contents", "dGV4dA", b"text"),
    ],
)
def test_contents_are_json_of_protobuf(datatype: str, field: str, value: object, read: object) -> None:
    found = Tensor.from_json({"datatype": datatype, "shape": ["1"], "contents": {field: [value]}})
    assert found == Tensor("", datatype, (1,), (read,))
    sent = protocol.message("ModelInferRequest.InferInputTensor")(**found.as_input())
    assert [list(values) for _, values in sent.contents.ListFields()] == [[read]]


@pytest.mark.parametrize("value", ["text!", 7, "a"])
def test_contents_that_are_not_base64_are_told(value: object) -> None:
    with pytest.raises(TensorError, match=r"data\[0\]: found .*, expected bytes in base64"):
        Tensor.from_json({"datatype": "BYTES", "shape": [1], "contents": {"bytesContents": [value]}})


def test_bytes_are_json_if_they_are_text() -> None:
    assert Tensor("x", "BYTES", [1], [b"text"]).as_json()["data"] == ["text"]
    with pytest.raises(TensorError, match="x: bytes that are no UTF-8"):
        Tensor("x", "BYTES", [1], [b"\xff"]).as_json()


@pytest.mark.parametrize(
    "tensor",
    [
        Tensor("x", "FP32", [1], ["one"]),
        Tensor("x", "INT32", [1], [2**40]),
        Tensor("x", "BYTES", [1], ["\ud800"]),
        Tensor("x", "FP32", [2**70], [1]),
    ],
)
def test_a_client_tells_what_cannot_be_sent(tensor: Tensor) -> None:
    async def ask() -> None:
        async with InferenceClient("127.0.0.1:1") as client:
            await client.infer("wisdom", tensors=[tensor])

    with pytest.raises(TensorError, match=r"^x: "):
        asyncio.run(ask())


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
