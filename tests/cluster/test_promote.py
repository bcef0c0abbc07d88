"""`turnout promote` in a cluster, by somebody who may do what the docs say they need, and nothing else."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import yaml

from tests.cluster.controller import Site
from tests.cluster.test_environments import protected
from tests.cluster.test_rollouts import turnout
from tests.cluster.versions import Workload
from tests.docs import pages
from tests.support import Credentials, wait_until

RECORD = ("controllerrevision", "turnout-promotion-wisdom")
NEW = "s3://modelmesh-example-models/sklearn/mnist-svm-new.joblib"
HALVES = {"wisdom-0": 50, "wisdom-1": 50}
PROMISED = "promoted: wisdom-0 is now what wisdom-1 was, v1; in force: wisdom-0 100%\n"


def role() -> dict[str, Any]:
    """The Role in the docs."""
    block = next(one for one in pages.read("docs/promote.md") if one.file == "promoter.yaml")
    found: dict[str, Any] = yaml.safe_load(block.text)
    return found


def owner(site: Site, rules: list[dict[str, Any]]) -> Credentials:
    """An account with these rules."""
    account = site.control_plane.service_account(site.namespace, "owner")
    permit(site, rules)
    to = f"--serviceaccount={site.namespace}:owner"
    site.kubectl("create", "rolebinding", "owner", "--role=owner", to, check=False)
    wait_until(
        lambda: site.kubectl("get", "routingpolicy", "wisdom", user=account, check=False).returncode == 0,
        what="the role binding counts",
    )
    return account


class ModelMesh:
    """Says of InferenceServices whether their models are loaded, from a thread of its own.

    `stuck`: those whose next model never is.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.stuck: set[str] = set()
        self._said: dict[str, tuple[str, bool]] = {}
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> "ModelMesh":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(0.3):
            for name in ("wisdom-0", "wisdom-1"):
                found = self.site.get("inferenceservice", name)
                if found:
                    self._say(name, json.dumps(found["spec"]))

    def _say(self, name: str, spec: str) -> None:
        known = self._said.get(name)
        loaded = known is None or known[0] == spec or name not in self.stuck
        if known == (spec if loaded else known and known[0], loaded):
            return
        states = {"activeModelState": "Loaded", "targetModelState": "" if loaded else "Loading"}
        status = {
            "conditions": [{"type": "Ready", "status": "True"}],
            "modelStatus": {"states": states, "transitionStatus": "UpToDate" if loaded else "InProgress"},
        }
        patch = f"--patch={json.dumps({'status': status})}"
        how = ("--subresource=status", "--type=merge", patch)
        done = self.site.kubectl("patch", "inferenceservice", name, *how, check=False)
        if done.returncode == 0:
            self._said[name] = (spec if loaded or known is None else known[0], loaded)


@pytest.fixture
def halves(site: Site) -> Iterator[tuple[Site, ModelMesh]]:
    """A rollout by halves with its controller; the candidate has another model."""
    for name in HALVES:
        document = site.tutorial("1-primary.yaml").replace("name: wisdom-0", f"name: {name}")
        if name == "wisdom-1":
            document = document.replace("version: v0", "version: v1").replace("mnist-svm", "mnist-svm-new")
        site.kubectl("apply", "-f", "-", document=document)
    with ModelMesh(site) as modelmesh:
        site.policy("wisdom")
        site.start()
        site.until_shares(HALVES)
        wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
        yield site, modelmesh


@contextmanager
def settings(directory: Path) -> Iterator[str]:
    """The controller's: no proxies have to follow here."""
    file = directory / "promote-settings.yaml"
    file.write_text("drain: {inFlightSeconds: 0.5, propagationSeconds: {istio: 0.5}}\n", encoding="utf-8")
    yield f"--settings={file}"


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, told = process.communicate(timeout=120)
    return process.returncode, said, told


def model_of(site: Site, name: str = "wisdom-0") -> tuple[str, str]:
    found = site.get("inferenceservice", name)
    version = found["metadata"]["labels"]["app.kubernetes.io/version"]
    return version, found["spec"]["predictor"]["model"]["storageUri"]


def test_an_owner_promotes_with_the_documented_rights(halves: tuple[Site, ModelMesh], tmp_path: Path) -> None:
    """Killed on the way, it is gone on with."""
    site, _ = halves
    account = owner(site, role()["rules"])
    uid = site.get("inferenceservice", "wisdom-0")["metadata"]["uid"]
    with settings(tmp_path) as given:
        code, said, told = ended(turnout(site, account, "promote", "wisdom", "--dry-run=server", given))
        assert (code, said.splitlines()[-1]) == (0, "the API server would take all of it"), told
        assert site.get(*RECORD) == {}
        assert site.get("trafficweights", "wisdom") == {}
        assert model_of(site)[0] == "v0"

        promoting = turnout(site, account, "promote", "wisdom", given)
        assert promoting.stderr
        for line in promoting.stderr:
            if line.startswith("3/6 replace"):
                break
        promoting.kill()
        ended(promoting)
        assert site.get(*RECORD)
        code, said, told = ended(turnout(site, account, "promote", "wisdom", given))
    assert (code, said.endswith(PROMISED)) == (0, True), said + told
    assert told.startswith("1/6 goes on with the promotion of wisdom-1\n")
    assert model_of(site) == ("v1", NEW)
    primary = site.get("inferenceservice", "wisdom-0")["metadata"]
    assert (primary["uid"], "turnout.dev/drain" in primary["finalizers"]) == (uid, True)
    assert site.get("inferenceservice", "wisdom-1") == {}
    assert site.get(*RECORD) == {}
    assert site.get("trafficweights", "wisdom") == {}
    assert site.shares() == {"wisdom-0": 100}


