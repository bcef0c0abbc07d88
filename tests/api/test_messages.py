"""What the author of a bad document reads."""

from typing import Any

import pytest

from tests.api.documents import MATCH, POLICY, VERSION, WEIGHTS, Absent, Path, replaced
from turnout.api import parse_policy, parse_weights
from turnout.errors import Invalid

LABEL = "a DNS label: at most 63 lower-case letters, digits and -"


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        pytest.param(
            (*VERSION, "weight"),
            -1,
            "spec.modelVersions[0].weight: found -1, expected an integer 0..1000000",
            id="weight",
        ),
        pytest.param(
            (*VERSION, "weigth"),
            1,
            'spec.modelVersions[0]: unknown field "weigth"; did you mean "weight"?',
            id="unknown field",
        ),
        pytest.param(
            (*VERSION, "name"),
            "Wisdom",
            f'spec.modelVersions[0].name: found "Wisdom", expected {LABEL}',
            id="label",
        ),
        pytest.param(
            ("spec", "modelVersions"),
            [],
            "spec.modelVersions: found [], expected a list of 1 to 16 versions",
            id="no versions",
        ),
        pytest.param(
            (*VERSION, "name"),
            "wisdom-1",
            'spec.modelVersions[1].name: found "wisdom-1", expected a name of its own: modelVersions[0] has this one',
            id="duplicate",
        ),
        pytest.param(
            ("spec", "primary"),
            "x",
            'spec.primary: found "x", expected the name of one of modelVersions: wisdom-0, wisdom-1',
            id="primary",
        ),
        pytest.param(
            MATCH,
            [{"headers": {"traffic": {"exakt": "test"}}}],
            'spec.modelVersions[0].match[0].headers.traffic: unknown field "exakt"; did you mean "exact"?',
            id="match type",
        ),
        pytest.param(
            MATCH,
            [{"headers": {"traffic": {}}}],
            "spec.modelVersions[0].match[0].headers.traffic: found {}, "
            "expected exactly one of exact, prefix and regex",
            id="no match type",
        ),
        pytest.param(
            MATCH,
            [{}],
            "spec.modelVersions[0].match[0]: found {}, "
            "expected at least one of headers, method, path and queryParams",
            id="empty match",
        ),
        pytest.param(
            MATCH,
            [{"method": "post"}],
            'spec.modelVersions[0].match[0].method: found "post", expected GET, HEAD, POST, PUT, DELETE, '
            'CONNECT, OPTIONS, TRACE or PATCH; did you mean "POST"?',
            id="method",
        ),
        pytest.param(
            MATCH,
            [{"headers": {"a": {"exact": "1"}, "A": {"exact": "2"}}}],
            'spec.modelVersions[0].match[0].headers: found "A", expected names that differ from "a" in more than case',
            id="header twice",
        ),
        pytest.param(
            ("spec", "config"),
            {"Istio": {}},
            f'spec.config: found key "Istio", expected {LABEL}',
            id="plugin's name",
        ),
        pytest.param(
            ("spec", "hosts"), ["a", "a"], 'spec.hosts[1]: found "a", expected every item once', id="host"
        ),
        pytest.param(
            ("spec", "targetEnv"), Absent, f"spec.targetEnv: missing, expected {LABEL}", id="missing"
        ),
        pytest.param(("kind",), "Policy", 'kind: found "Policy", expected RoutingPolicy', id="kind"),
        pytest.param(
            ("metadata", "name"),
            "wis.dom",
            'metadata.name: found "wis.dom", expected a DNS label, as it is the modelName unless spec.modelName is set',
            id="name",
        ),
    ],
)
def test_a_policys_fault_is_one_line(path: Path, value: Any, line: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_policy(replaced(POLICY, path, value))
    assert [str(problem) for problem in refused.value.problems] == [line]


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        pytest.param({}, "spec: found {}, expected either weights or mirrorPercentage", id="nothing"),
        pytest.param(
            {"weights": {"a": 1}, "mirrorPercentage": 1},
            'spec: found {"weights": {"a": 1}, "mirrorPercentage": 1}, expected either weights or mirrorPercentage',
            id="both",
        ),
        pytest.param(
            {"weights": {"a": "1"}}, 'spec.weights.a: found "1", expected an integer 0..1000000', id="weight"
        ),
        pytest.param(
            {"mirrorPercentage": 101}, "spec.mirrorPercentage: found 101, expected a number 0..100", id="%"
        ),
    ],
)
def test_a_fault_of_weights_is_one_line(spec: dict[str, Any], line: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_weights(replaced(WEIGHTS, ("spec",), spec))
    assert [str(problem) for problem in refused.value.problems] == [line]


@pytest.mark.parametrize(
    ("metadata", "subject"),
    [
        ({"name": "wisdom", "namespace": "models"}, "RoutingPolicy models/wisdom"),
        ({"name": "wisdom"}, "RoutingPolicy default/wisdom"),
        ({"namespace": "models"}, "RoutingPolicy"),
        ({"name": 5}, "RoutingPolicy"),
        (None, "RoutingPolicy"),
    ],
    ids=["both", "no namespace", "no name", "name that is no text", "no metadata"],
)
def test_the_subject_is_the_document_as_far_as_it_is_named(metadata: Any, subject: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_policy({"metadata": metadata})
    assert refused.value.subject == subject
