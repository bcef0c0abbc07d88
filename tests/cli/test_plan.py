"""`turnout plan`: decisions without a cluster, and how it ends in a pipeline."""

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from tests.decision.world import PLUGINS
from tests.toys import ToyHosts
from tests.toys.distributions import SitePackages
from tests.toys.naughty import Hangs
from turnout.cli.guarded import guarded
from turnout.cli.plan import command
from turnout.documents import Sourced
from turnout.offline import Offline
from turnout.plugin import Observation
from turnout.reasons import Reason
from turnout.registry import Registry
from turnout.settings import Settings
from turnout.testing.builders import NOW

TUTORIAL = Path(__file__).parents[2] / "core/turnout/demo/tutorial"

POLICY = """
apiVersion: turnout.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: wisdom}
spec:
  targetEnv: kserve-modelmesh
  trafficStrategy: blue-green
  modelVersions: [{name: wisdom-0}, {name: wisdom-1}]
"""
WEIGHTS = """
apiVersion: turnout.dev/v1alpha1
kind: TrafficWeights
metadata: {name: wisdom}
spec: {weights: {wisdom-0: 20, wisdom-1: 80}}
"""


def version(name: str, status: str = "True") -> str:
    return f"""
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: {name}}}
status: {{conditions: [{{type: Ready, status: "{status}"}}]}}
"""


BOTH_READY = "---".join((POLICY, version("wisdom-0"), version("wisdom-1")))


def plan(documents: str, *arguments: str) -> Result:
    return CliRunner().invoke(command, ["-f", "-", *arguments], input=documents, standalone_mode=False)


def http(result: Result) -> list[dict[str, object]]:
    manifests = {one["kind"]: one for one in yaml.safe_load_all(result.stdout)}
    found: list[dict[str, object]] = manifests["VirtualService"]["spec"]["http"]
    return found


def test_each_share_is_shown_with_its_reason() -> None:
    """The text has a line a version, and the manifests behind it."""
    result = plan(BOTH_READY)
    assert result.return_value == 0
    assert "wisdom-1  candidate  True           50%    ready, weight 50 of 100" in result.stdout
    assert "kind: VirtualService" in result.stdout


def test_yaml_is_the_manifests_alone() -> None:
    """It can be piped into kubectl: nothing but objects, a shared one once."""
    other = BOTH_READY + "---" + POLICY.replace("name: wisdom}", "name: other}").replace("wisdom-", "other-")
    kinds = [one["kind"] for one in yaml.safe_load_all(plan(other, "-o", "yaml").stdout)]
    assert sorted(kinds) == ["Gateway", *["ServiceEntry"] * 2, *["VirtualService"] * 2]


def test_json_has_a_decision_for_each_policy() -> None:
    """Scripts read shares as numbers."""
    found = json.loads(plan(BOTH_READY + "---" + WEIGHTS, "-o", "json").stdout)
    shares = {one["name"]: one["percentage"] for one in found["policies"][0]["versions"]}
    assert shares == {"wisdom-0": 20.0, "wisdom-1": 80.0}


def test_weights_override_the_policy() -> None:
    """TrafficWeights among the documents count as they would in the cluster."""
    routes = http(plan(BOTH_READY + "---" + WEIGHTS, "-o", "yaml"))[0]["route"]
    assert [route["weight"] for route in routes] == [20, 80]  # type: ignore[attr-defined]


def test_a_version_without_status_is_not_ready_unless_assumed() -> None:
    """A manifest says nothing about readiness; --assume-ready asks what would be if it were."""
    files = ["-f", str(TUTORIAL / "1-primary.yaml"), "-f", str(TUTORIAL / "3-candidate.yaml")]
    assert "split: wisdom-0 100%" in plan(POLICY, *files).stdout
    assert "split: wisdom-0 50% / wisdom-1 50%" in plan(POLICY, *files, "--assume-ready").stdout


def test_a_version_that_says_it_is_not_ready_is_not_assumed_to_be() -> None:
    """--assume-ready fills in what objects do not say, and contradicts none of them."""
    result = plan("---".join((POLICY, version("wisdom-0"), version("wisdom-1", "False"))), "--assume-ready")
    assert "split: wisdom-0 100%" in result.stdout


