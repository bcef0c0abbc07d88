"""The stand-in for ModelMesh in a thread of its own, for tests that run commands against it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Self, TypeVar

from turnout.testing.serving import ModelServer

T = TypeVar("T")


class Answering:
    """Answers from entry to exit as a context; without a mesh in front, calls go by `routes`."""

    def __init__(self, *versions: str, **weights: float) -> None:
        """`versions`: InferenceServices that are loaded. `weights`: theirs under the model `wisdom`,

        by number: `_0=20` for wisdom-0.
        """
        self.address = ""
        self.server: ModelServer
        self._versions = versions or tuple(f"wisdom{number.replace('_', '-')}" for number in weights)
        self._weights = {f"wisdom{number.replace('_', '-')}": weight for number, weight in weights.items()}
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="answering")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(20)
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def do(self, act: Callable[[ModelServer], T]) -> T:
        """Do something with the server, in its own thread."""

        async def done() -> T:
            return act(self.server)

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(20)

    async def _run(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        async with ModelServer(headers=["traffic"], version_header="app-version") as self.server:
            for name in self._versions:
                self.server.put({"metadata": {"name": name}})
            self.server.routes.set("wisdom", self._weights)
            self.address = self.server.address
            self._started.set()
            await self._stopped.wait()
