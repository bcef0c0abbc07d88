"""The client: which requests its verbs make, and what it makes of the answers."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support import faketime
from tests.support.scripted import (
    WIDGET,
    Answer,
    Happening,
    ScriptedTransport,
    line,
    listed,
    not_served,
    refused,
    status,
    unreachable,
    widget,
)
from turnout.plugin import Kind, Ref
from turnout.runtime.client import Client, Page
from turnout.runtime.errors import ApiError
from turnout.runtime.stream import Event
from turnout.runtime.transport import APPLY, MERGE, ConnectionFailed

REF = Ref(WIDGET, "default", "a")


def call(transport: ScriptedTransport, act: Callable[[Client], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await act(Client(transport))

    return faketime.run(main())


async def batches_of(client: Client, *, into: list[list[Event]] | None = None) -> list[list[Event]]:
    found = [] if into is None else into
    async for batch in client.watch(WIDGET, "default", "10"):
        found.append(batch)
    return found


def watched(*stream: Happening) -> list[list[Event]]:
    found: list[list[Event]] = call(ScriptedTransport(Answer(stream=stream)), batches_of)
    return found


async def pages_of(client: Client) -> list[Page]:
    return [page async for page in client.pages(WIDGET, limit=2)]


class TestVerbs:
    @pytest.mark.parametrize(
        ("ref", "path"),
        [
            pytest.param(REF, "/apis/example.com/v1/namespaces/default/widgets/a", id="namespaced"),
            pytest.param(Ref(WIDGET, "", "a"), "/apis/example.com/v1/widgets/a", id="cluster-scoped"),
            pytest.param(
                Ref(WIDGET, "default", "system:a/b"),
                "/apis/example.com/v1/namespaces/default/widgets/system%3Aa%2Fb",
                id="odd-name",
            ),
        ],
    )
    def test_a_reference_names_one_path(self, ref: Ref, path: str) -> None:
        transport = ScriptedTransport(Answer(body=widget("a")))
        assert call(transport, lambda client: client.get(ref)) == widget("a")
        assert transport.requests[0].path == path

    def test_kinds_of_the_core_group_have_a_path_of_their_own(self) -> None:
        kind = Kind("", ("v1",), "ConfigMap", "configmaps")
        transport = ScriptedTransport(Answer(body={}), serves=[kind])
        call(transport, lambda client: client.get(Ref(kind, "default", "a")))
        assert transport.requests[0].path == "/api/v1/namespaces/default/configmaps/a"

    def test_get_of_an_object_that_is_not_there_is_none(self) -> None:
        assert call(ScriptedTransport(refused(404, "NotFound")), lambda client: client.get(REF)) is None

    def test_apply_says_who_owns_the_fields_and_takes_them(self) -> None:
        transport = ScriptedTransport(Answer(201, widget("a", 2)))
        assert call(transport, lambda client: client.apply(REF, widget("a"))) == widget("a", 2)
        sent = transport.requests[0]
        assert (sent.method, sent.content_type, sent.body) == ("PATCH", APPLY, widget("a"))
        assert sent.query == {"fieldManager": "turnout", "force": "true"}

    def test_apply_and_merge_patch_reach_the_status(self) -> None:
        transport = ScriptedTransport(Answer(body={}), Answer(body={}))

        async def act(client: Client) -> None:
            await client.apply(REF, {}, subresource="status", force=False)
            await client.merge_patch(REF, {}, subresource="status")

        call(transport, act)
        assert [sent.path.endswith("/widgets/a/status") for sent in transport.requests] == [True, True]
        assert [sent.content_type for sent in transport.requests] == [APPLY, MERGE]
        assert transport.requests[0].query["force"] == "false"

    def test_create_posts_to_the_collection(self) -> None:
        transport = ScriptedTransport(Answer(201, widget("a")))
        call(transport, lambda client: client.create(WIDGET, "default", widget("a")))
        assert transport.requests[0].method == "POST"
        assert transport.requests[0].path == "/apis/example.com/v1/namespaces/default/widgets"

    def test_delete_carries_its_preconditions(self) -> None:
        transport = ScriptedTransport(Answer(body={}))
        deleted = call(
            transport,
            lambda client: client.delete(REF, uid="u", resource_version="7", propagation="Foreground"),
        )
        body = transport.requests[0].body
        assert (deleted, body["preconditions"], body["propagationPolicy"]) == (
            True,
            {"uid": "u", "resourceVersion": "7"},
            "Foreground",
        )

    def test_delete_of_an_object_that_is_not_there_is_false(self) -> None:
        assert call(ScriptedTransport(refused(404, "NotFound")), lambda client: client.delete(REF)) is False

    @pytest.mark.parametrize("body", [b"<html>", b"[]"])
    def test_a_success_that_is_no_object_did_not_come_from_the_api_server(self, body: bytes) -> None:
        with pytest.raises(ConnectionFailed, match="get Widget default/a: the answer is not"):
            call(ScriptedTransport(Answer(body=body)), lambda client: client.get(REF))

    def test_every_response_is_closed(self) -> None:
        transport = ScriptedTransport(
            Answer(body={}), refused(403), Answer(stream=(line("ADDED", widget("a")),))
        )

        async def act(client: Client) -> None:
            await client.get(REF)
            with pytest.raises(ApiError):
                await client.get(REF)
            await batches_of(client)

        call(transport, act)
        assert [answer.closed for answer in transport.answers] == [True, True, True]

    def test_every_answer_is_counted(self) -> None:
        counted: list[tuple[str, str, int]] = []
        transport = ScriptedTransport(refused(409), unreachable())

        async def main() -> None:
            client = Client(transport, on_call=lambda *told: counted.append((told[0], str(told[1]), told[2])))
            for failure in (ApiError, ConnectionFailed):
                with pytest.raises(failure):
                    await client.merge_patch(REF, {})

        faketime.run(main())
        name = "widgets.example.com"
        assert counted == [("discover", name, 200), ("patch", name, 409), ("patch", name, 0)]


class TestThrottling:
    def test_a_call_turned_away_is_made_again_when_the_server_wants_it(self) -> None:
        transport = ScriptedTransport(refused(429, Retry_After="3"), Answer(body=widget("a")))
        assert call(transport, lambda client: client.merge_patch(REF, {})) == widget("a")
        assert 3 <= transport.times()[1] <= 3.5

    def test_nobody_waits_longer_than_ten_seconds_at_a_time(self) -> None:
        transport = ScriptedTransport(refused(429, Retry_After="3600"), Answer(body=widget("a")))
        call(transport, lambda client: client.get(REF))
        assert 10 <= transport.times()[1] <= 10.5

    def test_a_server_that_names_no_time_is_left_alone_for_a_moment(self) -> None:
        transport = ScriptedTransport(refused(429), refused(429), Answer(body=widget("a")))
        call(transport, lambda client: client.get(REF))
        assert transport.times()[1] >= 0.5
        assert transport.times()[2] - transport.times()[1] >= 0.5

    def test_gives_up_after_some_tries(self) -> None:
        transport = ScriptedTransport(*[refused(429, "TooManyRequests", Retry_After="1")] * 10)
        with pytest.raises(ApiError) as raised:
            call(transport, lambda client: client.get(REF))
        assert (len(transport.calls), raised.value.retry_after) == (5, 1.0)

    def test_nothing_else_is_repeated(self) -> None:
        transport = ScriptedTransport(refused(503, Retry_After="1"))
        with pytest.raises(ApiError, match="503"):
            call(transport, lambda client: client.get(REF))
        assert len(transport.calls) == 1


class TestDiscovery:
    TWO = Kind("example.com", ("v2", "v1"), "Widget", "widgets")

    @pytest.mark.parametrize(
        ("serves", "found"),
        [
            pytest.param(("v1", "v2"), "v2", id="the-first-it-names"),
            pytest.param(("v1",), "v1", id="the-next"),
            pytest.param(("v3",), None, id="none"),
            pytest.param((), None, id="no-group"),
        ],
    )
    def test_uses_the_first_version_that_the_cluster_serves(
        self, serves: tuple[str, ...], found: str | None
    ) -> None:
        served = Kind("example.com", serves, "Widget", "widgets")
        transport = ScriptedTransport(serves=[served])
        assert call(transport, lambda client: client.served(self.TWO)) == found

    def test_a_group_version_without_the_kind_does_not_serve_it(self) -> None:
        other = Kind("example.com", ("v2", "v1"), "Gadget", "gadgets")
        assert call(ScriptedTransport(serves=[other]), lambda client: client.served(self.TWO)) is None

    def test_a_found_version_is_remembered_until_it_is_forgotten(self) -> None:
        transport = ScriptedTransport()

        async def act(client: Client) -> None:
            for _ in range(3):
                await client.served(WIDGET)
            assert transport.discoveries == 1
            client.forget(WIDGET)
            await client.served(WIDGET)
            assert transport.discoveries == 2

        call(transport, act)

    def test_a_missing_kind_is_looked_for_each_time(self) -> None:
        transport = ScriptedTransport(serves=[])

        async def act(client: Client) -> str | None:
            assert await client.served(WIDGET) is None
            transport.serves.append(WIDGET)
            return await client.served(WIDGET)

        assert call(transport, act) == "v1"

    def test_verbs_on_a_missing_kind_fail_with_its_name(self) -> None:
        with pytest.raises(ApiError, match=r"does not serve widgets\.example\.com in version v1") as raised:
            call(ScriptedTransport(serves=[]), lambda client: client.get(REF))
        assert raised.value.kind_missing

    def test_a_path_that_is_gone_makes_the_version_forgotten(self) -> None:
        transport = ScriptedTransport(not_served())

        async def act(client: Client) -> None:
            with pytest.raises(ApiError):
                await client.get(REF)
            transport.serves.clear()
            assert await client.served(WIDGET) is None

        call(transport, act)


class TestPages:
    def test_the_pages_of_a_list_follow_one_another(self) -> None:
        a, b, c = map(widget, "abc")
        transport = ScriptedTransport(listed(a, b, more="token"), listed(c))
        assert call(transport, pages_of) == [Page([a, b], "10", True), Page([c], "10", False)]
        assert [sent.query for sent in transport.requests] == [
            {"limit": "2"},
            {"limit": "2", "continue": "token"},
        ]

    def test_a_snapshot_that_expires_between_two_pages_starts_the_list_anew_in_one(self) -> None:
        a, b, c = map(widget, "abc")
        transport = ScriptedTransport(
            listed(a, b, more="token"), refused(410, "Expired"), listed(b, c, version=20)
        )
        assert call(transport, pages_of) == [Page([a, b], "10", True), Page([b, c], "20", True)]
        assert transport.requests[2].query == {}

    def test_a_410_to_the_first_page_is_an_error(self) -> None:
        with pytest.raises(ApiError, match="410"):
            call(ScriptedTransport(refused(410, "Expired")), pages_of)

    @pytest.mark.parametrize("items", [None, [3, "x", None]])
    def test_items_that_are_no_objects_are_left_out(self, items: Any) -> None:
        transport = ScriptedTransport(Answer(body={"items": items, "metadata": None}))
        assert call(transport, pages_of) == [Page([], "", True)]


class TestWatch:
    A, B, C = (Event("ADDED", widget(name)) for name in "abc")

    def test_says_first_that_it_is_open(self) -> None:
        assert watched() == [[]]

    def test_events_that_arrive_together_come_in_one_list(self) -> None:
        a, b, c = (line(*event) for event in (self.A, self.B, self.C))
        assert watched(a + b, c) == [[], [self.A, self.B], [self.C]]

    def test_a_line_may_be_cut_anywhere(self) -> None:
        whole = b"".join(line(*event) for event in (self.A, self.B, self.C))
        for size in (1, 7, 100, 150, len(whole) - 1):
            chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
            assert [event for batch in watched(*chunks) for event in batch] == [self.A, self.B, self.C]

    def test_what_follows_the_last_newline_is_dropped(self) -> None:
        assert watched(line(*self.A) + line(*self.B)[:-1]) == [[], [self.A]]

    def test_empty_lines_are_nothing(self) -> None:
        assert watched(b"\n", b"\n" + line(*self.A) + b"\n") == [[], [self.A]]

    def test_an_error_event_is_raised_after_the_events_before_it(self) -> None:
        stream = line(*self.A) + line("ERROR", status(410, "Expired", "too old"))
        found: list[list[Event]] = []
        with pytest.raises(ApiError, match="too old") as raised:
            call(ScriptedTransport(Answer(stream=(stream,))), lambda client: batches_of(client, into=found))
        assert (found, raised.value.status) == ([[], [self.A]], 410)

    @pytest.mark.parametrize(
        "garbage",
        [
            b"<html>\n",
            b"[]\n",
            b'{"type": "ADDED"}\n',
            b'{"type": 1, "object": {}}\n',
            b'{"type": "A", "object": 1}\n',
        ],
    )
    def test_a_line_that_is_no_event_breaks_the_watch_off(self, garbage: bytes) -> None:
        with pytest.raises(ConnectionFailed, match="a line cannot be read"):
            watched(garbage)

    def test_a_watch_that_is_refused_is_an_error(self) -> None:
        with pytest.raises(ApiError, match="403"):
            call(ScriptedTransport(refused(403)), batches_of)

    def test_asks_for_bookmarks_and_an_end(self) -> None:
        transport = ScriptedTransport(Answer())
        call(transport, batches_of)
        sent = transport.requests[0]
        assert sent.query == {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": "10",
            "timeoutSeconds": "60",
        }
        assert (sent.stream, sent.idle) == (True, 75.0)

    def test_an_object_of_megabytes_in_small_chunks_takes_no_time(self) -> None:
        """Guards against joining the chunks of a line again and again: that would take minutes."""
        large = line("ADDED", widget("a", annotations={"a": "x" * 20_000_000}))
        chunks = [large[at : at + 1000] for at in range(0, len(large), 1000)]
        assert len(watched(*chunks)[1]) == 1
