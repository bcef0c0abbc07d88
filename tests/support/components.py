"""The command lines of the control plane's processes: the flags, and why those that surprise."""

from collections.abc import Mapping
from pathlib import Path

from tests.support.waiting import free_port


def etcd(client_url: str, data: Path) -> list[str]:
    """Return the arguments of an etcd that may lose everything when the machine stops."""
    peer_url = f"http://127.0.0.1:{free_port()}"
    return _flags(
        {
            "data-dir": data,
            "listen-client-urls": client_url,
            "advertise-client-urls": client_url,
            "listen-peer-urls": peer_url,
            "initial-advertise-peer-urls": peer_url,
            "initial-cluster": f"default={peer_url}",
            "unsafe-no-fsync": "true",
            "log-level": "warn",
        }
    )


def kube_apiserver(
    *,
    port: int,
    etcd_url: str,
    certificates: Path,
    token_webhook: Path,
    signing_key: Path,
    audit_policy: Path,
    audit_log: Path,
    more: Mapping[str, object],
) -> list[str]:
    """Return the arguments of an API server with RBAC, on loopback, that makes its certificate."""
    return _flags(
        {
            "etcd-servers": etcd_url,
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "cert-dir": certificates,
            "service-cluster-ip-range": "10.0.0.0/24",
            "authorization-mode": "RBAC",
            "authentication-token-webhook-config-file": token_webhook,
            "authentication-token-webhook-version": "v1",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": signing_key,
            "service-account-signing-key-file": signing_key,
            # It would refuse pods in namespaces without a `default` account, which nobody creates.
            "disable-admission-plugins": "ServiceAccount",
            # Open watches are closed on termination; else they would hold it up for a minute.
            "shutdown-watch-termination-grace-period": "1s",
            "audit-policy-file": audit_policy,
            "audit-log-path": audit_log,
            "audit-log-maxsize": 10_000,  # megabytes: a log that rotates would lose entries
            **more,
        }
    )


def kube_controller_manager(kubeconfig: Path) -> list[str]:
    """Return the arguments of the controllers without which deletion would prove nothing."""
    return _flags(
        {
            "kubeconfig": kubeconfig,
            "controllers": "clusterrole-aggregation-controller,garbage-collector-controller,namespace-controller",
            "leader-elect": "false",
            "secure-port": 0,  # it serves nothing that a test asks for
            "kube-api-qps": 500,  # the default of 20 would slow the tests, not the controllers
            "kube-api-burst": 1000,
        }
    )


def _flags(values: dict[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]
