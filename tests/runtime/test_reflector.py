"""The reflector: what its sink is told, and when it asks the API server, through every kind of failure."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import pytest

from tests.support import faketime
from tests.support.recording import RecordingSink
from tests.support.scripted import (
    WIDGET,
    Answer,
    ScriptedTransport,
    line,
    listed,
    not_served,
    refused,
    status,
    unreachable,
    widget,
)
from turnout.runtime.client import Client
from turnout.runtime.reflector import Cause, Reflector, Sink
from turnout.runtime.stream import Event
from turnout.runtime.transport import ConnectionFailed

RESET = ConnectionFailed("https://10.0.0.1: the connection broke off")
QUIET = Answer(stream=(60.0,))
"""A watch in which nothing happens, ended by the server."""

EXPIRED = Answer(stream=(line("ERROR", status(410, "Expired")),))


def added(name: str, version: int) -> bytes:
    return line("ADDED", widget(name, version))


def deleted(name: str, version: int) -> bytes:
    return line("DELETED", widget(name, version))


def bookmark(version: int) -> bytes:
    return line("BOOKMARK", {"metadata": {"resourceVersion": str(version)}})


def follow(
    transport: ScriptedTransport,
    *,
    sink: Sink | None = None,
    seconds: float = 1000.0,
    meanwhile: Callable[[Reflector], Awaitable[None]] | None = None,
) -> RecordingSink:
    """Run a reflector for so long, in made-up time; it must still be running then."""
    recording = RecordingSink()

    async def main() -> None:
        client = Client(transport, rng=random.Random(1))
        reflector = Reflector(client, WIDGET, None, sink or recording, rng=random.Random(1))
        task = asyncio.create_task(reflector.run())
        async with asyncio.timeout(seconds):
            if meanwhile is not None:
                await meanwhile(reflector)
            await asyncio.wait({task})
        pytest.fail(f"it ended: {task}")

    with pytest.raises(TimeoutError):
        faketime.run(main())
    return recording


def gaps(transport: ScriptedTransport) -> list[float]:
    """Seconds between one request and the next."""
    return [later - earlier for earlier, later in pairwise(transport.times())]


class TestInStep:
    def test_lists_and_watches_from_where_the_list_ended(self) -> None:
        transport = ScriptedTransport(listed(widget("a"), version=10), Answer(stream=(added("b", 11), 9e9)))
        sink = follow(transport)
        assert transport.did() == ["list", "watch 10"]
        assert sink.diary == ["begin", "end a", "ADDED b"]

    def test_a_list_of_several_pages_is_complete_once(self) -> None:
        transport = ScriptedTransport(listed(widget("a"), more="t"), listed(widget("b")))
        assert follow(transport).diary == ["begin", "end a,b"]

    def test_events_that_arrive_together_are_told_together(self) -> None:
        chunk = added("a", 11) + added("b", 12) + bookmark(13) + deleted("a", 14)
        sink = follow(ScriptedTransport(listed(), Answer(stream=(chunk, added("c", 15), 9e9))))
        assert sink.batches == [3, 1]
        assert list(sink.objects) == ["b", "c"]

    def test_a_watch_that_the_server_ends_goes_on_at_once_from_the_last_event(self) -> None:
        transport = ScriptedTransport(listed(), Answer(stream=(added("a", 11), 60.0)), QUIET)
        follow(transport)
        assert transport.did() == ["list", "watch 10", "watch 11", "watch 11"]
        assert transport.times() == [0, 0, 60, 120]

    def test_a_bookmark_moves_the_place_to_go_on_from(self) -> None:
        transport = ScriptedTransport(listed(), Answer(stream=(bookmark(50), 60.0)))
        sink = follow(transport)
        assert transport.did() == ["list", "watch 10", "watch 50"]
        assert sink.batches == []

    def test_asks_for_watches_of_about_a_minute_and_waits_a_little_longer(self) -> None:
        transport = ScriptedTransport(listed(), *[Answer(stream=(60.0,)) for _ in range(50)])
        follow(transport, seconds=5000)
        asked = [int(sent.query["timeoutSeconds"]) for sent in transport.requests if sent.stream]
        assert 45 <= min(asked) < 50 < 70 < max(asked) <= 75
        assert all(
            1.1 * int(sent.query["timeoutSeconds"]) < sent.idle < 1.5 * int(sent.query["timeoutSeconds"])
            for sent in transport.requests
            if sent.stream
        )


class TestBrokenConnections:
    def test_a_reset_in_mid_line_goes_on_from_the_last_whole_event(self) -> None:
        cut = Answer(stream=(added("a", 11) + added("b", 12)[:20], RESET))
        transport = ScriptedTransport(listed(), cut, Answer(stream=(added("b", 12), 9e9)))
        sink = follow(transport)
        assert transport.did() == ["list", "watch 10", "watch 11"]
        assert sink.diary == ["begin", "end ", "ADDED a", "ADDED b"]

    def test_a_watch_that_falls_silent_is_left_for_a_new_one(self) -> None:
        silent = ConnectionFailed("https://10.0.0.1: nothing came for 70 s")
        transport = ScriptedTransport(listed(), Answer(stream=(70.0, silent)))
        sink = follow(transport)
        assert transport.did() == ["list", "watch 10", "watch 10"]
        assert transport.times() == [0, 0, 70]
        assert sink.reasons == []

    def test_an_empty_answer_again_and_again_is_asked_for_ever_more_rarely_and_then_reported(self) -> None:
        transport = ScriptedTransport(listed(), *[Answer() for _ in range(1000)])
        sink = follow(transport, seconds=600)
        assert len(transport.calls) < 110
        assert max(gaps(transport)) <= 10
        assert (sink.causes, sink.diary[-1]) == ([Cause.UNREACHABLE], "Unreachable")

    def test_one_that_brings_only_what_is_known_already_is_no_progress(self) -> None:
        stale = Answer(stream=(added("a", 10),))
        transport = ScriptedTransport(listed(widget("a", 10)), *[stale] * 1000)
        follow(transport, seconds=600)
        assert len(transport.calls) < 110

    def test_garbage_again_and_again_is_reported(self) -> None:
        page = Answer(stream=(b"<html>log in</html>\n",))
        transport = ScriptedTransport(listed(), *[page] * 1000)
        sink = follow(transport, seconds=600)
        assert len(transport.calls) < 110
        assert sink.causes == [Cause.UNREACHABLE]
        assert "cannot be read" in sink.reasons[0].message

    def test_after_such_an_outage_it_is_available_once_something_comes(self) -> None:
        transport = ScriptedTransport(listed(), *[Answer()] * 5, Answer(stream=(8.0, added("a", 11), 60.0)))
        assert follow(transport).diary == ["begin", "end ", "Unreachable", "ADDED a", "available"]

    def test_a_server_that_refuses_connections_is_asked_at_least_every_ten_seconds(self) -> None:
        transport = ScriptedTransport(*[unreachable()] * 40, listed())
        sink = follow(transport)
        assert 5 <= gaps(transport)[30] <= 10
        assert sink.diary == ["Unreachable", "begin", "end ", "available"]

    def test_a_short_outage_costs_no_list_and_loses_no_object(self) -> None:
        transport = ScriptedTransport(
            listed(widget("a")), Answer(stream=(20.0, RESET)), unreachable(), unreachable(), QUIET
        )
        sink = follow(transport)
        assert transport.did()[:5] == ["list", "watch 10", "watch 10", "watch 10", "watch 10"]
        assert sink.diary == ["begin", "end a", "Unreachable", "available"]
        assert list(sink.objects) == ["a"]

    def test_a_list_that_breaks_off_takes_nothing_away(self) -> None:
        transport = ScriptedTransport(
            listed(widget("a"), widget("b")),
            EXPIRED,
            listed(widget("a"), more="t"),
            RESET,
            listed(widget("a"), widget("b"), version=20),
        )
        sink = follow(transport)
        assert sink.deleted == []
        assert sink.diary == ["begin", "end a,b", "begin", "Unreachable", "begin", "end a,b", "available"]


class TestTooOld:
    @pytest.mark.parametrize("answer", [refused(410, "Expired"), EXPIRED], ids=["answer", "event"])
    def test_a_version_that_is_too_old_leads_to_a_new_list(self, answer: Answer) -> None:
        transport = ScriptedTransport(
            listed(widget("a"), widget("b")), QUIET, answer, listed(widget("b"), widget("c"), version=20)
        )
        sink = follow(transport)
        assert transport.did() == ["list", "watch 10", "watch 10", "list", "watch 20"]
        assert sink.diary == ["begin", "end a,b", "begin", "end b,c"]
        assert (sink.deleted, sink.reasons) == (["a"], [])

    def test_events_before_it_in_the_same_chunk_are_not_lost(self) -> None:
        both = added("a", 11) + line("ERROR", status(410, "Expired"))
        sink = follow(ScriptedTransport(listed(), Answer(stream=(both,)), listed(widget("a", 11))))
        assert sink.diary == ["begin", "end ", "ADDED a", "begin", "end a"]

    def test_a_snapshot_that_expires_while_listing_begins_again(self) -> None:
        transport = ScriptedTransport(
            listed(widget("a"), more="t"), refused(410, "Expired"), listed(widget("b"), version=20)
        )
        assert follow(transport).diary == ["begin", "begin", "end b"]

    def test_lists_are_not_repeated_in_a_hurry(self) -> None:
        transport = ScriptedTransport(*[listed(), EXPIRED] * 500)
        follow(transport, seconds=600)
        assert transport.did().count("list") < 110


class TestRefused:
    def test_forbidden_is_reported_once_and_retried_until_it_is_granted(self) -> None:
        transport = ScriptedTransport(*[refused(403, "Forbidden")] * 30, listed(widget("a")))
        sink = follow(transport)
        assert 15 <= gaps(transport)[28] <= 30
        assert sink.diary == ["Forbidden", "begin", "end a", "available"]

    def test_credentials_that_are_no_longer_accepted_count_as_forbidden(self) -> None:
        assert follow(ScriptedTransport(refused(401, "Unauthorized"), listed())).causes == [Cause.FORBIDDEN]

    def test_forbidden_only_to_watch_keeps_what_is_known_and_lists_no_more(self) -> None:
        transport = ScriptedTransport(listed(widget("a")), *[refused(403)] * 30)
        sink = follow(transport)
        assert transport.did().count("list") == 1
        assert sink.diary == ["begin", "end a", "Forbidden", "available"]

    def test_a_throttled_watch_waits_as_long_as_it_is_told(self) -> None:
        transport = ScriptedTransport(listed(), *[refused(429, Retry_After="8")] * 7)
        follow(transport)
        assert all(gap >= 8 for gap in gaps(transport)[1:8])

    def test_an_ailing_server_is_reported_and_asked_again(self) -> None:
        transport = ScriptedTransport(refused(503, Retry_After="20"), listed(widget("a")))
        sink = follow(transport)
        assert transport.times()[1] >= 20
        assert sink.diary == ["Unreachable", "begin", "end a", "available"]

    def test_another_cause_is_reported_anew(self) -> None:
        transport = ScriptedTransport(refused(403), unreachable(), refused(403), listed())
        causes = [Cause.FORBIDDEN, Cause.UNREACHABLE, Cause.FORBIDDEN]
        assert follow(transport).causes == causes


class TestMissingKind:
    def test_is_reported_and_looked_for_until_it_is_installed(self) -> None:
        transport = ScriptedTransport(listed(widget("a")), serves=[])

        async def install(_: Reflector) -> None:
            await asyncio.sleep(300)
            assert 300 / 10 <= transport.discoveries <= 300 / 5 + 10
            transport.serves.append(WIDGET)

        sink = follow(transport, meanwhile=install)
        assert transport.times()[0] <= 310
        assert sink.diary == ["CRDMissing", "begin", "end a", "available"]

    def test_a_kind_removed_while_it_is_watched_is_missing_and_its_objects_are_not_gone(self) -> None:
        transport = ScriptedTransport(listed(widget("a")), Answer(stream=(30.0,)), not_served())

        async def uninstall(_: Reflector) -> None:
            await asyncio.sleep(20)
            transport.serves.clear()

        sink = follow(transport, meanwhile=uninstall)
        assert sink.diary == ["begin", "end a", "CRDMissing"]
        assert (list(sink.objects), sink.deleted) == (["a"], [])

    def test_a_kind_installed_anew_is_listed_and_what_is_gone_is_told_then(self) -> None:
        transport = ScriptedTransport(listed(widget("a")), QUIET, not_served(), listed(version=90))

        async def reinstall(_: Reflector) -> None:
            await asyncio.sleep(50)
            transport.serves.clear()
            await asyncio.sleep(50)
            transport.serves.append(WIDGET)

        sink = follow(transport, meanwhile=reinstall)
        assert sink.diary == ["begin", "end a", "CRDMissing", "begin", "end ", "available"]
        assert sink.deleted == ["a"]

    def test_one_version_of_a_kind_that_is_dropped_is_followed_by_another(self) -> None:
        transport = ScriptedTransport(
            listed(widget("a")), QUIET, not_served(), listed(widget("a"), version=90)
        )
        sink = follow(transport)
        assert transport.did() == ["list", "watch 10", "watch 10", "list", "watch 90"]
        assert (sink.reasons, sink.deleted) == ([], [])


class TestOddities:
    @pytest.mark.parametrize(
        "obj",
        [{}, {"metadata": None}, {"metadata": []}, {"metadata": {"resourceVersion": 7}}],
        ids=["empty", "null", "list", "number"],
    )
    def test_an_event_without_names_or_versions_is_passed_on(self, obj: dict[str, object]) -> None:
        transport = ScriptedTransport(listed(), Answer(stream=(line("MODIFIED", obj) + added("a", 11), 9e9)))
        assert len(follow(transport).diary) == 4

    def test_types_of_events_that_nobody_knows_are_left_out(self) -> None:
        transport = ScriptedTransport(listed(), Answer(stream=(line("RENAMED", widget("a", 11)), 9e9)))
        assert follow(transport).batches == []

    def test_a_sink_that_fails_is_given_everything_again(self, caplog: pytest.LogCaptureFixture) -> None:
        class Failing(RecordingSink):
            def events(self, events: Sequence[Event]) -> None:
                super().events(events)
                if len(self.batches) == 1:
                    raise ValueError("cannot digest this")

        sink = Failing()
        transport = ScriptedTransport(listed(), Answer(stream=(added("a", 11), 9e9)), listed(widget("a", 11)))
        follow(transport, sink=sink)
        assert sink.diary == ["begin", "end ", "ADDED a", "begin", "end a"]
        assert "cannot digest this" in caplog.text

    def test_a_sink_that_always_fails_is_not_driven_in_a_hurry(self) -> None:
        class Broken(RecordingSink):
            def page(self, items: Sequence[dict[str, object]]) -> None:
                raise ValueError("never")

        transport = ScriptedTransport(*[listed(widget("a"))] * 1000)
        logging.disable(logging.CRITICAL)
        try:
            follow(transport, sink=Broken(), seconds=600)
        finally:
            logging.disable(logging.NOTSET)
        assert len(transport.calls) < 110

    def test_one_line_is_logged_for_each_change_and_none_for_retries(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            follow(ScriptedTransport(*[unreachable()] * 40, listed(widget("a"))))
        lines = [record.getMessage() for record in caplog.records if record.name.startswith("turnout")]
        name = "widgets.example.com in all namespaces"
        assert lines == [
            f"{name} cannot be followed (Unreachable): {unreachable()}",
            f"{name} can be followed again (it was: Unreachable)",
        ]


class TestRestart:
    def test_a_quiet_watch_is_left_for_a_new_list_at_once(self) -> None:
        transport = ScriptedTransport(
            listed(widget("a")), Answer(stream=(9e9,)), listed(widget("b"), version=20)
        )

        async def restart(reflector: Reflector) -> None:
            await asyncio.sleep(7)
            reflector.restart()
            reflector.restart()

        sink = follow(transport, meanwhile=restart)
        assert transport.did() == ["list", "watch 10", "list", "watch 20"]
        assert transport.times() == [0, 0, 7, 7]
        assert sink.diary == ["begin", "end a", "begin", "end b"]

    def test_a_pause_after_a_failure_is_cut_short(self) -> None:
        transport = ScriptedTransport(*[refused(403)] * 30)

        async def restart(reflector: Reflector) -> None:
            await asyncio.sleep(200)
            before = len(transport.calls)
            reflector.restart()
            await asyncio.sleep(0.01)
            assert len(transport.calls) == before + 1

        follow(transport, meanwhile=restart)

    def test_a_call_of_the_sink_is_not_torn(self) -> None:
        class Slow(RecordingSink):
            async def end(self, resource_version: str) -> None:
                await asyncio.sleep(10)
                await super().end(resource_version)

        async def restart(reflector: Reflector) -> None:
            await asyncio.sleep(5)
            reflector.restart()

        sink = Slow()
        follow(ScriptedTransport(listed(widget("a")), listed(widget("b"))), sink=sink, meanwhile=restart)
        assert sink.diary == ["begin", "end a", "begin", "end b"]
