"""Each feature that the router says it carries, over HTTP/1.1, as what answers sees it."""

import time
from collections.abc import Iterator

import pytest

from tests.envoy.site import Site
from tests.mesh.statistics import expected_split
from tests.support import wait_until
from tests.support.echo import Answer, Client, Echo, Received
from turnout.plugin import Backend, Frontend, Match, Mirror, RoutePlan, Rule, Share, Version
from turnout.testing.builders import policy, version

HTTP = Frontend("http", "models", ("wisdom.models",), 80, "http")


@pytest.fixture
def servers() -> Iterator[tuple[Echo, Echo]]:
    with Echo("first") as one, Echo("second") as two:
        yield one, two


def call(address: str, path: str = "/", method: str = "GET", **headers: str) -> Answer:
    """Make a call that is answered; underscores in names of headers stand for dashes."""
    with Client(address, "wisdom.models") as client:
        answer = client.ask(path, method, {name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status == 200, answer
    return answer


def reached(by: Echo, **fields: object) -> Version:
    """A version with a Service of its own, in a namespace of its own."""
    backend = Backend(**{"name": by.name, "namespace": f"team-{by.name}", "port": by.port, **fields})  # type: ignore[arg-type]
    return version(by.name, backends={HTTP.name: backend})


def plan(*rules: Rule) -> RoutePlan:
    return RoutePlan(policy(cluster_domain="localhost"), (HTTP,), rules)


def everything(to: Version, *mirrors: Mirror, **fields: object) -> Rule:
    return Rule("default", (Share(to, 1, **fields),), mirrors=mirrors)  # type: ignore[arg-type]


def test_a_split_over_services_of_several_namespaces(site: Site, servers: tuple[Echo, Echo]) -> None:
    first, second = servers
    site.carry(plan(Rule("default", (Share(reached(first), 300), Share(reached(second), 700)))))

    def counted() -> dict[str, int]:
        names = [call(site.address).name for _ in range(600)]
        return {name: names.count(name) for name in set(names)}

    expected_split(counted, {"first": 30, "second": 70})


@pytest.mark.parametrize(
    ("match", "matching", "others"),
    [
        pytest.param(Match(path=("exact", "/a")), ["/a", "/a?b=1"], ["/a/", "/ab", "/A"], id="path"),
        pytest.param(Match(path=("prefix", "/a")), ["/a", "/ab", "/a/b"], ["/b/a"], id="path prefix"),
        pytest.param(Match(path=("regex", "/a+")), ["/a", "/aa?b"], ["/ab", "/a/"], id="path regex"),
        pytest.param(
            Match(query=(("q", "exact", "1"),)), ["/?q=1", "/?a&q=1"], ["/?q=12", "/?Q=1"], id="query"
        ),
        pytest.param(
            Match(query=(("q", "prefix", "1"),)), ["/?q=1", "/?q=12"], ["/?q=21", "/"], id="query prefix"
        ),
        pytest.param(
            Match(query=(("q", "regex", "1+"),)), ["/?q=1", "/?q=11"], ["/?q=12", "/"], id="query regex"
        ),
        pytest.param(
            Match(query=(("q", "exact", "1"), ("r", "exact", "2")), path=("prefix", "/a")),
            ["/a?r=2&q=1"],
            ["/a?q=1", "/?r=2&q=1"],
            id="all of it",
        ),
    ],
)
def test_a_call_of_a_url(
    match: Match, matching: list[str], others: list[str], site: Site, servers: tuple[Echo, Echo]
) -> None:
    first, second = servers
    site.carry(plan(Rule("matched", (Share(reached(second), 1),), (match,)), everything(reached(first))))

    found = {path: call(site.address, path).name for path in (*matching, *others)}

    assert found == {**dict.fromkeys(matching, "second"), **dict.fromkeys(others, "first")}


def test_a_method_and_the_first_rule_that_matches(site: Site, servers: tuple[Echo, Echo]) -> None:
    first, second = servers
    put, any_header = Match(method="PUT"), Match((("x-a", "regex", ".*"),))
    matched = (
        Rule("put", (Share(reached(second), 1),), (put,)),
        Rule("header", (Share(reached(first), 1),), (any_header, put)),
    )
    site.carry(plan(*matched, everything(reached(second))))

    assert call(site.address, method="PUT", x_a="1").name == "second"
    assert call(site.address, method="POST", x_a="1").name == "first"
    assert call(site.address, method="POST").name == "second"


def test_headers_are_set_over_what_the_caller_sent(site: Site, servers: tuple[Echo, Echo]) -> None:
    headers = (("x-model", "100%REQ(:path)%"), ("X-Other", "b"))
    site.carry(
        plan(everything(reached(servers[0], set_headers=headers), set_response_headers=(("x-by", "%1"),)))
    )

    answer = call(site.address, x_model="mine", x_kept="kept")

    told = [servers[0].received[-1].headers[name] for name in ("x-model", "x-other", "x-kept")]
    assert told == ["100%REQ(:path)%", "b", "kept"]
    assert answer.headers["x-by"] == "%1"


def test_no_time_is_set_for_a_call(site: Site, servers: tuple[Echo, Echo]) -> None:
    """Envoy tells upstreams how long they have, if it is to end the call by itself: by default after 15 s."""
    site.carry(plan(everything(reached(servers[0]))))

    call(site.address)

    assert "x-envoy-expected-rq-timeout-ms" not in servers[0].received[-1].headers


@pytest.mark.parametrize(("authority", "host"), [(None, "wisdom.models"), ("a.example.com", "a.example.com")])
def test_the_authority_is_the_callers_unless_a_version_has_one(
    authority: str | None, host: str, site: Site, servers: tuple[Echo, Echo]
) -> None:
    site.carry(plan(everything(reached(servers[0], authority=authority))))

    call(site.address)

    assert servers[0].received[-1].host == host


def copied(to: Echo, number: int) -> list[Received]:
    """What has arrived as copies, once that many have."""
    wait_until(lambda: len(to.received) >= number, what=f"{number} copies")
    return to.received


def test_a_copy_has_the_candidates_headers_and_its_address_as_authority(
    site: Site, servers: tuple[Echo, Echo]
) -> None:
    first, second = servers
    primary = reached(first, set_headers=(("x-model", "first"), ("x-primary", "yes")))
    site.carry(plan(everything(primary, Mirror(reached(second, set_headers=(("x-model", "50%"),))))))
    call(site.address)
    copied(second, 1)

    answer = call(site.address, "/path?q=1", "POST", x_kept="kept")
    copy = copied(second, 2)[-1]

    assert (answer.name, first.received[-1].headers["x-model"]) == ("first", "first")
    assert (copy.method, copy.path) == ("POST", "/path?q=1")
    assert [copy.headers.get(name) for name in ("x-model", "x-primary", "x-kept")] == ["50%", None, "kept"]
    assert copy.host == f"second.team-second.svc.localhost:{second.port}"


def test_a_candidate_that_cannot_be_reached_costs_callers_nothing(
    site: Site, servers: tuple[Echo, Echo]
) -> None:
    first, second = servers
    missing = Mirror(version("missing", backends={HTTP.name: Backend("missing", "models", 1)}))
    site.carry(plan(everything(reached(first), missing, Mirror(reached(second)))))

    began = time.monotonic()
    assert {call(site.address).name for _ in range(20)} == {"first"}

    assert time.monotonic() - began < 5
    assert copied(second, 1)
