"""Plugins that answer nonsense: each time one error, by the plugin, the method, the field, and what would be right."""

from dataclasses import replace
from typing import Any

import pytest

from tests.decision.test_admission_checks import admitted
from tests.decision.world import World
from tests.toys import ToyHosts, ToyTable
from tests.toys.around import ToyCheck
from tests.toys.hosts import KNATIVE_SERVICE
from tests.toys.odd import odd
from turnout.calling import Calls, PluginError
from turnout.decision.assess import Assessment
from turnout.decision.observe import observe
from turnout.plugin import (
    Backend,
    Fault,
    Frontend,
    Kind,
    Observation,
    Ref,
)
from turnout.reasons import Reason

REF = Ref(KNATIVE_SERVICE, "models", "wisdom-0")
SECRET = Kind("", ("v1",), "Secret", "secrets")
FRONTEND = Frontend("http", "models", ("wisdom.models",), 80, "http")
BACKEND = Backend("gateway", "models", 80)
change: Any = replace
fault: Any = Fault
"""Without their types, for what breaks them."""

READY = Observation(True, "Ready")


def table(*rows: tuple[Any, ...]) -> Any:
    """Cases by what they say."""
    return [pytest.param(*row, id=row[-1][:70]) for row in rows]


@pytest.mark.parametrize(
    ("answer", "told"),
    table(
        (None, "NoneType, expected an Observation"),
        ({"ready": True}, "dict, expected an Observation"),
        (change(READY, ready="yes"), 'ready="yes", expected ready to be True, False or None'),
        (change(READY, ready=1), "ready=1, expected ready to be True, False or None"),
        (change(READY, reason=None), "reason=null, expected reason to be a str"),
        (change(READY, message=None), "message=null, expected message to be a str"),
        (change(READY, revision=1), "revision=1, expected revision to be a str"),
        (change(READY, app_version=5), "app_version=5, expected app_version to be a str or None"),
        (
            change(READY, app_version=object()),
            "app_version=<object object>, expected app_version to be a str",
        ),
        (
            change(READY, addresses={"a": "b"}),
            'addresses={"a": "b"}, expected addresses to be a tuple of pairs',
        ),
        (change(READY, addresses=[("a", "b")]), 'addresses=[["a", "b"]], expected addresses to be a tuple'),
        (change(READY, addresses=(("a",),)), 'addresses=[["a"]], expected addresses to be a tuple of pairs'),
        (
            change(READY, addresses=(("a", 1),)),
            'addresses=[["a", 1]], expected addresses to be a tuple of pairs',
        ),
    ),
)
def test_an_observation_that_is_of_no_use_leaves_the_object_unknown(answer: Any, told: str) -> None:
    """For the plugin's own policies, with the plugin's name."""
    seen = observe({"kind": "Service"}, [odd(ToyHosts, observe=answer)], [], Calls()).observations["odd"]

    assert (seen.ready, seen.reason) == (None, Reason.PLUGIN_FAILED)
    assert seen.message.startswith(f"plugin odd: observe returned {told}")


def test_what_is_observed_is_kept_short_and_on_one_line() -> None:
    """Objects are others': a status may hold anything."""
    said = Observation(False, "Not\nReady", "no\r\nroom\x1b[31m " + "m" * 1000)

    seen = observe({"kind": "Service"}, [odd(ToyHosts, observe=said)], [], Calls()).observations["odd"]

    assert (seen.reason, seen.message[:25], len(seen.message)) == (
        "Not Ready",
        "no room\\u001b[31m mmmmmmm",
        512,
    )


@pytest.mark.parametrize("method", ["refusal", "pending"])
def test_a_word_on_a_route_that_is_no_text_is_the_routers_error(method: str) -> None:
    written = observe({"status": {}}, [], [odd(ToyTable, **{method: 5})], Calls()).written

    assert written is not None
    assert getattr(written, method) == f"plugin odd: {method} returned 5, expected text, or None"


