"""What the models accept and refuse; tests/cluster/test_api_parity.py asks an API server the same."""

import subprocess
import sys
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import ValidationError

from tests.api.documents import FULL_POLICY, POLICY, WEIGHTS, Case, cases, replaced
from turnout.api import RoutingPolicy, parse_policy, parse_weights
from turnout.errors import Invalid


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_document_is_accepted_or_refused(case: Case) -> None:
    parse: Any = parse_policy if case.kind == "RoutingPolicy" else parse_weights
    if case.accepted:
        parse(case.document)
    else:
        with pytest.raises(Invalid):
            parse(case.document)


@pytest.mark.parametrize("document", [None, "policy", [], [POLICY], 5], ids=repr)
def test_what_is_no_document_is_refused(document: Any) -> None:
    with pytest.raises(Invalid, match=r"^RoutingPolicy: found .*, expected an object$"):
        parse_policy(document)


def test_names_of_python_are_no_fields() -> None:
    with pytest.raises(Invalid, match='unknown field "target_env"; did you mean "targetEnv"'):
        parse_policy(replaced(POLICY, ("spec", "target_env"), "x"))


def test_any_mapping_is_a_document() -> None:
    assert parse_policy(MappingProxyType(POLICY)) == parse_policy(POLICY)


def test_a_number_that_is_an_integer_in_json_is_one() -> None:
    policy = parse_policy(replaced(POLICY, ("spec", "modelVersions", 0, "weight"), 50.0))
    assert repr(policy.spec.model_versions[0].weight) == "50"


def test_nulls_inside_a_plugins_options_are_kept_for_the_plugin() -> None:
    policy = parse_policy(replaced(POLICY, ("spec", "config"), {"istio": {"a": None}, "mirror": None}))
    assert policy.spec.config == {"istio": {"a": None}}


def test_status_is_left_as_it_is() -> None:
    policy = parse_policy(replaced(POLICY, ("status",), {"strategyState": {"a": None}}))
    assert policy.status == {"strategyState": {"a": None}}


def test_documents_do_not_change() -> None:
    policy = parse_policy(FULL_POLICY)
    with pytest.raises(ValidationError, match="frozen"):
        policy.spec.router = "other"


def test_a_document_dumps_to_what_it_was_parsed_from() -> None:
    dumped = parse_policy(FULL_POLICY, namespace="models").model_dump(mode="json", exclude_unset=True)
    assert dumped == replaced(FULL_POLICY, ("metadata", "namespace"), "models")


@pytest.mark.parametrize(
    ("metadata", "namespace"),
    [({}, "models"), ({"namespace": ""}, "models"), ({"namespace": "own"}, "own")],
    ids=["none", "empty", "its own"],
)
def test_the_namespace_given_is_that_of_documents_that_name_none(
    metadata: dict[str, str], namespace: str
) -> None:
    document = {**POLICY, "metadata": {"name": "wisdom", **metadata}}
    assert parse_policy(document, namespace="models").metadata.namespace == namespace


def test_without_any_namespace_it_is_default() -> None:
    assert parse_weights(WEIGHTS).metadata.namespace == "default"


def test_the_model_is_named_after_the_policy_unless_it_says_otherwise() -> None:
    other = replaced(POLICY, ("spec", "modelName"), "folly")
    assert [parse_policy(document).model_name for document in (POLICY, other)] == ["wisdom", "folly"]


def test_importing_the_api_loads_no_runtime() -> None:
    """The commands that need no cluster start fast."""
    heavy = {"asyncio", "kubernetes", "aiohttp", "click", "yaml"}
    code = f"import sys, turnout.api; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_the_models_refuse_what_is_given_to_them_by_python_names() -> None:
    with pytest.raises(ValidationError):
        RoutingPolicy.model_validate({"api_version": "turnout.dev/v1alpha1"})
