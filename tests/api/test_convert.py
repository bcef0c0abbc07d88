"""From documents to what plugins see."""

from typing import Any

from tests.api.documents import FULL_POLICY, MATCH, MIRROR, POLICY, WEIGHTS, replaced
from turnout.api import parse_policy, parse_weights, to_policy, unknown_versions
from turnout.plugin import Match, Policy, VersionSpec


def test_what_a_policy_leaves_out_is_filled_in() -> None:
    policy = to_policy(parse_policy(POLICY, namespace="models"))
    assert policy == Policy(
        name="wisdom",
        namespace="models",
        model_name="wisdom",
        versions=(VersionSpec("wisdom-0", "models"), VersionSpec("wisdom-1", "models")),
        primary="wisdom-0",
    )


def test_what_a_policy_says_is_taken_over() -> None:
    document = replaced(FULL_POLICY, ("metadata", "uid"), "1-2-3")
    policy = to_policy(parse_policy(document), cluster_domain="cluster.test")
    assert policy == Policy(
        name="wisdom.v2",
        namespace="default",
        model_name="wisdom",
        versions=(
            VersionSpec("wisdom-0", "models", 50),
            VersionSpec(
                "wisdom-1",
                "default",
                0,
                (
                    Match(
                        headers=(("traffic", "exact", "test"), ("x-user", "regex", "a.*")),
                        query=(("tier", "prefix", "gold"),),
                        path=("prefix", "/inference."),
                        method="POST",
                    ),
                    Match(path=("regex", "/v2/.*")),
                ),
            ),
        ),
        primary="wisdom-1",
        uid="1-2-3",
        hosts=("wisdom.example.com",),
        cluster_domain="cluster.test",
    )


def test_weights_override_those_of_the_policy() -> None:
    policy = to_policy(parse_policy(FULL_POLICY), weights=parse_weights(WEIGHTS))
    assert [version.weight for version in policy.versions] == [20, 80]


def test_a_version_that_the_weights_do_not_name_keeps_the_policys() -> None:
    weights = parse_weights(replaced(WEIGHTS, ("spec", "weights"), {"wisdom-1": 0}))
    policy = to_policy(parse_policy(FULL_POLICY), weights=weights)
    assert [version.weight for version in policy.versions] == [50, 0]


def test_weight_0_of_the_weights_prevails() -> None:
    weights = parse_weights(replaced(WEIGHTS, ("spec", "weights"), {"wisdom-0": 0}))
    policy = to_policy(parse_policy(FULL_POLICY), weights=weights)
    assert policy.versions[0].weight == 0


def test_a_mirror_percentage_counts_instead_of_the_candidates_weights() -> None:
    policy = to_policy(parse_policy(FULL_POLICY), weights=parse_weights(MIRROR))
    assert policy.mirror_percentage == 30
    assert {version.name: version.weight for version in policy.versions} == {"wisdom-0": None, "wisdom-1": 0}


def test_weights_for_versions_that_the_policy_does_not_have_are_named() -> None:
    weights = parse_weights(replaced(WEIGHTS, ("spec", "weights"), {"c": 1, "wisdom-0": 1, "b": 1}))
    assert unknown_versions(parse_policy(POLICY), weights) == ("b", "c")


def test_a_mirror_percentage_names_no_version() -> None:
    assert unknown_versions(parse_policy(POLICY), parse_weights(MIRROR)) == ()


def matches(*alternatives: dict[str, Any]) -> tuple[Match, ...]:
    return to_policy(parse_policy(replaced(POLICY, MATCH, list(alternatives)))).versions[0].matches


def test_header_names_are_taken_in_lower_case() -> None:
    assert matches({"headers": {"X-Traffic": {"exact": "Test"}}})[0].headers == (
        ("x-traffic", "exact", "Test"),
    )


def test_query_parameters_keep_their_case() -> None:
    assert matches({"queryParams": {"Tier": {"exact": "Gold"}}})[0].query == (("Tier", "exact", "Gold"),)


def test_the_order_of_conditions_makes_no_difference() -> None:
    """An API server returns maps in the order of their keys, a file in any."""
    values = {"b": {"exact": "2"}, "A": {"exact": "1"}, "a": {"prefix": "3"}}
    headers = {"b": {"exact": "2"}, "A": {"exact": "1"}}
    match = {"headers": headers, "queryParams": values}
    other = {key: dict(reversed(conditions.items())) for key, conditions in match.items()}
    assert matches(match) == matches(other)


def test_alternatives_keep_their_order() -> None:
    assert matches({"method": "PUT"}, {"method": "GET"}) == (Match(method="PUT"), Match(method="GET"))
