"""An asyncio client of the open inference protocol."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from turnout.inference import protocol
from turnout.inference.needed import grpc_needed
from turnout.inference.tensors import Tensor, TensorError

Metadata = Sequence[tuple[str, str]]
"""Request headers. Their names are in lower case."""

OPTIONS = (
    ("grpc.enable_retries", 0),  # one call is one request
    ("grpc.use_local_subchannel_pool", 1),  # a connection of its own for each client
    ("grpc.enable_http_proxy", 0),  # the address is where calls go, whatever the environment says
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
    """

    def __init__(
        self, address: str, *, authority: str = "", tls: bool | bytes = False, metadata: Metadata = ()
    ) -> None:
        with grpc_needed():
            import grpc
        self._error = grpc.aio.AioRpcError
        self._metadata = tuple(metadata)
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
        call = self._infer(request, timeout=timeout, metadata=(*self._metadata, *metadata))
        try:
            response = await call
            return _answer(response, _headers(await call.initial_metadata()))
        except self._error as error:
            raise _failure(error) from None

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
        ends it is raised as InferenceError. Use it with `contextlib.aclosing`.
        """

        async def asked() -> AsyncIterator[Any]:
            if isinstance(requests, AsyncIterable):
                async for tensors in requests:
                    yield self._asking(model, tensors)
            else:
                for tensors in requests:
                    yield self._asking(model, tensors)

        call = self._stream(asked(), timeout=timeout, metadata=(*self._metadata, *metadata))
        try:
            headers = _headers(await call.initial_metadata())
            async for one in call:
                yield _answer(one.infer_response, headers, one.error_message)
        except self._error as error:
            raise _failure(error) from None
        finally:
            call.cancel()

    async def ready(self, model: str, *, metadata: Metadata = (), timeout: float | None = 5.0) -> bool:
        """Whether a model says that it is ready. Raises InferenceError."""
        request = protocol.MODEL_READY.request(name=model)
        try:
            found = await self._ready(request, timeout=timeout, metadata=(*self._metadata, *metadata))
        except self._error as error:
            raise _failure(error) from None
        return bool(found.ready)

    async def close(self) -> None:
        """Close the connection; calls under way fail."""
        await self._channel.close()

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
                raise TensorError(f"{tensor.name}: not a tensor of {tensor.datatype}: {error}") from None
        return request


def _answer(response: Any, headers: Mapping[str, str], error: str = "") -> Answer:
    return Answer(response.model_name, response.model_version, headers, error)


def _headers(metadata: Any) -> dict[str, str]:
    return {name: value for name, value in metadata or () if isinstance(value, str)}


def _failure(error: Any) -> InferenceError:
    return InferenceError(error.code().name, error.details() or "")
