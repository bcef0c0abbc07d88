"""The suite of environments: what they say of policies.

What they see in objects is in `objects`, what they make of them in `promotion`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import partial
from typing import Any, ClassVar

from turnout.calling import Calls
from turnout.decision import environment as ask
from turnout.plugin import Backend, Environment, Frontend, Observation, Policy, Ref, VersionSpec
from turnout.testing.builders import policy, spec
from turnout.testing.conformance import odd
from turnout.testing.conformance.calls import Call
from turnout.testing.conformance.policies import MATCHES, policies
from turnout.testing.conformance.promotion import OfPromotion

CHECK = "turnout.plugin.Plugin.check"
REFS = "turnout.plugin.Environment.refs"
FRONTENDS = "turnout.plugin.Environment.frontends"
BACKENDS = "turnout.plugin.Environment.backends"


class EnvironmentConformance(OfPromotion):
    """What every environment does.

    A subclass gives `plugin`, and as documents the objects of one version: `ready`, `not_ready`, and where
    there are such `unknown` and `replaced`. They are of the version `version` in the namespace `namespace`.
    """

    axis: ClassVar[Any] = Environment

    hosts_in_common: ClassVar[bool] = False
    """Whether models share hosts and ports by intent, because something else tells them apart."""

    def asked(self, options: Any) -> list[tuple[str, Policy]]:
        """The policies that core would ask about: `check` finds no fault with them."""
        found = [one for one in policies() if not _refuses(self.plugin, one[1], options)]
        if not found:
            expected = "that it accepts one at least: else nothing is checked"
            raise self.fault("check", "faults in all of the suite's policies", expected, CHECK)
        return found

    def calls(self) -> Iterator[Call]:
        yield from self.calls_of_all()
        for label, options in self.parsed():
            for about, said in self.asked(options):
                where = f"of {about} with options {label}"
                yield Call(f"frontends {where}", "frontends", (said, options))
                for version in said.versions:
                    yield Call(f"refs of {version.name} {where}", "refs", (version, options))
        yield from self.promotion_calls()
        for about, version, document_of in self._others():
            for state, documents in self.samples.items():
                theirs = [document_of(document) for document in documents]
                for document in theirs:
                    yield Call(f"observe when {about} is {state}", "observe", (document,))
                seen = [self.observe(document) for document in theirs]
                for state_of, known in ((state, seen), ("not there", [None for _ in seen])):
                    for label, options in self.parsed():
                        where = f"backends when {about} is {state_of}, with options {label}"
                        yield Call(where, "backends", (version, known, options))

    def _others(self) -> Iterator[tuple[str, VersionSpec, Callable[[dict[str, Any]], dict[str, Any]]]]:
        """The version, and others of its environment, each with what makes its documents of the samples."""
        other, place = f"other-{self.version}", "elsewhere"
        yield "the version", self.version_spec, deepcopy
        yield (
            "another version",
            spec(other, namespace=self.namespace),
            lambda document: odd.renamed(document, self.version, other),
        )
        yield (
            "one of another namespace",
            spec(self.version, namespace=place),
            lambda document: odd.replaced(document, ("metadata", "namespace"), place),
        )

    def test_refs_name_objects_of_kinds_that_it_watches(self) -> None:
        """`refs` names one object at least, of kinds in `watches`."""
        for label, options in self.parsed():
            for about, said in self.asked(options):
                for version in said.versions:
                    where = f"refs of {version.name} in {about} with options {label}"
                    step = partial(ask.refs, self.plugin, version, options, Calls())
                    self.core(where, "the version's objects", REFS, step)

    def test_refs_depend_on_the_version_alone(self) -> None:
        """Weights and matches do not change which objects make up a version."""
        for label, options in self.parsed():
            plain, weighted = (
                list(self.plugin.refs(one, options))
                for one in (spec("wisdom-0"), spec("wisdom-0", 7, *MATCHES))
            )
            if plain != weighted:
                found = f"{_listed(plain)}, and {_listed(weighted)} with another weight and matches"
                raise self.fault(f"refs with options {label}", found, "the same objects", REFS)

    def test_refs_tell_versions_apart(self) -> None:
        """The main object of one version is not that of another: by its uid core knows the version."""
        for label, options in self.parsed():
            one, other = (
                list(self.plugin.refs(spec(name), options))[:1] for name in ("wisdom-0", "wisdom-1")
            )
            if one == other != []:
                found = f"{_listed(one)} as the first object of wisdom-0 and of wisdom-1"
                expected = "an object of its own for each version"
                raise self.fault(f"refs with options {label}", found, expected, REFS)

    def test_frontends_are_places_where_clients_can_call(self) -> None:
        """One frontend at least, each with a name of its own, hosts, a port and a protocol."""
        for label, options in self.parsed():
            for about, said in self.asked(options):
                where = f"frontends of {about} with options {label}"
                step = partial(ask.frontends, self.plugin, said, options, Calls())
                self.core(where, "where clients call", FRONTENDS, step)

    def test_frontends_have_the_same_names_for_every_policy(self) -> None:
        """`backends` is told of no policy, and has to find the same names."""
        for label, options in self.parsed():
            usual = self._names(self.asked(options)[0][1], options)
            for about, said in self.asked(options):
                names = self._names(said, options)
                if names and names != usual:
                    where = f"frontends of {about} with options {label}"
                    found = f"the names {', '.join(names)}"
                    raise self.fault(where, found, f"{', '.join(usual)}, as of other policies", FRONTENDS)

    def test_models_have_hosts_of_their_own(self) -> None:
        """Clients of two models call different hosts or ports, and so in two namespaces, unless told so.

        A host of a namespace that an option names may be the same for policies of several.
        """
        usual = [policy(f"{model}-0", name=model, model_name=model) for model in ("robin", "wren")]
        elsewhere = policy("robin-0", name="robin", model_name="robin", namespace="elsewhere")
        for label, options in self.parsed():
            for one, other in ((usual[0], usual[1]), (usual[0], elsewhere)):
                if self.hosts_in_common or _refuses(self.plugin, one, options):
                    continue
                mine, theirs = (list(self.plugin.frontends(said, options)) for said in (one, other))
                if other is elsewhere:
                    theirs = [frontend for frontend in theirs if frontend.namespace == other.namespace]
                if both := _addresses(mine) & _addresses(theirs):
                    found = f"{', '.join(sorted(both))} for {_model(one)} and for {_model(other)}"
                    expected = "hosts or ports that differ, or `hosts_in_common = True` in the suite"
                    raise self.fault(f"frontends with options {label}", found, expected, FRONTENDS)

    def test_a_ready_version_has_a_backend_for_every_frontend(self) -> None:
        """A frontend that is left out makes a version not ready, whatever its objects say."""
        for label, options in self.parsed():
            names = self._names(self.asked(options)[0][1], options)
            where = f"backends of the version in `ready` with options {label}"
            found = self._backends(self.version_spec, self.seen("ready"), options, where)
            if sorted(found) != sorted(names):
                told, expected = f"backends for {_sorted(found)}", f"one for {_sorted(names)}"
                raise self.fault(where, told, expected, BACKENDS)

    def test_backends_are_what_routers_can_write(self) -> None:
        """Whatever is seen of the objects, nothing included, `backends` answers with Backends."""
        for label, options in self.parsed():
            missing: list[Observation | None] = [None for _ in self.plugin.refs(self.version_spec, options)]
            cases = {"nothing exists": missing} | {state: self.seen(state) for state in self.samples}
            for state, seen in cases.items():
                where = f"backends when {state} with options {label}"
                self._backends(self.version_spec, seen, options, where)
            for about, said in self.asked(options):
                for version in said.versions:
                    where = f"backends of {version.name} in {about}, of which nothing exists, {label}"
                    unseen: list[Observation | None] = [None for _ in self.plugin.refs(version, options)]
                    self._backends(version, unseen, options, where)

    def test_backends_tell_versions_apart(self) -> None:
        """Two versions have backends that differ: else shares of the calls would mean nothing."""
        other = spec(f"other-{self.version}", namespace=self.namespace)
        for label, options in self.parsed():
            where = f"backends with options {label}"
            mine = self._backends(self.version_spec, self.seen("ready"), options, where)
            theirs = self._backends(other, self.seen("ready", of=other.name), options, where)
            for name in mine.keys() & theirs.keys():
                if mine[name] == theirs[name]:
                    found = f"{mine[name]} for {self.version} and for {other.name}"
                    expected = "another Service, authority or header for each version"
                    raise self.fault(where, found, expected, "turnout.plugin.Backend")

    def test_drain_is_declared(self) -> None:
        """Whether a deleted version's object has to stay until its routes are out of force is said."""
        own = type(self.plugin).__mro__[: type(self.plugin).__mro__.index(Environment)]
        if not any("drain" in vars(base) for base in own):
            expected = "`drain = True` if what serves a version goes with its object, else `drain = False`"
            raise self.fault("drain", "no word of it", expected, "turnout.plugin.Environment.drain")

    def _names(self, policy: Policy, options: Any) -> list[str]:
        return [frontend.name for frontend in self.plugin.frontends(policy, options)]

    def _backends(
        self, version: VersionSpec, seen: list[Observation | None], options: Any, where: str
    ) -> Mapping[str, Backend]:
        step = partial(ask.backends, self.plugin, version, seen, options, Calls())
        return self.core(where, "backends by the names of frontends", BACKENDS, step)


def _refuses(plugin: Environment[Any], policy: Policy, options: Any) -> bool:
    """Whether a plugin finds faults in a policy. That it may not raise has a check of its own."""
    try:
        return bool(list(plugin.check(policy, options)))
    except Exception:  # noqa: BLE001  plugin code
        return False


def _model(of: Policy) -> str:
    return f"the model {of.model_name} of namespace {of.namespace}"


def _addresses(frontends: Iterable[Frontend]) -> set[str]:
    return {f"{host}:{one.port}" for one in frontends for host in one.hosts}


def _listed(refs: list[Ref]) -> str:
    return ", ".join(map(str, refs))


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
