"""Every YAML document on the pages is one that its reader can use as it stands."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.docs import pages
from tests.docs.pages import Block
from turnout import loading, template
from turnout.api import parse_policy, parse_weights
from turnout.calling import Calls
from turnout.decision.accept import Refused
from turnout.decision.declare import admit
from turnout.registry import Registry
from turnout.settings import Settings
from turnout_deployment.service import observe_service

OTHERS = {
    "ConfigMap",
    "Deployment",
    "InferenceService",
    "Role",
    "RoleBinding",
    "ServiceAccount",
    "VirtualService",
}
"""Kinds that the cluster and mesh tests apply."""
FOR_TOOLS = {"values.yaml", "mine/kustomization.yaml"}
"""Files for helm and kubectl, with which the cluster tests use them."""
GATEWAYS = "docs/in-force.md"
"""The page whose Service stands for gateways; others are those of versions."""
EXAMPLES = {"latest"}
"""Plugins that a page has its reader write."""


OWN_PLUGINS = ("docs/around.md",)
"""Pages whose settings are for plugins that the page itself makes."""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return loading.load()


@pytest.mark.parametrize("block", pages.every("yaml"))
def test_yaml_is_usable(block: Block, registry: Registry) -> None:
    for document in documents(block):
        match document.get("kind"):
            case "RoutingPolicy" if document["spec"]["trafficStrategy"] in EXAMPLES:
                parse_policy(document)
            case "RoutingPolicy":
                try:
                    admit(document, None, registry, Settings(), Calls())
                except Refused as refused:
                    pytest.fail(f"{block}: {refused}")
            case "TrafficWeights":
                parse_weights(document)
            case None if block.file in FOR_TOOLS:
                pass
            case None if "templateName" in document:
                template.manifests(document)
            case "Service" if block.page == GATEWAYS:
                # Of one name and address, gateways would answer for each other.
                assert document["spec"]["clusterIP"] == "None"
            case "Service":
                assert observe_service(document).ready
            case None if block.page in OWN_PLUGINS:
                Settings.of(document)
            case None:
                assert not list(Settings.of(document).problems(registry))
            case kind:
                assert kind in OTHERS


def documents(block: Block) -> Iterator[dict[str, Any]]:
    for document in yaml.safe_load_all(block.text):
        assert isinstance(document, dict), f"{block} holds something else than documents"
        yield document
