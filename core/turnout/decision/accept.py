"""Is a policy valid: are its plugins installed, its options right, and may it name what it names?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision import answers, patterns, wellformed
from turnout.decision import environment as ask
from turnout.errors import Problem
from turnout.plugin import (
    AdministratorsPlugin,
    Environment,
    Fault,
    Frontend,
    Options,
    Plugin,
    Policy,
    Ref,
    Router,
    Strategy,
    Uses,
)
from turnout.reasons import Reason
from turnout.registry import PluginNotAllowed, Registry, UnknownPlugin
from turnout.settings import Settings
from turnout.shown import sentence


@dataclass(frozen=True, slots=True)
class Declared:
    """A policy as its document says it: the plugins' names and their raw options.

    `document`: the whole of it, for the administrator's own checks. `kept`: these have had nothing against
    it as it stands, so that it stays accepted where they fail.
    """

    policy: Policy
    environment: str
    strategy: str
    router: str
    config: Mapping[str, Mapping[str, Any]]
    document: Mapping[str, Any] = field(default_factory=dict)
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """A valid policy with its plugins, their options, and the objects that make up its versions."""

    policy: Policy
    environment: Environment[Any]
    environment_options: Options
    strategy: Strategy[Any]
    strategy_options: Options
    router: Router[Any]
    router_options: Options
    refs: Mapping[str, tuple[Ref, ...]]
    frontends: tuple[Frontend, ...]
    allowed: frozenset[str]
    """The namespaces that the policy may reach into, its own among them."""
    config: Mapping[str, Mapping[str, Any]]
    """What the policy says of plugins' options, by plugin."""
    drain: bool
    """Whether a version's deletion has to wait until its routes are out of force."""
    unchecked: str = ""
    """How checks have failed that had nothing against it before."""


class Refused(Exception):  # noqa: N818 - an outcome for the policy's condition, not a fault of the program
    """A policy that cannot be served as it stands."""

    def __init__(self, reason: Reason, problems: Iterable[object]) -> None:
        self.reason = reason
        self.problems = tuple(str(problem) for problem in problems)
        super().__init__("; ".join(self.problems))


def accept(declared: Declared, registry: Registry, settings: Settings, calls: Calls) -> Accepted:
    """Choose the plugins and check everything that can be checked before objects are looked at.

    Raises Refused with every problem of the first step that finds any, and PluginError for a plugin
    that fails.
    """
    policy = declared.policy
    environment, strategy, router = _choose(declared, registry)
    allowed = settings.allowed_namespaces(policy.namespace)
    if foreign := _foreign(policy, allowed):
        raise Refused(Reason.NAMESPACE_NOT_ALLOWED, foreign)
    problems = [
        *_unused(policy, strategy),
        *_reserved(policy),
        *patterns.faults(policy),
        *_for_others(declared, registry, settings, calls),
    ]
    options: list[Options] = []
    reaching: list[object] = []
    for plugin in (environment, strategy, router):
        given = declared.config.get(plugin.name, {})
        # Validators of options are the plugin's code as well.
        parsed, faults = calls.to(plugin.name, settings.options_for, plugin, given)
        problems += faults
        if parsed is not None:
            options.append(parsed)
            problems += _problems(calls, plugin, "check", policy, parsed)
            reaching += _foreign_options(plugin, parsed, allowed, settings, calls)
    if problems:
        raise Refused(Reason.INVALID_SPEC, problems)
    refs = {version.name: ask.refs(environment, version, options[0], calls) for version in policy.versions}
    if reaching := [*reaching, *_foreign_refs(refs, allowed)]:
        raise Refused(Reason.NAMESPACE_NOT_ALLOWED, reaching)
    frontends = ask.frontends(environment, policy, options[0], calls)
    if hosts := _foreign_hosts(frontends, allowed):
        raise Refused(Reason.NAMESPACE_NOT_ALLOWED, hosts)
    objections, unchecked = _objections(declared, registry, settings, calls)
    if objections:
        raise Refused(Reason.NOT_ADMITTED, objections)
    return Accepted(
        policy=policy,
        environment=environment,
        environment_options=options[0],
        strategy=strategy,
        strategy_options=options[1],
        router=router,
        router_options=options[2],
        refs=refs,
        frontends=frontends,
        allowed=allowed,
        config=declared.config,
        drain=environment.drain and settings.drain.enabled,
        unchecked="; ".join(unchecked),
    )


def _choose(declared: Declared, registry: Registry) -> tuple[Environment[Any], Strategy[Any], Router[Any]]:
    try:
        return (
            registry.environment(declared.environment).plugin,
            registry.strategy(declared.strategy).plugin,
            registry.router(declared.router).plugin,
        )
    except PluginNotAllowed as error:
        raise Refused(Reason.PLUGIN_NOT_ALLOWED, [error]) from None
    except UnknownPlugin as error:
        raise Refused(Reason.UNKNOWN_PLUGIN, [error]) from None


