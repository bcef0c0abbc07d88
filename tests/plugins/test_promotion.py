"""What the built-in environments make of objects when a candidate is promoted."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.plugins.test_deployment import deployment, service
from tests.support.kserve import condition, knative, standard
from turnout.plugin import promotion
from turnout_deployment.environment import Deployments
from turnout_kserve.environment import KServe
from turnout_kserve_modelmesh.environment import KServeModelMesh

Object = dict[str, Any]
MODES = "serving.kserve.io/deploymentMode"


def isvc(name: str, uri: str, version: str, mode: str = "ModelMesh", **annotations: str) -> Object:
    named = {f"serving.kserve.io/{key}": value for key, value in annotations.items()}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "namespace": "models",
            "uid": name,
            "generation": 1,
            "labels": {"app.kubernetes.io/version": version, "team": name},
            "annotations": {MODES: mode, "mine": name, **named},
        },
        "spec": {"predictor": {"model": {"storageUri": uri}}},
        "status": {"conditions": [condition("Ready", "True")]},
    }


OLD = isvc("wisdom-0", "s3://old", "v0", secretKey="old", gone="x")
NEW = isvc("wisdom-1", "s3://new", "v1", secretKey="new", storageSpec="y")


class TestModelMesh:
    plugin = KServeModelMesh()

    def test_takes_the_spec_and_how_it_is_served(self) -> None:
        """What is no longer said goes; labels and annotations of others stay, and the mode."""
        (made,) = self.plugin.promoted([OLD], [NEW])
        assert made["spec"] == NEW["spec"]
        metadata = made["metadata"]
        assert metadata["labels"] == {"app.kubernetes.io/version": "v1", "team": "wisdom-0"}
        assert metadata["annotations"] == {
            MODES: "ModelMesh",
            "mine": "wisdom-0",
            "serving.kserve.io/secretKey": "new",
            "serving.kserve.io/storageSpec": "y",
        }
        assert self.plugin.promoted([made], [OLD]) == [OLD]

    @pytest.mark.parametrize(
        ("status", "verdict"),
        [
            ({}, None),
            ({"transitionStatus": "UpToDate", "states": {"targetModelState": "Loaded"}}, None),
            ({"transitionStatus": "InProgress", "states": {"targetModelState": "Loading"}}, False),
            ({"transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": {"message": "no file"}}, False),
            ({"transitionStatus": "InvalidSpec"}, False),
        ],
    )
    def test_is_rolled_out_as_far_as_its_status_tells(self, status: Object, verdict: bool | None) -> None:
        """A word for the latest spec looks like one for that before it: no more than maybe."""
        (made,) = self.plugin.promoted([OLD], [NEW])
        now = {**made, "status": {**made["status"], "modelStatus": status}}
        found, told = self.plugin.rolled_out([OLD], [now])
        assert found is verdict
        assert bool(told) == (verdict is False)

    def test_with_the_same_spec_is_what_it_was(self) -> None:
        assert self.plugin.rolled_out([OLD], [OLD]) == (True, "")

    def test_that_is_not_ready_is_not_rolled_out(self) -> None:
        down = {**OLD, "status": {"conditions": [condition("Ready", "False")]}}
        assert self.plugin.rolled_out([OLD], [down])[0] is False
        assert self.plugin.rolled_out([OLD], [None])[0] is False


def scaled(obj: Object, least: int, **more: Any) -> Object:
    made = deepcopy(obj)
    made["spec"]["predictor"] |= {"minReplicas": least, **more}
    return made


UP = [condition("Ready", "True"), condition("TransformerReady", "True")]


def revised(obj: Mapping[str, Any], **components: tuple[int, int]) -> Object:
    """With a status of Knative's, by the last revisions that were made and that were ready."""
    said = {
        name: {"latestCreatedRevision": f"{name}-{made}", "latestReadyRevision": f"{name}-{ready}"}
        for name, (made, ready) in components.items()
    }
    status = {**knative("wisdom-0", "models"), "components": said}
    return {**obj, "status": {**status, "conditions": UP}}


