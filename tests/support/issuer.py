"""An OpenID Connect issuer over TLS, on loopback, that renews id-tokens by refresh tokens."""

import json
import ssl
import subprocess
import time
from base64 import b64encode, urlsafe_b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs

CLIENT = "turnout"
SECRET = "s3cr3t/of+the client"


class Issuer:
    """Answers from entry to exit as a context. One key made by openssl serves for TLS and for tokens.

    A refresh token is good for one renewal, which gives the next.
    """

    def __init__(self, directory: Path) -> None:
        self.certificate, self._key = directory / "issuer.crt", directory / "issuer.key"
        self._openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=issuer"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self._key, "-out", self.certificate),
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, self._key)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        self.lifetime = 3600.0
        """Seconds that new id-tokens are good for."""
        self.refresh_token = "refresh-0"
        self.issued: list[str] = []
        """All id-tokens."""
        self.asked: list[tuple[str | None, dict[str, str]]] = []
        """Authorization and form of every request for tokens."""
        self.moved = ""
        """Where GETs are sent on to, if anywhere."""
        self.known: dict[str, Any] = {}
        """What the discovery tells besides."""
        self.extra: dict[str, Any] = {}
        """What the answer with new tokens has besides; None takes away what it would have."""

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, args=(0.05,), name="issuer", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def user(
        self, changes: dict[str, str | None] | None = None, *, lifetime: float = -10.0
    ) -> dict[str, Any]:
        """The user's part of a kubeconfig, with an id-token for `lifetime`. None takes a setting away."""
        settings: dict[str, str | None] = {
            "idp-issuer-url": self.url,
            "idp-certificate-authority-data": b64encode(self.certificate.read_bytes()).decode(),
            "client-id": CLIENT,
            "client-secret": SECRET,
            "id-token": self.id_token(lifetime),
            "refresh-token": self.refresh_token,
        }
        settings |= changes or {}
        given = {name: value for name, value in settings.items() if value is not None}
        return {"auth-provider": {"name": "oidc", "config": given}}

    def id_token(self, lifetime: float) -> str:
        # The name has characters that only the alphabet for URLs spells in a way of its own.
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": "wisdom",
            "exp": time.time() + lifetime,
            "name": "?>~ÿ",
        }
        parts = [{"alg": "RS256", "kid": "1", "typ": "JWT"}, claims]
        signed = ".".join(_plain(json.dumps(part, ensure_ascii=False).encode()) for part in parts)
        signature = self._openssl("dgst", "-sha256", "-sign", self._key, given=signed.encode())
        self.issued.append(f"{signed}.{_plain(signature)}")
        return self.issued[-1]

    def answer(self, path: str) -> dict[str, Any] | None:
        match path:
            case "/.well-known/openid-configuration":
                more = {"jwks_uri": f"{self.url}/keys", "token_endpoint": f"{self.url}/token"}
                algorithms = {"id_token_signing_alg_values_supported": ["RS256"]}
                return {"issuer": self.url} | more | algorithms | self.known
            case "/keys":
                modulus = self._openssl("x509", "-in", self.certificate, "-noout", "-modulus").split(b"=")[1]
                key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1", "e": "AQAB"}
                return {"keys": [key | {"n": _plain(bytes.fromhex(modulus.decode()))}]}
        return None

    def renew(self, authorization: str | None, form: dict[str, str]) -> dict[str, Any] | None:
        """New tokens; None for a refresh token that is not the last one given."""
        self.asked.append((authorization, form))
        if form.get("refresh_token") != self.refresh_token or form.get("grant_type") != "refresh_token":
            return None
        self.refresh_token = f"refresh-{len(self.asked)}"
        tokens = {"id_token": self.id_token(self.lifetime), "refresh_token": self.refresh_token} | self.extra
        return {name: value for name, value in tokens.items() if value is not None}

    def _openssl(self, *arguments: str | Path, given: bytes | None = None) -> bytes:
        return subprocess.run(["openssl", *arguments], input=given, check=True, capture_output=True).stdout

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if issuer.moved:
                    self.send_response(302)
                    self.send_header("Location", issuer.moved)
                    self.end_headers()
                else:
                    self._answer(issuer.answer(self.path), 404)

            def do_POST(self) -> None:
                sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                form = {name: values[0] for name, values in sent.items()}
                self._answer(issuer.renew(self.headers["Authorization"], form), 400, form)

            def _answer(self, found: object, otherwise: int, form: object = None) -> None:
                error = {"error": "invalid_grant", "error_description": f"not known: {form}"}
                body = json.dumps(error if found is None else found).encode()
                self.send_response(otherwise if found is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
                """Say nothing."""

        return Handler


def _plain(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
