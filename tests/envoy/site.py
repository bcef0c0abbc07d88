"""Models that answer, an Envoy in front of them, and policies that are decided for it."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tests.decision.world import World
from turnout.calling import Calls
from turnout.decision.render import render
from turnout.plugin import RoutePlan
from turnout.testing.builders import policy, spec
from turnout.testing.serving import ModelServer
from turnout_envoy.local import LocalEnvoy
from turnout_envoy.options import EnvoyOptions
from turnout_envoy.router import Envoy

DOMAIN = "localhost"
"""The cluster's domain here: c-ares, with which Envoy looks names up, knows all names below it (RFC 6761)."""
AUTHORITY = "wisdom.models"
T = TypeVar("T")


class Site:
    """One Envoy. `servers`: the stand-ins for ModelMesh, on a thread of their own."""

    def __init__(self, program: Path) -> None:
        self.envoy = LocalEnvoy(program)
        self.servers: list[ModelServer] = []
        self._running = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.envoy.stop()
        for server in self.servers:
            self._run(server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def address(self) -> str:
        return self.envoy.address

    def serve(self, *names: str) -> ModelServer:
        """Start a server of these models."""
        server = ModelServer()
        self._run(server.start())
        self.servers.append(server)
        for name in names:
            service = {"metadata": {"name": name}, "spec": {"of": name}}
            self._loop.call_soon_threadsafe(partial(server.put, service, loaded=True))
        return server

    def split(self, weights: Mapping[str, int]) -> None:
        """Decide a policy whose versions are all ready, and have Envoy follow it."""
        versions = (spec(name, weight) for name, weight in weights.items())
        of = policy(*versions, cluster_domain=DOMAIN)
        config = {"kserve-modelmesh": {"port": self.servers[0].port}}
        world = World("blue-green", of, router="envoy", config=config)
        plan = world.ready(*weights).decide().plan
        assert plan
        (rendered,) = render(plan, world.accepted, Calls())
        self.follow(rendered.document("v1", []))

    def carry(self, plan: RoutePlan) -> None:
        """Have Envoy follow a plan of one frontend."""
        (manifest,) = Envoy().render(plan, EnvoyOptions())
        self.follow({"kind": "ConfigMap", **manifest.body})

    def follow(self, document: Mapping[str, Any]) -> None:
        self.envoy.apply(document)
        if not self._running:
            self.envoy.start()
            self._running = True

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)
