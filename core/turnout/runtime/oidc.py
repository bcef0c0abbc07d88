"""`auth-provider: oidc` of a kubeconfig: an id-token, renewed by a refresh token as kubectl renews it.

Nothing of the `kubernetes` package is used: it verifies no issuer's certificate, and fails where the
kubeconfig has an authority for it. All of this blocks.
"""

import json
import re
import ssl
import time
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote_plus, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, Request, build_opener

from turnout import __version__

EARLY = 120.0
"""Seconds before its end at which an id-token is renewed. It is looked at once a minute."""
PATIENCE = 10.0
"""Seconds that each answer of the issuer may take."""
NEEDED = ("idp-issuer-url", "client-id", "refresh-token")
BASIC = "client_secret_basic"
"""How a client's secret is sent to an issuer that does not say how it wants it."""

Config = dict[str, Any]
"""A user's `auth-provider.config`."""


class OidcError(Exception):
    """Why there is no id-token that is valid, without any token. Its cause may say more."""


def id_token(config: Config, *, rejected: bool = False) -> str:
    """An id-token that is valid, which `config` has then, with the refresh token for the next.

    `rejected`: the API server refused the one in use, whose end a clock that is slow does not see. Raises
    OidcError.
    """
    ends = _end(config.get("id-token"))
    if rejected or ends - time.time() < EARLY:
        try:
            _renew(config)
        except OidcError:
            if ends <= time.time():
                raise
    return str(config["id-token"])


def _end(token: object) -> float:
    """When an id-token ends, in seconds since 1970; 0 where it does not say."""
    try:
        claims = json.loads(urlsafe_b64decode(str(token).split(".")[1] + "=="))
        return float(claims["exp"])
    except (LookupError, TypeError, ValueError):
        return 0.0


def _renew(config: Config) -> None:
    for name in NEEDED:
        if not config.get(name):
            raise OidcError(f"no id-token that is valid, and auth-provider.config has no {name} to get one")
    opener = build_opener(HTTPSHandler(context=_trust(config)), _NoRedirects)
    issuer = str(config["idp-issuer-url"])
    known = _ask(opener, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    body, headers = _grant(config, known.get("token_endpoint_auth_methods_supported") or [BASIC])
    answer = _ask(opener, str(known.get("token_endpoint")), body, headers)
    if not answer.get("id_token"):
        raise OidcError(f"OIDC: {_shown(issuer)} has answered without an id_token")
    config["id-token"] = answer["id_token"]
    config["refresh-token"] = answer.get("refresh_token") or config["refresh-token"]


def _trust(config: Config) -> ssl.SSLContext:
    """The authority of the kubeconfig, else those of the system, no stricter than for the API server."""
    data, file = config.get("idp-certificate-authority-data"), config.get("idp-certificate-authority")
    try:
        pem = b64decode(data).decode("ascii") if data else None
        context = ssl.create_default_context(cafile=None if pem else file or None, cadata=pem)
    except (OSError, ValueError) as error:
        raise OidcError("auth-provider.config: its idp-certificate-authority cannot be used") from error
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _grant(config: Config, methods: list[str]) -> tuple[bytes, dict[str, str]]:
    """Body and headers that ask for new tokens."""
    client, secret = str(config["client-id"]), str(config.get("client-secret") or "")
    form = {"grant_type": "refresh_token", "refresh_token": config["refresh-token"]}
    headers = {}
    if secret and BASIC in methods:
        pair = f"{quote_plus(client)}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
    return urlencode(form).encode(), headers


def _ask(
    opener: OpenerDirector, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Mapping[str, Any]:
    """The issuer's answer. Proxies are the environment's."""
    host = _shown(url)
    if not url.startswith("https://"):
        raise OidcError(f"OIDC: the URL of {host} is not one of https://")
    common = {"Accept": "application/json", "User-Agent": f"turnout/{__version__}"}
    try:
        request = Request(url, body, common | dict(headers or {}))  # noqa: S310 - https, as seen above
        with opener.open(request, timeout=PATIENCE) as response:
            answer = json.load(response)
    except HTTPError as error:
        with error:
            raise OidcError(f"OIDC: {host} refuses: {_refusal(error)}") from None
    except (OSError, HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, URLError) else error
        raise OidcError(f"OIDC: {host}") from (cause if isinstance(cause, Exception) else error)
    if not isinstance(answer, dict):
        raise OidcError(f"OIDC: {host} has answered with {type(answer).__name__}, expected an object")
    return answer


def _refusal(error: HTTPError) -> str:
    """The status, and the code of RFC 6749 where there is one. The rest may quote what was sent."""
    try:
        code = str(json.load(error)["error"])
    except (OSError, HTTPException, LookupError, TypeError, ValueError):
        code = ""
    return f"{error.code} {code}" if re.fullmatch("[a-z_]{1,40}", code) else str(error.code)


def _shown(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "the issuer"


class _NoRedirects(HTTPRedirectHandler):
    """They would take the tokens along."""

    def redirect_request(self, *_: object) -> None:
        return None
