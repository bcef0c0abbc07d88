"""Which cluster is meant, and as whom: the kubeconfig as the `kubernetes` package reads it.

What is done with the credentials is `turnout.runtime.kube`'s, which alone imports this.
"""

import asyncio
import os
import ssl
from pathlib import Path

import yaml
from kubernetes.aio.client.configuration import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

from turnout.runtime import oidc
from turnout.runtime.errors import NoCluster

MALFORMED = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError)
UNUSABLE = (ConfigException, oidc.OidcError, OSError, *MALFORMED)
"""What is raised for a kubeconfig that is malformed, or files of it that are."""


def files() -> str:
    """The kubeconfig files that are to be read: some of those named may be absent, but not all."""
    named = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    return named if any(Path(name).expanduser().is_file() for name in named.split(os.pathsep) if name) else ""


def find(context: str | None) -> "Kubeconfig | None":
    """The kubeconfig to use; None in a pod that has none. Raises NoCluster."""
    named = os.environ.get("KUBECONFIG")
    if found := files():
        try:
            return Kubeconfig(found, context)
        except UNUSABLE as error:
            raise NoCluster(f"no cluster: {found} cannot be used: {fault(error)}") from None
    if named:
        raise NoCluster(f"no cluster: KUBECONFIG names {named}, and there is no such file")
    if context is not None:
        raise NoCluster(f"no cluster: the context {context!r} needs a kubeconfig; set KUBECONFIG")
    if not os.environ.get("KUBERNETES_SERVICE_HOST"):
        raise NoCluster(
            "no cluster: KUBECONFIG is not set, ~/.kube/config does not exist, and this is not a pod"
            " (KUBERNETES_SERVICE_HOST is not set); set KUBECONFIG to a kubeconfig file"
        )
    return None


class Kubeconfig:
    """One context of a kubeconfig, and its credentials as they change."""

    def __init__(self, files: str, context: str | None) -> None:
        self.files = files
        config = _Merger(files).config  # type: ignore[no-untyped-call]
        self._loader = _Loader(config, active_context=context, config_base_path=None)  # type: ignore[no-untyped-call]
        chosen = self._loader.current_context["context"]
        self.namespace = str(chosen.get("namespace") or "default")
        user = config["users"].get_with_name(chosen["user"], safe=True) if chosen.get("user") else None
        self._plugin = user is not None and "exec" in user["user"]

    async def load(self, configuration: Configuration) -> None:
        await self._loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
        if not hasattr(self._loader, "host"):  # the package would go to localhost
            raise ConfigException("the cluster of its context names no server")
        if self._plugin and not (configuration.api_key or configuration.cert_file):
            raise ConfigException("its credential plugin failed; `kubectl get namespaces` shows why")

    async def refresh(self, configuration: Configuration, *, rejected: bool) -> None:
        """Look for newer credentials. `rejected`: the server refused the ones in use."""
        expires = hasattr(self._loader, "exec_plugin_expiry")
        if self._plugin and not expires and not rejected:
            return  # what a plugin gives without an end is good until it is refused
        if self._plugin and expires and rejected:
            del self._loader.exec_plugin_expiry  # run the plugin, whatever it had promised
        self._loader.rejected = rejected
        await self._loader.load_and_set(configuration)  # type: ignore[no-untyped-call]


class _Loader(KubeConfigLoader):
    """The package's, but for OIDC. `rejected`: the server refused the token in use."""

    rejected = False

    async def _load_oid_token(self) -> None:
        config = self._user["auth-provider"].value.get("config") or {}  # type: ignore[index]
        self.token = f"Bearer {await asyncio.to_thread(oidc.id_token, config, rejected=self.rejected)}"


class _Merger(KubeConfigMerger):
    """The package's, which fails with a TypeError for a file that holds nothing."""

    def load_config(self, path: str) -> None:
        lines = Path(path).read_bytes().splitlines()
        if all(line.strip() in (b"", b"---") or line.lstrip().startswith(b"#") for line in lines):
            raise NoCluster(f"no cluster: {path} is empty, expected a kubeconfig")
        super().load_config(path)  # type: ignore[no-untyped-call]


def fault(error: BaseException) -> str:
    """What is wrong, in words that hold no secret."""
    match error:
        case ssl.SSLCertVerificationError():
            return error.verify_message
        case ssl.SSLError():
            return f"TLS: {error.reason}"
        case OSError():
            # asyncio writes the address into strerror, and gathers several attempts into one text.
            happened = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            return f"{happened}: {error.filename}" if error.filename else happened
        case ConfigException():
            return str(error).partition("{")[0].strip()  # it may quote the whole entry, token and all
        case oidc.OidcError():
            return f"{error}: {fault(error.__cause__)}" if error.__cause__ else str(error)
        case yaml.MarkedYAMLError() if error.problem_mark:
            return f"no YAML: {error.problem}, line {error.problem_mark.line + 1}"
    return f"malformed ({type(error).__name__})"
