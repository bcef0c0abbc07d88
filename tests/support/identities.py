"""Who calls the API server: credentials, their kubeconfig files, and how the server knows users."""

import base64
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Credentials:
    """A user of the cluster: `name` as RBAC and the audit log have it, and a way to be them."""

    name: str
    token: str
    kubeconfig: Path


def kubeconfig(
    server: str,
    *,
    ca_file: Path | None = None,
    token: str = "",
    user: dict[str, Any] | None = None,
    namespace: str = "default",
) -> str:
    """Return a kubeconfig with one context, as JSON, which is YAML too. `user`: in place of a token."""
    cluster = {"server": server} | ({"certificate-authority": str(ca_file)} if ca_file else {})
    context = {"cluster": "testbed", "user": "testbed", "namespace": namespace}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testbed", "cluster": cluster}],
        "users": [{"name": "testbed", "user": user or ({"token": token} if token else {})}],
        "contexts": [{"name": "testbed", "context": context}],
        "current-context": "testbed",
    }
    return json.dumps(document, indent=2)


def signing_key() -> str:
    """Return a new P-256 private key in PEM form, for signing the tokens of service accounts.

    SEC 1 (RFC 5915) needs no more than the secret number and the curve's name, which saves the
    tests a dependency on a cryptography package.
    """
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    secret = (secrets.randbelow(order - 1) + 1).to_bytes(32, "big")
    curve = bytes.fromhex("a00a06082a8648ce3d030107")
    der = bytes.fromhex("30310201010420") + secret + curve
    body = base64.b64encode(der).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{body}\n-----END EC PRIVATE KEY-----\n"


class TokenWebhook:
    """Tells the API server whose token it was shown, so that users can be added while it runs.

    A token file, the simpler way, is read only when the API server starts.
    """

    def __init__(self) -> None:
        self._users: dict[str, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        Thread(target=self._server.serve_forever, name="token-webhook", daemon=True).start()

    def add(self, name: str, groups: Sequence[str]) -> str:
        """Make a user known, and return the token that stands for them."""
        token = secrets.token_urlsafe(24)
        self._users[token] = {"username": name, "uid": name, "groups": list(groups)}
        return token

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def _review(self, review: dict[str, Any]) -> dict[str, Any]:
        user = self._users.get(review["spec"]["token"])
        status = {"authenticated": True, "user": user} if user else {"authenticated": False}
        return {"apiVersion": review["apiVersion"], "kind": review["kind"], "status": status}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        review = self._review

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = json.dumps(review(json.loads(body))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
                """Say nothing: the server's default is a line on stderr for every request."""

        return Handler
