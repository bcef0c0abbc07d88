"""A rollout in memory to promote in: models that load, a client that dies, and what must never be."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import turnout
from turnout import loading
from turnout.client.promotion import Progress, Promoted, Terms
from turnout.client.promotion.record import CONTROLLER_REVISION
from turnout.names import TRAFFIC_WEIGHTS
from turnout.plugin import Kind, Ref
from turnout.runtime.transport import ConnectionFailed, Request, Response
from turnout.settings import Settings
from turnout.testing.memory import InMemoryCluster
from turnout.testing.rollout import Rollout
from turnout.testing.serving import Model, Models
from turnout.testing.serving.status import status

NAMESPACE = "models"
ISVC = Kind("serving.kserve.io", ("v1beta1",), "InferenceService", "inferenceservices")
VIRTUAL_SERVICE = Kind("networking.istio.io", ("v1", "v1beta1"), "VirtualService", "virtualservices")
PRIMARY, CANDIDATE = (Ref(ISVC, NAMESPACE, f"wisdom-{number}") for number in (0, 1))
WEIGHTS = Ref(TRAFFIC_WEIGHTS, NAMESPACE, "wisdom")
RECORD = Ref(CONTROLLER_REVISION, NAMESPACE, "turnout-promotion-wisdom")
SETTINGS = {"drain": {"inFlightSeconds": 0.5, "propagationSeconds": {"istio": 1.5}}}
FOLLOWED = 2.0
"""Seconds after which nothing calls a version any more that the routes have left, by these settings."""

Object = dict[str, Any]


def model(name: str, version: str, uri: str, **annotations: str) -> Object:
    """An InferenceService that ModelMesh serves."""
    said = {"serving.kserve.io/deploymentMode": "ModelMesh", "serving.kserve.io/secretKey": "minio"}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "labels": {"app.kubernetes.io/name": "wisdom", "app.kubernetes.io/version": version},
            "annotations": said | annotations,
        },
        "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": uri}}},
    }


class DeadError(Exception):
    """The client's process was killed."""


@dataclass
class Connection:
    """The client's way to the cluster. At its call number `dies` the process is killed.

    `answered`: the call arrives, and its answer does not. Also it holds every write against the rules.
    """

    cluster: InMemoryCluster
    dies: int = 0
    answered: bool = False
    count: int = 0
    writes: list[tuple[int, str]] = field(default_factory=list)
    task: "asyncio.Task[Any] | None" = None

    async def send(self, request: Request) -> Response:
        self.count += 1
        if self.dies and self.count > self.dies:
            raise ConnectionFailed("the process is gone")
        if self.dies == self.count:
            if self.answered:
                (await self.cluster.send(request)).close()
            assert self.task
            self.task.cancel()
            raise ConnectionFailed("the process is gone")
        if request.method != "GET" and "dryRun" not in request.query:
            self.writes.append((self.count, f"{request.method} {request.path.rpartition('/')[2]}"))
        return await self.cluster.send(request)

    async def close(self) -> None:
        """Nothing is open."""


