"""A real API server knows users by an OpenID Connect issuer, whose id-tokens run out."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ControlPlane, find_assets
from tests.support.identities import kubeconfig
from tests.support.issuer import CLIENT, Issuer
from tests.support.openssl import needs_openssl
from turnout.runtime import kube, oidc
from turnout.runtime.transport import Request

pytestmark = needs_openssl

WHO = Request(
    "POST",
    "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body={"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
    timeout=10,
)


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with Issuer(tmp_path_factory.mktemp("issuer")) as running:
        yield running


@pytest.fixture(scope="module")
def trusting(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane of its own: the issuer's URL is known when the API server starts, and not before."""
    flags = {
        "oidc-issuer-url": issuer.url,
        "oidc-ca-file": issuer.certificate,
        "oidc-client-id": CLIENT,
        "oidc-username-prefix": "oidc:",
    }
    with ControlPlane(find_assets(), tmp_path_factory.mktemp("control-plane"), flags=flags) as running:
        yield running


async def who(transport: kube.KubeTransport) -> tuple[int, str]:
    """The status, and as whom the API server knows us."""
    response = await transport.send(WHO)
    try:
        answer = json.loads(await response.read())
    finally:
        response.close()
    return response.status, answer["status"]["userInfo"]["username"] if response.status == 201 else ""


def test_id_tokens_are_renewed_before_they_run_out(
    trusting: ControlPlane, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one of the kubeconfig has expired. Those that follow are good for seconds, and no call fails."""
    monkeypatch.setattr(kube, "REFRESH", 0.5)
    monkeypatch.setattr(oidc, "EARLY", 3.0)
    issuer.lifetime = 6.0
    user = issuer.user()
    config = tmp_path / "kubeconfig"
    config.write_text(kubeconfig(trusting.url, ca_file=trusting.ca_file, user=user))
    monkeypatch.setenv("KUBECONFIG", str(config))

    async def main() -> None:
        transport = await kube.connect()
        try:
            while len(issuer.asked) < 4:
                assert await who(transport) == (201, "oidc:wisdom")
                await asyncio.sleep(0.1)
        finally:
            await transport.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_a_token_that_has_expired_is_refused(
    trusting: ControlPlane, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above would see without renewal."""
    config = tmp_path / "kubeconfig"
    user = {"token": issuer.id_token(-1)}
    config.write_text(kubeconfig(trusting.url, ca_file=trusting.ca_file, user=user))
    monkeypatch.setenv("KUBECONFIG", str(config))

    async def main() -> tuple[int, str]:
        transport = await kube.connect()
        try:
            return await who(transport)
        finally:
            await transport.close()

    assert asyncio.run(main()) == (401, "")
