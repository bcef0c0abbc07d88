"""The stand-in over real gRPC, asked by the client."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from tests.support import faketime, wait_until
from tests.testing.serving.services import service
from turnout.inference import Answer, InferenceClient, InferenceError, Tensor, TensorError
from turnout.testing.serving import Key, Model, ModelServer
from turnout.testing.serving.control import Control

Use = Callable[[ModelServer, InferenceClient], Awaitable[None]]

NEW = "s3://models/new"


def served(use: Use, server: Callable[[], ModelServer] = ModelServer) -> None:
    """Run a test with a server and a client of it."""

    async def main() -> None:
        async with server() as running, InferenceClient(running.address, authority="wisdom.models") as client:
            await use(running, client)

    asyncio.run(main())


def slowly() -> ModelServer:
    """Its models load when they are told to."""
    return ModelServer(load_seconds=math.inf)


async def code_of(call: Awaitable[object]) -> tuple[str, str]:
    with pytest.raises(InferenceError) as raised:
        await call
    return raised.value.code, raised.value.message


class TestWhoAnswers:
    def test_is_whom_the_header_names_else_whom_the_request_does(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            for number in (0, 1):
                server.put(service(f"wisdom-{number}", version=f"v{number}"))
            routed = await client.infer("wisdom", metadata=[("mm-vmodel-id", "wisdom-1")])
            named = await client.infer("wisdom-0")
            model = Model.of(service("wisdom-1"))
            assert (routed.model_name, routed.model_version) == (model.id, "v1")
            assert named.model_version == "v0"

        served(use)

    def test_is_nobody_if_the_model_does_not_exist(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            assert await code_of(client.infer("wisdom")) == ("NOT_FOUND", "vmodel not found")
            server.put(service("wisdom"))
            assert await code_of(client.infer("wisdom", metadata=[("mm-vmodel-id", "other")])) == (
                "NOT_FOUND",
                "vmodel not found",
            )
            server.remove("wisdom")
            assert (await code_of(client.infer("wisdom")))[0] == "NOT_FOUND"

        served(use)

    def test_is_the_old_model_until_the_new_one_is_loaded(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            old, new = service("wisdom"), service("wisdom", NEW, version="v1")
            server.put(old, loaded=True)
            server.put(new)
            assert (await client.infer("wisdom")).model_name == Model.of(old).id
            server.finish("wisdom")
            assert (await client.infer("wisdom")).model_name == Model.of(new).id

        served(use, slowly)

    def test_is_by_weight_where_a_route_is_set(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            for name in ("wisdom", "wisdom-0", "wisdom-1", "wisdom-2"):
                server.put(service(name))
            server.routes.set("wisdom", {"wisdom-0": 20, "wisdom-1": 80, "wisdom-2": 0})
            for _ in range(10):
                await client.infer("wisdom")
            assert server.received.answered() == {"wisdom-0": 2, "wisdom-1": 8}
            await client.infer("wisdom", metadata=[("mm-vmodel-id", "wisdom-2")])
            server.routes.set("wisdom", {})
            await client.infer("wisdom")
            assert server.received.answered() == {"wisdom-0": 2, "wisdom-1": 8, "wisdom-2": 1, "wisdom": 1}

        served(use)

    def test_is_named_in_a_response_header_if_asked(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom-0"))
            assert (await client.infer("wisdom-0")).metadata["app-version"] == "wisdom-0"

        served(use, lambda: ModelServer(version_header="app-version"))


class TestLoading:
    def test_makes_calls_wait(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            assert not await client.ready("wisdom")
            waiting = asyncio.gather(*(client.infer("wisdom", timeout=20) for _ in range(3)))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            server.finish("wisdom")
            assert {answer.model_name for answer in await waiting} == {Model.of(service("wisdom")).id}
            assert await client.ready("wisdom")

        served(use, slowly)

    def test_takes_its_time(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            began = time.monotonic()
            server.put(service("wisdom"))
            await client.infer("wisdom", timeout=20)
            assert time.monotonic() - began > 0.15

        served(use, lambda: ModelServer(load_seconds=0.2))

    def test_makes_them_wait_no_longer_than_their_deadline(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            assert (await code_of(client.infer("wisdom", timeout=0.05)))[0] == "DEADLINE_EXCEEDED"
            await asyncio.to_thread(wait_until, server.received.counts, interval=0.01)
            assert [key.code for key in server.received.counts()] == ["CANCELLED"]

        served(use, slowly)

    def test_of_what_is_removed_ends_the_wait(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            waiting = asyncio.ensure_future(client.infer("wisdom"))
            await asyncio.sleep(0.05)
            server.remove("wisdom")
            assert (await code_of(waiting))[0] == "NOT_FOUND"

        served(use, slowly)

    def test_is_noticed_even_if_the_timer_comes_early(self) -> None:
        """The loop's timers may, by as much as its clock resolves."""

        async def main() -> None:
            server = ModelServer(load_seconds=1e-10)
            server.put(service("wisdom"))
            for _ in range(3):
                await asyncio.sleep(0)
            await asyncio.sleep(1)
            assert server.models.serving("wisdom")

        faketime.run(main())


