"""From routemaps of Iter8's charts to policies and traffic weights."""

import time
from typing import Any

import pytest
import yaml

from tests.migration.charts import DEPLOYMENT, KSERVE, MODELMESH, NAMESPACE, Chart, Object
from turnout.migration import Artifacts, Carried, carry

TELLS_VERSIONS = "the response header app-version"


def carried(*documents: Object, whole: bool = False) -> Carried:
    artifacts = Artifacts(NAMESPACE, whole)
    artifacts.add(documents)
    (found,) = carry(artifacts)
    return found


def spec(found: Carried) -> Any:
    assert found.policy, found.findings
    assert found.policy["metadata"] == {"name": "wisdom", "namespace": NAMESPACE}
    return found.policy["spec"]


def lost(found: Carried) -> list[str]:
    return [finding.text for finding in found.findings if finding.lost]


def notes(found: Carried) -> list[str]:
    return [finding.text for finding in found.findings if not finding.lost]


def with_spec(chart: Chart, change: Any) -> Object:
    """A routemap whose spec somebody has changed."""
    document = chart.routemap()
    found = yaml.safe_load(document["data"]["strSpec"])
    change(found)
    return {**document, "data": {"strSpec": yaml.safe_dump(found, sort_keys=False)}}


def with_template(chart: Chart, old: str, new: str) -> Object:
    """A routemap whose template somebody has changed."""

    def change(found: Any) -> None:
        (template,) = found["routingTemplates"].values()
        assert old in template["template"]
        template["template"] = template["template"].replace(old, new)

    return with_spec(chart, change)


class TestModelMesh:
    def test_blue_green_is_carried_over_whole(self) -> None:
        found = carried(*Chart().documents())
        assert spec(found) == {
            "targetEnv": MODELMESH,
            "trafficStrategy": "blue-green",
            "modelVersions": [{"name": "wisdom-0", "weight": 50}, {"name": "wisdom-1", "weight": 50}],
            "config": {
                MODELMESH: {"service": "modelmesh-serving", "port": 8033},
                "istio": {"externalGateway": "mm-gateway"},
            },
        }
        assert (found.weights, found.findings) == (None, ())

    def test_its_routes_before_0_14_are_not_for_clients_inside_the_mesh(self) -> None:
        found = carried(*Chart("0.13").documents())
        assert spec(found)["config"]["istio"] == {"externalGateway": "mm-gateway", "mesh": False}
        assert not found.findings

    def test_canary_has_matches_in_the_terms_of_a_policy(self) -> None:
        match = {"headers": {"traffic": {"exact": "test"}}, "uri": {"prefix": "/v2"}}
        found = carried(*Chart(strategy="canary", match=match).documents())
        expected = {"headers": {"traffic": {"exact": "test"}}, "path": {"prefix": "/v2"}}
        assert spec(found)["trafficStrategy"] == "canary"
        assert spec(found)["modelVersions"] == [
            {"name": "wisdom-0"},
            {"name": "wisdom-1", "match": [expected]},
        ]
        assert not found.findings

    def test_mirror_has_the_weight_of_the_candidate_as_its_percentage(self) -> None:
        found = carried(*Chart(strategy="mirror", weights=(100, 30)).documents())
        assert spec(found)["modelVersions"] == [{"name": "wisdom-0"}, {"name": "wisdom-1", "weight": 30}]
        assert not lost(found)
        assert "a fault of its template" in notes(found)[0]

    @pytest.mark.parametrize("release", ["0.17", "1.1"])
    @pytest.mark.parametrize("strategy", ["blue-green", "canary"])
    def test_later_charts_tell_the_version_which_is_told_in_another_way(
        self, release: str, strategy: str
    ) -> None:
        found = carried(*Chart(release, strategy=strategy).documents())
        assert spec(found)["config"]["istio"]["appVersionHeader"] == "app-version"
        assert [text[: len(TELLS_VERSIONS)] for text in lost(found)] == [TELLS_VERSIONS]

    def test_versions_may_be_many_and_have_any_names_and_weights(self) -> None:
        chart = Chart(names=("wise", "wiser", "wisest"), weights=(1, 0, 999))
        assert spec(carried(*chart.documents()))["modelVersions"] == [
            {"name": "wise", "weight": 1},
            {"name": "wiser", "weight": 0},
            {"name": "wisest", "weight": 999},
        ]

    def test_versions_of_other_namespaces_keep_the_service_of_this_one(self) -> None:
        def elsewhere(found: Any) -> None:
            found["versions"][1]["resources"][1]["namespace"] = "elsewhere"

        found = carried(with_spec(Chart(), elsewhere))
        assert spec(found)["modelVersions"][1]["namespace"] == "elsewhere"
        assert spec(found)["config"][MODELMESH]["namespace"] == NAMESPACE

    def test_a_routemap_of_another_namespace_than_modelmesh(self) -> None:
        """As in 0.13, where the release was installed anywhere."""
        document = Chart("0.13").routemap()
        document["metadata"]["namespace"] = "default"
        found = carried(document)
        assert found.policy
        assert found.policy["metadata"]["namespace"] == "default"
        assert found.policy["spec"]["config"][MODELMESH]["namespace"] == NAMESPACE
        assert {one["namespace"] for one in found.policy["spec"]["modelVersions"]} == {NAMESPACE}


