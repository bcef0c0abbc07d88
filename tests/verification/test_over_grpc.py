"""What is on the wire when a model is asked over gRPC."""

import asyncio
from typing import Any

import grpc
import pytest

from turnout.inference import InferenceClient, InferenceError, Tensor, protocol
from turnout.verification.over_grpc import Grpc
from turnout.verification.question import Question
from turnout.verification.tally import Failed

SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""An empty frame of HTTP/2, with which a server begins."""


def test_model_inputs_and_headers_are_sent() -> None:
    asked: list[tuple[Any, dict[str, str]]] = []

    async def answer(request: Any, context: Any) -> Any:
        asked.append((request, dict(context.invocation_metadata())))
        return protocol.MODEL_INFER.response(model_name="wisdom-1__isvc-0123456789")

    async def main() -> str:
        method = protocol.MODEL_INFER
        handler = grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=method.request.FromString,
            response_serializer=method.response.SerializeToString,
        )
        server = grpc.aio.server()
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(protocol.SERVICE, {method.name: handler}),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        tensor = Tensor("predict", "FP32", [2], [0.5, 1.0])
        question = Question(
            f"127.0.0.1:{port}", "wisdom.models", "wisdom", (tensor,), (("X-User", "me"), ("traffic", "test"))
        )
        async with Grpc(question) as asker:
            answered = await asker.ask()
        await server.stop(0)
        return answered

    assert asyncio.run(main()) == "wisdom-1"
    ((request, headers),) = asked
    assert request.model_name == "wisdom"
    assert list(request.inputs[0].contents.fp32_contents) == [0.5, 1.0]
    assert (headers["x-user"], headers["traffic"]) == ("me", "test")


def test_authority_is_the_host_that_is_asked_for() -> None:
    async def main() -> bytes:
        received = bytearray()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(SETTINGS)
            while chunk := await reader.read(65536):
                received.extend(chunk)
            writer.close()

        async with await asyncio.start_server(take, "127.0.0.1", 0) as listener:
            address = f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
            async with InferenceClient(address, authority="wisdom.models") as client:
                with pytest.raises(InferenceError):
                    await client.infer("wisdom", timeout=0.5)
            await asyncio.sleep(0.05)
        return bytes(received)

    sent = asyncio.run(main())
    assert b":authority\rwisdom.models" in sent


def test_a_failure_has_the_code_and_the_message() -> None:
    async def main() -> None:
        async with Grpc(Question("127.0.0.1:1", "wisdom.models", "wisdom")) as asker:
            with pytest.raises(Failed) as raised:
                await asker.ask()
        assert raised.value.code == "UNAVAILABLE"
        assert "127.0.0.1:1" in raised.value.message

    asyncio.run(main())