class TestFaults:
    def test_fail_one_service_until_it_is_healed(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom-0"))
            server.put(service("wisdom-1"))
            server.faults.fail("wisdom-1", "UNAVAILABLE", "on purpose")
            assert await code_of(client.infer("wisdom-1")) == ("UNAVAILABLE", "on purpose")
            await client.infer("wisdom-0")
            server.faults.heal("wisdom-1")
            await client.infer("wisdom-1")

        served(use)

    def test_delay_and_drop(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            server.faults.delay("wisdom", 0.1)
            began = time.monotonic()
            await client.infer("wisdom")
            assert time.monotonic() - began > 0.09
            server.faults.drop("wisdom")
            assert (await code_of(client.infer("wisdom", timeout=0.1)))[0] == "DEADLINE_EXCEEDED"
            server.faults.heal()
            await client.infer("wisdom")

        served(use)

    def test_must_be_statuses_that_exist(self) -> None:
        with pytest.raises(ValueError, match="code: found 'BROKEN', expected one of ABORTED, "):
            ModelServer().faults.fail("wisdom", "BROKEN")


class TestReceived:
    def test_calls_are_counted_by_who_answered_and_by_headers(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            for _ in range(2):
                await client.infer("wisdom", metadata=[("x-user", "a"), ("x-other", "1")])
            await client.infer("wisdom")
            await code_of(client.infer("nobody"))
            model = Model.of(service("wisdom"))
            assert server.received.counts() == {
                Key("wisdom", model.id, "v0", "OK", ("a",)): 2,
                Key("wisdom", model.id, "v0", "OK", (None,)): 1,
                Key("nobody", "", "", "NOT_FOUND", (None,)): 1,
            }
            assert server.received.answered() == {"wisdom": 3}
            server.received.reset()
            assert (server.received.counts(), server.received.calls()) == ({}, [])

        served(use, lambda: ModelServer(headers=["X-User"]))

    def test_calls_are_kept_with_their_times(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            server.faults.delay("wisdom", 0.05)
            before = time.monotonic()
            await client.infer("wisdom")
            between = time.monotonic()
            await client.infer("wisdom")
            first, second = server.received.calls()
            assert before < first.began < first.ended - 0.04 < first.ended < between
            assert server.received.calls(since=between) == [second]

        served(use)


class TestStream:
    def test_each_request_is_answered_by_the_model_of_its_moment(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            old, new = service("wisdom"), service("wisdom", NEW)
            server.put(old)
            sends: asyncio.Queue[list[Tensor]] = asyncio.Queue()

            async def requests() -> AsyncIterator[list[Tensor]]:
                while True:
                    yield await sends.get()

            async with aclosing(client.stream("wisdom", requests())) as answers:
                sends.put_nowait([])
                assert (await anext(answers)).model_name == Model.of(old).id
                server.put(new)
                sends.put_nowait([Tensor("x", "FP32", [1], [1.0])])
                assert (await anext(answers)).model_name == Model.of(new).id
                server.remove("wisdom")
                sends.put_nowait([])
                assert await anext(answers) == Answer("", "", {"app-version": "wisdom"}, "vmodel not found")
            assert [call.key.code for call in server.received.calls()] == ["OK", "OK", "NOT_FOUND"]

        served(use, lambda: ModelServer(version_header="app-version"))

    def test_ends_with_its_requests_or_by_its_deadline(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            assert len([answer async for answer in client.stream("wisdom", [(), ()])]) == 2
            server.faults.drop("wisdom")
            async with aclosing(client.stream("wisdom", [()], timeout=0.1)) as answers:
                assert (await code_of(anext(answers)))[0] == "DEADLINE_EXCEEDED"

        served(use)

    @pytest.mark.parametrize("slowly", [False, True])
    def test_ends_with_what_its_requests_raise(self, slowly: bool) -> None:
        """At once, though the server would wait for the next one."""

        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))

            async def requests() -> AsyncIterator[list[Tensor]]:
                yield []
                await asyncio.sleep(0.1 if slowly else 0)
                raise KeyError("mine")

            with pytest.raises(KeyError, match="mine"):
                async for _ in client.stream("wisdom", requests(), timeout=5):
                    pass
            broken = Tensor("x", "INT32", [1], ["one"])
            with pytest.raises(TensorError, match="x: not a tensor of INT32"):
                async for _ in client.stream("wisdom", [[], [broken]], timeout=5):
                    pass
            await client.infer("wisdom")

        served(use)

    def test_is_cancelled_with_its_task(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            server.faults.drop("wisdom")

            async def ask() -> None:
                async for _ in client.stream("wisdom", [()]):
                    pass

            asking = asyncio.ensure_future(ask())
            await asyncio.sleep(0.1)
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking

        served(use)


class TestClient:
    def test_sends_header_names_in_lower_case(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            await client.infer("wisdom", metadata=[("X-User", "me")])
            assert [key.headers for key in server.received.counts()] == [("me",)]

        served(use, lambda: ModelServer(headers=["x-user"]))

    def test_that_is_closed_says_so(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            server.faults.drop("wisdom")
            waiting = asyncio.ensure_future(client.infer("wisdom"))
            await asyncio.sleep(0.1)
            await client.close()
            closed = ("CANCELLED", "the client is closed")
            assert await code_of(waiting) == closed
            assert await code_of(client.infer("wisdom")) == closed
            assert await code_of(client.ready("wisdom")) == closed
            assert await code_of(client.connected(1.0)) == closed
            assert await code_of(anext(client.stream("wisdom", [()]))) == closed

        served(use)


class TestAddresses:
    def test_one_that_is_taken_is_refused(self) -> None:
        async def use(server: ModelServer, _: InferenceClient) -> None:
            with pytest.raises(RuntimeError, match="bind"):
                await ModelServer(port=server.port).start()

        served(use)

    def test_one_where_nobody_listens_is_unavailable(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            await server.stop()
            assert (await code_of(client.infer("wisdom")))[0] == "UNAVAILABLE"

        served(use)

    def test_one_where_nobody_listens_is_waited_for_until_the_client_is_closed(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            assert await client.connected(20.0)
            await server.stop()
            assert (await code_of(client.infer("wisdom")))[0] == "UNAVAILABLE"
            assert not await client.connected(0.1)
            waiting = asyncio.ensure_future(client.connected(20.0))
            await asyncio.sleep(0.1)
            await client.close()
            assert await code_of(waiting) == ("CANCELLED", "the client is closed")

        served(use)

    @pytest.mark.parametrize("variable", ["http_proxy", "grpc_proxy", "https_proxy"])
    def test_are_asked_themselves_and_no_proxy(self, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            await client.infer("wisdom")

        for name in ("no_proxy", "no_grpc_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
        served(use)


class TestControl:
    def test_tells_and_sets_over_http(self) -> None:
        async def use(server: ModelServer, client: InferenceClient) -> None:
            server.put(service("wisdom"))
            await client.infer("wisdom")
            async with await asyncio.start_server(Control(server).handle, "127.0.0.1", 0) as listener:
                port = listener.sockets[0].getsockname()[1]

                async def ask(method: str, target: str) -> tuple[int, dict[str, Any]]:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.write(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
                    writer.close()
                    return int(head.split()[1]), json.loads(body)

                model = Model.of(service("wisdom"))
                _, told = await ask("GET", "/counts")
                assert told["answered"] == {"wisdom": 1}
                key = {"service": "wisdom", "model": model.id, "version": "v0", "code": "OK"}
                assert told["counts"] == [{**key, "headers": {"x-user": None}, "count": 1}]
                now = told["now"]
                (call,) = (await ask("GET", "/calls"))[1]["calls"]
                assert call["began"] < call["ended"] < now
                assert (await ask("GET", f"/calls?since={now}"))[1]["calls"] == []
                active = {"id": model.id, "version": "v0"}
                assert await ask("GET", "/models") == (
                    200,
                    {"wisdom": {"active": active, "target": active, "due": None}},
                )

                assert await ask("POST", "/fail?service=wisdom&code=INTERNAL&message=a+b") == (200, {})
                assert await code_of(client.infer("wisdom")) == ("INTERNAL", "a b")
                await ask("POST", "/heal")
                await ask("POST", "/reset")
                assert (await ask("GET", "/counts"))[1]["counts"] == []
                await ask("POST", "/load?service=wisdom&seconds=inf")
                server.put(service("wisdom", NEW))
                assert (await client.infer("wisdom")).model_name == model.id
                await ask("POST", "/finish?service=wisdom")
                assert (await client.infer("wisdom")).model_name == Model.of(service("wisdom", NEW)).id

                for method, target, code, error in (
                    ("POST", "/fail?service=wisdom", 400, "/fail needs code"),
                    ("POST", "/fail?service=wisdom&code=", 400, "/fail needs code"),
                    ("POST", "/heal?servcie=wisdom", 400, "/heal takes service, not servcie"),
                    ("POST", "/reset?service=wisdom", 400, "/reset takes nothing, not service"),
                    ("POST", "/finish?service=wisdom", 404, "wisdom is loading nothing"),
                    ("POST", "/finish?service=zzz", 404, "zzz is loading nothing"),
                    ("GET", "/reset", 404, "there is no GET /reset"),
                    ("GET", "//[", 400, "//[ is no URL"),
                    *(
                        (method, f"{path}{seconds}", 400, f"found '{seconds}', expected seconds, 0 or more")
                        for method, path in (
                            ("POST", "/delay?service=wisdom&seconds="),
                            ("POST", "/load?service=wisdom&seconds="),
                            ("GET", "/calls?since="),
                        )
                        for seconds in ("x", "nan", "-1")
                    ),
                ):
                    assert await ask(method, target) == (code, {"error": error})
                assert (await client.infer("wisdom")).model_name == Model.of(service("wisdom", NEW)).id

        served(use, lambda: ModelServer(headers=["x-user"]))
