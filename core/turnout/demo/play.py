"""The steps of the tutorial, in their order."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from turnout.demo.counted import Counted
from turnout.demo.stage import MODEL, Stage
from turnout.registry import Registry

PRIMARY, CANDIDATE = f"{MODEL}-0", f"{MODEL}-1"


@dataclass(frozen=True, slots=True)
class Step:
    """What is done, in words and as commands, and what is waited for."""

    title: str
    commands: tuple[str, ...]
    do: Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Seen:
    """The cluster before and after a step.

    Where there are calls: `counted`, those after the step; `total`, all so far, those during steps included.
    """

    step: Step
    policy: dict[str, Any] | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    counted: Counted | None = None
    total: Counted | None = None


Pause = Callable[[Step], Awaitable[None]]


async def play(registry: Registry, pause: Pause) -> AsyncGenerator[Seen, None]:
    """Play all steps. `pause` is awaited before each. Raises Stuck."""
    stage = Stage(registry)
    async with running(stage.controller.run()):
        for step in STEPS:
            await pause(step)
            yield await played(step, stage)


async def played(step: Step, stage: Stage) -> Seen:
    """Play one step. Raises Stuck."""
    before = stage.route()
    await step.do(stage)
    return Seen(step, stage.get("RoutingPolicy", MODEL), before, stage.route())


@contextlib.asynccontextmanager
async def running(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do some work meanwhile. What it raises ends what is done here, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _primary(stage: Stage) -> None:
    stage.apply(stage.text("1-primary.yaml"))
    stage.ready(PRIMARY)


async def _initialize(stage: Stage) -> None:
    stage.apply(*stage.manifests("2-initialize-values.yaml"))
    await stage.until("all calls go to the primary", lambda: stage.split() == f"{PRIMARY} 100%")


async def _candidate(stage: Stage) -> None:
    stage.apply(stage.text("3-candidate.yaml"))
    stage.ready(CANDIDATE)
    await stage.until("halves", lambda: stage.split() == f"{PRIMARY} 50% / {CANDIDATE} 50%")


async def _weights(stage: Stage) -> None:
    stage.apply(*stage.manifests("4-modify-weights-values.yaml"))
    await stage.until("new weights", lambda: stage.split() == f"{PRIMARY} 20% / {CANDIDATE} 80%")


async def _promote(stage: Stage) -> None:
    stage.replace("5-promoted-primary.yaml")
    stage.delete("InferenceService", CANDIDATE)
    await stage.until("all calls go to the new primary", lambda: stage.split() == f"{PRIMARY} 100%")
    await stage.until("the candidate is gone", lambda: stage.get("InferenceService", CANDIDATE) is None)


async def _clean_up(stage: Stage) -> None:
    stage.delete("RoutingPolicy", MODEL)
    stage.delete("InferenceService", PRIMARY)
    await stage.until("the routes are gone", lambda: stage.route() is None)
    await stage.until("the primary is gone", lambda: stage.get("InferenceService", PRIMARY) is None)


STEPS = (
    Step("Deploy the model", ("kubectl apply -f 1-primary.yaml",), _primary),
    Step(
        "Initialize the rollout: the primary gets every call",
        ("turnout template -f 2-initialize-values.yaml | kubectl apply -f -",),
        _initialize,
    ),
    Step(
        "Deploy a candidate: once it is ready, it gets its share",
        ("kubectl apply -f 3-candidate.yaml",),
        _candidate,
    ),
    Step(
        "Shift the traffic",
        ("turnout template -f 4-modify-weights-values.yaml | kubectl apply -f -",),
        _weights,
    ),
    Step(
        "Promote: the candidate leaves the routes first, and is unloaded once no call can reach it",
        ("kubectl replace -f 5-promoted-primary.yaml", f"kubectl delete inferenceservice {CANDIDATE}"),
        _promote,
    ),
    Step(
        "Clean up: the routes go with their policy",
        (
            "turnout template -f 2-initialize-values.yaml | kubectl delete -f -",
            f"kubectl delete inferenceservice {PRIMARY}",
        ),
        _clean_up,
    ),
)
