"""The results as a table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One result. `target` is what `ratio`, or else `turnout`, is meant not to exceed."""

    benchmark: str
    models: int | None
    floor: str = ""
    turnout: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        met = {None: "", True: "yes", False: "NO"}[self.met]
        return (self.benchmark, str(self.models or ""), self.floor, self.turnout, ratio, self.target, met)


HEAD = ("benchmark", "models", "floor", "turnout", "ratio", "target", "met")


def compare(
    benchmark: str,
    models: int | None,
    floor: float,
    turnout: float,
    target: float | None = None,
    *,
    unit: str = "ms",
) -> Row:
    """Times in seconds, and the ratio that is aimed for, if any is."""
    ratio = turnout / floor
    aim = "" if target is None else f"<= {target:g} x"
    met = None if target is None else ratio <= target
    return Row(benchmark, models, _time(floor, unit), _time(turnout, unit), ratio, aim, met)


def limit(
    benchmark: str, models: int | None, value: float, target: float, unit: str, floor: float | None = None
) -> Row:
    """A number that should stay below another, whatever the floor's."""
    said = "" if floor is None else f"{floor:.2f} {unit}".rstrip()
    ratio = value / floor if floor else None
    shown = f"<= {target:g} {unit}".rstrip()
    return Row(benchmark, models, said, f"{value:.2f} {unit}".rstrip(), ratio, shown, value <= target)


def show(rows: Sequence[Row]) -> str:
    """The table, its columns aligned."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, 5, 6) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _time(seconds: float, unit: str) -> str:
    return f"{seconds * 1000:.1f} ms" if unit == "ms" else f"{seconds:.2f} s"
