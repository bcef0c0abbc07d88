"""Kubeconfigs with `auth-provider: oidc`: how their id-tokens are renewed, and how failures read."""

import asyncio
import base64
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.identities import kubeconfig
from tests.support.issuer import CLIENT, SECRET, Issuer
from tests.support.openssl import needs_openssl
from turnout.runtime import kube, oidc
from turnout.runtime.errors import NoCluster
from turnout.runtime.transport import ConnectionFailed, Request

pytestmark = needs_openssl

GET = Request("GET", "/api", timeout=5)


@pytest.fixture
def issuer(tmp_path: Path) -> Iterator[Issuer]:
    with Issuer(tmp_path) as running:
        yield running


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that names no proxy, and a netrc that is not ours to read."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    (tmp_path / ".netrc").write_text("default login somebody password else\n")
    (tmp_path / ".netrc").chmod(0o600)


def shown(tmp_path: Path, user: dict[str, Any], times: int = 1, *, rejected: bool = False) -> list[str]:
    """The tokens that as many calls show to the API server. `rejected`: which has refused one before."""
    (tmp_path / "kubeconfig").write_text(kubeconfig("https://10.0.0.1", user=user))

    async def main() -> list[str]:
        transport = await kube.connect()
        transport._rejected = rejected
        try:
            headers = [await transport._headers(GET) for _ in range(times)]
        finally:
            await transport.close()
        return [one["Authorization"].removeprefix("Bearer ") for one in headers]

    return asyncio.run(main())


def refused(tmp_path: Path, issuer: Issuer, user: dict[str, Any]) -> str:
    """What is said where no id-token can be had, which quotes none."""
    with pytest.raises(NoCluster) as raised:
        shown(tmp_path, user)
    said = str(raised.value)
    for secret in (*issuer.issued, issuer.refresh_token, SECRET, "refresh-old"):
        assert secret not in said
    start = f"no cluster: {tmp_path / 'kubeconfig'} cannot be used: "
    assert said.startswith(start)
    assert "\n" not in said
    return said.removeprefix(start)


