"""What values may say, and what is said of those that may not."""

from typing import Any

import pytest

from turnout import template
from turnout.errors import Invalid
from turnout.template_values import BEYOND

VALUES: dict[str, Any] = {
    "templateName": "initialize-rollout",
    "targetEnv": "kserve-modelmesh",
    "trafficStrategy": "blue-green",
    "modelName": "wisdom",
}


def refusal(**changes: object) -> list[str]:
    with pytest.raises(Invalid) as refused:
        template.manifests({**VALUES, **changes})
    assert refused.value.subject == "values"
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        pytest.param({"modelname": "x"}, 'unknown field "modelname"; did you mean "modelName"?', id="key"),
        pytest.param(
            {"modelVersions": [{"wieght": 1}]},
            'modelVersions[0]: unknown field "wieght"; did you mean "weight"?',
            id="key of a version",
        ),
        pytest.param(
            {"templateName": "initialize"},
            'templateName: found "initialize", expected initialize-rollout or modify-weights; '
            'did you mean "initialize-rollout"?',
            id="template",
        ),
        pytest.param(
            {"trafficStrategy": "bluegreen"},
            'trafficStrategy: found "bluegreen", expected blue-green, canary or mirror; did you mean "blue-green"?',
            id="strategy",
        ),
        pytest.param(
            {"targetEnv": "modelmesh"},
            'targetEnv: found "modelmesh", expected kserve-modelmesh; did you mean "kserve-modelmesh"?',
            id="environment",
        ),
        pytest.param(
            {"targetEnv": None},
            "targetEnv: missing, expected the name of an environment, such as kserve-modelmesh",
            id="null",
        ),
        pytest.param(
            {"modelName": "Wisdom"},
            'modelName: found "Wisdom", expected a DNS label: at most 63 lower-case letters, digits and -',
            id="no label",
        ),
        pytest.param(
            {"modelName": "a" * 62},
            'modelName: found "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…, expected at most 61 '
            'characters, because a version is named with "-0" after it',
            id="too long for its versions",
        ),
        pytest.param(
            {"modelVersions": []},
            "modelVersions: found [], expected a list of 1 to 16 versions",
            id="no versions",
        ),
        pytest.param(
            {"modelVersions": [{}] * 17},
            "modelVersions: found 17 items, expected a list of 1 to 16 versions",
            id="17 versions",
        ),
        pytest.param(
            {"modelVersions": [{"name": "wisdom-1"}, {}]},
            'modelVersions[1].name: found "wisdom-1", expected a name of its own: modelVersions[0] has this one',
            id="name that another gets by its place",
        ),
        pytest.param(
            {"modelVersions": [{"weight": -1}]},
            "modelVersions[0].weight: found -1, expected an integer 0..1000000",
            id="negative weight",
        ),
        pytest.param(
            {"modelVersions": [{"weight": 10**9}]},
            "modelVersions[0].weight: found 1000000000, expected an integer 0..1000000",
            id="huge weight",
        ),
        pytest.param(
            {"modelVersions": [{"weight": "20"}]},
            'modelVersions[0].weight: found "20", expected an integer 0..1000000',
            id="weight that is no number",
        ),
        pytest.param(
            {"trafficStrategy": "mirror", "mirrorPercentage": 101},
            "mirrorPercentage: found 101, expected a number 0..100",
            id="percentage",
        ),
        pytest.param(
            {"mirrorPercentage": 20},
            "mirrorPercentage: found 20, which only trafficStrategy mirror reads",
            id="percentage that nobody reads",
        ),
        pytest.param(
            {"trafficStrategy": "mirror", "modelVersions": [{"weight": 500}, {"weight": 101}]},
            "modelVersions[1].weight: found 101, expected 0..100: the weight of a candidate is its mirror percentage",
            id="weight as a percentage",
        ),
        pytest.param(
            {"modelVersions": [{}, {"match": [{"method": "GET"}]}]},
            'modelVersions[1].match: found [{"method": "GET"}], which only trafficStrategy canary reads',
            id="match that nobody reads",
        ),
        pytest.param(
            {"modelmeshServingPort": 0},
            "modelmeshServingPort: found 0, expected an integer 1..65535",
            id="port",
        ),
        pytest.param(
            {"externalGateway": "a/b/c"},
            'externalGateway: found "a/b/c", expected the name of a Gateway, or namespace/name',
            id="gateway",
        ),
    ],
)
def test_a_wrong_key_or_value_is_named(changes: dict[str, Any], line: str) -> None:
    assert refusal(**changes) == [line]