class TestOthers:
    @pytest.mark.parametrize("release", ["0.17", "1.1"])
    @pytest.mark.parametrize("strategy", ["blue-green", "canary"])
    def test_kserve_leaves_paths_and_the_second_gateway(self, release: str, strategy: str) -> None:
        found = carried(*Chart(release, KSERVE, strategy).documents())
        assert spec(found)["targetEnv"] == "kserve"
        assert spec(found)["config"] == {
            "kserve": {"virtual": False},
            "istio": {
                "externalGateway": "knative-serving/knative-ingress-gateway",
                "appVersionHeader": "app-version",
            },
        }
        told = [
            "the rewritten path",
            *(["the request header branch"] if strategy == "blue-green" else []),
            "the gateway knative-serving/knative-local-gateway",
            TELLS_VERSIONS,
        ]
        assert [text.startswith(words) for text, words in zip(lost(found), told, strict=True)] == [
            True for _ in told
        ]

    @pytest.mark.parametrize(
        ("release", "strategy"),
        [("0.17", "blue-green"), ("1.1", "blue-green"), ("1.1", "canary"), ("1.1", "mirror")],
    )
    @pytest.mark.parametrize("port", [None, 8080])
    def test_deployments_keep_the_service_of_the_models_name(
        self, release: str, strategy: str, port: int | None
    ) -> None:
        found = carried(*Chart(release, DEPLOYMENT, strategy, port=port).documents())
        expected = {"virtual": False, **({"servicePort": port} if port else {})}
        assert (spec(found)["targetEnv"], spec(found)["trafficStrategy"]) == ("deployment", strategy)
        assert spec(found)["config"][DEPLOYMENT] == expected
        assert [text[: len(TELLS_VERSIONS)] for text in lost(found)] == [TELLS_VERSIONS]
        assert notes(found)[0].startswith("the Service wisdom")

    def test_services_may_have_a_suffix(self) -> None:
        def suffixed(found: Any) -> None:
            for version in found["versions"]:
                version["resources"][0]["name"] += "-http"
            template = found["routingTemplates"]["blue-green"]
            for name in ("wisdom-0", "wisdom-1"):
                template["template"] = template["template"].replace(f"host: {name}.", f"host: {name}-http.")

        found = carried(with_spec(Chart("1.1", DEPLOYMENT), suffixed))
        assert spec(found)["config"][DEPLOYMENT] == {"virtual": False, "serviceSuffix": "-http"}


