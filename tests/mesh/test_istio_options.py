"""Options of the router istio on the wire: a delegate, and what is passed on to Istio."""

import json
import time
from typing import Any

from tests.cluster.controller import Object
from tests.mesh.calls import ask, versions
from tests.mesh.environments import Deployments
from tests.mesh.load import Load, failed
from tests.mesh.site import MeshSite
from tests.mesh.statistics import expected_split
from tests.support import wait_until
from tests.support.echo import Answer, Client
from tests.support.mesh import INGRESS_LABELS, SYSTEM
from turnout.inference import InferenceError

CALLS = 600
SPLIT = {"wisdom-0": 20, "wisdom-1": 80}
WEIGHTS = tuple({"name": name, "weight": weight} for name, weight in SPLIT.items())
SLOW = 5.0
ORIGIN = "https://pages.example"
ABORT = {"grpcStatus": "DATA_LOSS", "percentage": {"value": 100}}


def failure(site: MeshSite) -> str:
    """The gRPC status with which a call fails; empty for one that does not."""
    try:
        ask(site.address, site.authority())
    except InferenceError as error:
        return error.code
    return ""


def declare(site: MeshSite, *versions: Object, **istio: Any) -> None:
    site.declare("blue-green", *versions, istio=istio)


def of_the_user(site: MeshSite) -> tuple[Object, Object]:
    """A Gateway, and a VirtualService that answers one path itself and delegates calls of the model."""
    server = {"port": {"number": site.mesh.port, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}
    answer = {"match": [{"uri": {"exact": "/about"}}], "directResponse": {"status": 204}}
    delegated = {"match": [{"uri": {"prefix": "/inference."}}], "delegate": {"name": "wisdom"}}
    specs: dict[str, Object] = {
        "Gateway": {"selector": INGRESS_LABELS, "servers": [server]},
        "VirtualService": {
            "hosts": [site.authority()],
            "gateways": ["public"],
            "http": [answer, delegated],
        },
    }
    gateway, root = (
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": kind,
            "metadata": {"name": "public"},
            "spec": spec,
        }
        for kind, spec in specs.items()
    )
    return gateway, root


def test_a_virtual_service_of_the_user_takes_over_and_delegates(site: MeshSite) -> None:
    """Without a failed call, if it is there before turnout's own becomes a delegate."""
    site.deploy(*SPLIT)
    site.start()
    declare(site, *WEIGHTS)
    site.until_in_force(SPLIT)
    for document in of_the_user(site):
        site.kubectl("apply", "-f", "-", document=json.dumps(document))
    with Load(site.address, site.authority()) as load:
        time.sleep(1.0)
        declare(site, *WEIGHTS, delegate=True)
        wait_until(lambda: delegates(site), timeout=20, what="the user's routes are in force")
        time.sleep(1.0)

    expected_split(lambda: versions(ask(site.address, site.authority(), CALLS)), SPLIT)
    assert len(load.calls()) > 500
    assert not failed(load.calls())
    wait_until(
        lambda: site.names("gateways.networking.istio.io") == ["public"], what="no Gateway of turnout's"
    )


def delegates(site: MeshSite) -> bool:
    """Whether the calls go by the rule for one path of the user's VirtualService, and by no other."""
    routes = [
        route
        for config in site.mesh.ingress.routes()
        for host in config.get("virtual_hosts", ())
        if site.authority() in host["domains"]
        for route in host["routes"]
    ]
    return [route["match"].get("prefix") for route in routes if "route" in route] == ["/inference."]


def test_timeouts_retries_and_faults_have_their_effect(site: MeshSite) -> None:
    site.deploy("wisdom-0")
    site.start()
    declare(site, {"name": "wisdom-0"}, timeout="500ms", retries={"attempts": 0})
    site.until_in_force({"wisdom-0": 100})
    assert failure(site) == ""
    site.slow("wisdom-0", SLOW)
    began = time.monotonic()
    # The proxy's answer, or the server's own, whichever comes first: the proxy passes its timeout on.
    assert failure(site) in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    assert 0.4 < time.monotonic() - began < SLOW / 2

    site.slow("wisdom-0", 0)
    site.failing("wisdom-0")
    declare(site, {"name": "wisdom-0"}, retries={"attempts": 3, "retryOn": "internal"})
    wait_until(lambda: tries(site) == 4, timeout=20, what="a call is tried three times more")

    declare(site, {"name": "wisdom-0"}, fault={"abort": ABORT})
    wait_until(lambda: failure(site) == "DATA_LOSS", timeout=20, what="calls are aborted")
    assert tries(site) == 0


def test_pages_headers_and_namespaces_are_told_to_istio(bare_site: MeshSite) -> None:
    """CORS answers a browser's preflight, headers are changed both ways, and exportTo hides the routes."""
    site = bare_site
    with Deployments(site) as served:
        served.deploy("wisdom-0")
        served.becomes_ready("wisdom-0")
        site.start()
        passed = {
            "corsPolicy": {"allowOrigins": [{"exact": ORIGIN}], "allowMethods": ["POST"], "maxAge": "1m30s"},
            "headers": {"request": {"set": {"x-team": "a"}}, "response": {"set": {"x-served": "wisdom"}}},
        }
        declare(site, {"name": "wisdom-0"}, **passed, exportTo=[".", SYSTEM])
        wait_until(lambda: get(site).status == 200, timeout=20, what="the routes are in force")

        answer = get(site)
        assert answer.headers["x-served"] == "wisdom"
        assert served.servers["wisdom-0"].received[-1].headers["x-team"] == "a"
        asked = {"access-control-request-method": "POST"}
        allowed = get(site, method="OPTIONS", origin=ORIGIN, **asked)
        told = {name: value for name, value in allowed.headers.items() if name.startswith("access-control")}
        assert told["access-control-allow-origin"] == ORIGIN
        assert (told["access-control-allow-methods"], told["access-control-max-age"]) == ("POST", "90")
        refused = get(site, method="OPTIONS", origin="https://elsewhere.example", **asked)
        assert "access-control-allow-origin" not in refused.headers

        declare(site, {"name": "wisdom-0"}, exportTo=["."])
        wait_until(lambda: get(site).status == 404, timeout=20, what="the gateway does not see the routes")


def get(site: MeshSite, *, method: str = "GET", **headers: str) -> Answer:
    """What one request over HTTP is answered with."""
    with Client(site.address, site.authority()) as client:
        return client.ask(method=method, headers=headers)


def tries(site: MeshSite) -> int:
    """How often a call that fails comes to the models' server."""
    before = site.asked()["wisdom-0"]
    assert failure(site)
    return site.asked()["wisdom-0"] - before