def test_everything_wrong_is_told_at_once() -> None:
    lines = refusal(targetEnv="x", trafficStrategy="y", mirrorPercentage=3)
    assert [line.partition(":")[0] for line in lines] == ["targetEnv", "trafficStrategy", "mirrorPercentage"]


def match_refusal(match: object) -> list[str]:
    return refusal(trafficStrategy="canary", modelVersions=[{}, {"match": match}])


@pytest.mark.parametrize("key", BEYOND)
def test_what_only_istio_can_match_is_refused_by_name(key: str) -> None:
    assert match_refusal([{"uri": {"exact": "/"}, key: 1}]) == [
        f"modelVersions[1].match[0].{key}: found 1, expected only headers, method, queryParams and uri"
    ]


@pytest.mark.parametrize(
    ("match", "line"),
    [
        pytest.param(
            [{"heders": {}}],
            'modelVersions[1].match[0]: unknown field "heders"; did you mean "headers"?',
            id="unknown condition",
        ),
        pytest.param(
            [{"headers": {"traffic": {"suffix": "x"}}}],
            'modelVersions[1].match[0].headers.traffic: unknown field "suffix"; did you mean "prefix"?',
            id="unknown type",
        ),
        pytest.param(
            [{"method": {"prefix": "P"}}],
            'modelVersions[1].match[0].method: found {"prefix": "P"}, expected a method, or {exact: METHOD}',
            id="method by prefix",
        ),
        pytest.param(
            [{"uri": {"exact": "/a"}, "path": {"exact": "/a"}}],
            'modelVersions[1].match[0].path: found {"uri": {"exact": "/a"}, "path": {"exact": "/a"}}, '
            "expected either path or uri, which mean the same",
            id="path twice",
        ),
        pytest.param(
            {"headers": {"traffic": {"exact": "x"}}},
            'modelVersions[1].match: found {"headers": {"traffic": {"exact": "x"}}}, expected a list of 1 to 8 matches',
            id="no list",
        ),
    ],
)
def test_a_wrong_match_is_named(match: object, line: str) -> None:
    assert match_refusal(match) == [line]


@pytest.mark.parametrize("strategy", ["blue-green", "canary"])
def test_modifying_no_weight_is_refused(strategy: str) -> None:
    lines = refusal(templateName="modify-weights", trafficStrategy=strategy, modelVersions=[{}, {}])
    assert lines == ["modelVersions: missing, expected a weight for at least one version"]


def test_weights_and_a_percentage_together_are_refused() -> None:
    lines = refusal(
        templateName="modify-weights",
        trafficStrategy="mirror",
        modelVersions=[{}, {"weight": 20}],
        mirrorPercentage=30,
    )
    assert lines == ["mirrorPercentage: found 30, expected either mirrorPercentage or weights"]


def test_modelmesh_is_not_configured_for_another_environment() -> None:
    with pytest.raises(
        Invalid, match="modelmeshServingPort: found 8033, which only targetEnv kserve-modelmesh"
    ):
        template.manifests(
            {**VALUES, "targetEnv": "acme", "modelmeshServingPort": 8033},
            known=template.Known(environments=["acme"]),
        )


def test_values_can_name_any_plugin_that_is_known() -> None:
    known = template.Known(environments=["acme"], strategies=["steps"])
    [policy] = template.manifests({**VALUES, "targetEnv": "acme", "trafficStrategy": "steps"}, known=known)
    assert (policy["spec"]["targetEnv"], policy["spec"]["trafficStrategy"]) == ("acme", "steps")


def test_a_null_is_as_good_as_nothing() -> None:
    """As in Helm, where it takes back what an earlier file says."""
    assert template.manifests({**VALUES, "externalGateway": None}) == template.manifests(VALUES)


def test_a_namespace_has_to_be_one() -> None:
    with pytest.raises(Invalid, match=r'metadata\.namespace: found "Models", expected a DNS label'):
        template.manifests(VALUES, namespace="Models")