class TestWeights:
    def test_modified_weights_are_traffic_weights(self) -> None:
        chart = Chart()
        configs = [chart.weight_config("wisdom-0", 20), chart.weight_config("wisdom-1", 80)]
        found = carried(chart.routemap(), *configs)
        assert found.weights
        assert found.weights["metadata"] == {"name": "wisdom", "namespace": NAMESPACE}
        assert found.weights["spec"] == {"weights": {"wisdom-0": 20, "wisdom-1": 80}}
        assert [one["weight"] for one in spec(found)["modelVersions"]] == [50, 50]

    def test_one_that_is_not_modified_keeps_that_of_the_policy(self) -> None:
        chart = Chart()
        found = carried(
            chart.routemap(), chart.weight_config("wisdom-0"), chart.weight_config("wisdom-1", 10)
        )
        assert found.weights
        assert found.weights["spec"] == {"weights": {"wisdom-1": 10}}

    def test_of_mirror_is_the_candidates_percentage(self) -> None:
        chart = Chart(strategy="mirror", weights=(100, 100))
        found = carried(chart.routemap(), chart.weight_config("wisdom-1", 30))
        assert found.weights
        assert found.weights["spec"] == {"weights": {"wisdom-1": 30}}

    def test_are_those_of_the_first_resource_alone(self) -> None:
        """In the last charts that is the InferenceService, so their weight-config counts for nothing."""
        chart = Chart("1.1")
        config = chart.weight_config("wisdom-1", 80)
        found = carried(chart.routemap(), config)
        assert found.weights is None
        assert any('the weight "80" does not count' in text for text in notes(found))
        labels = {"iter8.tools/watch": "true"}
        metadata = {"name": "wisdom-1", "namespace": NAMESPACE, "labels": labels}
        annotated = {**metadata, "annotations": {"iter8.tools/weight": "70"}}
        found = carried(chart.routemap(), config, {"kind": "InferenceService", "metadata": annotated})
        assert found.weights
        assert found.weights["spec"] == {"weights": {"wisdom-1": 70}}

    @pytest.mark.parametrize("text", ["-1", "1.5", "many", "", "4294967296", "9" * 5000, "٣"])
    def test_that_iter8_cannot_read_do_not_count(self, text: str) -> None:
        chart = Chart()
        config = chart.weight_config("wisdom-1", 1)
        config["metadata"]["annotations"]["iter8.tools/weight"] = text
        found = carried(chart.routemap(), chart.weight_config("wisdom-0"), config)
        assert found.weights is None
        assert "is no number to Iter8" in notes(found)[0]

    def test_may_begin_with_zeros(self) -> None:
        chart = Chart()
        config = chart.weight_config("wisdom-1", 1)
        config["metadata"]["annotations"]["iter8.tools/weight"] = "0" * 5000 + "80"
        found = carried(chart.routemap(), config)
        assert found.weights
        assert found.weights["spec"] == {"weights": {"wisdom-1": 80}}

    def test_of_an_object_that_iter8_does_not_watch_do_not_count(self) -> None:
        chart = Chart()
        config = chart.weight_config("wisdom-1", 80)
        config["metadata"]["labels"] = {}
        found = carried(chart.routemap(), chart.weight_config("wisdom-0"), config)
        assert found.weights is None
        assert "it has no label iter8.tools/watch" in notes(found)[0]

    def test_that_are_not_known_are_told(self) -> None:
        assert [text.split(":")[0] for text in notes(carried(Chart().routemap()))] == [
            "is not among the documents"
        ] * 2
        assert not carried(Chart().routemap(), whole=True).findings

    def test_of_nothing_but_zeros_leave_all_to_the_primary(self) -> None:
        chart = Chart()
        configs = [chart.weight_config(name, 0) for name in chart.names]
        found = carried(chart.routemap(), *configs)
        assert found.weights
        assert found.weights["spec"] == {"weights": {"wisdom-0": 1, "wisdom-1": 0}}

    def test_that_no_policy_can_have_are_refused(self) -> None:
        found = carried(Chart(weights=(1, 1_000_001)).routemap())
        assert (found.policy, found.weights) == (None, None)
        assert "spec.modelVersions[1].weight: found 1000001, expected an integer 0..1000000" in lost(found)[0]

    def test_keep_a_canary_out_if_they_are_0(self) -> None:
        chart = Chart(strategy="canary")
        labels = {"iter8.tools/watch": "true"}
        for weight, expected in (("0", {"weights": {"wisdom-1": 0}}), ("5", None)):
            annotations = {"iter8.tools/weight": weight}
            metadata: Object = {"name": "wisdom-1", "namespace": NAMESPACE, "labels": labels}
            isvc = {"kind": "InferenceService", "metadata": {**metadata, "annotations": annotations}}
            found = carried(chart.routemap(), isvc)
            assert (found.weights and found.weights["spec"]) == expected


