"""The connection to an API server: credentials, what is sent, and how failures read."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import certifi
import pytest
from kubernetes.aio.config import incluster_config

from turnout import __version__
from turnout.runtime import kube
from turnout.runtime.errors import NoCluster
from turnout.runtime.transport import APPLY, ConnectionFailed, Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SECRET = "s3cr3t-token"
GET = Request("GET", "/api", timeout=5)


@dataclass
class Server:
    """Answers every request with the same bytes, and notes what came."""

    answer: bytes = OK
    hang: bool = False
    host: str = "127.0.0.1"
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    url: str = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Server"]:
        async with await asyncio.start_server(self._serve, self.host, 0) as listener:
            host = f"[{self.host}]" if ":" in self.host else self.host
            self.url = f"http://{host}:{listener.sockets[0].getsockname()[1]}"
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heads.append(head)
                lengths = [
                    line.split(": ")[1] for line in head.lower().splitlines() if "content-length" in line
                ]
                self.bodies.append(await reader.readexactly(int(lengths[0]) if lengths else 0))
                writer.write(self.answer)
                await writer.drain()
                if not self.hang and b"Content-Length" not in self.answer:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def header(self, name: str) -> list[str]:
        """The values of a header, one for each request that has it."""
        lines = [line for head in self.heads for line in head.split("\r\n")]
        return [line.split(": ", 1)[1] for line in lines if line.lower().startswith(f"{name.lower()}: ")]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, outside of any cluster."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return tmp_path


Write = Callable[..., Path]


@pytest.fixture
def config(home: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a kubeconfig and makes KUBECONFIG name it."""

    def write(
        server: str = "https://10.0.0.1", user: Any = None, cluster: Any = None, **changes: Any
    ) -> Path:
        document = {
            "clusters": [{"name": "c", "cluster": {"server": server} | (cluster or {})}],
            "users": [{"name": "u", "user": {"token": SECRET} if user is None else user}],
            "contexts": [
                {"name": "main", "context": {"cluster": "c", "user": "u"}},
                {"name": "other", "context": {"cluster": "c", "user": "u", "namespace": "models"}},
            ],
            "current-context": "main",
        }
        path = home / "kubeconfig"
        path.write_text(json.dumps(document | changes))
        monkeypatch.setenv("KUBECONFIG", str(path))
        return path

    return write


def talk(
    config: Write,
    act: Callable[[kube.KubeTransport, Server], Awaitable[None]],
    *,
    server: Server | None = None,
    user: Any = None,
    cluster: Any = None,
) -> Server:
    """Connect to a server by a kubeconfig, and act."""
    server = server or Server()

    async def main() -> None:
        async with server.listening():
            config(server.url, user, cluster)
            transport = await kube.connect()
            try:
                await act(transport, server)
            finally:
                await transport.close()

    asyncio.run(main())
    return server


async def fetch(transport: kube.KubeTransport, request: Request = GET) -> bytes:
    response = await transport.send(request)
    try:
        return await response.read()
    finally:
        response.close()


