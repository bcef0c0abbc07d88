"""A real control plane: etcd, kube-apiserver and the controllers that delete things.

There is no kubelet and no scheduler: nothing becomes ready by itself, tests patch the status.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from tests.support import components
from tests.support.assets import Assets, AssetsMissingError
from tests.support.audit import CONTROLLER_MANAGER, POLICY, AuditEntry, read_audit_log
from tests.support.identities import Credentials, TokenWebhook, kubeconfig, signing_key
from tests.support.processes import ProcessGroup
from tests.support.waiting import answers, fetch, free_port, wait_until


class ControlPlane:
    """Starts on `start` or on entry as a context, and is gone after `stop` or exit.

    `directory`, which exists, receives its data, which `stop` removes, and its logs, which stay.
    `flags`: of the API server, without their dashes, besides those that it always has.
    """

    def __init__(self, assets: Assets, directory: Path, *, flags: Mapping[str, object] | None = None) -> None:
        self.assets = assets
        self.directory = directory
        self._port = free_port()
        self.url = f"https://127.0.0.1:{self._port}"
        self.ca_file = directory / "certificates" / "apiserver.crt"
        self._etcd_url = f"http://127.0.0.1:{free_port()}"
        self._audit_log = directory / "audit.log"
        self._flags = flags or {}
        self._processes = ProcessGroup(directory)
        self._webhook = TokenWebhook()
        self._apiserver: subprocess.Popen[bytes] | None = None
        self._controller_manager: subprocess.Popen[bytes] | None = None
        self._installed: dict[tuple[str, ...], tuple[list[str], frozenset[tuple[str, str, int]]]] = {}
        """Names of CRDs by what was asked for, and how they were then."""
        self.admin = self.user("admin", "system:masters")
        self._manager = self.user(CONTROLLER_MANAGER, "system:masters")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything, and return when the API server is ready."""
        try:
            etcd = self._processes.start(
                self.assets.etcd, components.etcd(self._etcd_url, self.directory / "etcd")
            )
            self._processes.wait_ready(etcd, lambda: answers(f"{self._etcd_url}/health"))
            self.start_apiserver()
            self.restart_controller_manager()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Kill everything and remove its data; the logs stay."""
        self._processes.stop()
        self._webhook.stop()
        shutil.rmtree(self.directory / "etcd", ignore_errors=True)

    def start_apiserver(self) -> None:
        """Start the API server on the port it always has, and return when it is ready."""
        key = self.directory / "service-account.key"
        if not key.exists():
            self._write(key.name, signing_key())
        arguments = components.kube_apiserver(
            port=self._port,
            etcd_url=self._etcd_url,
            certificates=self.ca_file.parent,
            token_webhook=self._write("webhook.json", kubeconfig(self._webhook.url)),
            signing_key=key,
            audit_policy=self._write("audit-policy.json", json.dumps(POLICY)),
            audit_log=self._audit_log,
            more=self._flags,
        )
        self._apiserver = self._processes.start(self.assets.kube_apiserver, arguments)
        self._processes.wait_ready(self._apiserver, self._is_ready)

    def stop_apiserver(self, *, kill: bool = False) -> None:
        """End the API server, in order or with `kill` as a crash would; etcd keeps its data."""
        if self._apiserver is None:
            raise RuntimeError("the API server does not run")
        self._processes.end(self._apiserver, kill=kill)
        self._apiserver = None

    def restart_apiserver(self, *, kill: bool = False) -> None:
        """End the API server and start it again, on the same port and with the same data."""
        self.stop_apiserver(kill=kill)
        self.start_apiserver()

    @property
    def collects_garbage(self) -> bool:
        """Whether owner references and namespaces have the effect they have in a real cluster."""
        return self._controller_manager is not None

    def restart_controller_manager(self) -> None:
        """Start the garbage collector and the namespace controller anew, and do not wait for them.

        The garbage collector looks for new kinds every 30 s, and when it starts: restart it after
        a test has brought CRDs by another way than `install_crds`.
        """
        if self.assets.kube_controller_manager is None:
            return
        if self._controller_manager is not None:
            self._processes.end(self._controller_manager, kill=True)
        self._controller_manager = self._processes.start(
            self.assets.kube_controller_manager,
            components.kube_controller_manager(self._manager.kubeconfig),
        )

    def user(self, name: str, *groups: str) -> Credentials:
        """Return credentials of a user, in `groups` and in nothing else, who is new each time."""
        return self._credentials(name, self._webhook.add(name, groups))

    def service_account(self, namespace: str, name: str, *, seconds: int = 3600) -> Credentials:
        """Return a service account with a token valid for `seconds` (600 at least).

        The account is created where there is none; RBAC has granted it nothing.
        """
        account = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"namespace": namespace, "name": name},
        }
        self.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(account))
        return self.token(namespace, name, seconds=seconds)

    def token(self, namespace: str, name: str, *, seconds: int = 3600) -> Credentials:
        """Return a service account that exists, with a new token."""
        token = self.kubectl("create", "token", name, f"--namespace={namespace}", f"--duration={seconds}s")
        full_name = f"system:serviceaccount:{namespace}:{name}"
        return self._credentials(full_name, token.stdout.strip())

    def kubectl(
        self,
        *arguments: str | Path,
        input: str | None = None,  # noqa: A002 - the name that subprocess.run has for it
        user: Credentials | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end, as `user` (default: the admin), in the namespace `default`.

        With `check`, a failure is an AssertionError that shows what kubectl said.
        """
        done = subprocess.run(
            [self.assets.kubectl, *arguments],
            input=input,
            stdin=None if input is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self._environment(user or self.admin),
        )
        if check and done.returncode:
            command = " ".join(["kubectl", *map(str, arguments)])
            raise AssertionError(f"`{command}` failed with {done.returncode}: {done.stderr}")
        return done

    def watching(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `kubectl get --watch`, as the admin. What it prints is the caller's to read, and its end to bring."""
        return subprocess.Popen(
            [self.assets.kubectl, "get", "--watch", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self._environment(self.admin),
        )

    def _environment(self, user: Credentials) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            "KUBECONFIG": str(user.kubeconfig),
        }

    def install_crds(self, *names: str) -> list[str]:
        """Install CRDs by the names of `Assets.crds`, and return theirs once they are established.

        The garbage collector knows their kinds soon after. Those that are there as they were installed
        last cost one call.
        """
        crds, as_installed = self._installed.get(names, ([], frozenset()))
        if crds and as_installed <= self._generations():
            return crds
        files = [self._crds(name) for name in names]
        apply = ["apply", "--server-side", "--force-conflicts", "--validate=false", "--output=name"]
        applied = self.kubectl(*apply, *(f"--filename={file}" for file in files)).stdout.split()
        crds = [resource.partition("/")[2] for resource in applied]
        wait_until(lambda: self._established().issuperset(crds), timeout=60, what=f"established: {crds}")
        self.restart_controller_manager()
        self._installed[names] = crds, frozenset(one for one in self._generations() if one[0] in crds)
        return crds

    @contextmanager
    def frozen_apiserver(self) -> Iterator[None]:
        """Meanwhile the API server takes connections and answers nothing."""
        assert self._apiserver
        self._apiserver.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._apiserver.send_signal(signal.SIGCONT)

    def audit_mark(self) -> int:
        """Return the present end of the audit log, for `audit(since=...)`."""
        return self._audit_log.stat().st_size if self._audit_log.exists() else 0

    def audit(
        self,
        user: Credentials | str | None = None,
        *,
        verb: str | None = None,
        resource: str | None = None,
        since: int = 0,
    ) -> list[AuditEntry]:
        """Return the calls made (by `user`, with `verb`, to `resource`) since a mark.

        A call may appear a moment after its response has: wait_until() what is expected.
        """
        name = user.name if isinstance(user, Credentials) else user
        wanted = {"user": name, "verb": verb, "resource": resource}
        asked = {field: value for field, value in wanted.items() if value is not None}
        return [
            entry
            for entry in read_audit_log(self._audit_log, since)
            if all(getattr(entry, field) == value for field, value in asked.items())
        ]

    def _is_ready(self) -> bool:
        """Whether the API server says so, and has created the namespace that everyone uses."""
        paths = ("/readyz", "/api/v1/namespaces/default")
        return self.ca_file.exists() and all(
            answers(self.url + path, ca_file=self.ca_file, token=self.admin.token) for path in paths
        )

    def _generations(self) -> frozenset[tuple[str, str, int]]:
        """Name, uid and generation of all CRDs that are not being deleted."""
        url = f"{self.url}/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
        answer = fetch(url, accept=accept, ca_file=self.ca_file, token=self.admin.token)
        found = (item["metadata"] for item in json.loads(answer)["items"])
        return frozenset(
            (one["name"], one["uid"], one["generation"]) for one in found if "deletionTimestamp" not in one
        )

    def _established(self) -> set[str]:
        """Return the names of all CRDs that are served (`kubectl wait` asks for each: seconds)."""
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        crds = json.loads(self.kubectl("get", "--raw", path).stdout)["items"]
        return {crd["metadata"]["name"] for crd in crds if _is_established(crd)}

    def _crds(self, name: str) -> Path:
        path = self.assets.crds[name]
        if not path.exists():
            raise AssetsMissingError(
                f"no CRDs of {name}; get them with Go: python tools/testbed.py --group crds"
            )
        return path

    def _credentials(self, name: str, token: str) -> Credentials:
        file = f"{name.replace(':', '.')}.{token[-8:]}.kubeconfig"
        content = kubeconfig(self.url, ca_file=self.ca_file, token=token)
        return Credentials(name, token, self._write(file, content))

    def _write(self, name: str, content: str) -> Path:
        path = self.directory / name
        path.write_text(content, encoding="utf-8")
        return path


def _is_established(crd: dict[str, Any]) -> bool:
    conditions = crd.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)