@pytest.mark.parametrize(
    ("method", "answer", "told"),
    table(
        ("refs", None, "refs returned null, expected a list of Ref"),
        ("refs", "wisdom-0", 'refs returned "wisdom-0", expected a list of Ref'),
        ("refs", REF, "refs returned Service models/wisdom-0, expected a list of Ref"),
        ("refs", (), "refs returned nothing, expected an object at least"),
        ("refs", ["wisdom-0"], 'refs returned "wisdom-0" in a list, expected a list of Ref'),
        (
            "refs",
            [change(REF, kind=SECRET)],
            "refs returned Secret models/wisdom-0, expected a kind that it declares in `watches`",
        ),
        (
            "refs",
            [change(REF, kind="Service")],
            'refs returned kind="Service" for version wisdom-0, expected',
        ),
        (
            "refs",
            [change(REF, name=None)],
            "refs returned name=null for version wisdom-0, expected name to be",
        ),
        (
            "refs",
            [change(REF, name="Bad Name")],
            'refs returned name="Bad Name" for version wisdom-0, expected',
        ),
        ("refs", [change(REF, namespace="")], 'refs returned namespace="" for version wisdom-0, expected'),
        ("frontends", None, "frontends returned null, expected a list of Frontend"),
        ("frontends", (), "frontends returned nothing, expected a Frontend at least"),
        ("frontends", ["wisdom"], 'frontends returned "wisdom" in a list, expected a list of Frontend'),
        (
            "frontends",
            [FRONTEND] * 2,
            'frontends returned the names ["http", "http"], expected names that differ',
        ),
        *(
            (
                "frontends",
                [change(FRONTEND, **{field: value})],
                f'frontends returned {field}={said} of the frontend "http", expected {field} to be {right}',
            )
            for field, value, said, right in (
                ("namespace", None, "null", "the name of one"),
                ("hosts", (), "[]", "a tuple of DNS names, one at least"),
                ("hosts", "wisdom.models", '"wisdom.models"', "a tuple of DNS names, one at least"),
                ("hosts", ("WIS DOM",), '["WIS DOM"]', "a tuple of DNS names, one at least"),
                ("hosts", ["wisdom.models"], '["wisdom.models"]', "a tuple of DNS names, one at least"),
                ("port", "80", '"80"', "an integer 1..65535"),
                ("port", True, "true", "an integer 1..65535"),
                ("port", 65536, "65536", "an integer 1..65535"),
                ("protocol", "https", '"https"', '"http" or "grpc"'),
                ("selector", {"app": "x"}, '{"app": "x"}', "a tuple of pairs of str"),
                ("selector", (("app", "\ud800"),), '[["app", "\\ud800"]]', "a tuple of pairs of str"),
                ("virtual", None, "null", "True or False"),
            )
        ),
        (
            "frontends",
            [change(FRONTEND, name="My Front")],
            'frontends returned name="My Front" of the frontend "My Front", expected name to be a DNS label',
        ),
        ("check", None, "check returned null, expected a list of Fault"),
        ("check", "is bad", 'check returned "is bad", expected a list of Fault'),
        ("check", Fault("spec", "is bad"), 'check returned ["spec", "is bad"], expected a list of Fault'),
        ("check", ["is bad"], 'check returned "is bad" in a list, expected a list of Fault'),
        (
            "check",
            [("spec", "is bad")],
            'check returned ["spec", "is bad"] in a list, expected a list of Fault',
        ),
        ("check", [fault("spec", 5)], "check returned a Fault with message=5, expected message to say what"),
        (
            "check",
            [Fault("spec", " ")],
            'check returned a Fault with message=" ", expected message to say what',
        ),
        (
            "check",
            [fault(None, "is bad")],
            "check returned a Fault with path=null, expected path to be a str",
        ),
        ("reaches", ["ab"], 'reaches returned "ab" in a list, expected a list of tuple'),
        ("reaches", [("port", None)], 'reaches returned ["port", null], expected pairs of an option and a'),
        ("reaches", None, "reaches returned null, expected a list of tuple"),
    ),
)
def test_nonsense_of_an_environment_about_a_policy_is_its_error(method: str, answer: Any, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        World(environment=odd(ToyHosts, **{method: answer}))

    assert caught.value.plugin == "odd"
    assert caught.value.message.startswith(f"plugin odd: {told}")


ABOUT = 'for the frontend "http" of version wisdom-0, expected'


@pytest.mark.parametrize(
    ("answer", "told"),
    table(
        (None, "null, expected a mapping of Backends by the names of frontends"),
        ([BACKEND], "[Backend(name="),
        ({"http": "host"}, f'"host" {ABOUT} a mapping of Backends by the names of frontends'),
        ({5: BACKEND}, "Backend(name="),
        *(
            ({"http": change(BACKEND, **{field: value})}, f"{field}={said} {ABOUT} {field} to be {right}")
            for field, value, said, right in (
                ("name", None, "null", "a DNS name"),
                ("namespace", "a.b", '"a.b"', "the name of one"),
                ("port", "80", '"80"', "an integer 1..65535"),
                ("authority", "", '""', "None or a host"),
                ("authority", "a b\nc", '"a b\\nc"', "None or a host"),
                ("set_headers", {"a": "b"}, '{"a": "b"}', "a tuple of pairs of a header's name"),
                ("set_headers", (("a", 5),), '[["a", 5]]', "a tuple of pairs of a header's name"),
                ("set_headers", (("a b", "c"),), '[["a b", "c"]]', "a tuple of pairs of a header's name"),
                ("set_headers", (("a", "b\r\nc: d"),), '[["a", "b\\r\\nc: d"]]', "a tuple of pairs of a"),
            )
        ),
        ({"http": change(BACKEND, kind=None)}, f"kind=null {ABOUT} kind to name one, such as Service"),
    ),
)
def test_nonsense_for_a_backend_is_the_environments_error(answer: Any, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        World(environment=odd(ToyHosts, backends=answer)).ready("wisdom-0").ask()

    assert caught.value.plugin == "odd"
    assert caught.value.message.startswith(f"plugin odd: backends returned {told}")


@pytest.mark.parametrize(
    ("answer", "told"),
    table(
        (None, "null, expected a list of str"),
        ("no mirrors, please", '"no mirrors, please", expected a list of str'),
        ([5], "5 in a list, expected a list of str"),
    ),
)
def test_objections_that_are_none_are_the_routers_error(answer: Any, told: str) -> None:
    with pytest.raises(PluginError) as caught:
        World(router=odd(ToyTable, objections=answer)).ready("wisdom-0").ask()

    assert (caught.value.plugin, caught.value.message) == ("odd", f"plugin odd: objections returned {told}")


@pytest.mark.parametrize(
    ("answer", "told"),
    table(
        (7, "admit returned 7, expected a list of Fault"),
        ("no", 'admit returned "no", expected a list of Fault'),
        (Fault("spec", "no"), 'admit returned ["spec", "no"], expected a list of Fault'),
        (["no"], 'admit returned "no" in a list, expected a list of Fault'),
        ([Fault("", "")], 'admit returned a Fault with message="", expected message to say what is wrong'),
    ),
)
def test_faults_that_are_none_are_the_checks_error(answer: Any, told: str) -> None:
    found = admitted(ToyCheck(answer))

    assert isinstance(found, Assessment)
    assert found.failure == (Reason.PLUGIN_FAILED, f"plugin toy-check: {told}")
