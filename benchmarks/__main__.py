"""Runs the benchmarks and prints a table of ratios.

python -m benchmarks [--models 200 1000] [--only NAME ...] [--controller COMMAND]
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.support import AssetsMissingError, ControlPlane, find_assets

from benchmarks.bed import bed, prepare
from benchmarks.cli import cli
from benchmarks.measurements import MEASUREMENTS, only_start
from benchmarks.scrape import scrape
from benchmarks.table import Row, show
from benchmarks.traffic import traffic


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure turnout against a floor."
    )
    parser.add_argument(
        "--models", type=int, nargs="+", default=[200, 1000], help="how many models there are, each time"
    )
    parser.add_argument(
        "--only", nargs="+", choices=[*MEASUREMENTS, "cli", "scrape", "traffic"], help="measure nothing else"
    )
    parser.add_argument("--controller", metavar="COMMAND", help="what to run in place of `turnout run`")
    arguments = parser.parse_args()
    wanted = set(arguments.only or [*MEASUREMENTS, "cli", "scrape", "traffic"])
    rows: list[Row] = cli() if "cli" in wanted else []
    if "scrape" in wanted:
        rows += [row for models in arguments.models for row in scrape(models)]
    if wanted & MEASUREMENTS.keys():
        try:
            assets = find_assets()
        except AssetsMissingError as missing:
            sys.exit(str(missing))
        with (
            tempfile.TemporaryDirectory() as directory,
            ControlPlane(assets, Path(directory)) as control_plane,
        ):
            prepare(control_plane)
            for models in arguments.models:
                rows += _measured(control_plane, models, wanted, arguments.controller)
    if rows:
        print(show(rows))
    if "traffic" in wanted:
        try:
            print(traffic())
        except AssetsMissingError as missing:
            sys.exit(str(missing))


def _measured(
    control_plane: ControlPlane, models: int, wanted: set[str], controller: str | None
) -> list[Row]:
    try:
        return asyncio.run(_measure(control_plane, models, wanted, controller))
    except Exception:
        log = control_plane.directory / "env.log"  # what the programs have printed
        if log.exists():
            print(log.read_text(errors="replace")[-4000:], file=sys.stderr)
        raise


async def _measure(
    control_plane: ControlPlane, models: int, wanted: set[str], controller: str | None
) -> list[Row]:
    rows = []
    began = time.perf_counter()

    def progress(what: str) -> None:
        print(f"{time.perf_counter() - began:6.1f} s  {models} models: {what}", file=sys.stderr)

    progress("creating them")
    async with bed(control_plane, models, controller) as made:
        if "start" not in wanted:
            await only_start(made)
        for name, measure in MEASUREMENTS.items():
            if name in wanted:
                progress(name)
                rows += await measure(made)
        progress("done")
    return rows


if __name__ == "__main__":
    main()