class Bed(Rollout):
    """The model wisdom by halves, with ModelMesh and a controller."""

    def __init__(self, runner: asyncio.Runner, *, policy: Mapping[str, Any] | None = None) -> None:
        super().__init__(runner, loading.load())
        self.models = Models(0.5)
        self.lag = 0.0
        """Seconds after which ModelMesh looks at what has changed."""
        self._changed: dict[tuple[str, int], float] = {}
        self.broken: list[str] = []
        self.failed: set[str] = set()
        """Models that stop being ready, whatever they serve."""
        self.told: list[str] = []
        self._left: float | None = None
        self._loop_time = runner.get_loop().time
        self._served = runner.get_loop().create_task(self._serve())
        self.cluster.on_request = self._watched
        self.apply(model("wisdom-0", "v0", "s3://models/old"), model("wisdom-1", "v1", "s3://models/new"))
        said = {"targetEnv": "kserve-modelmesh", "trafficStrategy": "blue-green", **(policy or {})}
        self.policy(**said)
        self.start(settings=SETTINGS)

    def close(self) -> None:
        """End all that runs; it is no harm to do so twice."""
        self._served.cancel()
        super().close()

    # what is done

    def promote(self, connection: Connection | None = None, **given: Any) -> Promoted:
        """Promote as a process of its own would. Raises DeadError if it is killed."""
        via = connection or Connection(self.cluster)
        chosen = given.pop("candidate", None)
        promoting = given.pop("method", "promote")

        async def run() -> Any:
            client = turnout.Client(via, NAMESPACE)
            terms = self.terms(**given)
            call = getattr(client, promoting)("wisdom", candidate=chosen, terms=terms)
            via.task = asyncio.ensure_future(call)
            try:
                return await via.task
            except (asyncio.CancelledError, ConnectionFailed):
                raise DeadError from None

        found: Promoted = self._runner.run(run())
        return found

    def wait_for(self, awaited: Any) -> Any:
        """Run something besides the controllers."""
        return self._runner.run(awaited)

    def terms(self, **given: Any) -> Terms:
        known: dict[str, Any] = {
            "timeout": 60.0,
            "settle": 3.0,
            "poll": 0.2,
            "settings": Settings.of(SETTINGS),
            "told": self._tell,
            "clock": self._loop_time,
            "now": self.now,
        }
        return Terms(**known | given)

    def _tell(self, progress: Progress) -> None:
        self.told.append(str(progress))

    # what there is

    def model_of(self, ref: Ref = PRIMARY) -> tuple[str, str]:
        """The version and the storage of what an InferenceService asks for."""
        found = self.get(ref)
        uri = found["spec"]["predictor"]["model"]["storageUri"]
        return found["metadata"]["labels"]["app.kubernetes.io/version"], uri

    def weights_spec(self) -> Any:
        found = self.cluster.get(WEIGHTS)
        return found["spec"] if found else None

    def led(self) -> set[str]:
        """The versions to which the routes in the cluster lead."""
        found = self.cluster.get(Ref(VIRTUAL_SERVICE, NAMESPACE, "wisdom"))
        if found is None:
            return set()
        return {
            one["headers"]["request"]["set"]["mm-vmodel-id"]
            for rule in found["spec"]["http"]
            for one in rule["route"]
            if one.get("weight", 100)
        }

    def _watched(self, request: Request) -> None:
        """At each call: since when no route leads to the primary, and whether it is changed before that."""
        now = self._loop_time()
        if "wisdom-0" in self.led():
            self._left = None
        elif self._left is None:
            self._left = now
        ours = request.query.get("fieldManager") == "turnout-cli" and "dryRun" not in request.query
        if ours and request.method == "PUT" and request.path.endswith("/inferenceservices/wisdom-0"):
            since = None if self._left is None else now - self._left
            if since is None or since < FOLLOWED * 0.9:
                self.broken.append(f"the primary is replaced while calls may reach it: {self.led()}, {since}")

    async def _serve(self) -> None:
        """ModelMesh, which says what it loads."""
        while True:
            await asyncio.sleep(0.1)
            now = self._loop_time()
            there = {one["metadata"]["name"]: one for one in self.cluster.objects(ISVC, NAMESPACE)}
            seen = {name: one for name, one in there.items() if self._is_seen(one["metadata"], now)}
            for name in set(self.models.names()) - there.keys():
                self.models.remove(name)
                if name in self.led():
                    self.broken.append(f"{name} is unloaded while routes lead to it")
            for name, obj in seen.items():
                self.models.put(name, Model.of(obj), now)
            self.models.advance(now)
            for name, obj in seen.items():
                state = self.models.state(name)
                assert state
                known = obj.get("status", {})
                said = status(state, known, datetime.now(UTC).isoformat())
                if name in self.failed:
                    said = {**said, "conditions": [{"type": "Ready", "status": "False", "reason": "Down"}]}
                if {**known, **said} != known:
                    self.cluster.set_status(Ref(ISVC, NAMESPACE, name), {**known, **said})

    def _is_seen(self, metadata: Object, now: float) -> bool:
        """Whether an object is as it is for long enough."""
        return now - self._changed.setdefault((metadata["uid"], metadata["generation"]), now) >= self.lag


Made = Callable[..., Bed]
