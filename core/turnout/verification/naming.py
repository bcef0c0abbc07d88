"""Which versions the models' names in answers stand for: their environment knows. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.plugin import Environment
from turnout.plugin.reading import mapping
from turnout.registry import Registry


def environments(policy: Mapping[str, Any] | None, registry: Registry) -> tuple[Environment[Any], ...]:
    """That of a policy; without one all that are installed."""
    named = mapping((policy or {}).get("spec")).get("targetEnv")
    return tuple(
        loaded.plugin for name, loaded in registry.environments.items() if policy is None or name == named
    )


def by_version(answers: Mapping[str, int], asked: Iterable[Environment[Any]]) -> Counter[str]:
    """Answers counted by the names of models, counted by version."""
    plugins, found = tuple(asked), Counter[str]()
    for model, count in answers.items():
        found[_version(model, plugins)] += count
    return found


def _version(model: str, asked: Iterable[Environment[Any]]) -> str:
    """The first other name that an environment makes of it. One that fails makes none."""
    for environment in asked:
        try:
            version = Calls().to(environment.name, environment.version_of, model)
        except PluginError:
            continue
        if isinstance(version, str) and version != model:
            return version
    return model
