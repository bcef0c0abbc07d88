"""`turnout verify` with a policy in a cluster, by somebody who may get that policy and nothing else."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controller import TURNOUT, Site
from tests.support import Credentials, wait_until
from tests.support.answering import Answering


@pytest.fixture
def reader(site: Site) -> Credentials:
    return site.reader("get")


def verify(site: Site, where: Answering, kubeconfig: Path, name: str = "wisdom") -> tuple[int, str, str]:
    there = ("--namespace", site.namespace, "--address", where.address, "--output=json")
    done = subprocess.run(
        [TURNOUT, "verify", name, *there],
        capture_output=True,
        text=True,
        env={**os.environ, "KUBECONFIG": str(kubeconfig)},
    )
    return done.returncode, done.stdout, done.stderr


def test_the_policy_is_all_that_has_to_be_readable(site: Site, reader: Credentials) -> None:
    for version in ("wisdom-0", "wisdom-1"):
        site.version(version)
    site.policy("wisdom")
    site.start()
    site.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
    mark = site.control_plane.audit_mark()

    with Answering(_0=50, _1=50) as halves:
        code, printed, said = verify(site, halves, reader.kubeconfig)
    found: dict[str, Any] = json.loads(printed)
    assert (code, found["verdict"], found["authority"]) == (0, "matches", f"wisdom.{site.namespace}")
    assert said == f"asking {halves.address} for wisdom.{site.namespace}, 5300 times …\n"
    calls = site.control_plane.audit(f"system:serviceaccount:{site.namespace}:reader", since=mark)
    assert {(call.verb, call.resource) for call in calls if call.resource} == {("get", "routingpolicies")}

    with Answering(_0=80, _1=20) as wrong:
        code, printed, _ = verify(site, wrong, reader.kubeconfig)
    assert (code, json.loads(printed)["verdict"]) == (1, "differs")

    code, printed, said = verify(site, wrong, reader.kubeconfig, "other")
    assert (code, printed) == (3, "")
    assert 'cannot get resource "routingpolicies"' in said
    code, _, said = verify(site, wrong, site.control_plane.admin.kubeconfig, "other")
    assert (code, said) == (5, f"Error: there is no RoutingPolicy {site.namespace}/other\n")
