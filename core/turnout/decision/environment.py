"""Asks an environment about a policy, and checks its answers: no other part has to doubt them."""

from collections.abc import Mapping, Sequence
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.plugin import Backend, Environment, Frontend, Observation, Options, Policy, Ref, VersionSpec
from turnout.shown import shown


def refs(
    environment: Environment[Any], version: VersionSpec, options: Options, calls: Calls
) -> tuple[Ref, ...]:
    """The objects that make up a version, the main one first. Raises PluginError."""
    found = calls.all(environment.name, environment.refs, version, options)
    if not found:
        raise _fault(environment, "refs", "nothing", "an object at least")
    for ref in found:
        if not isinstance(ref, Ref):
            raise _fault(environment, "refs", type(ref).__name__, "a Ref")
        if ref.kind not in environment.watches:
            raise _fault(environment, "refs", str(ref), "a kind that it declares in `watches`")
    return found


def frontends(
    environment: Environment[Any], policy: Policy, options: Options, calls: Calls
) -> tuple[Frontend, ...]:
    """Where clients of the model call. Raises PluginError."""
    found = calls.all(environment.name, environment.frontends, policy, options)
    if not found:
        raise _fault(environment, "frontends", "nothing", "a Frontend at least")
    for frontend in found:
        if not isinstance(frontend, Frontend):
            raise _fault(environment, "frontends", type(frontend).__name__, "a Frontend")
        if not frontend.hosts:
            raise _fault(environment, "frontends", f"{frontend.name} without hosts", "a host at least")
    names = [frontend.name for frontend in found]
    if len(set(names)) < len(names):
        raise _fault(environment, "frontends", shown(names), "names that differ")
    return found


def backends(
    environment: Environment[Any],
    version: VersionSpec,
    seen: Sequence[Observation | None],
    options: Options,
    calls: Calls,
) -> Mapping[str, Backend]:
    """A version's backends, by frontend. Raises PluginError."""

    def read() -> Mapping[str, Backend]:
        return dict(environment.backends(version, seen, options))

    read.__name__ = "backends"
    found = calls.to(environment.name, read)
    for frontend, backend in found.items():
        if not isinstance(backend, Backend):
            raise _fault(environment, "backends", f"{type(backend).__name__} for {frontend}", "a Backend")
    return found


def _fault(environment: Environment[Any], method: str, found: str, expected: str) -> PluginError:
    name = environment.name
    return PluginError(name, f"plugin {name}: {method} returned {found}, expected {expected}")