def _foreign(policy: Policy, allowed: frozenset[str]) -> list[Problem]:
    return [
        Problem(
            f"spec.modelVersions[{index}].namespace",
            f"found {version.namespace}, expected {', '.join(sorted(allowed))}: "
            "the administrator's allowNamespaces decides",
        )
        for index, version in enumerate(policy.versions)
        if version.namespace not in allowed
    ]


def _foreign_options(
    plugin: Plugin[Any], options: Options, allowed: frozenset[str], settings: Settings, calls: Calls
) -> list[Problem]:
    """What the administrator's own options name is allowed by that."""

    granted, _ = calls.to(plugin.name, settings.options_for, plugin, {})
    known = _reached(plugin, granted, calls) if granted is not None else ()
    return [
        Problem(
            f"spec.config.{plugin.name}.{option}",
            f"names namespace {namespace}, expected {', '.join(sorted(allowed))}: "
            "the administrator's allowNamespaces decides",
        )
        for option, namespace in _reached(plugin, options, calls)
        if namespace not in allowed and (option, namespace) not in known
    ]


def _reached(plugin: Plugin[Any], options: Options, calls: Calls) -> tuple[tuple[str, str], ...]:
    found = answers.items(calls, plugin, "reaches", tuple, options)
    for pair in found:
        answers.check(plugin.name, "reaches", wellformed.of_reached(pair))
    return found


def _foreign_refs(refs: Mapping[str, tuple[Ref, ...]], allowed: frozenset[str]) -> list[str]:
    return [
        f"version {name} is made up of {ref}, expected objects in {', '.join(sorted(allowed))}: "
        "the administrator's allowNamespaces decides"
        for name, made_up in refs.items()
        for ref in made_up
        if ref.namespace not in allowed
    ]


def _foreign_hosts(frontends: Iterable[Frontend], allowed: frozenset[str]) -> list[str]:
    return [
        f"frontend {frontend.name} has hosts of namespace {frontend.namespace}, expected "
        f"{', '.join(sorted(allowed))}: the administrator's allowNamespaces decides"
        for frontend in frontends
        if frontend.namespace not in allowed
    ]


def _objections(
    declared: Declared, registry: Registry, settings: Settings, calls: Calls
) -> tuple[list[str], list[str]]:
    """What the administrator's checks have against the policy, and how they fail where it is kept."""
    objections: list[str] = []
    failures: list[str] = []
    policy = declared.policy
    for check, options in settings.in_use(registry.admission_checks):
        about = f"{policy.namespace}/{policy.name}"
        try:
            problems = _problems(calls, check, "admit", policy, declared.document, options, about=about)
        except PluginError as error:
            if not declared.kept:
                raise
            failures.append(error.message)
        else:
            objections += (f"{problem} ({check.name})" for problem in problems)
    return objections, failures


def _problems(
    calls: Calls, plugin: Plugin[Any], method: str, /, *args: object, about: str = ""
) -> list[Problem]:
    """The faults that a plugin's method finds. `about`: the policy whose matter alone a hang would be."""
    found = answers.items(calls, plugin, method, Fault, *args, about=about)
    for fault in found:
        answers.check(plugin.name, method, wellformed.of_fault(fault))
    return [Problem(sentence(fault.path), sentence(fault.message)) for fault in found]


def _unused(policy: Policy, strategy: Strategy[Any]) -> Iterable[Problem]:
    """What the policy says and the strategy does not read: better refused than dropped."""
    for index, version in enumerate(policy.versions):
        path = f"spec.modelVersions[{index}]"
        if version.matches and (Uses.MATCHES not in strategy.uses or version.name == policy.primary):
            whose = "the primary" if Uses.MATCHES in strategy.uses else f"strategy {strategy.name}"
            yield Problem(f"{path}.match", f"{whose} has no use for matches; leave it out")
        if version.weight and Uses.WEIGHTS not in strategy.uses:
            yield Problem(f"{path}.weight", f"strategy {strategy.name} has no use for weights; leave it out")


def _reserved(policy: Policy) -> Iterable[Problem]:
    if policy.hosts:
        yield Problem("spec.hosts", "is reserved for later; leave it out")


def _for_others(
    declared: Declared, registry: Registry, settings: Settings, calls: Calls
) -> Iterable[Problem]:
    """Options of plugins that the policy does not use now: it may have, or will."""
    used = (declared.environment, declared.strategy, declared.router)
    for name, options in declared.config.items():
        if name in used:
            continue
        try:
            plugin = registry.plugin(name).plugin
            if isinstance(plugin, AdministratorsPlugin):
                told = f"only the administrator's settings give options of {name}; leave it out"
                yield Problem(f"spec.config.{name}", told)
                continue
            yield from calls.to(name, settings.options_for, plugin, options)[1]
        except (PluginError, PluginNotAllowed):
            continue  # that is not the policy's fault, which does without the plugin
        except UnknownPlugin as error:
            yield Problem(f"spec.config.{name}", str(error))
