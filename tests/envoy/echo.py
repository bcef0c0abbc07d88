"""An HTTP/1.1 server that tells what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Echo:
    """`asked`: all requests, in the order in which they came."""

    name: str
    port: int = 0
    asked: list[Asked] = field(default_factory=list)


@dataclass(frozen=True)
class Answered:
    """Who answered, and what of the answer is of interest."""

    name: str
    asked: Asked
    headers: dict[str, str]


@contextmanager
def echo(name: str) -> Iterator[Echo]:
    """Serve on a port of the loopback interface."""
    made = Echo(name)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            headers = {key.lower(): value for key, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers)
            made.asked.append(asked)
            body = json.dumps([made.name, asked.method, asked.path, asked.headers]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = handle_one  # noqa: N815 - the base class calls them so

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def call(address: str, path: str = "/", method: str = "GET", **headers: str) -> Answered:
    """Call a server that is reached there; underscores in header names stand for dashes."""
    host, _, port = address.partition(":")
    connection = HTTPConnection(host, int(port), timeout=10)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers={"Host": "wisdom.models", **sent})
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    assert response.status == 200, (response.status, body)
    name, *asked = json.loads(body)
    return Answered(name, Asked(*asked), {key.lower(): value for key, value in response.getheaders()})
