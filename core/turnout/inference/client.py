"""An asyncio client of the open inference protocol."""

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from turnout.inference import protocol
from turnout.inference.needed import grpc_needed
from turnout.inference.tensors import Tensor, TensorError
from turnout.shown import plain

Metadata = Sequence[tuple[str, str]]
"""Request headers. Their names are sent in lower case."""
CLOSED = "the client is closed"
LOOK = 0.01
"""Seconds between two looks at the connection, while it is waited for."""

OPTIONS = (
    ("grpc.enable_retries", 0),  # one call is one request
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own for each client
    ("grpc.enable_http_proxy", 0),  # the address is where calls go, whatever the environment says
    ("grpc.max_receive_message_length", -1),  # a model's outputs are as long as they are
    # Until it is tried again to connect, all calls fail unsent. ms; by default 1 s to 2 min.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What answered. `metadata`: the initial response metadata, names in lower case, without binary ones.

    `error` is only set in a stream: what went wrong with one of its requests.
    """

    model_name: str
    model_version: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


class InferenceError(Exception):
    """A call failed. `code`: the name of a gRPC status, such as NOT_FOUND or DEADLINE_EXCEEDED."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


class InferenceClient:
    """Calls to one address, `host:port`, on one connection. Made within a running event loop.

    `authority` is the host that is asked for (default: the address). `tls`: True for the system's
    certificate authorities, or theirs in PEM. `metadata` is sent with every call. Raises GrpcMissing.
    Once it is closed, calls raise InferenceError with the code CANCELLED, those under way too.
    """

    def __init__(
        self, address: str, *, authority: str = "", tls: bool | bytes = False, metadata: Metadata = ()
    ) -> None:
        with grpc_needed():
            import grpc
        self._error = grpc.aio.AioRpcError
        self._up = grpc.ChannelConnectivity.READY
        self._metadata = tuple(metadata)
        self._closed = False
        options = [*OPTIONS, ("grpc.default_authority", authority)] if authority else list(OPTIONS)
        if tls:
            roots = tls if isinstance(tls, bytes) else None
            credentials = grpc.ssl_channel_credentials(root_certificates=roots)
            self._channel = grpc.aio.secure_channel(address, credentials, options)
        else:
            self._channel = grpc.aio.insecure_channel(address, options)
        self._request = protocol.MODEL_INFER.request
        self._infer = self._method(protocol.MODEL_INFER)
        self._ready = self._method(protocol.MODEL_READY)
        stream = protocol.MODEL_STREAM_INFER
        self._stream = self._channel.stream_stream(
            stream.path, stream.request.SerializeToString, stream.response.FromString
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def infer(
        self,
        model: str,
        *,
        tensors: Sequence[Tensor] | None = None,
        metadata: Metadata = (),
        timeout: float | None = 5.0,
    ) -> Answer:
        """Ask a model once, within `timeout` seconds. Raises InferenceError, TensorError."""
        request = self._asking(model, tensors)
        with self._failing():
            call = self._infer(request, timeout=timeout, metadata=self._headers(metadata))
            response = await call
            return _answer(response, _received(await call.initial_metadata()))

    async def stream(
        self,
        model: str,
        requests: AsyncIterable[Sequence[Tensor]] | Iterable[Sequence[Tensor]],
        *,
        metadata: Metadata = (),
        timeout: float | None = None,
    ) -> AsyncGenerator[Answer, None]:
        """Send requests, one for each item, on one stream, and yield the answers as they come.

        Each item is the tensors of a request, () for none. `timeout` bounds the whole stream. What
        ends it is raised as InferenceError; what `requests` raises, and TensorError, as it is, and the
        stream is cancelled. Use it with `contextlib.aclosing`.
        """

        raised: list[Exception] = []

        async def asked() -> AsyncIterator[Any]:
            try:
                if isinstance(requests, AsyncIterable):
                    async for tensors in requests:
                        yield self._asking(model, tensors)
                else:
                    for tensors in requests:
                        yield self._asking(model, tensors)
            except Exception as error:  # noqa: BLE001 - it is raised where the answers are waited for
                raised.append(error)
                call.cancel()

        with self._failing(raised):
            call = self._stream(asked(), timeout=timeout, metadata=self._headers(metadata))
            try:
                headers = _received(await call.initial_metadata())
                async for one in call:
                    yield _answer(one.infer_response, headers, one.error_message)
            finally:
                call.cancel()

    async def ready(self, model: str, *, metadata: Metadata = (), timeout: float | None = 5.0) -> bool:
        """Whether a model says that it is ready. Raises InferenceError."""
        request = protocol.MODEL_READY.request(name=model)
        with self._failing():
            found = await self._ready(request, timeout=timeout, metadata=self._headers(metadata))
        return bool(found.ready)

    async def connected(self, timeout: float) -> bool:
        """Wait for the connection, `timeout` seconds at most, and return whether there is one.

        While it is lost, calls fail with UNAVAILABLE without having been sent. Raises InferenceError.
        """
        try:
            async with asyncio.timeout(timeout):
                while self._channel.get_state(try_to_connect=True) is not self._up:
                    if self._closed:
                        raise InferenceError("CANCELLED", CLOSED)
                    await asyncio.sleep(LOOK)  # gRPC's own wait would outlast its channel
        except TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Close the connection; calls under way fail."""
        self._closed = True
        await self._channel.close()

    @contextmanager
    def _failing(self, raised: Sequence[Exception] = ()) -> Iterator[None]:
        """Around a call. `raised`: what cancelled it from within."""
        if self._closed:
            raise InferenceError("CANCELLED", CLOSED)
        try:
            yield
        except self._error as error:
            raise (raised[0] if raised else _failure(error)) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            if raised:
                raise raised[0] from None
            if self._closed:
                raise InferenceError("CANCELLED", CLOSED) from None
            raise

    def _headers(self, metadata: Metadata) -> Metadata:
        return tuple((name.lower(), value) for name, value in (*self._metadata, *metadata))

    def _method(self, method: protocol.Method) -> Any:
        return self._channel.unary_unary(
            method.path, method.request.SerializeToString, method.response.FromString
        )

    def _asking(self, model: str, tensors: Sequence[Tensor] | None) -> Any:
        if not tensors:
            return self._request(model_name=model)
        request = self._request(model_name=model)
        for tensor in tensors:
            try:
                request.inputs.add(**tensor.as_input())
            except (TypeError, ValueError, OverflowError) as error:
                if isinstance(error, TensorError):
                    raise
                raise TensorError(
                    f"{plain(tensor.name)}: not a tensor of {tensor.datatype}: {error}"
                ) from None
        return request


def _answer(response: Any, headers: Mapping[str, str], error: str = "") -> Answer:
    return Answer(response.model_name, response.model_version, headers, error)


def _received(metadata: Any) -> dict[str, str]:
    return {name: value for name, value in metadata or () if isinstance(value, str)}


def _failure(error: Any) -> InferenceError:
    return InferenceError(error.code().name, error.details() or "")
