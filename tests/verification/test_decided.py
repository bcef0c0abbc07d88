"""What is read from a policy: the split, its model, its host, and whether the routes have followed."""

from typing import Any

import pytest

from turnout import loading
from turnout.settings import Settings
from turnout.verification.decided import decided, host
from turnout.verification.split import Share


def policy(*versions: dict[str, str], routed: str = "True", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": "wisdom", "namespace": "models", "generation": 3},
        "spec": {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": "blue-green",
            "modelVersions": [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
            **spec,
        },
        "status": {
            "observedGeneration": 3,
            "versions": list(versions),
            "conditions": [{"type": "Routed", "status": routed, "reason": "Writing", "message": "soon"}],
        },
    }


def version(number: int, share: str) -> dict[str, str]:
    return {"name": f"wisdom-{number}", "share": share}


def test_shares_are_the_split() -> None:
    said = decided(policy(version(0, "100%"), version(1, "0%"), modelName="wise"))
    assert said.split == {"wisdom-0": Share(1, 1), "wisdom-1": Share(0, 0)}
    assert (said.model, said.matched, said.unsettled) == ("wise", (), "")


@pytest.mark.parametrize(("share", "matched"), [("match", ("wisdom-1",)), ("mirror 30%", ())])
def test_versions_beside_the_split_get_no_plain_call(share: str, matched: tuple[str, ...]) -> None:
    said = decided(policy(version(0, "100%"), version(1, share)))
    assert said.split["wisdom-1"] == Share(0, 0)
    assert said.matched == matched


@pytest.mark.parametrize(
    "broken",
    [
        policy(),
        policy(version(0, "0%"), version(1, "0%")),
        policy({"name": "wisdom-0"}),
        {"metadata": {"name": "wisdom"}, "status": {"versions": "?"}},
        {},
    ],
)
def test_nothing_may_be_decided_yet(broken: dict[str, Any]) -> None:
    assert decided(broken).split == {}


def test_routes_that_have_not_followed_are_told() -> None:
    assert decided(policy(version(0, "100%"), routed="False")).unsettled == "Writing: soon"
    stale = policy(version(0, "100%"))
    stale["metadata"]["generation"] = 4
    assert decided(stale).unsettled == "the controller has not yet seen the policy as it is now"


def test_a_status_that_says_nothing_of_the_routes_is_not_settled() -> None:
    silent = policy(version(0, "100%"))
    silent["status"]["conditions"] = []
    assert decided(silent).unsettled == "the policy's status does not say that they are"


def test_host_is_the_first_of_the_models_frontend() -> None:
    registry = loading.load()
    assert host(policy(), registry, "grpc", Settings()) == "wisdom.models"
    assert host(policy(modelName="wise"), registry, "http", Settings()) == "wise.models"
    assert host(policy(targetEnv="elsewhere"), registry, "grpc", Settings()) is None


def test_host_is_told_under_the_controllers_settings() -> None:
    registry = loading.load()
    fixed = {"kserve-modelmesh": {"fixed": {"namespace": "serving"}}}
    settings = Settings.of({"allowNamespaces": {"*": ["serving"]}, "plugins": fixed})
    assert host(policy(), registry, "grpc", settings) == "wisdom.serving"


def test_an_app_version_stands_for_the_version_with_a_share() -> None:
    """Of two versions with one app version, the one that gets no calls is not meant."""
    said = decided(
        policy(
            {**version(0, "20%"), "appVersion": "v0"},
            {**version(1, "80%"), "appVersion": "v1"},
            {**version(2, "0%"), "appVersion": "v1"},
        )
    )
    assert said.named() == {"v0": "wisdom-0", "v1": "wisdom-1"}


def test_an_app_version_of_two_versions_with_a_share_stands_for_neither() -> None:
    both = ({**version(number, "50%"), "appVersion": "v1"} for number in range(2))
    with pytest.raises(ValueError, match="wisdom-0 and wisdom-1 are both v1"):
        decided(policy(*both)).named()