class TestRefusals:
    """What no chart makes is refused by its path, and the other routemaps are carried over."""

    @pytest.mark.parametrize(
        ("document", "told"),
        [
            pytest.param(
                {**Chart().routemap(), "data": {}}, "data.strSpec: missing, expected a routemap", id="no spec"
            ),
            pytest.param({**Chart().routemap(), "data": {"strSpec": "{"}}, "is not YAML", id="no YAML"),
            pytest.param(
                {**Chart().routemap(), "data": {"strSpec": "versions: []"}},
                "data.strSpec.versions: found [], expected a list of at least one version",
                id="no versions",
            ),
            pytest.param(
                with_spec(Chart(), lambda found: found["versions"][0].update(wheight=1)),
                'data.strSpec.versions[0]: unknown field "wheight"; did you mean "weight"?',
                id="an unknown field",
            ),
            pytest.param(
                with_spec(Chart(), lambda found: found.pop("routingTemplates")),
                "it has no routing template",
                id="no template",
            ),
            pytest.param(
                with_spec(
                    Chart(),
                    lambda found: found["routingTemplates"].update(
                        mine=found["routingTemplates"]["blue-green"]
                    ),
                ),
                "routingTemplates: found 2 templates, expected one",
                id="two templates",
            ),
            pytest.param(
                with_spec(
                    Chart(),
                    lambda found: found.update(routingTemplates={"mine": {"gvrShort": "vs", "template": ""}}),
                ),
                'routingTemplates["mine"]: found this name, expected blue-green, canary, mirror',
                id="another strategy",
            ),
            pytest.param(
                with_spec(
                    Chart(),
                    lambda found: found["routingTemplates"]["blue-green"].update(gvrShort="httproute"),
                ),
                'routes of the kind "httproute": only VirtualServices are carried over',
                id="another kind",
            ),
            pytest.param(
                with_spec(
                    Chart(), lambda found: found["versions"][1]["resources"][1].update(gvrShort="ksvc")
                ),
                'versions[1].resources[1].gvrShort: found "ksvc", expected isvc, deploy, svc or cm',
                id="another resource",
            ),
            pytest.param(
                with_template(Chart(), "{{ index .Weights 0 }}", "{{ (index .Versions 0).Weight }}"),
                'found "{{ (index .Versions 0).Weight }}", expected {{ index .Weights N }}',
                id="another action",
            ),
            pytest.param(
                with_template(Chart(), "{{- end }}", ""), "an {{ if }} without its {{ end }}", id="an open if"
            ),
            pytest.param(
                with_template(Chart(), "index .Weights 1", "index .Weights 2"),
                "the weight of version 2, which Iter8 cannot execute",
                id="a weight of nobody",
            ),
            pytest.param(
                with_template(Chart(), "weight: {{ index .Weights 0 }}", "weight: {{ index .Weights 1 }}"),
                "spec.http[0].route[0].weight: found 2, expected 1",
                id="the weight of another version",
            ),
            pytest.param(
                with_template(Chart(), "{{ index .Weights 1 }}", "2"),
                "spec.http[0].route[1].weight: found 2, expected 4",
                id="a weight that only looks like the version's",
            ),
            pytest.param(
                with_spec(
                    Chart(),
                    lambda found: found["routingTemplates"]["blue-green"].update(template="a: {{ end"),
                ),
                'found " end" after {{ without its }}',
                id="an open action",
            ),
            pytest.param(
                with_spec(
                    Chart(),
                    lambda found: found["routingTemplates"]["blue-green"].update(template="!!bool maybe"),
                ),
                "is not YAML: a value is not of the type that its tag names",
                id="a tag that the value does not fit",
            ),
            pytest.param(
                with_template(Chart(), "  http:", "  tls: []\n  http:"), 'unknown field "tls"', id="TLS"
            ),
            pytest.param(
                with_template(Chart(), "  - route:", "  - timeout: 5s\n    route:"),
                'spec.http[0]: unknown field "timeout"',
                id="a timeout",
            ),
            pytest.param(
                with_template(Chart(), "wisdom.modelmesh-serving,", "wisdom.example.com,"),
                'spec.hosts: found ["wisdom.example.com"',
                id="another host",
            ),
            pytest.param(
                with_template(Chart(), "set: {mm-vmodel-id: wisdom-1}", "set: {mm-vmodel-id: wisdom-2}"),
                'spec.http[0].route[1]: found "wisdom-2", expected "wisdom-1"',
                id="another version",
            ),
            pytest.param(
                with_template(
                    Chart(), "set: {mm-vmodel-id: wisdom-1}", "set: {mm-vmodel-id: wisdom-1, a: b}"
                ),
                "headers.request.set",
                id="another header",
            ),
            pytest.param(
                with_template(Chart(strategy="canary"), "- match:", "- mirror: {host: a}\n    match:"),
                "spec.http[0].mirror: found one, expected none",
                id="canary with copies",
            ),
            pytest.param(
                with_template(
                    Chart(strategy="canary"), "{traffic: {exact: test}}", "{traffic: {exact: test}}, port: 1"
                ),
                "only headers, method, queryParams and uri",
                id="a match by port",
            ),
            pytest.param(
                with_template(Chart("1.1", KSERVE), "-predictor.", "-transformer."),
                "expected the predictor of a version",
                id="another host of KServe",
            ),
            pytest.param(
                with_template(Chart("1.1", DEPLOYMENT), "host: wisdom-1.", "host: mill-1."),
                "expected the full name of a version's Service",
                id="another Service",
            ),
        ],
    )
    def test_is_told(self, document: Object, told: str) -> None:
        other = Chart(model="mill", names=("mill-0", "mill-1")).routemap()
        artifacts = Artifacts(NAMESPACE, whole=True)
        artifacts.add([document, other])
        mill, wisdom = carry(artifacts)
        assert (mill.name, mill.findings, wisdom.policy) == ("mill", (), None)
        (text,) = lost(wisdom)
        assert told in text
        assert "\n" not in text

    def test_one_version_without_a_candidate_fails_in_iter8_too(self) -> None:
        """Its first charts ask for the weight of a candidate that is not listed; the last do not."""
        found = carried(Chart(names=("wisdom-0",), weights=(50,)).routemap(), whole=True)
        assert "the weight of version 1, which Iter8 cannot execute" in lost(found)[0]
        found = carried(Chart("1.1", names=("wisdom-0",), weights=(50,)).routemap(), whole=True)
        assert spec(found)["modelVersions"] == [{"name": "wisdom-0", "weight": 50}]

    def test_versions_that_get_nothing_are_told(self) -> None:
        """Iter8's mirror knows one candidate."""
        chart = Chart(strategy="mirror", names=("wisdom-0", "wisdom-1", "wisdom-2"), weights=(1, 2, 3))
        found = carried(chart.routemap(), whole=True)
        assert [one["name"] for one in spec(found)["modelVersions"]] == ["wisdom-0", "wisdom-1"]
        assert lost(found)[0].startswith("the version wisdom-2, which Iter8's template gives no calls")

    def test_of_two_routemaps_for_one_virtual_service_the_first_counts(self) -> None:
        second = Chart(weights=(1, 2)).routemap()
        second["metadata"]["name"] = "zwei-routemap"
        artifacts = Artifacts(NAMESPACE, whole=True)
        artifacts.add([second, Chart().routemap()])
        first, other = carry(artifacts)
        assert (first.routemap, first.name, other.policy) == ("wisdom-routemap", "wisdom", None)
        told = "its VirtualService wisdom is that of ConfigMap wisdom-routemap too"
        assert lost(other)[0].startswith(told)

    def test_a_second_routemap_is_of_the_same_model(self) -> None:
        """So that whoever asks for the model hears of it."""
        second = Chart().routemap()
        second["metadata"]["name"] = "zwei-routemap"
        artifacts = Artifacts(NAMESPACE, whole=True)
        artifacts.add([second, Chart().routemap()])
        first, other = carry(artifacts)
        assert (first.name, first.rivals) == ("wisdom", ("zwei-routemap",))
        assert (other.name, other.rivals) == ("wisdom", ())

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("[&v {resources: [{gvrShort: isvc, name: a}]}" + ", *v" * 64 + "]", "at most 64"),
            ("[{resources: [&r {gvrShort: isvc, name: a}" + ", *r" * 64 + "]}]", "at most 64 resources"),
            (
                "[&v {resources: [&r {gvrShort: cm, name: a}" + ", *r" * 9999 + "]}" + ", *v" * 9999 + "]",
                "64",
            ),
        ],
        ids=["versions", "resources", "both by aliases"],
    )
    def test_many_items_by_aliases_are_refused(self, text: str, told: str) -> None:
        found = carried({**Chart().routemap(), "data": {"strSpec": f"versions: {text}"}})
        assert told in lost(found)[0]

    @pytest.mark.parametrize(
        "text", [" " * 500_000, "{{" * 250_000, "{{- " * 100_000], ids=["spaces", "opened", "trimmed"]
    )
    def test_a_huge_template_is_refused_at_once(self, text: str) -> None:
        def change(found: Any) -> None:
            found["routingTemplates"]["blue-green"]["template"] = f"a{text}b"

        document = with_spec(Chart(), change)
        began = time.process_time()
        assert lost(carried(document))
        assert time.process_time() - began < 20

    def test_a_release_of_helm_is_told(self) -> None:
        document = Chart().routemap()
        document["metadata"]["annotations"] = {"meta.helm.sh/release-name": "rollout"}
        assert 'it is of the Helm release "rollout"' in notes(carried(document, whole=True))[0]
