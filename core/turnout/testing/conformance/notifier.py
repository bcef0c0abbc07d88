"""The suite of notifiers."""

from typing import Any, ClassVar

from turnout.plugin import Notifier
from turnout.testing.conformance.asynchronous import ShiftConformance


class NotifierConformance(ShiftConformance[Notifier[Any]]):
    """What every notifier does. A subclass gives `plugin`, and `options` with an address to be called."""

    axis: ClassVar[Any] = Notifier
    method: ClassVar[str] = "shifted"
    limit: ClassVar[float] = 10.0
