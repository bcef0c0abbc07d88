"""What is told of a decision: from documents alone, and from what is there besides."""

from turnout.documents import Sourced
from turnout.explain import explain
from turnout.loading import load
from turnout.offline import Offline, Planned
from turnout.plugin import Ref
from turnout.settings import Settings
from turnout.testing.builders import NOW
from turnout_istio.virtual_service import VIRTUAL_SERVICE
from turnout_kserve_modelmesh.environment import INFERENCE_SERVICE

MATCH = [
    {
        "headers": {"traffic": {"exact": "test"}},
        "method": "POST",
        "path": {"prefix": "/v2/"},
        "queryParams": {"user": {"regex": "a.*"}},
    },
    {"headers": {"beta": {"exact": "yes"}}},
]


def offline(strategy: str, *versions: dict[str, object], **spec: object) -> Offline:
    made = Offline(load(), Settings(), NOW, "models")
    policy = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "RoutingPolicy",
        "metadata": {"name": "wisdom"},
        "spec": {
            "targetEnv": "kserve-modelmesh",
            "trafficStrategy": strategy,
            "modelVersions": [*versions] or [{"name": "wisdom-0"}, {"name": "wisdom-1"}],
            **spec,
        },
    }
    made.add([Sourced("policy.yaml", policy), model("wisdom-0"), model("wisdom-1")])
    return made


def model(name: str, *, ready: str = "True", **metadata: object) -> Sourced:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": "2026-01-02T03:04:05Z"}
    document = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": name, **metadata},
        "status": {"conditions": [condition]},
    }
    return Sourced("models.yaml", document)


def weights(**given: int) -> Sourced:
    document = {
        "apiVersion": "turnout.dev/v1alpha1",
        "kind": "TrafficWeights",
        "metadata": {"name": "wisdom"},
        "spec": {"weights": {name.replace("_", "-"): weight for name, weight in given.items()}},
    }
    return Sourced("weights.yaml", document)


def planned(known: Offline) -> Planned:
    (found,) = known.plan()
    return found


def told(known: Offline) -> list[str]:
    return [line.strip() for line in explain(planned(known))]


def test_rules_are_told_with_what_they_match() -> None:
    lines = told(offline("canary", {"name": "wisdom-0"}, {"name": "wisdom-1", "match": MATCH}))
    first = "POST and path prefix /v2/ and header traffic exact test and query user regex a.*"
    assert f"wisdom-1: {first} or header beta exact yes: wisdom-1 100%" in lines
    assert "default: all other calls: wisdom-0 100%" in lines


def test_copies_are_told() -> None:
    lines = told(offline("mirror", config={"mirror": {"percentage": 30}}))
    assert "default: all calls: wisdom-0 100%, copies of 30% to wisdom-1" in lines


def test_readiness_is_told_by_the_field_that_says_it() -> None:
    known = offline("blue-green")
    known.add([model("wisdom-1", ready="Unknown")])
    lines = told(known)
    since = "since 2026-01-02T03:04:05Z"
    assert (
        f"wisdom-0: InferenceService models/wisdom-0 is ready: status.conditions[Ready] is True {since}"
        in lines
    )
    unknown = f"status.conditions[Ready] is Unknown {since}: Unknown: its Ready condition is unknown"
    assert f"wisdom-1: InferenceService models/wisdom-1 does not tell whether it is ready: {unknown}" in lines
    known.add([model("wisdom-1", deletionTimestamp="2026-01-02T03:05:00Z")])
    assert "wisdom-1: InferenceService models/wisdom-1 is being deleted since 2026-01-02T03:05:00Z" in told(
        known
    )


def test_where_weights_come_from_is_told() -> None:
    assert not any(line.startswith("weights:") for line in told(offline("blue-green")))
    known = offline("blue-green")
    known.add([weights(wisdom_0=1, wisdom_1=3)])
    assert "weights: those of TrafficWeights, over the policy's own" in told(known)
    assert "default: all calls: wisdom-0 25% / wisdom-1 75%" in told(known)
    known.add([weights(other=1)])
    refused = "UnknownVersion: spec.weights: the policy has no version other; it has wisdom-0, wisdom-1"
    assert f"weights: the policy's own; TrafficWeights do not count: {refused}" in told(known)


def test_what_is_written_is_told_beside_what_is_there() -> None:
    known = offline("blue-green")
    assert "VirtualService wisdom" in told(known)
    route = next(one for one in planned(known).documents if one["kind"] == "VirtualService")
    known.add([Sourced("routes.yaml", route)])
    assert "VirtualService wisdom: is there as decided" in told(known)
    known.add([weights(wisdom_0=20, wisdom_1=80)])
    assert any(
        line.startswith("VirtualService wisdom: differs from what is there at ") for line in told(known)
    )
    known.absent(Ref(VIRTUAL_SERVICE, "models", "wisdom"))
    assert "VirtualService wisdom: does not exist yet" in told(known)
    known.add([Sourced("routes.yaml", {**route, "metadata": {"name": "wisdom", "namespace": "models"}})])
    assert any(line.startswith("VirtualService wisdom: is not written over ") for line in told(known))


def test_a_gateway_of_others_is_used_as_it_is() -> None:
    known = offline("blue-green")
    gateway = next(one for one in planned(known).documents if one["kind"] == "Gateway")
    known.add(
        [Sourced("gateway.yaml", {**gateway, "metadata": {"name": "mm-gateway", "namespace": "models"}})]
    )
    wanted = "Gateway mm-gateway (shared): exists and is someone else's, so it is used as it is"
    assert wanted in told(known)


def test_a_refused_policy_is_told_with_the_reason() -> None:
    (title, refused) = told(offline("blu-green"))
    assert title == "RoutingPolicy models/wisdom"
    assert refused.startswith(
        'refused: UnknownPlugin: unknown strategy "blu-green"; did you mean "blue-green"?'
    )


def test_where_nothing_can_be_routed_the_chain_tells_why() -> None:
    known = offline("blue-green", targetEnv="deployment")
    lines = told(known)
    assert lines[1].startswith("refused: NoBackend: ")
    assert "wisdom-0: Deployment models/wisdom-0 does not exist" in lines
    assert lines[-4:] == ["rules:", "nothing", "writes:", "nothing"]


def test_without_the_drain_no_version_has_to_be_protected() -> None:
    known = offline("blue-green")
    assert planned(known).assessment.outcome
    known.drain = True
    assert any("the finalizer turnout.dev/drain is not on" in line for line in told(known))
    known.add([model("wisdom-0", finalizers=["turnout.dev/drain"])])
    assert "default: all calls: wisdom-0 100%" in told(known)
    assert Ref(INFERENCE_SERVICE, "models", "wisdom-1") in known.asked
