"""The probe istio-gateway: the rule by which gateways tell what they carry, and what it makes of answers."""

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pydantic import ValidationError

from turnout.plugin import Mirror, Policy, Route, RoutePlan, Rule
from turnout.testing.builders import plan, policy, shares, version
from turnout_istio import marker
from turnout_istio.mirror import MARK_HEADER
from turnout_istio.options import IstioOptions
from turnout_istio.probe import GatewayOptions, IstioGateway
from turnout_istio.router import Istio
from turnout_istio.virtual_service import VIRTUAL_SERVICE

SPLIT, ALONE = plan({"wisdom-0": 50, "wisdom-1": 50}), plan({"wisdom-0": 100})
MIRRORED = plan(Rule("default", shares({"wisdom-0": 1}), mirrors=(Mirror(version("wisdom-1"), 100.0),)))


def spec_of(of: RoutePlan, **options: Any) -> dict[str, Any]:
    """A VirtualService's spec, as it comes back from the API server."""
    chosen = IstioOptions.model_validate({"marker": True, "mesh": False} | options)
    manifest = next(one for one in Istio().render(of, chosen) if one.kind == VIRTUAL_SERVICE)
    found: dict[str, Any] = json.loads(json.dumps(manifest.body["spec"]))
    return found


def read(spec: Mapping[str, Any]) -> tuple[str, str]:
    """The mark and the revision."""
    found = marker.read(spec)
    assert found
    return found


# the rule


def test_without_the_option_there_is_no_such_rule() -> None:
    assert marker.read(spec_of(SPLIT, marker=False)) is None


@pytest.mark.parametrize("of", [SPLIT, MIRRORED], ids=["split", "mirrored"])
def test_the_rule_comes_before_all_others_and_changes_none(of: RoutePlan) -> None:
    rule, *others = spec_of(of)["http"]
    mark, revision = read(spec_of(of))
    assert others == spec_of(of, marker=False)["http"]
    assert rule == {
        "match": [{"headers": {"x-turnout-probe": {"exact": mark}}}],
        "directResponse": {"status": 200, "body": {"string": revision}},
    }


def test_callers_cannot_guess_the_mark() -> None:
    """It is another one for each policy, and not the one of mirrored requests."""

    def mark_of(of: Policy) -> str:
        return read(spec_of(plan({"wisdom-0": 1}, policy=of)))[0]

    assert len({mark_of(policy()), mark_of(policy(uid="another")), mark_of(policy(name="other"))}) == 3
    mirrored = spec_of(MIRRORED)
    assert mirrored["http"][1]["match"][0]["headers"][MARK_HEADER]["exact"] != read(mirrored)[0]


def test_every_change_is_another_revision() -> None:
    """Of the rules, and of what they are for."""
    changes = [
        spec_of(SPLIT),
        spec_of(ALONE),
        spec_of(MIRRORED),
        spec_of(plan({"wisdom-0": 51, "wisdom-1": 49})),
        spec_of(SPLIT, mesh=True),
        spec_of(SPLIT, externalGateway="istio-ingress/public"),
    ]
    assert len({read(spec)[1] for spec in changes}) == len(changes)
    assert read(spec_of(SPLIT)) == read(spec_of(SPLIT))


def test_a_number_means_the_same_however_the_api_server_writes_it() -> None:
    written = spec_of(MIRRORED)
    assert written["http"][2]["mirrorPercentage"] == {"value": 100.0}
    kept = json.loads(json.dumps(written).replace("100.0", "100"))
    assert read(kept) == read(written)


def test_routes_that_somebody_has_changed_carry_no_revision() -> None:
    """What a gateway says of them is not known to hold for the other rules."""
    changed = spec_of(SPLIT)
    changed["http"][1]["route"][0]["weight"] = 60
    assert marker.read(changed) is None


@pytest.mark.parametrize(
    "spec", [{}, {"http": []}, {"http": [{}]}, {"http": None}, {"http": ["x"]}, {"http": [{"match": []}]}]
)
def test_routes_of_another_shape_carry_none(spec: Mapping[str, Any]) -> None:
    assert marker.read(spec) is None


def test_routes_for_gateways_alone_have_no_entry_for_sidecars() -> None:
    written = Istio().render(SPLIT, IstioOptions(mesh=False))
    assert [one.kind.kind for one in written] == ["Gateway", "VirtualService"]
    assert written[1].body["spec"]["gateways"] == ["mm-gateway"]


# the answers

NOT_FOUND = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


def ok(body: str) -> str:
    return f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n{body}"


CARRIES = ok(read(spec_of(ALONE))[1])
BEHIND = ok(read(spec_of(SPLIT))[1])
OTHERS = {
    "a model's answer": ok("hello"),
    "a long answer": ok("0123456789abcdef" * 10),
    "an error": CARRIES.replace("200 OK", "503 Service Unavailable"),
    "a redirect": "HTTP/1.1 301 Moved\r\nlocation: /\r\ncontent-length: 0\r\n\r\n",
    "a model's not found": NOT_FOUND.replace("\r\n\r\n", "\r\nx-envoy-upstream-service-time: 3\r\n\r\n"),
    "another's not found": "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone",
    "no HTTP": "\x16\x03\x01",
    "nothing": "",
}


