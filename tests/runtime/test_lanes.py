"""Two lanes behind one queue: each key goes its way, whichever way it is added."""

from collections.abc import Callable

import pytest

from tests.support import faketime
from turnout.runtime.lanes import Lanes
from turnout.runtime.queue import QueueClosed

ADDED: dict[str, Callable[[Lanes[str], str], object]] = {
    "add": lambda lanes, key: lanes.add(key),
    "add_last": lambda lanes, key: lanes.add_last(key),
    "add_after": lambda lanes, key: lanes.add_after(key, 1.0),
    "retry": lambda lanes, key: lanes.retry(key),
}


@pytest.mark.parametrize("how", ADDED)
def test_a_key_is_handed_out_in_its_own_lane_only(how: str) -> None:
    async def main() -> None:
        lanes: Lanes[str] = Lanes(str.isupper)
        for key in ("A", "a"):
            ADDED[how](lanes, key)
        assert [await lanes.get(), await lanes.second.get()] == ["a", "A"]
        assert len(lanes) == len(lanes.second) == 0

    faketime.run(main())


def test_closing_ends_both_lanes() -> None:
    async def main() -> None:
        lanes: Lanes[str] = Lanes(str.isupper)
        lanes.close()
        for lane in (lanes, lanes.second):
            with pytest.raises(QueueClosed):
                await lane.get()

    faketime.run(main())
