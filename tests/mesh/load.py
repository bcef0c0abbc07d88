"""Constant load on a model, and what became of every call."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from turnout.inference import InferenceClient, InferenceError

MESSAGES = 4
"""Requests of one stream; they follow each other by a tenth of a second."""
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request, or one stream of several: when it began and ended, and who answered."""

    began: float
    ended: float
    version: str
    """The version that answered; empty if the call failed."""
    error: str = ""
    stream: bool = False


class Load:
    """Calls at a steady rate over several connections, from a thread of its own, while it is a context.

    `rate`: unary calls a second, over all connections. Each connection carries streams as well, one
    after the other. A call that takes long delays no other: calls begin when it is their time.
    """

    def __init__(
        self,
        address: str,
        authority: str,
        *,
        rate: float = 300.0,
        connections: int = 4,
        metadata: Sequence[tuple[str, str]] = (),
        streams: bool = True,
    ) -> None:
        self._address = address
        self._authority = authority
        self._rate = rate
        self._connections = connections
        self._metadata = tuple(metadata)
        self._streams = streams
        self._calls: list[Call] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load", daemon=True)
        self._started: Future[asyncio.Event] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None

    def __enter__(self) -> "Load":
        self._thread.start()
        self._stop = self._started.result(30)
        return self

    def __exit__(self, *exception: object) -> None:
        assert self._loop
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(2 * TIMEOUT)
        assert not self._thread.is_alive(), "the load does not end"

    def calls(self, since: float = 0.0, until: float = float("inf")) -> list[Call]:
        """What began in a span of time.monotonic() and has ended."""
        return [call for call in list(self._calls) if since <= call.began < until]

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        clients = [
            InferenceClient(self._address, authority=self._authority, metadata=self._metadata)
            for _ in range(self._connections)
        ]
        self._started.set_result(stop)
        streaming = [asyncio.create_task(self._stream(client, stop)) for client in clients * self._streams]
        calling: set[asyncio.Task[None]] = set()
        next_call, number = time.monotonic(), 0
        while not stop.is_set():
            task = asyncio.create_task(self._call(clients[number % len(clients)]))
            calling.add(task)
            task.add_done_callback(calling.discard)
            number += 1
            next_call += 1 / self._rate
            await asyncio.sleep(max(0.0, next_call - time.monotonic()))
        await asyncio.gather(*streaming, *calling)
        for client in clients:
            await client.close()

    async def _call(self, client: InferenceClient) -> None:
        began = time.monotonic()
        try:
            answer = await client.infer("wisdom", timeout=TIMEOUT)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call has failed
            self._calls.append(Call(began, time.monotonic(), "", _told(error)))
        else:
            self._calls.append(Call(began, time.monotonic(), version_of(answer.model_name)))

    async def _stream(self, client: InferenceClient, stop: asyncio.Event) -> None:
        while not stop.is_set():
            began = time.monotonic()
            try:
                answers = [one async for one in client.stream("wisdom", _messages(), timeout=TIMEOUT)]
            except Exception as error:  # noqa: BLE001 - likewise
                self._calls.append(Call(began, time.monotonic(), "", _told(error), stream=True))
                await asyncio.sleep(0.1)
            else:
                versions = ",".join(sorted({version_of(answer.model_name) for answer in answers}))
                errors = {answer.error for answer in answers if answer.error}
                if len(answers) != MESSAGES:
                    errors.add(f"{len(answers)} answers of {MESSAGES}")
                told = ",".join(sorted(errors))
                self._calls.append(Call(began, time.monotonic(), versions, told, stream=True))


async def _messages() -> AsyncIterator[tuple[()]]:
    for _ in range(MESSAGES):
        yield ()
        await asyncio.sleep(0.1)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, InferenceError) else repr(error)


def version_of(model_name: str) -> str:
    """The InferenceService that answered, of the model name that ModelMesh gives in a response."""
    return model_name.partition("__")[0]


def failed(calls: Iterable[Call]) -> Counter[str]:
    """How many calls failed, by their error."""
    return Counter(call.error for call in calls if call.error)


def split(calls: Iterable[Call]) -> Counter[str]:
    """How many calls each version answered."""
    return Counter(call.version for call in calls if not call.error)
