"""The suite of environments: what they say of policies. What they see in objects is in `objects`."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from turnout.calling import Calls
from turnout.decision import environment as ask
from turnout.plugin import Backend, Environment, Observation, Policy, Ref, VersionSpec
from turnout.testing.builders import spec
from turnout.testing.conformance.calls import Call
from turnout.testing.conformance.objects import OfObjects
from turnout.testing.conformance.policies import MATCHES, policies

REFS = "turnout.plugin.Environment.refs"
FRONTENDS = "turnout.plugin.Environment.frontends"
BACKENDS = "turnout.plugin.Environment.backends"


class EnvironmentConformance(OfObjects):
    """What every environment does.

    A subclass gives `plugin`, and as documents the objects of one version: `ready`, `not_ready`, and where
    there are such `unknown` and `replaced`. They are of the version `version` in the namespace `namespace`.
    """

    axis: ClassVar[Any] = Environment

    def calls(self) -> Iterator[Call]:
        yield from self.calls_of_all()
        for label, options in self.parsed():
            for about, policy in policies():
                where = f"of {about} with options {label}"
                yield Call(f"frontends {where}", "frontends", (policy, options))
                for version in policy.versions:
                    yield Call(f"refs of {version.name} {where}", "refs", (version, options))
            for state, documents in self.samples.items():
                seen = [self.observe(document) for document in documents]
                yield Call(f"backends when {state}", "backends", (self.version_spec, seen, options))
        for state, documents in self.samples.items():
            for document in documents:
                yield Call(f"observe when {state}", "observe", (document,))

    def test_refs_name_objects_of_kinds_that_it_watches(self) -> None:
        """`refs` names one object at least, of kinds in `watches`."""
        for label, options in self.parsed():
            for about, policy in policies():
                for version in policy.versions:
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
            for about, policy in policies():
                where = f"frontends of {about} with options {label}"
                step = partial(ask.frontends, self.plugin, policy, options, Calls())
                self.core(where, "where clients call", FRONTENDS, step)

    def test_frontends_have_the_same_names_for_every_policy(self) -> None:
        """`backends` is told of no policy, and has to find the same names."""
        for label, options in self.parsed():
            usual = self._names(policies()[0][1], options)
            for about, policy in policies():
                names = self._names(policy, options)
                if names and names != usual:
                    where = f"frontends of {about} with options {label}"
                    found = f"the names {', '.join(names)}"
                    raise self.fault(where, found, f"{', '.join(usual)}, as of other policies", FRONTENDS)

    def test_a_ready_version_has_a_backend_for_every_frontend(self) -> None:
        """A frontend that is left out makes a version not ready, whatever its objects say."""
        for label, options in self.parsed():
            names = self._names(policies()[0][1], options)
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


def _listed(refs: list[Ref]) -> str:
    return ", ".join(map(str, refs))


def _sorted(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
