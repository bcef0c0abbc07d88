"""The connection to a real API server, on the transport of the `kubernetes` package.

Its configuration, credentials, TLS and HTTP session are used. Nothing else in turnout imports that
package, but for `turnout.runtime.kubeconfig`; it takes most of a second, so import this module only
where a cluster is needed.
"""

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config.incluster_config import load_incluster_config
from yarl import URL

from turnout import __version__
from turnout.runtime import kubeconfig
from turnout.runtime.errors import NoCluster
from turnout.runtime.transport import ConnectionFailed, Request, Transport

USER_AGENT = f"turnout/{__version__}"
POOL_SIZE = 64
KEEPALIVE = 60.0
"""Seconds that an idle connection is kept: a write soon after the last one needs no TLS handshake."""
GOODBYE = 0.05
"""Seconds."""
REFRESH = 60.0
"""Seconds after which token files, expiring tokens and client certificates are looked at again."""
REFRESH_REJECTED = 5.0
"""The same once the server has answered 401."""
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

BROKEN = (aiohttp.ClientError, TimeoutError, OSError)


async def connect(*, context: str | None = None) -> "KubeTransport":
    """Connect where kubectl would: KUBECONFIG, then ~/.kube/config, then the pod's own cluster.

    `context` names one of the kubeconfig's. Nothing is sent yet. Raises NoCluster.
    """
    found = kubeconfig.find(context)
    configuration = Configuration()
    # Since Python 3.13 certificates are refused that Go accepts, several providers' among them.
    # The chain and the host's name are verified all the same.
    configuration.disable_strict_ssl_verification = True
    configuration.client_session_kwargs = {
        "cookie_jar": aiohttp.DummyCookieJar(),  # as client-go: none
        # With True, as the package has it, ~/.netrc is read in a thread for every request, and an entry
        # of it that fits the host makes aiohttp refuse our Authorization header.
        "trust_env": False,
    }
    try:
        if found is None:
            _load_pods_own(configuration)
        else:
            await found.load(configuration)
        configuration.proxy = configuration.proxy or _proxy(configuration.host)
        return KubeTransport(configuration, found)
    except kubeconfig.UNUSABLE as error:
        source = found.files if found else "the service account of this pod"
        raise NoCluster(f"no cluster: {source} cannot be used: {kubeconfig.fault(error)}") from None


def _load_pods_own(configuration: Configuration) -> None:
    """A pod's credentials as they are now. The package's own refresh goes by the clock on the wall."""
    load_incluster_config(configuration, try_refresh_token=False)  # type: ignore[no-untyped-call]


def default_namespace(*, context: str | None = None) -> str:
    """The namespace of the kubeconfig's context, else the pod's own, else "default".

    Raises NoCluster if a kubeconfig is there and cannot be used; none at all is no error here.
    """
    if context is None and not kubeconfig.files() and not os.environ.get("KUBERNETES_SERVICE_HOST"):
        return "default"
    if found := kubeconfig.find(context):
        return found.namespace
    try:
        return POD_NAMESPACE.read_text(encoding="utf-8").strip() or "default"
    except OSError:
        return "default"


def _proxy(server: str) -> str | None:
    """The proxy for a server's URL that HTTPS_PROXY, HTTP_PROXY and NO_PROXY give, if they give one.

    Raises NoCluster for one that cannot be used, without its URL, which may hold a password.
    """
    url = urlsplit(server)
    proxy = getproxies().get(url.scheme)
    if not proxy or not url.hostname or proxy_bypass(url.hostname):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"  # as curl and Go read it
    try:
        usable = URL(proxy).scheme in ("http", "https") and URL(proxy).host
    except ValueError:
        usable = None
    if not usable:
        named = f"{url.scheme.upper()}_PROXY"
        raise NoCluster(f"no cluster: {named} is no URL of an HTTP proxy, expected http://host:port")
    return proxy


