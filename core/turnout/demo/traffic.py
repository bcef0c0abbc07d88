"""The demo with real calls: models that answer, a network that follows the routes, and a client."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from turnout.demo.counted import Counted
from turnout.demo.network import Network
from turnout.demo.play import STEPS, Pause, Seen, played, running
from turnout.demo.stage import ENVIRONMENT, MODEL, NAMESPACE, Stage
from turnout.inference import InferenceClient, InferenceError
from turnout.registry import Registry
from turnout.testing.serving import ModelServer, follow

CALLS = 300
AT_ONCE = 10
STEADY = 0.02
"""Seconds between two of the calls that go on all the time, and between two looks at the routes."""


class Traffic:
    """Calls through a network that follows the routes of a stage."""

    def __init__(self, stage: Stage, network: Network) -> None:
        self.total = Counted()
        """All calls, those that go on while routes change among them."""
        self._stage = stage
        self._network = network
        self._followed: Mapping[str, Any] | None = None
        self._client: InferenceClient | None = None

    async def follow(self) -> None:
        """Hand each change of the routes to the network, which begins with the first; until cancelled."""
        while True:
            route = self._stage.route()
            if route and route != self._followed:
                await asyncio.to_thread(self._network.apply, route)
                if self._followed is None:
                    await asyncio.to_thread(self._network.start)
                self._followed = route
            await asyncio.sleep(STEADY)

    async def ask(self) -> Counted:
        """Call the model by the routes that are in the cluster now. Raises Stuck."""
        route = self._stage.route()
        await self._stage.until("the network follows", lambda: self._followed == route)
        counted, free = Counted(), asyncio.Semaphore(AT_ONCE)

        async def one() -> None:
            async with free:
                await self._call(counted)

        await asyncio.gather(*(one() for _ in range(CALLS)))
        self.total.answered.update(counted.answered)
        self.total.failed.update(counted.failed)
        return counted

    @contextlib.asynccontextmanager
    async def meanwhile(self) -> AsyncIterator[None]:
        """Call all the time, if there are routes."""
        calling = [asyncio.create_task(self._call(self.total))] if self._followed else []
        ended = asyncio.Event()

        async def calls() -> None:
            while calling and not ended.is_set():
                calling.append(asyncio.create_task(self._call(self.total)))
                await asyncio.sleep(STEADY)

        steady = asyncio.create_task(calls())
        try:
            yield
        finally:
            ended.set()
            await steady
            await asyncio.gather(*calling)

    async def close(self) -> None:
        if self._client:
            await self._client.close()

    async def _call(self, counted: Counted) -> None:
        if self._client is None:
            self._client = InferenceClient(self._network.address, authority=f"{MODEL}.{NAMESPACE}")
        try:
            answer = await self._client.infer(MODEL)
        except InferenceError as error:
            counted.failed[error.code] += 1
        else:
            counted.answered[answer.model_name.partition("__")[0]] += 1


async def play_with(
    registry: Registry, router: str, network: Network, pause: Pause
) -> AsyncGenerator[Seen, None]:
    """Play all steps, with calls during and after each as long as there are routes.

    The models are the stand-in's. Their Service's name has the domain localhost here, which is this machine
    for every resolver (RFC 6761), and its port is the stand-in's. Raises Stuck, RuntimeError, TimeoutError.
    """
    try:
        async with ModelServer() as models:
            stage = Stage(registry, settings=_settings(router, models.port), router=router, served=True)
            traffic = Traffic(stage, network)
            serving = follow(models, stage.client, NAMESPACE)
            try:
                async with running(stage.controller.run(), serving, traffic.follow()):
                    for step in STEPS:
                        await pause(step)
                        last = step is STEPS[-1]
                        async with contextlib.nullcontext() if last else traffic.meanwhile():
                            seen = await played(step, stage)
                        counted = await traffic.ask() if seen.after else None
                        yield replace(seen, counted=counted, total=traffic.total)
            finally:
                await traffic.close()
    finally:
        network.stop()


def _settings(router: str, port: int) -> Mapping[str, Any]:
    """What an administrator would set for such a cluster. The network follows within moments."""
    return {
        "clusterDomain": "localhost",
        "drain": {"inFlightSeconds": 0.5, "propagationSeconds": {router: 1}},
        "plugins": {ENVIRONMENT: {"defaults": {"port": port}}},
    }