class Gateways:
    """Servers on loopback addresses that answer what they are told to, and how they were asked."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.addresses: list[str] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Gateways":
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()

    async def add(self, *answers: str) -> None:
        """A gateway of several addresses, with an answer for each; they share a port."""
        port = 0
        for number, answer in enumerate(answers, start=1):
            server = await asyncio.start_server(self._answers(answer), f"127.0.0.{number}", port)
            port = server.sockets[0].getsockname()[1]
            await self._stack.enter_async_context(server)
        self.addresses.append(f"pods-{len(answers)}.example:{port}")

    def _answers(self, answer: str) -> Any:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(answer.encode())
            writer.close()

        return serve


class Resolver(asyncio.SelectorEventLoop):
    """An event loop by which pods-3.example has three addresses."""

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        if not str(host).startswith("pods-"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        number = int(host.removeprefix("pods-").removesuffix(".example"))
        found = [f"127.0.0.{one}" for one in range(1, number + 1)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]


def asked(
    *gateways: Sequence[str], specs: Sequence[Mapping[str, Any]] = (), also: Sequence[str] = ()
) -> tuple[bool | None, list[str]]:
    """What the probe says of routes (by default those of ALONE), and what the gateways heard."""
    routes = [
        Route(VIRTUAL_SERVICE, "models", f"route-{number}", {"spec": spec})
        for number, spec in enumerate(specs or [spec_of(ALONE)])
    ]

    async def ask() -> tuple[bool | None, list[str]]:
        async with Gateways() as running:
            for answers in gateways:
                await running.add(*answers)
            options = GatewayOptions(addresses=(*running.addresses, *also))
            return await IstioGateway().in_force(routes, options), running.heard

    with asyncio.Runner(loop_factory=Resolver) as runner:
        return runner.run(ask())


def test_gateways_are_asked_as_clients_would_with_the_mark() -> None:
    _, (heard,) = asked([CARRIES])
    mark, _ = read(spec_of(ALONE))
    lines = heard.lower().splitlines()
    assert lines[0] == "get / http/1.1"
    assert lines.count("host: wisdom.models") == 1
    assert f"x-turnout-probe: {mark}" in lines


def test_every_address_of_every_host_is_asked() -> None:
    word, heard = asked([CARRIES] * 3, [CARRIES] * 2)
    assert word is True
    assert len(heard) == 5


@pytest.mark.parametrize("where", [0, 1, 2])
def test_one_address_that_is_behind_is_enough(where: int) -> None:
    answers = [CARRIES] * 3
    answers[where] = BEHIND
    assert asked(answers)[0] is False


@pytest.mark.parametrize("answer", OTHERS.values(), ids=OTHERS)
def test_any_other_answer_says_nothing(answer: str) -> None:
    """Nor do those speak for it that carry the routes. One that is behind is behind all the same."""
    assert asked([answer])[0] is None
    assert asked([CARRIES, answer])[0] is None
    assert asked([BEHIND, answer])[0] is False


def test_no_redirect_is_followed() -> None:
    """The addresses are the administrator's, and nobody else's."""
    _, heard = asked([OTHERS["a redirect"]])
    assert len(heard) == 1


def test_who_has_no_routes_for_the_host_has_no_part_in_it() -> None:
    """Such as the gateways of other models; but if there are only those, nothing is known."""
    assert asked([CARRIES, NOT_FOUND])[0] is True
    assert asked([NOT_FOUND])[0] is None
    assert asked([BEHIND, NOT_FOUND])[0] is False


@pytest.mark.parametrize("dead", ["pods-1.example:9", "nowhere.example:80"])
def test_a_gateway_that_cannot_be_reached_leaves_it_open(dead: str) -> None:
    assert asked(also=[dead])[0] is None
    assert asked([CARRIES], also=[dead])[0] is None
    assert asked([BEHIND], also=[dead])[0] is False


@pytest.mark.parametrize("port", [0, 65536])
def test_an_address_has_a_port(port: int) -> None:
    with pytest.raises(ValidationError, match="expected a port from 1 to 65535"):
        GatewayOptions(addresses=(f"pods.example:{port}",))


def test_gateways_do_not_speak_for_sidecars() -> None:
    """But those that are behind are."""
    spec = spec_of(ALONE, mesh=True)
    assert asked([ok(read(spec)[1])], specs=[spec])[0] is None
    assert asked([BEHIND], specs=[spec])[0] is False


def test_routes_without_gateways_are_for_sidecars() -> None:
    """That is Istio's default."""
    spec = {key: value for key, value in spec_of(ALONE, marker=False).items() if key != "gateways"}
    spec = marker.with_marker(policy(), spec)
    assert asked([ok(read(spec)[1])], specs=[spec])[0] is None


def test_all_routes_of_a_policy_have_to_be_carried() -> None:
    assert asked([CARRIES], specs=[spec_of(ALONE), spec_of(ALONE)])[0] is True
    assert asked([CARRIES], specs=[spec_of(ALONE), spec_of(SPLIT)])[0] is False


def test_routes_without_the_rule_leave_it_open_and_nobody_is_asked_about_them() -> None:
    plain = spec_of(ALONE, marker=False)
    assert asked([CARRIES], specs=[plain]) == (None, [])
    assert asked([CARRIES], specs=[plain, spec_of(ALONE)])[0] is None
    assert asked([BEHIND], specs=[plain, spec_of(ALONE)])[0] is False


def test_the_plugin_is_loaded_without_what_it_asks_with() -> None:
    """Commands that need no cluster load it as well."""
    code = "import sys, turnout_istio.plugin; print({'aiohttp', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