def pods(generation: int, *, observed: int | None = None, **counts: int) -> Object:
    known = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2} | counts
    return {
        "kind": "Deployment",
        "metadata": {"name": "wisdom-0-predictor", "uid": "d", "generation": generation},
        "spec": {"replicas": 2},
        "status": {"observedGeneration": generation if observed is None else observed, **known},
    }


class TestKServe:
    plugin = KServe()

    def test_keeps_its_scale_and_its_share(self) -> None:
        old, new = scaled(OLD, 3, maxReplicas=9), scaled(NEW, 1, canaryTrafficPercent=10)
        (made,) = self.plugin.promoted([old], [new])
        assert made["spec"]["predictor"] == {
            "model": {"storageUri": "s3://new"},
            "minReplicas": 3,
            "maxReplicas": 9,
        }
        assert self.plugin.promoted([made], [old]) == [old]

    def test_takes_a_component_with_its_scale_and_takes_it_back(self) -> None:
        old, new = deepcopy(OLD), deepcopy(NEW)
        old["spec"]["transformer"] = {"minReplicas": 2}
        new["spec"]["explainer"] = {"minReplicas": 4}
        (made,) = self.plugin.promoted([old], [new])
        assert made["spec"] == new["spec"]
        assert self.plugin.promoted([made], [new]) == [made]
        assert self.plugin.promoted([made], [old]) == [old]

    def test_of_knative_is_rolled_out_with_its_latest_revision(self) -> None:
        before, (made,) = revised(OLD, predictor=(1, 1)), self.plugin.promoted([OLD], [NEW])
        assert self.plugin.witnesses([before]) == ()
        assert self.plugin.rolled_out([before], [revised(made, predictor=(1, 1))])[0] is False
        assert self.plugin.rolled_out([before], [revised(made, predictor=(2, 1))])[0] is False
        assert self.plugin.rolled_out([before], [revised(made, predictor=(2, 2))])[0] is True

    def test_of_knative_a_component_that_stays_needs_no_revision(self) -> None:
        """Nor does one that is put back before KServe has looked: whether it will have one is not known."""
        old, new = deepcopy(OLD), deepcopy(OLD)
        old["spec"]["transformer"], new["spec"]["transformer"] = {"image": "a"}, {"image": "b"}
        before = revised(old, predictor=(1, 1), transformer=(1, 1))
        assert self.plugin.rolled_out([before], [before]) == (None, "")
        for transformer, verdict in (((1, 1), False), ((2, 1), False), ((2, 2), None)):
            now = revised(new, predictor=(1, 1), transformer=transformer)
            assert self.plugin.rolled_out([before], [now])[0] is verdict, transformer

    @pytest.mark.parametrize(
        ("now", "verdict", "told"),
        [
            (pods(1), False, "KServe has not changed its Deployment yet"),
            (pods(2, observed=1), False, "its controller has not seen its latest change yet"),
            (pods(2, updatedReplicas=1), False, "1 of 2 replicas are new"),
            (pods(2, replicas=3), False, "1 former replicas are still there"),
            (pods(2, availableReplicas=1), False, "1 of 2 new replicas are available"),
            (pods(2), True, ""),
            (None, None, ""),
        ],
    )
    def test_in_standard_mode_is_rolled_out_with_its_pods(
        self, now: Object | None, verdict: bool | None, told: str
    ) -> None:
        """Ready is True while any of its pods is, also those of before."""
        status = {**standard("wisdom-0", "models"), "conditions": [condition("Ready", "True")]}
        obj = {**OLD, "status": status}
        (witness,) = self.plugin.witnesses([obj])
        assert str(witness) == "Deployment models/wisdom-0-predictor"
        (made,) = self.plugin.promoted([obj], [NEW])
        assert self.plugin.rolled_out([obj, pods(1)], [made, now]) == (verdict, told)

    def test_in_standard_mode_a_component_that_stays_keeps_its_deployment(self) -> None:
        """Nor does KServe change one that is put back before it has looked."""
        status = {**standard("wisdom-0", "models"), "conditions": UP}
        old = {**deepcopy(OLD), "status": status}
        assert self.plugin.rolled_out([old, pods(1)], [old, pods(1)]) == (None, "")
        old["spec"]["transformer"], new = {"image": "a"}, deepcopy(old)
        new["spec"]["transformer"] = {"image": "b"}
        names = [ref.name for ref in self.plugin.witnesses([old])]
        predictor, before, after = (
            {**of, "metadata": of["metadata"] | {"name": name}}
            for of, name in zip((pods(1), pods(1), pods(2)), [*names, names[1]], strict=True)
        )
        was = [old, predictor, before]
        assert self.plugin.rolled_out(was, [new, predictor, before])[0] is False
        assert self.plugin.rolled_out(was, [new, predictor, after]) == (None, "")
        assert self.plugin.rolled_out(was, [new, predictor, None]) == (None, "")
        assert self.plugin.rolled_out(was, [new, None, before])[0] is False


