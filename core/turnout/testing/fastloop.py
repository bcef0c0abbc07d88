"""An event loop whose seconds are shorter: for code that uses threads, where made-up time would run away."""

import asyncio
import selectors

SPEED = 20
"""So many seconds of the loop pass in one real second."""


class FastLoop(asyncio.SelectorEventLoop):
    """Everything that waits for seconds waits for a twentieth of them."""

    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return super().time() * SPEED


class _Selector(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        return super().select(None if timeout is None else timeout / SPEED)