class TestRequests:
    def test_carry_the_token_and_say_who_asks(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            assert await fetch(transport) == b"{}"

        server = talk(config, act)
        assert server.header("Authorization") == [f"Bearer {SECRET}"]
        assert server.header("User-Agent") == [f"turnout/{__version__}"]

    def test_reach_an_address_of_ipv6(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            assert await fetch(transport) == b"{}"

        (host,) = talk(config, act, server=Server(host="::1")).header("Host")
        assert host.startswith("[::1]:")

    def test_encode_the_query_and_leave_the_path_as_it_is(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            await fetch(transport, Request("GET", "/a%2Fb", {"continue": "x=/+ &"}))

        assert talk(config, act).heads[0].startswith("GET /a%2Fb?continue=x%3D%2F%2B+%26 HTTP/1.1")

    def test_send_bodies_as_json_under_the_type_that_was_asked_for(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            await fetch(transport, Request("PATCH", "/a", body={"ä": [1]}, content_type=APPLY))

        server = talk(config, act)
        assert server.bodies == ['{"ä":[1]}'.encode()]
        assert server.header("Content-Type") == [APPLY]

    def test_share_a_connection(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            for _number in range(3):
                await fetch(transport)

        assert talk(config, act).connections == 1

    def test_do_not_follow_redirects(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            response = await transport.send(GET)
            response.close()
            assert response.status == 302

        answer = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
        assert len(talk(config, act, server=Server(answer)).heads) == 1

    def test_are_not_repeated_when_the_server_fails(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            await fetch(transport)

        answer = b"HTTP/1.1 503 No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
        assert len(talk(config, act, server=Server(answer)).heads) == 1

    def test_any_number_of_watches_leaves_room_for_calls(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, server: Server) -> None:
            open_ones = [
                await transport.send(Request("GET", "/w", stream=True)) for _ in range(kube.POOL_SIZE + 5)
            ]
            server.answer = OK
            assert await fetch(transport) == b"{}"
            for response in open_ones:
                response.close()

        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        talk(config, act, server=Server(head, hang=True))


class TestCredentials:
    def test_a_token_file_is_read_again_and_its_newline_is_not_sent(
        self, config: Write, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kube, "REFRESH", 0.0)
        token = home / "token"
        token.write_text("first\n")

        async def act(transport: kube.KubeTransport, _: Server) -> None:
            await fetch(transport)
            token.write_text("second\n")
            await fetch(transport)

        server = talk(config, act, user={"tokenFile": str(token)})
        assert server.header("Authorization") == ["Bearer first", "Bearer second"]

    def test_a_plugin_is_asked_once_and_again_when_the_server_refuses_what_it_gave(
        self, config: Write, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kube, "REFRESH", 0.0)
        monkeypatch.setattr(kube, "REFRESH_REJECTED", 0.0)
        plugin = home / "plugin"
        plugin.write_text(
            f"#!/bin/sh\necho x >> {home}/runs\n"
            'echo "{\\"apiVersion\\": \\"client.authentication.k8s.io/v1\\", \\"kind\\": \\"ExecCredential\\",'
            f' \\"status\\": {{\\"token\\": \\"t$(wc -l < {home}/runs | tr -d \' \')\\"}}}}"\n'
        )
        plugin.chmod(0o755)

        async def act(transport: kube.KubeTransport, server: Server) -> None:
            await fetch(transport)
            await fetch(transport)
            server.answer = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
            await fetch(transport)
            await fetch(transport)

        spec = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin)}
        server = talk(config, act, user={"exec": spec})
        assert server.header("Authorization") == ["Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2"]

    def test_a_plugin_that_fails_leaves_no_cluster(self, config: Write) -> None:
        config(user={"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}})
        with pytest.raises(NoCluster, match="credential plugin failed"):
            asyncio.run(kube.connect())

    @pytest.mark.parametrize("limit", ["REFRESH", "REFRESH_REJECTED"])
    def test_a_pods_token_is_read_again_by_the_monotonic_clock_and_once_it_is_refused(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, limit: str
    ) -> None:
        """The clock on the wall may be set back."""
        monkeypatch.setattr(kube, limit, 0.0)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "::1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
        token = home / "token"
        token.write_text("first\n")
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", certifi.where())

        async def main(server: Server) -> None:
            async with server.listening():
                transport = await kube.connect()
                assert transport._host == "https://[::1]:443"
                transport._host = server.url
                await fetch(transport)
                token.write_text("second\n")
                await fetch(transport)
                await transport.close()

        refused = b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"
        server = Server(refused if limit == "REFRESH_REJECTED" else OK)
        asyncio.run(main(server))
        assert [one.lower() for one in server.header("Authorization")] == ["bearer first", "bearer second"]

    def test_a_netrc_is_not_ours_to_read(self, config: Write, home: Path) -> None:
        """An entry that fits any host would be a second authorization, which aiohttp refuses."""
        netrc = home / ".netrc"
        netrc.write_text("default login somebody password else\n")
        netrc.chmod(0o600)

        async def act(transport: kube.KubeTransport, _: Server) -> None:
            assert await fetch(transport) == b"{}"

        assert talk(config, act).header("Authorization") == [f"Bearer {SECRET}"]


class TestProxies:
    """The proxy is a server that answers itself, and notes which URL it was asked for."""

    API = "http://api.example:8080"

    @pytest.mark.parametrize("cluster", [{}, {"proxy-url": ""}], ids=["no-proxy-url", "empty-proxy-url"])
    def test_the_environment_names_one(
        self, config: Write, monkeypatch: pytest.MonkeyPatch, cluster: dict[str, str]
    ) -> None:
        """It stays when credentials are renewed, for which the package sets the kubeconfig's again."""
        monkeypatch.setattr(kube, "REFRESH", 0.0)
        proxy = Server()

        async def main() -> None:
            async with proxy.listening():
                config(self.API, cluster=cluster)
                monkeypatch.setenv("HTTP_PROXY", proxy.url)
                transport = await kube.connect()
                try:
                    await fetch(transport)
                    await fetch(transport)
                finally:
                    await transport.close()

        asyncio.run(main())
        assert [head.splitlines()[0] for head in proxy.heads] == [f"GET {self.API}/api HTTP/1.1"] * 2

    def test_it_may_lack_its_scheme(self, config: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        async def main() -> str | None:
            return (await kube.connect())._configuration.proxy

        config(self.API)
        monkeypatch.setenv("HTTP_PROXY", "proxy.example:3128")
        assert asyncio.run(main()) == "http://proxy.example:3128"

    def test_the_environment_is_read_once(self, config: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        async def act(transport: kube.KubeTransport, _: Server) -> None:
            monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
            assert await fetch(transport) == b"{}"

        talk(config, act)

    @pytest.mark.parametrize("hosts", ["127.0.0.1", "example.com,127.0.0.1", "*"])
    def test_a_host_is_exempt(self, config: Write, monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", hosts)

        async def act(transport: kube.KubeTransport, _: Server) -> None:
            assert await fetch(transport) == b"{}"

        assert talk(config, act).heads[0].startswith("GET /api ")

    def test_the_kubeconfigs_own_comes_first(self, config: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        async def main() -> str | None:
            return (await kube.connect())._configuration.proxy

        monkeypatch.setenv("HTTPS_PROXY", "http://of-the-environment:1")
        config(cluster={"proxy-url": "http://of-the-kubeconfig:2"})
        assert asyncio.run(main()) == "http://of-the-kubeconfig:2"
        config()
        assert asyncio.run(main()) == "http://of-the-environment:1"

    @pytest.mark.parametrize("value", ["socks5://u:s3cr3t@proxy:1", "http://u:s3cr3t@proxy:port", "http://"])
    def test_one_that_cannot_be_used(
        self, config: Write, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        config()
        monkeypatch.setenv("HTTPS_PROXY", value)
        with pytest.raises(NoCluster, match="HTTPS_PROXY is no URL of an HTTP proxy, expected") as raised:
            asyncio.run(kube.connect())
        assert "s3cr3t" not in str(raised.value)


class TestFailures:
    def test_a_refused_connection_names_the_host_and_what_happened(self, config: Write) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            config(url)
            assert self.failure() == f"{url}: no connection: Connection refused"

    def test_a_name_that_nobody_knows(self, config: Write) -> None:
        config("https://turnout.invalid:6443")
        assert self.failure() == "https://turnout.invalid:6443: the host's name cannot be resolved"

    def test_an_answer_that_does_not_come(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, server: Server) -> None:
            with pytest.raises(ConnectionFailed, match=r"nothing came for 0\.1 s"):
                await transport.send(Request("GET", "/api", timeout=0.1))

        talk(config, act, server=Server(b"", hang=True))

    def test_a_body_that_does_not_come(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, server: Server) -> None:
            with pytest.raises(ConnectionFailed, match=r"nothing came for 0\.2 s"):
                await fetch(transport, Request("GET", "/api", timeout=0.2))

        talk(config, act, server=Server(OK[:-1], hang=True))

    def test_a_watch_that_falls_silent(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, server: Server) -> None:
            response = await transport.send(Request("GET", "/api", stream=True, idle=0.3))
            chunks = response.chunks()
            assert await anext(chunks) == b"{}\n"
            with pytest.raises(ConnectionFailed, match=r"nothing came for 0\.3 s"):
                await anext(chunks)
            response.close()

        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"
        talk(config, act, server=Server(head, hang=True))

    @pytest.mark.parametrize(
        "rest", [b"3\r\n{}\n\r\n9\r\n{", b"3\r\n{}\n\r\n"], ids=["in-mid-chunk", "between-chunks"]
    )
    def test_a_watch_that_breaks_off(self, config: Write, rest: bytes) -> None:
        async def act(transport: kube.KubeTransport, server: Server) -> None:
            response = await transport.send(Request("GET", "/api", stream=True))
            chunks = response.chunks()
            assert (await anext(chunks)).startswith(b"{}\n")
            with pytest.raises(ConnectionFailed, match="the connection broke off"):
                await anext(chunks)
            response.close()

        talk(config, act, server=Server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest))

    def test_a_transport_that_was_closed(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, server: Server) -> None:
            await fetch(transport)
            await transport.close()
            with pytest.raises(ConnectionFailed, match="has been closed"):
                await transport.send(GET)

        talk(config, act)

    def test_no_answer_at_all(self, config: Write) -> None:
        async def act(transport: kube.KubeTransport, server: Server) -> None:
            with pytest.raises(ConnectionFailed, match="the connection broke off"):
                await transport.send(GET)

        talk(config, act, server=Server(b""))

    def test_something_that_speaks_no_tls(self, config: Write) -> None:
        async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            writer.close()

        async def main() -> str:
            async with await asyncio.start_server(speak, "127.0.0.1", 0) as listener:
                config(f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
                return await self.failing()

        assert "TLS: WRONG_VERSION_NUMBER" in asyncio.run(main())

    def failure(self) -> str:
        return asyncio.run(self.failing())

    async def failing(self) -> str:
        transport = await kube.connect()
        try:
            with pytest.raises(ConnectionFailed) as raised:
                await transport.send(GET)
        finally:
            await transport.close()
        assert SECRET not in str(raised.value)
        return str(raised.value)


class TestNoCluster:
    def test_says_what_was_looked_for_and_what_to_set(self) -> None:
        with pytest.raises(
            NoCluster, match=r"KUBECONFIG is not set, ~/\.kube/config does not exist, and .*; set"
        ):
            asyncio.run(kube.connect())

    def test_a_kubeconfig_that_is_named_and_absent_is_not_passed_over(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBECONFIG", "/nowhere")
        with pytest.raises(NoCluster, match="KUBECONFIG names /nowhere, and there is no such file"):
            asyncio.run(kube.connect())

    def test_a_context_needs_a_kubeconfig(self) -> None:
        with pytest.raises(NoCluster, match="the context 'prod' needs a kubeconfig"):
            asyncio.run(kube.connect(context="prod"))

    def test_a_context_that_the_kubeconfig_lacks(self, config: Write) -> None:
        config()
        with pytest.raises(NoCluster, match="Expected object with name prod in"):
            asyncio.run(kube.connect(context="prod"))

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"users": [{"name": "u", "user": {"exec": {"args": [SECRET]}}}]}, id="exec"),
            pytest.param({"users": [{"name": "u", "token": SECRET}]}, id="misplaced-token"),
            pytest.param({"clusters": [{"name": "c", "cluster": {}}]}, id="no-server"),
            pytest.param(
                {
                    "clusters": [
                        {"name": "c", "cluster": {"server": "https://a", "certificate-authority": "/no"}}
                    ]
                },
                id="no-ca",
            ),
            pytest.param(
                {
                    "clusters": [
                        {
                            "name": "c",
                            "cluster": {"server": "https://a", "certificate-authority-data": "eA=="},
                        }
                    ]
                },
                id="bad-ca",
            ),
            pytest.param({"clusters": None}, id="no-clusters"),
            pytest.param({"current-context": ""}, id="no-context"),
        ],
    )
    def test_a_malformed_kubeconfig_is_named_without_its_secrets(self, config: Write, changes: Any) -> None:
        path = config(**changes)
        with pytest.raises(NoCluster, match=str(path)) as raised:
            asyncio.run(kube.connect())
        assert SECRET not in str(raised.value)

    @pytest.mark.parametrize("text", ["", "\n \n", "---\n# nothing\n"])
    def test_an_empty_kubeconfig(self, config: Write, text: str) -> None:
        path = config()
        path.write_text(text)
        with pytest.raises(NoCluster, match=f"^no cluster: {path} is empty, expected a kubeconfig$"):
            asyncio.run(kube.connect())

    def test_an_empty_one_among_several(
        self, config: Write, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        empty = home / "empty"
        empty.touch()
        monkeypatch.setenv("KUBECONFIG", f"{config()}:{empty}")
        with pytest.raises(NoCluster, match=f"^no cluster: {empty} is empty"):
            asyncio.run(kube.connect())

    @pytest.mark.parametrize("text", ["[]", "a: {", "\t- x"])
    def test_a_file_that_is_no_kubeconfig(self, config: Write, text: str) -> None:
        path = config()
        path.write_text(text)
        with pytest.raises(NoCluster, match=str(path)):
            asyncio.run(kube.connect())

    def test_a_pod_without_a_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
        with pytest.raises(NoCluster, match="the service account of this pod cannot be used"):
            asyncio.run(kube.connect())


class TestDefaultNamespace:
    def test_is_the_one_of_the_context(self, config: Write) -> None:
        config()
        assert kube.default_namespace() == "default"
        assert kube.default_namespace(context="other") == "models"

    def test_is_the_pods_own_in_a_pod(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
        monkeypatch.setattr(kube, "POD_NAMESPACE", home / "namespace")
        assert kube.default_namespace() == "default"
        (home / "namespace").write_text("models\n")
        assert kube.default_namespace() == "models"

    def test_needs_no_cluster(self) -> None:
        assert kube.default_namespace() == "default"

    def test_of_a_context_that_is_not_there(self, config: Write) -> None:
        config()
        with pytest.raises(NoCluster):
            kube.default_namespace(context="prod")
