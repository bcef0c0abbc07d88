"""`turnout run` as a process of its own, and what people do around it with kubectl."""

import json
import os
import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.support import ControlPlane, Credentials, wait_until

ROLE = Path(__file__).with_name("role.yaml")
TURNOUT = Path(sys.executable).with_name("turnout")
SETTINGS = """\
drain: {inFlightSeconds: 1, propagationSeconds: {istio: 1}}
"""
"""No proxies have to follow here."""

VERSIONS = ("inferenceservices", "deployments", "statefulsets", "services")
"""What versions are made of."""

Object = dict[str, Any]


class Process:
    """`turnout run`. What it says on stderr is added to a file."""

    def __init__(self, log: Path, kubeconfig: Path, *arguments: str) -> None:
        self.log = log
        environment = {"PATH": os.environ.get("PATH", os.defpath), "KUBECONFIG": str(kubeconfig)}
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [TURNOUT, "run", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=environment,
            )

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def says(self, words: str) -> None:
        """Wait until it has said something."""
        wait_until(lambda: words in self.said.replace('\\"', '"'), timeout=20, what=f"turnout says {words!r}")

    def wait(self, seconds: float = 20) -> int:
        """Wait for its end, and return its exit code."""
        return self._process.wait(seconds)

    def terminate(self) -> None:
        self._process.send_signal(signal.SIGTERM)

    def freeze(self) -> None:
        """Stop it in the midst of whatever it does, until `thaw`."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash would, and return when it is gone. Does nothing if it has ended."""
        self._process.kill()
        self._process.wait()


class Site:
    """A namespace with a controller's account in it. `settings`: what controllers are started with."""

    def __init__(
        self, control_plane: ControlPlane, namespace: str, directory: Path, *, settings: str = SETTINGS
    ) -> None:
        self.control_plane = control_plane
        self.namespace = namespace
        self._directory = directory
        self._settings = settings
        self.processes: list[Process] = []
        self._since = control_plane.audit_mark()
        self.account = control_plane.service_account(namespace, "turnout")

    @property
    def settings(self) -> str:
        """What controllers are started with, as YAML."""
        return self._settings

    def denied(self) -> list[str]:
        """The calls of the controller's account that were refused, by the audit log since this was made."""
        calls = self.control_plane.audit(self.account, since=self._since)
        return [f"{call.verb} {call.uri}" for call in calls if call.code == 403]

    def grant(self) -> None:
        """Bind the Role to the account, and return when the API server has seen it."""
        self.kubectl("apply", "-f", str(ROLE))
        self._bind("turnout", self.account)

    def another(self, name: str) -> Credentials:
        """One more account with the same Role."""
        account = self.control_plane.service_account(self.namespace, name)
        self._bind(name, account)
        return account

    def reader(self, *verbs: str) -> Credentials:
        """An account that has these verbs on the policy wisdom, and no other right."""
        account = self.control_plane.service_account(self.namespace, "reader")
        what = (*(f"--verb={one}" for one in verbs), "--resource=routingpolicies", "--resource-name=wisdom")
        self.kubectl("create", "role", "reader", *what)
        to = f"--serviceaccount={self.namespace}:reader"
        self.kubectl("create", "rolebinding", "reader", "--role=reader", to)
        return account

    def _bind(self, name: str, account: Credentials) -> None:
        to = f"--serviceaccount={self.namespace}:{name}"
        self.kubectl("create", "rolebinding", name, "--role=turnout", to)
        wait_until(
            lambda: self.kubectl("get", "routingpolicies", user=account, check=False).returncode == 0,
            what="the role binding counts",
        )

    def start(
        self,
        *arguments: str,
        settings: str | None = None,
        kubeconfig: Path | None = None,
        name: str = "turnout",
    ) -> Process:
        """Start a controller, with other settings or another kubeconfig than its own if they are given.

        `name`: that of its log.
        """
        file = self._directory / "settings.yaml"
        file.write_text(self._settings if settings is None else settings, encoding="utf-8")
        process = Process(
            self._directory / f"{name}.log",
            kubeconfig or self.account.kubeconfig,
            *("--namespace", self.namespace, "--settings", str(file), *arguments),
        )
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()

    def release(self) -> None:
        """Take the finalizers off all versions: nobody does it once the controllers have ended."""
        patch = json.dumps({"metadata": {"finalizers": None}})
        for kind in VERSIONS:
            for name in self.names(kind):
                self.kubectl("patch", kind, name, "--type=merge", "--patch", patch)

    # what people do

    def kubectl(
        self,
        *arguments: str,
        document: str | None = None,
        user: Credentials | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the namespace; `document` is its input."""
        there = f"--namespace={self.namespace}"
        return self.control_plane.kubectl(*arguments, there, input=document, user=user, check=check)

    def tutorial(self, file: str) -> str:
        """One of the tutorial's files."""
        return files("turnout.demo").joinpath("tutorial", file).read_text(encoding="utf-8")

    def template(self, values: str) -> str:
        """What `turnout template` makes of a values file of the tutorial."""
        made = subprocess.run(
            [TURNOUT, "template", "-f", "-"],
            input=self.tutorial(values),
            capture_output=True,
            text=True,
            check=True,
        )
        return made.stdout

    def ready(self, name: str, ready: bool = True) -> None:
        """Say whether a version is ready, as ModelMesh does."""
        patch = {"status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}
        how = ("--subresource=status", "--type=merge", f"--patch={json.dumps(patch)}")
        self.kubectl("patch", "inferenceservice", name, *how)

    def version(self, name: str) -> None:
        """Deploy a version that is ready."""
        document = self.tutorial("1-primary.yaml").replace("name: wisdom-0", f"name: {name}")
        self.kubectl("apply", "-f", "-", document=document)
        self.ready(name)

    def policy(self, name: str) -> None:
        """Apply a policy with the tutorial's values, for another model."""
        self.kubectl(
            "apply", "-f", "-", document=self.template("2-initialize-values.yaml").replace("wisdom", name)
        )

    # what there is

    def get(self, kind: str, name: str) -> Object:
        """An object; empty if it does not exist."""
        found = self.kubectl("get", kind, name, "--output=json", "--ignore-not-found").stdout
        document: Object = json.loads(found) if found else {}
        return document

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        listed = json.loads(self.kubectl("get", kind, "--output=json").stdout)["items"]
        return [one["metadata"]["name"] for one in listed]

    def shares(self, name: str = "wisdom") -> dict[str, int]:
        """The weights of a VirtualService's only rule, by version; 100 for a route without a weight."""
        rules = self.get("virtualservice", name).get("spec", {}).get("http", [{"route": []}])
        return {
            route["headers"]["request"]["set"]["mm-vmodel-id"]: route.get("weight", 100)
            for route in rules[-1]["route"]
        }

    def until_shares(self, shares: dict[str, int], name: str = "wisdom") -> None:
        wait_until(lambda: self.shares(name) == shares, timeout=20, what=f"{name}: {shares}")

    def condition(self, name: str, kind: str) -> tuple[str, str]:
        """Status and reason of a policy's condition."""
        found = self._condition(name, kind)
        return found.get("status", ""), found.get("reason", "")

    def message(self, name: str, kind: str) -> str:
        """The message of a policy's condition."""
        return str(self._condition(name, kind).get("message", ""))

    def _condition(self, name: str, kind: str) -> Object:
        listed = self.get("routingpolicy", name).get("status", {}).get("conditions", [])
        return next((one for one in listed if one["type"] == kind), {})
