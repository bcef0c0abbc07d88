"""A release of the chart in a cluster without kubelets: tests run what its pods would run."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from tests.cluster.controller import TURNOUT, Process, Site
from tests.cluster.proxied import Proxied
from tests.deploy.chart import CHART, Object, container, helm
from tests.support import ControlPlane, Credentials, wait_until
from tests.support.assets import find_helm
from tests.support.identities import kubeconfig
from tests.support.waiting import free_port

HTTP = "--http="
"""Each pod has an address of its own, and here they share this machine's."""

QUICK = {
    "drain": {"inFlightSeconds": 0.5, "propagationSeconds": {"istio": 1}},
    "lease": {"durationSeconds": 6, "renewSeconds": 3, "retrySeconds": 0.5},
}
"""Settings with which nobody waits long: no proxies have to follow here."""
SUCCESS, FAILURE = ("SuccessCriteriaMet", "Complete"), ("FailureTarget", "Failed")
"""The conditions of a Job that has ended."""
MOUNTED = "/etc/turnout"


class Installation:
    """A release in a namespace, and the processes that are its pods."""

    def __init__(
        self, control_plane: ControlPlane, namespace: str, directory: Path, name: str = "turnout"
    ) -> None:
        self.control_plane = control_plane
        self.namespace = namespace
        self.name = name
        self._directory = directory / f"{namespace}.{name}"
        self._directory.mkdir()
        self._pods: list[Process] = []
        self._sites: list[Site] = []
        self.address = ""
        """Where the pod that was started last answers its probes."""

    # helm

    def helm(self, command: str, *arguments: str | Path) -> str:
        """Run helm on this release."""
        return helm(command, self.name, *arguments, *self._there).stdout

    def install(self, *arguments: str, settings: Object = QUICK) -> None:
        self.helm("install", CHART, self._values(settings), *arguments)

    def upgrade(self, *arguments: str, settings: Object = QUICK) -> None:
        self.helm("upgrade", CHART, self._values(settings), *arguments)

    @contextmanager
    def upgrading(self, settings: Object) -> Iterator[None]:
        """`helm upgrade` in the background. It has to end well by the end of this."""
        with self._helm_in_background("upgrade", CHART, self._values(settings)):
            yield

    @contextmanager
    def rolling_back(self, revision: str) -> Iterator[None]:
        """`helm rollback` in the background. It has to end well by the end of this."""
        with self._helm_in_background("rollback", revision):
            yield

    @contextmanager
    def uninstalling(self, *arguments: str) -> Iterator[None]:
        """`helm uninstall` in the background. It has to end well by the end of this."""
        with self._helm_in_background("uninstall", *arguments):
            yield

    @contextmanager
    def _helm_in_background(self, command: str, *arguments: str | Path) -> Iterator[None]:
        line: list[str | Path] = [find_helm(), command, self.name, *arguments, "--timeout=60s", *self._there]
        environment = {"HOME": str(self._directory)}
        running = subprocess.Popen(line, text=True, stderr=subprocess.PIPE, env=environment)
        try:
            yield
            _, said = running.communicate(timeout=60)
            assert running.returncode == 0, said
        finally:
            running.kill()
            running.communicate()

    @property
    def _there(self) -> tuple[str, ...]:
        admin = self.control_plane.admin.kubeconfig
        return (f"--namespace={self.namespace}", f"--kubeconfig={admin}")

    def _values(self, settings: Object) -> str:
        file = self._directory / "values.yaml"
        file.write_text(yaml.safe_dump({"settings": settings}), encoding="utf-8")
        return f"--values={file}"

    # pods

    @property
    def account(self) -> Credentials:
        """The controller's ServiceAccount, with a new token."""
        return self.control_plane.token(self.namespace, self.name)

    def site(self, namespace: str | None = None) -> Site:
        """What people do in a namespace, by default the release's own."""
        made = Site(self.control_plane, namespace or self.namespace, self._directory)
        self._sites.append(made)
        return made

    def start(self, log: str = "turnout", *, through: Proxied | None = None) -> Process:
        """Run what a pod of the Deployment would, with the settings as they are now.

        `through`: its only way to the API server.
        """
        command, arguments = self.command(self.get("deployment", self.name), log)
        assert command == "run"
        kubeconfig = through.kubeconfig if through else self._kubeconfig(self.account)
        pod = Process(self._directory / f"{log}.log", kubeconfig, *arguments)
        self._pods.append(pod)
        return pod

    def stop(self) -> None:
        """End all pods in order."""
        for pod in self._pods:
            pod.terminate()
            assert pod.wait() == 0
        self._pods.clear()

    def close(self) -> None:
        """End all pods, and take off the finalizers that they leave."""
        for pod in self._pods:
            pod.kill()
        for site in self._sites:
            site.release()

    def command(self, owner: Object, name: str) -> tuple[str, list[str]]:
        """Command and arguments of a Deployment's or a Job's container, the mounted files being files here."""
        mounted = self._directory / f"{name}.mounted"
        mounted.mkdir(exist_ok=True)
        for volume in owner["spec"]["template"]["spec"]["volumes"]:
            for key, text in self.get("configmap", volume["configMap"]["name"])["data"].items():
                (mounted / key).write_text(text, encoding="utf-8")
        command, *arguments = (one.replace(MOUNTED, str(mounted)) for one in container(owner)["args"])
        self.address = f"127.0.0.1:{free_port()}"
        return command, [HTTP + self.address if one.startswith(HTTP) else one for one in arguments]

    def run_release_job(self) -> subprocess.CompletedProcess[str]:
        """Play the pods of the Job that takes the finalizers off, and tell helm what has become of it.

        One that fails is tried again, as often as the Job says: its rights may count only a moment later.
        """
        job = self._release_job()
        command, arguments = self.command(job, "release")
        account = self.control_plane.token(self.namespace, job["metadata"]["name"])
        for again in reversed(range(job["spec"]["backoffLimit"] + 1)):
            done = self.turnout(account, command, *arguments)
            if done.returncode == 0 or not again:
                break
        self._finish(job, *(SUCCESS if done.returncode == 0 else FAILURE))
        return done

    def fail_release_job(self) -> None:
        """Tell helm that the Job has failed, as where its image cannot be pulled."""
        self._finish(self._release_job(), *FAILURE)

    def _release_job(self) -> Object:
        return wait_until(
            lambda: self.get("job", f"{self.name}-release"), timeout=20, what="the Job is there"
        )

    def _finish(self, job: Object, *conditions: str) -> None:
        now = "2026-01-01T00:00:00Z"
        status: Object = {"startTime": now}
        if conditions == SUCCESS:
            status |= {"completionTime": now, "succeeded": 1}
        status["conditions"] = [
            {"type": one, "status": "True", "lastTransitionTime": now} for one in conditions
        ]
        how = ("--subresource=status", "--type=merge", f"--patch={json.dumps({'status': status})}")
        self.kubectl("patch", "job", job["metadata"]["name"], *how)

    def turnout(self, account: Credentials, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command with an account's token, as a pod would."""
        return subprocess.run(
            [TURNOUT, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env={"KUBECONFIG": str(self._kubeconfig(account))},
            check=False,
        )

    def _kubeconfig(self, account: Credentials) -> Path:
        """A pod's own namespace is where it calls, unless it says otherwise."""
        file = self._directory / account.kubeconfig.name
        text = kubeconfig(
            self.control_plane.url,
            ca_file=self.control_plane.ca_file,
            token=account.token,
            namespace=self.namespace,
        )
        file.write_text(text, encoding="utf-8")
        return file

    # the cluster

    def kubectl(
        self, *arguments: str, document: str | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the release's namespace; `document` is its input."""
        there = f"--namespace={self.namespace}"
        return self.control_plane.kubectl(*arguments, there, input=document, check=check)

    def get(self, kind: str, name: str) -> Object:
        """An object; empty if it does not exist."""
        found = self.kubectl("get", kind, name, "--output=json", "--ignore-not-found").stdout
        document: Object = json.loads(found) if found else {}
        return document