def test_a_primary_that_never_gets_ready_is_taken_back(
    halves: tuple[Site, ModelMesh], tmp_path: Path
) -> None:
    site, modelmesh = halves
    account = owner(site, role()["rules"])
    modelmesh.stuck.add("wisdom-0")
    with settings(tmp_path) as given:
        code, said, told = ended(turnout(site, account, "promote", "wisdom", "--timeout=15s", given))
    assert (code, said) == (7, ""), told
    assert "Error: not promoted: wisdom-0 is not ready within 15 s: " in told.splitlines()[-1]
    assert told.splitlines()[-1].endswith(
        f"RoutingPolicy {site.namespace}/wisdom is as it was before, wisdom-0 too"
    )
    assert model_of(site)[0] == "v0"
    assert model_of(site, "wisdom-1") == ("v1", NEW)
    assert site.get(*RECORD) == {}
    assert site.get("trafficweights", "wisdom") == {}
    site.until_shares(HALVES)


def test_ctrl_c_says_how_to_go_on(halves: tuple[Site, ModelMesh], tmp_path: Path) -> None:
    site, _ = halves
    account = owner(site, role()["rules"])
    with settings(tmp_path) as given:
        promoting = turnout(site, account, "promote", "wisdom", given)
        assert promoting.stderr
        assert promoting.stderr.readline().startswith("1/6 wisdom-1 is ready and carries calls, ")
        assert promoting.stderr.readline().startswith("2/6 all calls to wisdom-1")
        promoting.send_signal(signal.SIGINT)
        code, said, told = ended(promoting)
    assert (code, said) == (130, "")
    assert "Interrupted: what is written stays; turnout promote wisdom goes on from there.\n" in told


OF_MODELMESH = 4
"""So many of the Role's rules, the first, are what this environment needs."""


def test_what_is_not_permitted_is_told_before_anything_is_written(
    halves: tuple[Site, ModelMesh], tmp_path: Path
) -> None:
    """By the verb and what it is on: each right that the docs list is needed."""
    site, _ = halves
    rules = role()["rules"][:OF_MODELMESH]
    account = owner(site, rules)
    with settings(tmp_path) as given:
        for number, rule in enumerate(rules):
            for verb in rule["verbs"]:
                left = [one for one in rule["verbs"] if one != verb]
                permit(site, [*rules[:number], rule | {"verbs": left}, *rules[number + 1 :]])
                what = f"{rule['resources'][0]}.{rule['apiGroups'][0]}"
                until_may(site, account, verb, what, "no")
                code, said, told = ended(turnout(site, account, "promote", "wisdom", given, "--timeout=5s"))
                assert (code, said) == (3, ""), (verb, what, told)
                assert f'cannot {verb} resource "{rule["resources"][0]}"' in told, (verb, what, told)
                assert told.count("\n") == 1, told
                permit(site, rules)
                until_may(site, account, verb, what, "yes")
    assert site.get(*RECORD) == site.get("trafficweights", "wisdom") == {}
    assert model_of(site)[0] == "v0"


def permit(site: Site, rules: list[dict[str, Any]]) -> None:
    document = role() | {"rules": rules, "metadata": {"name": "owner"}}
    site.kubectl("apply", "-f", "-", document=json.dumps(document))


def until_may(site: Site, account: Credentials, verb: str, what: str, answer: str) -> None:
    """Wait until the API server has seen a change of the rules."""
    wait_until(
        lambda: site.kubectl("auth", "can-i", verb, what, user=account, check=False).stdout.strip() == answer,
        what=f"{verb} {what}: {answer}",
    )


def test_a_deployment_is_promoted_with_its_service(site: Site, tmp_path: Path) -> None:
    """Its pods are the candidate's, and its selectors and its scale its own."""
    workloads = {name: Workload(site, "Deployment", name) for name in HALVES}
    workloads["wisdom-0"].apply(3)
    workloads["wisdom-1"].apply(1)
    site.kubectl("set", "image", "deployment/wisdom-1", "server=server:2")
    site.kubectl("set", "env", "deployment/wisdom-1", "MODEL=new")
    document = yaml.safe_load(site.template("2-initialize-values.yaml"))
    document["spec"]["targetEnv"] = "deployment"
    site.kubectl("apply", "-f", "-", document=json.dumps(document))
    site.start()
    for name, workload in workloads.items():
        wait_until(lambda name=name: protected(site, "Deployment", name), what=f"{name} is protected")  # type: ignore[misc]
        workload.roll_out()  # what protects it, an annotation, is another generation of a Deployment
    wait_until(
        lambda: (
            site.get("routingpolicy", "wisdom").get("status", {}).get("split")
            == "wisdom-0 50% / wisdom-1 50%"
        ),
        timeout=30,
        what="halves",
    )
    account = owner(site, role()["rules"])
    before = site.get("service", "wisdom-0")["spec"]
    with settings(tmp_path) as given:
        promoting = turnout(site, account, "promote", "wisdom", given)
        assert promoting.stderr
        told = []
        for line in promoting.stderr:
            told.append(line)
            if line.startswith("4/6"):
                break
        assert "replicas are new" in told[-1] or "has not seen" in told[-1], told
        workloads["wisdom-0"].roll_out()
        code, said, rest = ended(promoting)
    assert (code, said.endswith(PROMISED)) == (0, True), "".join(told) + rest
    found = site.get("deployment", "wisdom-0")
    (container,) = found["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["env"]) == ("server:2", [{"name": "MODEL", "value": "new"}])
    assert found["spec"]["replicas"] == 3
    assert found["spec"]["template"]["metadata"]["labels"] == {"app": "wisdom-0"}
    assert site.get("service", "wisdom-0")["spec"] == before
    assert site.get("service", "wisdom-1") == site.get("deployment", "wisdom-1") == {}
