"""Asks an environment about a policy, and checks its answers: no other part has to doubt them."""

from collections.abc import Mapping, Sequence
from typing import Any

from turnout.calling import Calls
from turnout.decision import wellformed
from turnout.decision.answers import check, items, wrong
from turnout.plugin import Backend, Environment, Frontend, Observation, Options, Policy, Ref, VersionSpec
from turnout.shown import shown


def refs(
    environment: Environment[Any], version: VersionSpec, options: Options, calls: Calls
) -> tuple[Ref, ...]:
    """The objects that make up a version, the main one first. Raises PluginError."""
    name = environment.name
    found = items(calls, environment, "refs", Ref, version, options)
    if not found:
        raise wrong(name, "refs", "nothing", "an object at least")
    for ref in found:
        check(name, "refs", wellformed.of_ref(ref), f"for version {version.name}")
        if ref.kind not in environment.watches:
            raise wrong(name, "refs", str(ref), "a kind that it declares in `watches`")
    return found


def frontends(
    environment: Environment[Any], policy: Policy, options: Options, calls: Calls
) -> tuple[Frontend, ...]:
    """Where clients of the model call. Raises PluginError."""
    plugin = environment.name
    found = items(calls, environment, "frontends", Frontend, policy, options)
    if not found:
        raise wrong(plugin, "frontends", "nothing", "a Frontend at least")
    for frontend in found:
        about = f"of the frontend {shown(frontend.name)}"
        check(plugin, "frontends", wellformed.of_frontend(frontend), about)
    names = [frontend.name for frontend in found]
    if len(set(names)) < len(names):
        raise wrong(plugin, "frontends", f"the names {shown(names)}", "names that differ")
    return found


def backends(
    environment: Environment[Any],
    version: VersionSpec,
    seen: Sequence[Observation | None],
    options: Options,
    calls: Calls,
) -> Mapping[str, Backend]:
    """A version's backends, by frontend. Raises PluginError."""

    plugin, expected = environment.name, "a mapping of Backends by the names of frontends"

    def read() -> Mapping[str, Backend]:
        answer: object = environment.backends(version, seen, options)
        if not isinstance(answer, Mapping):
            raise wrong(plugin, "backends", shown(answer), expected)
        return dict(answer)

    read.__name__ = "backends"
    found = calls.to(plugin, read)
    for frontend, backend in found.items():
        about = f"for the frontend {shown(frontend)} of version {version.name}"
        if not (isinstance(frontend, str) and isinstance(backend, Backend)):
            raise wrong(plugin, "backends", f"{shown(backend)} {about}", expected)
        check(plugin, "backends", wellformed.of_backend(backend), about)
    return found
