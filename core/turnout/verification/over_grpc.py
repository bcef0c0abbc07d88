"""Asks a model over gRPC, and tells which version answered."""

from types import TracebackType
from typing import Self

from turnout.inference import InferenceClient, InferenceError
from turnout.verification.question import Question
from turnout.verification.tally import Failed


class Grpc:
    """ModelInfer of the open inference protocol. Raises GrpcMissing."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._client = InferenceClient(
            question.address,
            authority=question.authority,
            tls=question.tls,
            metadata=[(name.lower(), value) for name, value in question.metadata],
        )
        self._was_connected = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ask(self) -> str:
        question = self._question
        if self._was_connected:  # a connection that is lost costs the calls that were on it, and no more
            self._was_connected = await self._client.connected(question.timeout)
        try:
            answer = await self._client.infer(
                question.model, tensors=question.tensors, timeout=question.timeout
            )
        except InferenceError as error:
            raise Failed(error.code, error.message) from None
        self._was_connected = True
        return question.version(answer.model_name, answer.metadata)
