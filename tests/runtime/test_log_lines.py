"""A line of the log that is about an object says which, in a field of its own."""

import ast
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import turnout.runtime
from tests.runtime.harness import Bed, isvc, refuse, rp
from tests.toys.around import ToyGate, ToyNotifier
from turnout_istio.virtual_service import VIRTUAL_SERVICE

LEVELS = {"debug", "info", "warning", "error", "exception", "log"}
ABOUT_NOTHING = {
    "turnout's CRDs are not installed: turnout crds | kubectl apply --server-side -f -",
    "%d policies",
}
FIELDS = ("policy", "version", "route", "object", "resource", "lease", "plugin")


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger in the runtime, with where it is."""
    for file in sorted(Path(turnout.runtime.__path__[0]).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and (node.func.value.id, node.func.attr) in {("log", level) for level in LEVELS}
            ):
                yield f"{file.name}:{node.lineno}", node


def test_every_call_gives_fields_or_is_about_nothing() -> None:
    found = dict(calls())
    assert len(found) > 25
    bare = {
        where: ast.unparse(call.args[0])
        for where, call in found.items()
        if not any(keyword.arg == "extra" for keyword in call.keywords)
    }
    assert {ast.literal_eval(said) for said in bare.values()} == ABOUT_NOTHING


def test_in_a_rollout_the_name_in_a_message_is_in_a_field_too(
    make_bed: Callable[..., Bed], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="turnout")
    bed = make_bed(ToyGate(ValueError("broken")), ToyNotifier(ValueError("broken")))
    failing = {"plugins": {"toy-gate": {}, "toy-notifier": {}}, "gates": {"failOpen": ["toy-gate"]}}
    bed.version("wisdom-0")
    bed.policy()
    bed.start(settings=failing)
    bed.until(lambda: bed.split() == "wisdom-0 100%")
    bed.version("wisdom-1")
    bed.until(lambda: bed.split() == "wisdom-0 50% / wisdom-1 50%")
    bed.cluster.on_request = refuse(verb="apply", kind=VIRTUAL_SERVICE)
    bed.weights(wisdom_0=20, wisdom_1=80)
    bed.until(lambda: bed.condition("Routed") == ("False", "Forbidden"))
    bed.cluster.on_request = None
    bed.delete(isvc("wisdom-1"))
    bed.until(lambda: not bed.exists(isvc("wisdom-1")))
    bed.delete(rp())
    bed.settle()
    lines = [record for record in caplog.records if record.name.startswith("turnout.runtime")]
    told = {name: {str(getattr(one, name)) for one in lines if hasattr(one, name)} for name in FIELDS}
    assert told["policy"] >= {"models/wisdom"}
    assert told["version"] >= {"InferenceService models/wisdom-1"}
    for record in lines:
        fields = [str(getattr(record, name)) for name in FIELDS if hasattr(record, name)]
        said = record.getMessage()
        if "models/" in said:
            assert any(field in said for field in fields), said
