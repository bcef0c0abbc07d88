"""What a scrape of /metrics costs the controller: its time, and for how long nothing else has its turn."""

import asyncio
import time
from statistics import median

from benchmarks import objects
from benchmarks.table import Row
from turnout.loading import load
from turnout.registry import OWN
from turnout.runtime.metrics.counted import Metrics
from turnout.testing.rollout import Rollout, policy

ROUNDS = 9
TARGET = 0.1
"""Seconds for which a reconcile may have to wait at most."""


def scrape(models: int) -> list[Row]:
    """A controller in memory with so many policies of two ready versions each."""
    with asyncio.Runner() as runner:
        rollout = Rollout(runner, load(allow=[OWN]))
        for name in map(objects.model, range(models)):
            for which in (objects.PRIMARY, objects.CANDIDATE):
                status = {"conditions": [{"type": "Ready", "status": "True"}]}
                rollout.apply({**objects.inference_service(name, which), "status": status})
            rollout.apply(policy(name, **objects.policy(name)["spec"]))
        metrics = Metrics()
        metrics.controller = rollout.start(observer=metrics).controller
        last = objects.model(models - 1)
        rollout.until(lambda: rollout.condition("Ready", last)[0] == "True", within=600)
        rollout.settle()
        measured = [runner.run(_scraped(metrics)) for _ in range(ROUNDS)]
        rollout.close()
    seconds, held, size = (median(column) for column in zip(*measured, strict=True))
    return [
        Row("scrape: time", models, turnout=f"{seconds * 1000:.0f} ms, {size / 1e6:.1f} MB"),
        Row(
            "scrape: event loop held",
            models,
            turnout=f"{held * 1000:.0f} ms",
            target=f"{TARGET * 1000:.0f} ms",
            met=held <= TARGET,
        ),
    ]


async def _scraped(metrics: Metrics) -> tuple[float, float, float]:
    """Seconds of a scrape, the longest in which nothing else ran, and the bytes of the answer."""
    longest, last = 0.0, time.perf_counter()

    async def turns() -> None:
        nonlocal longest, last
        while True:
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            await asyncio.sleep(0)

    other = asyncio.ensure_future(turns())
    await asyncio.sleep(0.01)
    longest, last = 0.0, time.perf_counter()
    began = time.perf_counter()
    text = await metrics.text()
    seconds = time.perf_counter() - began
    other.cancel()
    return seconds, longest, float(len(text))