class TestRenewal:
    def test_a_token_that_is_good_is_shown_as_it_is(self, tmp_path: Path, issuer: Issuer) -> None:
        assert shown(tmp_path, issuer.user(lifetime=3600)) == issuer.issued
        assert not issuer.asked

    @pytest.mark.parametrize("token", [None, "no JWT", "a.b.c"], ids=["none", "no-parts", "no-claims"])
    def test_one_that_is_unusable_is_replaced(
        self, tmp_path: Path, issuer: Issuer, token: str | None
    ) -> None:
        assert shown(tmp_path, issuer.user({"id-token": token})) == issuer.issued[-1:]

    def test_an_expired_one_is_replaced_at_the_start(self, tmp_path: Path, issuer: Issuer) -> None:
        user = issuer.user()
        assert shown(tmp_path, user) == issuer.issued[1:]
        pair = b"turnout:s3cr3t%2Fof%2Bthe+client"  # RFC 6749, 2.3.1
        basic = f"Basic {base64.b64encode(pair).decode()}"
        assert issuer.asked == [(basic, {"grant_type": "refresh_token", "refresh_token": "refresh-0"})]

    def test_each_renewal_goes_by_the_refresh_token_of_the_last(
        self, tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kube, "REFRESH", 0.0)
        issuer.lifetime = oidc.EARLY / 2
        assert shown(tmp_path, issuer.user(), times=2) == issuer.issued[2:]
        assert [form["refresh_token"] for _, form in issuer.asked] == ["refresh-0", "refresh-1", "refresh-2"]

    def test_one_that_the_api_server_refuses_is_replaced_whatever_the_clock_says(
        self, tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A clock that is slow does not see its end."""
        monkeypatch.setattr(kube, "REFRESH_REJECTED", 0.0)
        user = issuer.user(lifetime=3600)
        assert shown(tmp_path, user) == issuer.issued
        assert shown(tmp_path, user, rejected=True) == issuer.issued[1:]
        assert len(issuer.issued) == 2

    def test_a_refresh_token_may_be_good_for_ever(
        self, tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        user = issuer.user()
        issuer.extra = {"refresh_token": None}
        assert shown(tmp_path, user) == issuer.issued[1:]

    def test_one_that_still_holds_serves_while_the_issuer_is_away(
        self, tmp_path: Path, issuer: Issuer
    ) -> None:
        user = issuer.user(lifetime=oidc.EARLY / 2)
        issuer.refresh_token = "another"
        assert shown(tmp_path, user) == issuer.issued
        assert len(issuer.asked) == 1

    def test_a_client_without_a_secret_names_itself(self, tmp_path: Path, issuer: Issuer) -> None:
        shown(tmp_path, issuer.user({"client-secret": None}))
        ((authorization, form),) = issuer.asked
        assert (authorization, form["client_id"]) == (None, CLIENT)
        assert "client_secret" not in form

    def test_the_issuer_may_want_the_secret_in_the_form(self, tmp_path: Path, issuer: Issuer) -> None:
        issuer.known = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
        shown(tmp_path, issuer.user())
        ((authorization, form),) = issuer.asked
        assert (authorization, form["client_id"], form["client_secret"]) == (None, CLIENT, SECRET)

    def test_the_authority_may_be_a_file(self, tmp_path: Path, issuer: Issuer) -> None:
        authority = {"idp-certificate-authority": str(issuer.certificate)}
        user = issuer.user({"idp-certificate-authority-data": None} | authority)
        assert shown(tmp_path, user) == issuer.issued[1:]

    def test_nothing_secret_is_logged(
        self, tmp_path: Path, issuer: Issuer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        shown(tmp_path, issuer.user())
        for secret in (*issuer.issued, "refresh-", SECRET):
            assert secret not in caplog.text


class TestFailures:
    def test_a_refresh_token_that_is_refused(self, tmp_path: Path, issuer: Issuer) -> None:
        """The issuer of the tests quotes it."""
        said = refused(tmp_path, issuer, issuer.user({"refresh-token": "refresh-old"}))
        host = issuer.url.removeprefix("https://")
        assert said == f"OIDC: {host} refuses: 400 invalid_grant"

    @pytest.mark.parametrize("name", ["refresh-token", "client-id", "idp-issuer-url"])
    def test_nothing_to_renew_it_with(self, tmp_path: Path, issuer: Issuer, name: str) -> None:
        said = refused(tmp_path, issuer, issuer.user({name: None}))
        assert said == f"no id-token that is valid, and auth-provider.config has no {name} to get one"

    def test_no_config(self, tmp_path: Path, issuer: Issuer) -> None:
        said = refused(tmp_path, issuer, {"auth-provider": {"name": "oidc"}})
        assert "auth-provider.config has no idp-issuer-url" in said

    def test_an_issuer_of_an_authority_that_is_not_trusted(self, tmp_path: Path, issuer: Issuer) -> None:
        """Nothing is sent to it."""
        said = refused(tmp_path, issuer, issuer.user({"idp-certificate-authority-data": None}))
        assert said.endswith(": self-signed certificate")
        assert not issuer.asked

    def test_an_authority_that_is_none(self, tmp_path: Path, issuer: Issuer) -> None:
        user = issuer.user({"idp-certificate-authority-data": "eA=="})
        assert "its idp-certificate-authority cannot be used: " in refused(tmp_path, issuer, user)

    def test_an_issuer_without_tls(self, tmp_path: Path, issuer: Issuer) -> None:
        said = refused(tmp_path, issuer, issuer.user({"idp-issuer-url": "http://u:s3cr3t@issuer.example"}))
        assert said == "OIDC: the URL of issuer.example is not one of https://"

    def test_a_token_endpoint_without_tls(self, tmp_path: Path, issuer: Issuer) -> None:
        issuer.known = {"token_endpoint": "http://issuer.example/token"}
        said = refused(tmp_path, issuer, issuer.user())
        assert said == "OIDC: the URL of issuer.example is not one of https://"

    def test_redirects_are_not_followed(self, tmp_path: Path, issuer: Issuer) -> None:
        issuer.moved = "http://issuer.example/"
        assert refused(tmp_path, issuer, issuer.user()).endswith(" refuses: 302")

    def test_a_path_that_the_issuer_does_not_have(self, tmp_path: Path, issuer: Issuer) -> None:
        said = refused(tmp_path, issuer, issuer.user({"idp-issuer-url": f"{issuer.url}/realms/models"}))
        assert said.endswith(" refuses: 404 invalid_grant")

    def test_an_answer_without_an_id_token(self, tmp_path: Path, issuer: Issuer) -> None:
        issuer.extra = {"id_token": None}
        assert "has answered without an id_token" in refused(tmp_path, issuer, issuer.user())

    def test_nobody_there(self, tmp_path: Path, issuer: Issuer) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            host = f"127.0.0.1:{unused.getsockname()[1]}"
            said = refused(tmp_path, issuer, issuer.user({"idp-issuer-url": f"https://{host}"}))
        assert said == f"OIDC: {host}: Connection refused"

    def test_while_it_runs(self, tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(kube, "REFRESH", 0.0)
        issuer.lifetime, issuer.extra = -10.0, {"refresh_token": "refresh-old"}
        with pytest.raises(
            ConnectionFailed, match=r"the credentials cannot be renewed: OIDC: .* invalid_grant$"
        ):
            shown(tmp_path, issuer.user())
