"""What is on the wire when a model is asked over gRPC, and what a lost connection costs."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from tests.support import wait_until
from turnout.inference import InferenceClient, InferenceError, Tensor, protocol
from turnout.testing.serving import ModelServer
from turnout.verification.over_grpc import Grpc
from turnout.verification.question import Question
from turnout.verification.sending import Pace, send
from turnout.verification.tally import Failed, Tally

SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
"""An empty frame of HTTP/2, with which a server begins."""


def handler(answer: Callable[[Any, Any], Any]) -> Any:
    """Of a server that answers ModelInfer."""
    method = protocol.MODEL_INFER
    made = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=method.request.FromString,
        response_serializer=method.response.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(protocol.SERVICE, {method.name: made})


def test_model_inputs_and_headers_are_sent() -> None:
    asked: list[tuple[Any, dict[str, str]]] = []

    async def answer(request: Any, context: Any) -> Any:
        asked.append((request, dict(context.invocation_metadata())))
        return protocol.MODEL_INFER.response(model_name="wisdom-1__isvc-0123456789")

    async def main() -> str:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((handler(answer),))
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

    assert asyncio.run(main()) == "wisdom-1__isvc-0123456789"
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


class Relay:
    """Connections to a server, which can be cut as if it had crashed."""

    def __init__(self, server: ModelServer) -> None:
        self._to = server.port
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def open(self) -> None:
        """Take connections; on the port of the last time, if there was one."""
        self._listener = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Take no more connections, and reset those that there are."""
        self._listener.close()
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers += (writer, onward)
        for source, sink in ((reader, onward), (there, writer)):
            task = asyncio.create_task(self._copy(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while chunk := await source.read(65536):
                sink.write(chunk)
        except ConnectionError:
            pass
        finally:
            sink.close()


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[Relay, ModelServer]]:
    """A server that answers for wisdom, behind a relay."""
    async with ModelServer() as server:
        server.put({"metadata": {"name": "wisdom"}})
        relay = Relay(server)
        await relay.open()
        try:
            yield relay, server
        finally:
            relay.cut()


def question(relay: Relay, timeout: float = 5.0) -> Question:
    return Question(f"127.0.0.1:{relay.port}", "wisdom.models", "wisdom", timeout=timeout)


async def answered(tally: Tally, number: int) -> None:
    await asyncio.to_thread(wait_until, lambda: tally.answered >= number, interval=0.001)


def test_a_connection_that_is_lost_fails_the_calls_on_it_and_no_others() -> None:
    async def main() -> Tally:
        tally = Tally()
        async with relayed() as (relay, _), Grpc(question(relay)) as asker:
            sending = asyncio.create_task(send(asker, Pace(2000, concurrency=5), tally))
            await answered(tally, 100)
            relay.cut()
            await asyncio.sleep(0.2)
            await relay.open()
            await sending
        return tally

    tally = asyncio.run(main())
    assert set(tally.failures) == {"UNAVAILABLE"}
    assert tally.failed < 50, "one or two of each at once, until it is noticed"
    assert tally.answered + tally.failed == 2000


def test_a_connection_that_does_not_come_back_is_waited_for_once() -> None:
    async def main() -> Tally:
        tally = Tally()
        async with relayed() as (relay, _), Grpc(question(relay, timeout=0.3)) as asker:
            sending = asyncio.create_task(send(asker, Pace(2000, concurrency=5), tally))
            await answered(tally, 100)
            relay.cut()
            await sending
        return tally

    began = time.monotonic()
    assert asyncio.run(main()).failed > 1000
    assert time.monotonic() - began < 20, "each has waited"


def test_a_proxy_that_answers_unavailable_is_not_waited_for() -> None:
    async def main() -> Tally:
        tally = Tally()
        async with relayed() as (relay, server), Grpc(question(relay, timeout=60.0)) as asker:
            await asker.ask()
            tally.answers["wisdom"] += 1
            server.faults.fail("wisdom", "UNAVAILABLE", "no healthy upstream")
            await asyncio.wait_for(send(asker, Pace(50, concurrency=5), tally), 30)
        return tally

    assert asyncio.run(main()).messages == {"UNAVAILABLE": "no healthy upstream"}


def test_an_answer_may_be_long() -> None:
    """Longer than the 4 MiB that gRPC takes by default."""

    async def answer(_: Any, __: Any) -> Any:
        return protocol.MODEL_INFER.response(model_name="wisdom-1", raw_output_contents=[bytes(5 * 2**20)])

    async def main() -> str:
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((handler(answer),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with Grpc(Question(f"127.0.0.1:{port}", "wisdom.models", "wisdom")) as asker:
            told = await asker.ask()
        await server.stop(0)
        return told

    assert asyncio.run(main()) == "wisdom-1"
