"""The models and the CRDs accept and refuse the same documents, as a real API server has it."""

import copy
import http.client
import json
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.documents import FULL_POLICY, MIRROR, POLICY, WEIGHTS, Absent, Case, cases, replaced
from tests.support import ControlPlane
from turnout.api import parse_policy, parse_weights
from turnout.errors import Invalid

NAMESPACE = "api-parity"
PLURALS = {"RoutingPolicy": "routingpolicies", "TrafficWeights": "trafficweights"}


class ApiServer:
    """Many requests to one API server over one connection. No request leaves anything behind."""

    def __init__(self, control_plane: ControlPlane) -> None:
        context = ssl.create_default_context(cafile=str(control_plane.ca_file))
        context.check_hostname = False
        self._connection = http.client.HTTPSConnection(
            control_plane.url.removeprefix("https://"), context=context, timeout=30
        )
        self._headers = {
            "Authorization": f"Bearer {control_plane.admin.token}",
            "Content-Type": "application/json",
        }

    def create(self, kind: str, document: object) -> tuple[bool, str]:
        """Whether a document of this kind would be created, and what the API server said."""
        return self._send("POST", PLURALS[kind], document)

    def replace(self, document: dict[str, Any]) -> tuple[bool, str]:
        """Whether a document would replace the one of its name, and what the API server said."""
        name = document["metadata"]["name"]
        return self._send("PUT", f"{PLURALS[document['kind']]}/{name}", document)

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, resource: str, document: object) -> tuple[bool, str]:
        path = f"/apis/turnout.dev/v1alpha1/namespaces/{NAMESPACE}/{resource}"
        query = "dryRun=All&fieldValidation=Strict"
        self._connection.request(method, f"{path}?{query}", json.dumps(document), self._headers)
        response = self._connection.getresponse()
        said = json.loads(response.read()).get("message", "")
        assert response.status in (200, 201, 400, 422), f"{response.status}: {said}"
        return response.status < 300, said


@pytest.fixture(scope="module")
def api_server(control_plane: ControlPlane) -> Iterator[ApiServer]:
    control_plane.install_crds("turnout")
    control_plane.kubectl("create", "namespace", NAMESPACE)
    server = ApiServer(control_plane)
    yield server
    server.close()
    control_plane.kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def refusal(kind: str, document: Any) -> str | None:
    """What the models say against a document."""
    parse: Any = parse_policy if kind == "RoutingPolicy" else parse_weights
    try:
        parse(document)
    except Invalid as invalid:
        return str(invalid)
    return None


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_api_server_says_the_same_of_a_known_document(api_server: ApiServer, case: Case) -> None:
    accepted, said = api_server.create(case.kind, case.document)
    assert accepted == case.accepted, said or "accepted"


class Stored:
    """Policies that are there while a test asks whether they could be replaced."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane

    def __call__(self, document: dict[str, Any]) -> dict[str, Any]:
        created = self._kubectl("create", "--output=json", "--filename=-", input=json.dumps(document))
        stored: dict[str, Any] = json.loads(created)
        return stored

    def remove(self) -> None:
        self._kubectl("delete", "rp", "--all")

    def _kubectl(self, *arguments: str, input: str | None = None) -> str:  # noqa: A002 - as subprocess.run
        return self._control_plane.kubectl(*arguments, f"--namespace={NAMESPACE}", input=input).stdout


@pytest.fixture
def stored(control_plane: ControlPlane, api_server: ApiServer) -> Iterator[Stored]:
    storing = Stored(control_plane)
    yield storing
    storing.remove()


NAMED = replaced(POLICY, ("spec", "modelName"), "folly")


@pytest.mark.parametrize("name", ["folly", "wisdom-0"])
def test_a_model_name_cannot_be_set_to_another_later(
    api_server: ApiServer, stored: Stored, name: str
) -> None:
    accepted, said = api_server.replace(replaced(stored(POLICY), ("spec", "modelName"), name))
    assert (accepted, "spec.modelName: Invalid value" in said, "immutable" in said) == (False, True, True)


def test_a_model_name_cannot_be_changed(api_server: ApiServer, stored: Stored) -> None:
    accepted, said = api_server.replace(replaced(stored(NAMED), ("spec", "modelName"), "wisdom"))
    assert (accepted, "immutable" in said) == (False, True)


def test_a_model_name_cannot_be_taken_away(api_server: ApiServer, stored: Stored) -> None:
    accepted, said = api_server.replace(replaced(stored(NAMED), ("spec", "modelName"), Absent))
    assert (accepted, "immutable" in said) == (False, True)


def test_the_model_name_can_be_spelt_out_later(api_server: ApiServer, stored: Stored) -> None:
    assert api_server.replace(replaced(stored(POLICY), ("spec", "modelName"), "wisdom")) == (True, "")


def test_everything_but_the_model_name_can_change(api_server: ApiServer, stored: Stored) -> None:
    spec = {**FULL_POLICY["spec"], "modelName": "wisdom", "targetEnv": "kserve"}
    assert api_server.replace(replaced(stored(POLICY), ("spec",), spec)) == (True, "")


LONG = ["x" * 63, "x" * 64]
TEXTS = st.sampled_from(
    ["", "a", "A", "wisdom-0", "wisdom-1", "a.b", "é", "/", "GET", "a\n", "-", "\x00", *LONG]
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([-1, 0, 1, 50.0, 0.5, 1e6, 1_000_001, 2**31, 2**63, 1e300]),
    TEXTS,
    st.sampled_from(
        [[], {}, [None], [{}], {"a": None}, {"exact": "x"}, {"name": "a"}, {"a": {"exact": "x"}}]
    ),
)
KEYS = st.sampled_from(
    [
        "name",
        "namespace",
        "weight",
        "match",
        "headers",
        "method",
        "path",
        "queryParams",
        "exact",
        "prefix",
        "regex",
        "primary",
        "hosts",
        "config",
        "suspend",
        "modelName",
        "weights",
        "mirrorPercentage",
        "bogus",
        "a",
        "A",
    ]
)


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document that the CRDs say something of."""
    items: Any = (
        enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    )
    for key, item in items:
        if path or key in ("spec", "apiVersion", "kind"):
            yield (*path, key)
            yield from places(item, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A good document after one to three changes, and its kind."""
    document = copy.deepcopy(draw(st.sampled_from([POLICY, FULL_POLICY, WEIGHTS, MIRROR])))
    kind = document["kind"]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(places(document), key=str)))
        *parents, last = path
        target: Any = document
        for key in parents:
            target = target[key]
        change = draw(st.sampled_from(["replace", "delete", "insert", "repeat"]))
        if change == "replace":
            target[last] = copy.deepcopy(draw(VALUES))
        elif change == "delete":
            del target[last]
        elif change == "insert" and isinstance(target[last], dict):
            target[last][draw(KEYS)] = copy.deepcopy(draw(VALUES))
        elif isinstance(target[last], list):
            target[last] = copy.deepcopy(target[last] * 2)
        if not any(True for _ in places(document)):
            break
    return kind, document


@given(mutated())
@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_the_api_server_says_the_same_of_a_broken_document(
    api_server: ApiServer, example: tuple[str, dict[str, Any]]
) -> None:
    kind, document = example
    accepted, said = api_server.create(kind, document)
    refused = refusal(kind, document)
    assert accepted == (refused is None), (
        f"{document}\nmodels: {refused or 'accepted'}\nAPI server: {said or 'accepted'}"
    )
