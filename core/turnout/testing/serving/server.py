"""The stand-in's server: the open inference protocol over gRPC.

Which model answers is left to `models`, what goes wrong on purpose to `faults`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from turnout.inference import protocol
from turnout.inference.needed import grpc_needed
from turnout.testing.serving.faults import Fault, Faults
from turnout.testing.serving.models import Model, Models
from turnout.testing.serving.received import Key, Received
from turnout.testing.serving.routes import Routes

HEADER = "mm-vmodel-id"
NOT_FOUND = "vmodel not found"
"""ModelMesh's own words."""
GRACE = 1.0
"""Seconds that calls under way have at the end of a server that was used as a context."""


class Outcome(NamedTuple):
    """What comes of a call to a service: a model answers, or a status."""

    service: str
    model: Model | None
    code: str = "OK"
    message: str = ""


class ModelServer:
    """Serves the InferenceServices that it is told of, as ModelMesh does.

    `load_seconds`: how long a model takes to load. `headers`: request headers whose values are told
    apart in what was received. `version_header`: a response header that names the service that
    answered, as a route may add it. `host`: the address where it listens, by default of the loopback
    interface; `port` 0: any. Start it within a running event loop.
    """

    def __init__(
        self,
        *,
        load_seconds: float = 0.0,
        headers: Sequence[str] = (),
        version_header: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.models = Models(load_seconds)
        self.faults = Faults()
        self.received = Received(headers)
        self.routes = Routes()
        """For calls without the header, where no mesh is in front."""
        self.listeners: list[Callable[[str], None]] = []
        """Called with the name of a service whose state has changed."""
        self.host = host
        self.port = port
        self._version_header = version_header
        self._changed: dict[str, asyncio.Event] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._server: Any = None
        self._infer_response = protocol.MODEL_INFER.response
        self._stream_response = protocol.MODEL_STREAM_INFER.response

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    async def start(self) -> None:
        """Listen. Raises RuntimeError if the port is taken, GrpcMissing without gRPC."""
        with grpc_needed():
            import grpc
        self._codes = grpc.StatusCode
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        unary, streams = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
        methods = (
            (protocol.SERVER_LIVE, unary, self._live),
            (protocol.SERVER_READY, unary, self._ready),
            (protocol.MODEL_READY, unary, self._model_ready),
            (protocol.MODEL_METADATA, unary, self._metadata),
            (protocol.MODEL_INFER, unary, self._infer),
            (protocol.MODEL_STREAM_INFER, streams, self._stream),
        )
        handlers: dict[str, Any] = {
            method.name: kind(
                behaviour,
                request_deserializer=method.request.FromString,
                response_serializer=method.response.SerializeToString,
            )
            for method, kind, behaviour in methods
        }
        generic = grpc.method_handlers_generic_handler(protocol.SERVICE, handlers)
        self._server.add_generic_rpc_handlers((generic,))
        self.port = self._server.add_insecure_port(self.address)
        await self._server.start()

    async def stop(self, grace: float = 0.0) -> None:
        """Stop; calls under way may take `grace` seconds more."""
        if self._timer:
            self._timer.cancel()
        if self._server:
            await self._server.stop(grace)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop(GRACE)  # gRPC shows a traceback of each call that it has to cut off

    def put(self, service: Mapping[str, Any], *, loaded: bool = False) -> None:
        """An InferenceService exists, or was changed. `loaded`: its model is loaded already."""
        name = service["metadata"]["name"]
        if self.models.put(name, Model.of(service), self._now(), loaded=loaded):
            self._tell(name)

    def remove(self, name: str) -> None:
        """An InferenceService is gone."""
        if self.models.remove(name):
            self._tell(name)

    def finish(self, name: str) -> bool:
        """What a service is loading is loaded now. Whether it was loading anything."""
        was_loading = self.models.finish(name)
        if was_loading:
            self._tell(name)
        return was_loading

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    def _tell(self, name: str) -> None:
        if event := self._changed.pop(name, None):
            event.set()
        for listener in self.listeners:
            listener(name)
        if self._timer:
            self._timer.cancel()
        due = self.models.next_due()
        self._timer = None if due is None else asyncio.get_running_loop().call_at(due, self._advance)

    def _advance(self) -> None:
        self._timer = None
        due = self.models.next_due()
        # The loop's timers may come a little early, by the resolution of its clock.
        for name in self.models.advance(self._now() if due is None else max(self._now(), due)):
            self._tell(name)

    async def _model(self, service: str) -> Model | None:
        """The model that answers for a service, waiting for its first one; None if there is no service."""
        while (model := self.models.serving(service)) is None and self.models.state(service):
            await self._changed.setdefault(service, asyncio.Event()).wait()
        return model

    async def _answered(self, context: Any, named: str) -> Outcome:
        """Find out what a call gets, and note it."""
        began = time.monotonic()
        given: dict[str, str] = dict(context.invocation_metadata())
        service = given[HEADER] if HEADER in given else self.routes.service(named)
        outcome = Outcome(service, None, "CANCELLED")
        try:
            outcome = await self._outcome(service, self.faults.get(service))
        finally:
            model = outcome.model or Model("")
            headers = tuple(given.get(name) for name in self.received.headers)
            key = Key(service, model.id, model.version, outcome.code, headers)
            self.received.note(began, time.monotonic(), key)
        return outcome

    async def _outcome(self, service: str, fault: Fault | None) -> Outcome:
        if fault:
            if fault.drop:
                await asyncio.Event().wait()
            await asyncio.sleep(fault.seconds)
            if fault.code:
                return Outcome(service, None, fault.code, fault.message)
        model = await self._model(service)
        return Outcome(service, model) if model else Outcome(service, None, "NOT_FOUND", NOT_FOUND)

    async def _infer(self, request: Any, context: Any) -> Any:
        service, model, code, message = await self._answered(context, request.model_name)
        if model is None:
            return await context.abort(self._codes[code], message)
        if self._version_header:
            await context.send_initial_metadata(((self._version_header, service),))
        return self._infer_response(model_name=model.id, model_version=model.version, id=request.id)

    async def _stream(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        named = False
        async for request in requests:
            service, model, code, message = await self._answered(context, request.model_name)
            if model is None:
                yield self._stream_response(error_message=message or code)
                continue
            if self._version_header and not named:
                await context.send_initial_metadata(((self._version_header, service),))
            named = True
            answer = {"model_name": model.id, "model_version": model.version, "id": request.id}
            yield self._stream_response(infer_response=answer)

    async def _live(self, _: Any, __: Any) -> Any:
        return protocol.SERVER_LIVE.response(live=True)

    async def _ready(self, _: Any, __: Any) -> Any:
        return protocol.SERVER_READY.response(ready=True)

    async def _model_ready(self, request: Any, context: Any) -> Any:
        service = dict(context.invocation_metadata()).get(HEADER, request.name)
        if self.models.state(service) is None:
            await context.abort(self._codes.NOT_FOUND, NOT_FOUND)
        return protocol.MODEL_READY.response(ready=self.models.serving(service) is not None)

    async def _metadata(self, request: Any, context: Any) -> Any:
        model = await self._model(dict(context.invocation_metadata()).get(HEADER, request.name))
        if model is None:
            return await context.abort(self._codes.NOT_FOUND, NOT_FOUND)
        return protocol.MODEL_METADATA.response(name=model.id, versions=[model.version])
