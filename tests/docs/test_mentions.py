"""Whatever a reader can meet is mentioned on the page where it would be looked for."""

from collections.abc import Iterator
from inspect import getmembers, isclass, isfunction

import pytest
from pydantic import BaseModel

from tests.docs import pages
from turnout import client, names, plugin
from turnout.api.models import ModelVersion, RoutingPolicySpec, TrafficWeightsSpec
from turnout.cli import main
from turnout.cli.exits import Exit
from turnout.client import Client
from turnout.plugin.around import Probe
from turnout.plugin.hookspecs import TurnoutSpec
from turnout.plugin.interfaces import Environment, Router, Strategy
from turnout.plugin_lists import AllowedNames, Distributions, PluginNames
from turnout.reasons import Reason
from turnout.settings import Drain, Gates, PluginSettings, Settings
from turnout.template_values import Values, Version
from turnout.testing import conformance
from turnout.testing.rollout import Rollout


def keys(*models: type[BaseModel]) -> Iterator[str]:
    """The keys of documents, as people write them."""
    for model in models:
        yield from (str(field.validation_alias) for field in model.model_fields.values())


HOOKS = [name for name, _ in getmembers(TurnoutSpec, isfunction) if name.startswith("turnout_")]
AXES = (Environment, Strategy, Router, Probe)
METHODS = sorted({name for axis in AXES for name in vars(axis) if not name.startswith("_")})
SUITES = [getattr(conformance, name) for name in conformance.__all__]
RARE = ("close", "exists", "forget_calls", "get", "now")
"""What a rollout has that its own docstrings tell well enough."""
GIVEN = sorted(
    {name for suite in SUITES for base in suite.__mro__ for name in vars(base).get("__annotations__", ())}
)
OF_ITS_OWN = ("axis", "limit", "method", "__orig_bases__")
"""What a suite has, and a subclass does not give."""
LABELS = [names.LABEL_MANAGED_BY, names.LABEL_POLICY, names.LABEL_SHARED, names.LABEL_INSTANCE]
MARKS = [*LABELS, names.ANNOTATION_PLAN, names.FINALIZER_DRAIN]
AROUND = ("AdmissionCheck", "Gate", "GateAnswer", "Notifier", "Shift")
MENTIONS = {
    "docs/plugins.md": [*HOOKS, *METHODS, *(name for name in plugin.__all__ if name not in AROUND)],
    "docs/around.md": [*AROUND, "may_shift", "shifted", "admit", *keys(Gates)],
    "docs/plugin-tests.md": [
        *(suite.__name__ for suite in SUITES),
        *(f"`{name}`" for name in GIVEN if name not in OF_ITS_OWN),
        *(f"`{name}" for name, _ in getmembers(Rollout, isfunction) if name[0] != "_" and name not in RARE),
    ],
    "docs/reasons.md": [f"`{reason}`" for reason in Reason],
    "docs/cli.md": [*(f"## turnout {name}" for name in main.lazy), *(f"| {code.value} |" for code in Exit)],
    "docs/operator.md": [
        *keys(Settings, Distributions, PluginNames, PluginSettings, Drain, Gates),
        *MARKS,
    ],
    "docs/allowed-plugins.md": [f"`{key}`" for key in keys(Distributions, PluginNames, AllowedNames)],
    "docs/crds.md": [
        *(f"| `{key}` |" for key in keys(RoutingPolicySpec, TrafficWeightsSpec)),
        *(f"| `modelVersions[].{key}` |" for key in keys(ModelVersion)),
    ],
    "docs/plugin-api.md": [
        *(f"## {name}\n" for name in plugin.__all__ if isclass(getattr(plugin, name))),
        *(
            f"### {axis.__name__}.{name}\n"
            for axis in AXES
            for name in vars(axis)
            if isfunction(vars(axis)[name])
        ),
        *(f"- `{name}`: " for name in HOOKS),
    ],
    "docs/python-api.md": [
        *(f"### Client.{name}\n" for name in vars(Client) if name[0] != "_"),
        *(f"## turnout.client.{name}\n" for name in client.__all__ if name != "Client"),
    ],
    "docs/owner.md": [
        *(f"`{key}`" for key in keys(RoutingPolicySpec)),
        *(f"`modelVersions[].{key}`" for key in keys(ModelVersion)),
    ],
    "docs/values.md": [
        *(f"`{key}`" for key in keys(Values)),
        *(f"`modelVersions[].{key}`" for key in keys(Version)),
    ],
}


@pytest.mark.parametrize("page", MENTIONS)
def test_page_mentions_everything(page: str) -> None:
    said = pages.text(page)
    assert [word for word in MENTIONS[page] if word not in said] == []