class KubeTransport(Transport):
    """Requests to one API server. Nothing is repeated here, and no redirect is followed."""

    def __init__(self, configuration: Configuration, found: kubeconfig.Kubeconfig | None = None) -> None:
        self._configuration = configuration
        self._kubeconfig = found
        self._host = configuration.host
        self._proxy = configuration.proxy or None
        self._calls = _Sessions(configuration, POOL_SIZE)
        # Each watch occupies a connection for as long as it lasts: they must not use up the pool.
        self._streams = _Sessions(configuration, 0)
        self._lock = asyncio.Lock()
        self._refreshed: float | None = None
        self._rejected = False

    async def send(self, request: Request) -> "_Response":
        sessions = self._streams if request.stream else self._calls
        query = f"?{urlencode(request.query)}" if request.query else ""
        try:
            async with asyncio.timeout(request.timeout):
                headers = await self._headers(request)
                raw = await sessions.session.request(
                    request.method,
                    URL(f"{self._host}{request.path}{query}", encoded=True),
                    data=None if request.body is None else orjson.dumps(request.body),
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(sock_read=request.idle if request.stream else None),
                    allow_redirects=False,  # they would take the credentials along
                    proxy=self._proxy,
                    server_hostname=self._configuration.tls_server_name,
                )
        except BROKEN as error:
            raise self.failed(error, request.timeout) from None
        self._rejected = raw.status == 401
        return _Response(self, raw, request)

    async def close(self) -> None:
        await self._calls.close()
        await self._streams.close()
        # A TLS connection that was cut says goodbye first: without a moment for it, it would still be
        # open when the loop is closed.
        await asyncio.sleep(GOODBYE)

    async def _headers(self, request: Request) -> Mapping[str, str]:
        try:
            await self._refresh()
            auth = (await self._configuration.auth_settings()).get("BearerToken")
        except Exception as error:  # noqa: BLE001 - plugins and OIDC providers raise anything
            reason = f"the credentials cannot be renewed: {kubeconfig.fault(error)}"
            raise ConnectionFailed(f"{self._host}: {reason}") from None
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        if auth and auth["value"]:
            headers["Authorization"] = auth["value"].strip()  # token files often end in a newline
        return headers

    async def _refresh(self) -> None:
        clock = asyncio.get_running_loop().time
        async with self._lock:
            if self._refreshed is None:
                self._refreshed = clock()
            if clock() - self._refreshed < (REFRESH_REJECTED if self._rejected else REFRESH):
                return
            self._refreshed = clock()
            if self._kubeconfig is None:
                _load_pods_own(self._configuration)
            else:
                await self._kubeconfig.refresh(self._configuration, rejected=self._rejected)
            for sessions in (self._calls, self._streams):
                sessions.load_client_certificate()

    def failed(self, error: Exception, seconds: float) -> ConnectionFailed:
        """Say what happened without the library's own text, which may hold a proxy's password."""
        return ConnectionFailed(f"{self._host}: {_happened(error, seconds)}")


class _Sessions(RESTClientObject):
    """The package's client with its session in the open, so that a request can be made as we need it."""

    def __init__(self, configuration: Configuration, limit: int) -> None:
        super().__init__(configuration)
        self.maxsize = limit

    @property
    def session(self) -> aiohttp.ClientSession:
        if self.pool_manager is None:
            self.pool_manager = self._create_pool_manager()
        if self.pool_manager.closed:
            raise ConnectionFailed("the connection to the cluster has been closed")
        return self.pool_manager

    def load_client_certificate(self) -> None:
        if self.configuration.cert_file:
            self.ssl_context.load_cert_chain(self.configuration.cert_file, self.configuration.key_file)

    def _create_connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(limit=self.maxsize, ssl=self.ssl_context, keepalive_timeout=KEEPALIVE)


class _Response:
    def __init__(self, transport: KubeTransport, raw: aiohttp.ClientResponse, request: Request) -> None:
        self._transport = transport
        self._raw = raw
        self._request = request
        self.status = raw.status
        self.headers: Mapping[str, str] = raw.headers

    async def read(self) -> bytes:
        try:
            async with asyncio.timeout(self._request.timeout):
                return await self._raw.read()
        except BROKEN as error:
            raise self._transport.failed(error, self._request.timeout) from None

    def chunks(self) -> AsyncIterator[bytes]:
        return _Chunks(self._raw.content, self._transport, self._request.idle)

    def close(self) -> None:
        self._raw.release()  # which drops the connection if there is more to come


class _Chunks:
    """An iterator, and no generator: one that is dropped half-way leaves nothing to clean up."""

    def __init__(self, content: aiohttp.StreamReader, transport: KubeTransport, idle: float) -> None:
        self._content = content
        self._transport = transport
        self._idle = idle

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            chunk = await self._content.readany()
        except BROKEN as error:
            raise self._transport.failed(error, self._idle) from None
        if not chunk:
            raise StopAsyncIteration
        return chunk


def _happened(error: Exception, seconds: float) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"its certificate is refused: {kubeconfig.fault(error.certificate_error)}"
        case ssl.SSLCertVerificationError():
            return f"its certificate is refused: {error.verify_message}"
        case aiohttp.ClientConnectorDNSError():
            return "the host's name cannot be resolved"
        case aiohttp.ClientConnectorError():
            return f"no connection: {kubeconfig.fault(error.os_error)}"
        case aiohttp.ClientHttpProxyError():
            return f"the proxy refused the connection ({error.status})"
        case TimeoutError():
            return f"nothing came for {seconds:g} s"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionError():
            return "the connection broke off"
        case OSError():
            return f"the connection failed: {kubeconfig.fault(error)}"
    return f"the connection failed ({type(error).__name__})"
