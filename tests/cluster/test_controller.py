"""What only a real API server can prove of the controller, and what `turnout run` says and how it ends."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controller import Process, Site
from tests.support import ControlPlane, wait_until
from tests.support.identities import kubeconfig
from tests.support.waiting import free_port

CRDS = ("routingpolicies.turnout.dev", "trafficweights.turnout.dev")


@pytest.fixture
def served(site: Site) -> Site:
    """A controller at work, and a policy whose primary has all calls."""
    site.version("wisdom-0")
    site.policy("wisdom")
    site.start("--log-format=json")
    site.until_shares({"wisdom-0": 100})
    wait_until(lambda: site.condition("wisdom", "Ready")[0] == "True", what="Ready")
    return site


def logged(site: Site, said: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in said.splitlines()]
    return [line for line in lines if line["message"].startswith("shifted")]


def test_routes_and_the_shared_gateway_go_with_their_owners(served: Site) -> None:
    """By owner reference alone: the controller is gone by then. The Gateway goes with the last."""
    if not served.control_plane.collects_garbage:
        pytest.skip("no kube-controller-manager in KUBEBUILDER_ASSETS")
    served.version("other-0")
    served.policy("other")
    wait_until(lambda: len(owners(served)) == 2, what="two owners")
    served.close()
    served.kubectl("delete", "routingpolicy", "wisdom")
    wait_until(
        lambda: served.names("virtualservices") == ["other"], timeout=20, what="the route is collected"
    )
    wait_until(lambda: owners(served) == ["other"], timeout=20, what="one owner is left")
    served.kubectl("delete", "routingpolicy", "other")
    kinds = ("virtualservices", "serviceentries", "gateways.networking.istio.io")
    wait_until(lambda: not any(map(served.names, kinds)), timeout=20, what="nothing is left")


def owners(site: Site) -> list[str]:
    metadata = site.get("gateways.networking.istio.io", "mm-gateway").get("metadata", {})
    return sorted(owner["name"] for owner in metadata.get("ownerReferences", ()))


def test_heartbeats_cost_no_call_but_the_watches(served: Site) -> None:
    """By the audit log of the API server."""
    time.sleep(1)
    mark = served.control_plane.audit_mark()
    for number in range(5):
        patch = json.dumps({"status": {"modelStatus": {"copies": {"totalCopies": number}}}})
        how = ("--subresource=status", "--type=merge", f"--patch={patch}")
        served.kubectl("patch", "inferenceservice", "wisdom-0", *how)
    time.sleep(2)
    calls = served.control_plane.audit(served.account, since=mark)
    assert [call for call in calls if call.verb != "watch"] == []


def test_a_restart_where_nothing_has_changed_writes_nothing(served: Site) -> None:
    """By the audit log too: what the API server fills in is no difference."""
    served.version("wisdom-1")
    served.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    time.sleep(1)
    served.close()
    mark = served.control_plane.audit_mark()
    served.start()
    wait_until(
        lambda: len(served.control_plane.audit(served.account, verb="watch", since=mark)) >= 6,
        timeout=20,
        what="all kinds are followed",
    )
    time.sleep(1)
    verbs = {call.verb for call in served.control_plane.audit(served.account, since=mark)}
    assert verbs <= {"get", "list", "watch"}


def test_what_the_settings_ask_for_no_more_is_gone_after_a_restart(site: Site) -> None:
    """Fields that others have added stay."""
    site.version("wisdom-0")
    site.policy("wisdom")
    site.start(settings="plugins: {istio: {defaults: {exportTo: ['.']}}}")
    wait_until(lambda: exported(site) == [["."], ["."]], timeout=20, what="exportTo is there")
    site.close()
    patch = '--patch={"spec":{"subjectAltNames":["theirs"]}}'
    site.kubectl("patch", "serviceentry", "wisdom", "--type=merge", patch)
    site.start()
    wait_until(lambda: exported(site) == [None, None], timeout=20, what="exportTo is gone")
    assert site.get("serviceentry", "wisdom")["spec"]["subjectAltNames"] == ["theirs"]


def exported(site: Site) -> list[list[str] | None]:
    """The field exportTo of what a router wrote."""
    found = (site.get(kind, "wisdom") for kind in ("virtualservice", "serviceentry"))
    return [one.get("spec", {}).get("exportTo") for one in found]


def test_an_api_server_that_restarts_costs_nothing(served: Site) -> None:
    """What happens meanwhile is acted upon, with no write before."""
    mark = served.control_plane.audit_mark()
    served.control_plane.restart_apiserver(kill=True)
    served.version("wisdom-1")
    served.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    writes = [
        call
        for call in served.control_plane.audit(served.account, verb="patch", since=mark)
        if call.resource == "virtualservices"
    ]
    assert len(writes) == 1


def test_a_shift_is_one_line_of_json_with_the_names_of_things(served: Site) -> None:
    """And an event; neither has the token in it."""
    served.version("wisdom-1")
    served.until_shares({"wisdom-0": 50, "wisdom-1": 50})
    (process,) = served.processes
    policy = f"{served.namespace}/wisdom"
    wait_until(lambda: len(logged(served, process.said)) == 2, what="two lines")
    first, second = logged(served, process.said)
    assert (first["policy"], first["from"], first["to"]) == (policy, "", "wisdom-0 100%")
    assert (second["policy"], second["from"], second["to"]) == (
        policy,
        "wisdom-0 100%",
        "wisdom-0 50% / wisdom-1 50%",
    )
    assert second["level"] == "info"
    wait_until(
        lambda: "Shifted" in served.kubectl("events", "--for=routingpolicy/wisdom").stdout, what="event"
    )
    assert served.account.token not in process.said


def test_sigterm_ends_it_at_once_and_leaves_the_routes(served: Site) -> None:
    """Exit code 0, within two seconds."""
    (process,) = served.processes
    began = time.monotonic()
    process.terminate()
    assert process.wait() == 0
    assert time.monotonic() - began < 2
    assert "the routes stay in force" in process.said
    assert served.shares() == {"wisdom-0": 100}


def test_missing_crds_are_said_and_waited_for(site: Site) -> None:
    """With their names; installing them is enough."""
    site.control_plane.kubectl("delete", "crd", *CRDS)
    try:
        process = site.start()
        for crd in CRDS:
            process.says(f"the cluster does not serve {crd} in version v1alpha1; is its CRD installed?")
    finally:
        site.control_plane.install_crds("turnout")
    site.version("wisdom-0")
    site.policy("wisdom")
    site.until_shares({"wisdom-0": 100})


def test_missing_permissions_are_said_and_waited_for(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """With the API server's words, which name the account, the verb and the kind."""
    control_plane.install_crds("istio", "kserve", "turnout")
    site = Site(control_plane, namespace, tmp_path)
    try:
        process = site.start()
        process.says(f'User "{site.account.name}" cannot list resource "routingpolicies"')
        site.policy("wisdom")
        site.grant()
        site.until_shares({"wisdom-0": 100})
    finally:
        site.close()
        control_plane.kubectl("delete", "routingpolicies", "--all", f"--namespace={namespace}")


def test_without_a_cluster_it_says_so_and_ends(tmp_path: Path) -> None:
    """A kubeconfig that is not there: exit code 3, and one line that helps."""
    process = Process(tmp_path / "turnout.log", tmp_path / "missing.kubeconfig")
    assert process.wait() == 3
    assert "missing.kubeconfig" in process.said
    assert "Traceback" not in process.said


def test_a_cluster_that_does_not_answer_is_said_and_waited_for(tmp_path: Path) -> None:
    """It may be about to come; SIGTERM is heard all the same."""
    config = tmp_path / "dead.kubeconfig"
    config.write_text(kubeconfig(f"https://127.0.0.1:{free_port()}", token="secret"))
    process = Process(tmp_path / "turnout.log", config)
    try:
        process.says("routingpolicies.turnout.dev in default cannot be followed (Unreachable)")
        process.terminate()
        assert process.wait() == 0
        assert "secret" not in process.said
    finally:
        process.kill()