def test_routes_among_the_documents_are_what_is_in_force() -> None:
    """With nothing ready, what the given VirtualService routes is held."""
    in_force = plan(BOTH_READY + "---" + WEIGHTS, "-o", "yaml").stdout
    nothing = "---".join(
        (POLICY, version("wisdom-0", "False"), version("wisdom-1", "False"), f"\n{in_force}")
    )
    assert "split: wisdom-0 20% / wisdom-1 80%" in plan(nothing).stdout


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    """As with kubectl, its YAML and JSON files are read, and no others."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "version.json").write_text(json.dumps(yaml.safe_load(version("wisdom-0"))))
    (tmp_path / "notes.txt").write_text("{")
    result = CliRunner().invoke(command, ["-f", str(tmp_path)], standalone_mode=False)
    assert "wisdom-0  primary    True" in result.stdout


def test_the_namespace_of_documents_that_name_none_is_given() -> None:
    """-n works as with kubectl."""
    hosts = yaml.safe_load_all(plan(BOTH_READY, "-o", "yaml", "-n", "models").stdout)
    assert all(one["metadata"]["namespace"] == "models" for one in hosts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            ("kserve-modelmesh", "kserve-modelmsh"), 'did you mean "kserve-modelmesh"?', id="environment"
        ),
        pytest.param(("blue-green", "blue-gren"), 'did you mean "blue-green"?', id="strategy"),
        pytest.param(("spec:", "spec:\n  router: isto"), 'did you mean "istio"?', id="router"),
        pytest.param(
            ("spec:", "spec:\n  config: {istio: {gatewayPort: big}}"),
            'spec.config.istio.gatewayPort: found "big", expected an integer 1..65535',
            id="option",
        ),
        pytest.param(
            ("spec:", "spec:\n  config: {istio: {gatewayPrt: 80}}"),
            'unknown field "gatewayPrt"; did you mean "gatewayPort"?',
            id="unknown option",
        ),
        pytest.param(
            ("{name: wisdom-0}", "{name: wisdom-0, weight: -1}"),
            "spec.modelVersions[0].weight: found -1, expected an integer 0..1000000",
            id="weight",
        ),
        pytest.param(
            ("{name: wisdom-0}", "{name: wisdom-0, namespace: theirs}"),
            "spec.modelVersions[0].namespace: found theirs, expected default",
            id="namespace",
        ),
    ],
)
def test_a_policy_that_is_refused_ends_with_1(change: tuple[str, str], said: str) -> None:
    """What is wrong is one line on stderr; other policies are planned all the same."""
    good = BOTH_READY.replace("wisdom", "good")
    result = plan(BOTH_READY.replace(*change) + "---" + good, "-o", "yaml")
    assert result.return_value == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "name: good" in result.stdout
    assert "name: wisdom\n" not in result.stdout


def test_why_nothing_can_be_routed_is_said() -> None:
    """An InferenceService of ModelMesh, under the environment for those with pods of their own."""
    of_modelmesh = version("wisdom-0").replace(
        "{name: wisdom-0}", "{name: wisdom-0, annotations: {serving.kserve.io/deploymentMode: ModelMesh}}"
    )
    result = plan("---".join((POLICY.replace("kserve-modelmesh", "kserve"), of_modelmesh)))
    assert result.return_value == 1
    assert (
        "NoBackend: nothing is known that could answer for the versions to route; wisdom-0:" in result.stderr
    )
    assert "ModelMesh serves it, so spec.targetEnv has to be kserve-modelmesh" in result.stderr


def in_knative_mode(name: str) -> str:
    url = f"http://{name}.default.svc.cluster.local"
    told = f"deploymentMode: Knative, address: {{url: {url}}}, conditions:"
    return version(name).replace("conditions:", told)


@pytest.mark.parametrize(
    ("strategy", "instead"),
    [
        ("blue-green", "authority-per-share, {needed}; routers that can: envoy, istio"),
        (
            "mirror",
            "mirror-authority, {needed}; routers that can: none that may be used; strategies that would do: canary",
        ),
    ],
)
def test_a_version_that_is_left_out_is_told_with_what_would_do(strategy: str, instead: str) -> None:
    """The routes of the others are shown all the same."""
    policy = POLICY.replace("kserve-modelmesh", "kserve").replace(
        "blue-green", f"{strategy}\n  router: gateway-api"
    )
    result = plan("---".join((policy, in_knative_mode("wisdom-0"), in_knative_mode("wisdom-1"))))
    assert result.return_value == 1
    assert result.stderr == (
        "Error: standard input: RoutingPolicy default/wisdom: version wisdom-1 is left out: Unsupported: spec.router: "
        f"gateway-api cannot carry {instead.format(needed=f'which kserve with {strategy} needs here')}\n"
    )
    assert "kind: HTTPRoute" in result.stdout


def test_so_is_what_else_the_versions_lack() -> None:
    """One that is not ready is not routed, whatever its backends."""
    not_ready = version("wisdom-0", "False")
    result = plan("---".join((POLICY.replace("kserve-modelmesh", "kserve"), not_ready)))
    assert result.return_value == 1
    assert (
        "for the versions to route; wisdom-0: its Ready condition is False; its status.deploymentMode is empty"
        in result.stderr
    )


def test_two_policies_for_one_model_are_refused() -> None:
    """Their routes would have the same name; the second is told so."""
    twin = POLICY.replace("name: wisdom}", "name: twin}").replace("spec:", "spec:\n  modelName: wisdom")
    result = plan(BOTH_READY + "---" + twin)
    assert result.return_value == 1
    assert "default/twin: RouteConflict:" in result.stderr


def test_weights_that_do_not_fit_end_with_1() -> None:
    """They count whole or not at all."""
    result = plan(BOTH_READY + "---" + WEIGHTS.replace("wisdom-1", "wisdom-9"))
    assert result.return_value == 1
    assert "the policy has no version wisdom-9; it has wisdom-0, wisdom-1" in result.stderr
    assert "split: wisdom-0 50% / wisdom-1 50%" in result.stdout


def test_weights_without_a_policy_end_with_1() -> None:
    """Nothing would come of them."""
    result = plan(BOTH_READY + "---" + WEIGHTS.replace("name: wisdom}", "name: wisdm}"))
    assert result.return_value == 1
    assert "NoPolicy" in result.stderr


def test_a_kind_that_nobody_knows_is_noted() -> None:
    """A folder may hold more than turnout reads."""
    result = plan(BOTH_READY + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: other}\n")
    assert result.return_value == 0
    assert "Secret other: no plugin knows this kind" in result.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "standard input: there is no RoutingPolicy among the documents", id="empty"),
        pytest.param("{", "standard input: is not YAML", id="no YAML"),
        pytest.param("- a", 'standard input: found ["a"], expected a Kubernetes object', id="a list"),
        pytest.param("a: 1\na: 2", 'key "a" comes twice', id="a key twice"),
        pytest.param("kind: List\nitems: [1]", "items[0]: found 1, expected an object", id="an odd item"),
    ],
)
def test_input_that_cannot_be_used_is_named(text: str, said: str) -> None:
    """An error, and nothing on stdout."""
    result = plan(text)
    assert result.exception is not None
    assert said in f"{getattr(result.exception, 'message', '')}{result.exception}"
    assert result.stdout == ""


def test_what_a_plugin_prints_is_not_among_the_manifests(site_packages: SitePackages) -> None:
    site_packages.install(
        "turnout-chatty",
        """
        import threading

        from turnout.plugin import Decision, Options, Rule, Share, Strategy, hookimpl

        print("DEBUG importing")

        class Chatty(Strategy[Options]):
            name = "chatty"
            options = Options

            def decide(self, inputs, options):
                print("DEBUG deciding on", threading.current_thread().name)
                return Decision((Rule("default", (Share(inputs.versions[0], 1),)),), {})

        @hookimpl
        def turnout_strategies():
            return [Chatty()]
        """,
    )
    result = plan(BOTH_READY.replace("blue-green", "chatty"), "-o", "yaml")
    assert result.return_value == 0
    assert all(one["kind"] for one in yaml.safe_load_all(result.stdout))
    assert "DEBUG importing\nDEBUG deciding on turnout-plugins\n" in result.stderr


def test_a_plugin_that_hangs_is_told_of_after_a_while() -> None:
    """As in the controller, and for its own policies alone."""
    hangs = Hangs()
    documents = [*yaml.safe_load_all(BOTH_READY), *yaml.safe_load_all(BOTH_READY)]
    other = documents[3]
    other["metadata"], other["spec"]["trafficStrategy"] = {"name": "other"}, "toy-hangs"
    with guarded(limit=0.2) as run:
        offline = Offline(Registry.of(*PLUGINS, hangs), Settings(), NOW, run=run)
        offline.add(Sourced("it", one) for one in documents)
        well, stuck = offline.plan()
    hangs.release.set()
    assert well.problem is None
    assert stuck.problem
    assert stuck.problem[0] is Reason.PLUGIN_FAILED
    assert stuck.problem[1].startswith("plugin toy-hangs: did not return within 0.2 s")


def test_an_object_that_hangs_its_environment_is_unknown() -> None:
    class Slow(ToyHosts):
        def observe(self, obj: Mapping[str, Any]) -> Observation:
            released.wait()
            raise RuntimeError("released")

    released = threading.Event()
    document = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "wisdom-0"}}
    policy = yaml.safe_load(POLICY.replace("kserve-modelmesh", "toy-hosts"))
    others = [one for one in PLUGINS if one.name != "toy-hosts"]
    with guarded(limit=0.2) as run:
        offline = Offline(Registry.of(Slow(), *others), Settings(), NOW, run=run)
        offline.add(Sourced("it", one) for one in (policy, document))
        (planned,) = offline.plan()
    released.set()
    assert planned.problem
    assert "plugin toy-hosts: did not return within 0.2 s" in planned.problem[1]
