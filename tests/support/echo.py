"""HTTP/1.1 servers that tell what they were sent, and their client."""

import json
import threading
from collections.abc import Mapping
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self


class Received(NamedTuple):
    """A request as it came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def host(self) -> str:
        return self.headers.get("host", "")


class Echo:
    """Answers every request with its own name, while it is a context."""

    def __init__(self, name: str, address: str = "127.0.0.1", port: int = 0) -> None:
        """Listens at once, by default on any port."""
        self.name = name
        self.received: list[Received] = []
        """All requests, in the order in which they came."""
        self._server = ThreadingHTTPServer((address, port), _handler(self))
        self._server.daemon_threads = True
        self.address = address
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name=name, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answers(self, request: Received) -> str:
        """The name that a request is answered with."""
        return self.name


def _handler(echo: Echo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # else headers and body go out apart, and the body waits for an acknowledgement

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.rfile.read(int(headers.get("content-length", 0)))  # else it would begin the next request
            request = Received(self.command, self.path, headers)
            echo.received.append(request)
            body = json.dumps({"name": echo.answers(request)}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815 - the base class calls them so

        def log_message(self, *arguments: object) -> None:
            """Nothing: pytest shows what failed."""

    return Handler


class Answer(NamedTuple):
    """Who answered (empty where it was no server of ours), and the headers of the answer."""

    name: str
    status: int
    headers: Mapping[str, str]


class Client:
    """Calls a model through a proxy, over one connection. `address`: host:port."""

    def __init__(self, address: str, host: str) -> None:
        self._connection = HTTPConnection(address, timeout=10)
        self._host = host

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.close()

    def ask(self, path: str = "/", method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """Make one call. Raises OSError where nobody listens."""
        self._connection.request(method, path, headers={"host": self._host, **(headers or {})})
        response = self._connection.getresponse()
        body = response.read()
        name = _document(body).get("name", "")
        return Answer(name, response.status, {name.lower(): value for name, value in response.getheaders()})


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