class TestDeployments:
    plugin = Deployments()

    def test_takes_the_pods_and_keeps_how_they_are_found(self) -> None:
        workload, theirs = deployment(), deployment()
        workload["spec"] |= {"replicas": 5, "selector": {"matchLabels": {"app": "wisdom-0"}}}
        workload["spec"]["template"] = {"metadata": {"labels": {"app": "wisdom-0", "track": "p", "old": "x"}}}
        theirs["metadata"] = {"name": "wisdom-1", "labels": {"app.kubernetes.io/version": "v1"}}
        theirs["spec"] |= {"replicas": 1, "selector": {"matchLabels": {"app": "wisdom-1"}}}
        labels = {"app": "wisdom-1", "track": "c", "new": "y"}
        theirs["spec"]["template"] = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"image": "server:2"}]},
        }
        mine, other = service(), service()
        mine["spec"] = {
            "selector": {"track": "p"},
            "clusterIP": "10.0.0.1",
            "ports": [{"port": 80, "targetPort": 1}],
        }
        other["spec"] = {
            "selector": {"track": "c"},
            "clusterIP": "10.0.0.2",
            "ports": [{"port": 81, "targetPort": 2}],
        }
        made, led = self.plugin.promoted([workload, mine], [theirs, other])
        assert made["metadata"]["labels"]["app.kubernetes.io/version"] == "v1"
        assert made["spec"]["replicas"] == 5
        assert made["spec"]["selector"] == {"matchLabels": {"app": "wisdom-0"}}
        assert made["spec"]["template"]["spec"] == {"containers": [{"image": "server:2"}]}
        assert made["spec"]["template"]["metadata"]["labels"] == {"app": "wisdom-0", "track": "p", "new": "y"}
        assert led["spec"] == {**mine["spec"], "ports": [{"port": 80, "targetPort": 2}]}
        assert self.plugin.promoted([made, led], [workload, mine]) == [workload, mine]

    def test_of_several_ports_those_of_a_name_are_the_same(self) -> None:
        mine, other = service(), service()
        mine["spec"]["ports"] = [{"name": "a", "port": 1}, {"name": "b", "port": 2, "targetPort": 3}]
        other["spec"]["ports"] = [{"name": "b", "port": 7, "targetPort": 8}, {"name": "c", "port": 9}]
        _, led = self.plugin.promoted([deployment(), mine], [deployment(), other])
        assert led["spec"]["ports"] == [{"name": "a", "port": 1}, {"name": "b", "port": 2, "targetPort": 8}]


def test_what_is_empty_is_left_out() -> None:
    """As the API server leaves it out: an object without labels has none again."""
    bare = {"metadata": {"name": "one"}, "spec": {}}
    labelled = {"metadata": {"name": "two", "labels": {"app.kubernetes.io/version": "v1"}}, "spec": {}}
    made = promotion.taken(bare, labelled, [promotion.VERSION])
    assert made["metadata"] == {"name": "one", "labels": {"app.kubernetes.io/version": "v1"}}
    assert promotion.taken(made, bare, [promotion.VERSION]) == bare
