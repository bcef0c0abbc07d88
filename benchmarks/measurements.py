"""The measurements on a cluster. Each takes a bed and returns rows; `start` comes first, and leaves both
programs running."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from statistics import median

from benchmarks.bed import Bed, Lane
from benchmarks.table import Row, compare, limit

FLIPS = 40
"""Models whose candidate becomes ready and ceases to be, in each lane."""
PAUSE = 0.12
"""Seconds between two flips, in which a program finishes what it does after the route: its status."""
FEW = 500
"""With more models than this, what takes long is measured once, and else twice."""
BEATS = 200

Measurement = Callable[[Bed], Awaitable[list[Row]]]


async def start(bed: Bed) -> list[Row]:
    """From the start of the process until every route is right, and the writes until all is silent.

    By turns: the floor, the controller where none has ever been (cold: finalizers are still to be put on
    versions), the floor again, and the controller where routes have gone meanwhile. In the end it is
    started once more where nothing is to be done.
    """
    floors, cold, gone = [], [], []
    writes: Counter[str] = Counter()
    floor_used = turnout_used = 0.0
    for number in range(_rounds(bed)):
        if number:
            bed.turnout.contender.stop()
            await bed.turnout.fleet.renew()
            await bed.turnout.observer.when_none()
        floors.append(await _until_right(bed.floor))
        floor_used = bed.floor.contender.processor_time()
        await _end(bed.floor)
        mark = bed.turnout.contender.mark()
        cold.append(await _until_right(bed.turnout))
        await bed.turnout.contender.quiet()
        turnout_used = bed.turnout.contender.processor_time()
        writes = bed.turnout.contender.calls(mark, only_writes=True)
        await _end(bed.turnout)
        floors.append(await _until_right(bed.floor))
        await _end(bed.floor)
        gone.append(await _until_right(bed.turnout))
        await bed.turnout.contender.quiet()
    floors.append(await _until_right(bed.floor))
    floor, models = median(floors), bed.models
    rows = [
        compare("start: cold, to the last route", models, floor, median(cold), 2.0, unit="s"),
        compare("start: routes gone, to the last route", models, floor, median(gone), 2.0, unit="s"),
        compare("start: cold, processor time until silent", models, floor_used, turnout_used, unit="s"),
        *_writes(bed, writes),
    ]
    bed.turnout.contender.stop()
    mark = bed.turnout.contender.mark()
    bed.turnout.contender.start()
    await bed.turnout.contender.listed(mark)
    await bed.turnout.contender.quiet()
    again = bed.turnout.contender.calls(mark, only_writes=True)
    rows.append(limit("start: writes where nothing is to be done", models, again.total(), 0, ""))
    return rows


async def flip(bed: Bed) -> list[Row]:
    """One candidate's Ready flips: from before the call that flips it until its changed route is seen."""
    times: dict[str, list[float]] = {lane.contender.name: [] for lane in bed.lanes}
    for number in range(FLIPS):
        for ready in (True, False):
            for lane in bed.lanes if number % 2 else reversed(bed.lanes):
                name = lane.fleet.names[(number * 7) % bed.models]
                began = time.perf_counter()
                await lane.fleet.flip(name, ready=ready)
                seen = await lane.observer.when(name, candidate=ready)
                times[lane.contender.name].append(seen - began)
                await asyncio.sleep(PAUSE)
    floor, turnout = (times[lane.contender.name] for lane in bed.lanes)
    return [
        compare("flip: median", bed.models, median(floor), median(turnout), 1.25),
        compare("flip: 90th percentile", bed.models, _tenth(floor), _tenth(turnout), 1.25),
    ]


async def flip_all(bed: Bed) -> list[Row]:
    """Every candidate's Ready flips: from the answer to the last flip until the last route is seen."""
    tails: dict[str, list[float]] = {lane.contender.name: [] for lane in bed.lanes}
    whole: dict[str, list[float]] = {lane.contender.name: [] for lane in bed.lanes}
    for ready in (True, False) * _rounds(bed):
        for lane in bed.lanes:
            began = time.perf_counter()
            await lane.fleet.flip_all(ready=ready)
            flipped = time.perf_counter()
            last = await lane.observer.when_all(bed.models, candidate=ready)
            tails[lane.contender.name].append(max(0.0, last - flipped))
            whole[lane.contender.name].append(last - began)
            await lane.contender.quiet()
    names = [lane.contender.name for lane in bed.lanes]
    floor, turnout = (median(tails[name]) for name in names)
    floor_whole, turnout_whole = (median(whole[name]) for name in names)
    aim = 1.0 + 0.001 * bed.models
    return [
        limit("all: last flip to last route", bed.models, turnout, aim, "s", floor),
        compare("all: first flip to last route", bed.models, floor_whole, turnout_whole, unit="s"),
    ]


async def heartbeat(bed: Bed) -> list[Row]:
    """Changes of versions' status that call for no other decision: the controller's calls, watches aside."""
    await bed.turnout.contender.quiet()
    mark = bed.turnout.contender.mark()
    await bed.turnout.fleet.beat(BEATS)
    await asyncio.sleep(1.0)
    calls = bed.turnout.contender.calls(mark)
    return [limit(f"heartbeat: calls after {BEATS}", bed.models, calls.total(), 0, "")]


async def memory(bed: Bed) -> list[Row]:
    """Memory of the processes, after all that was measured before."""
    (floor, _), (now, most) = (lane.contender.memory() for lane in bed.lanes)
    return [
        limit("memory: resident", bed.models, now, 120, "MiB", floor),
        limit("memory: at most so far", bed.models, most, 120, "MiB"),
    ]


MEASUREMENTS: dict[str, Measurement] = {
    "start": start,
    "flip": flip,
    "all": flip_all,
    "heartbeat": heartbeat,
    "memory": memory,
}


async def only_start(bed: Bed) -> None:
    """Start both programs without measuring it."""
    for lane in bed.lanes:
        await _until_right(lane)
        await lane.contender.quiet()


async def _until_right(lane: Lane) -> float:
    began = lane.contender.start()
    last = await lane.observer.when_all(len(lane.fleet.names), candidate=False)
    return last - began


async def _end(lane: Lane) -> None:
    """Stop the program, and have its routes gone."""
    lane.contender.stop()
    await lane.fleet.remove_routes()
    await lane.observer.when_none()


def _rounds(bed: Bed) -> int:
    """How often to measure what takes long."""
    return 2 if bed.models <= FEW else 1


def _writes(bed: Bed, writes: Counter[str]) -> list[Row]:
    """Writes a policy until silence, by what they were; those of a kind less than a policy's as a number."""
    models = bed.models
    aimed = writes["patch virtualservices"] + writes["patch routingpolicies/status"]
    rows = [limit("start: route and status writes a policy", models, aimed / models, 2, "")]
    for what, count in sorted(writes.items(), key=lambda item: (-item[1], item[0])):
        each = f"{count / models:.2f}" if count >= models else f"{count} in all"
        rows.append(Row(f"  {what}", models, turnout=each))
    return rows


def _tenth(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.9)]
