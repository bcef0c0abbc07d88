"""What routers write, one plan at a time: the half of their suite that asks whether it can be written."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from turnout.calling import Calls, PluginError, describe
from turnout.decision.accept import Accepted, Refused
from turnout.decision.render import Rendered, render
from turnout.plugin import Frontend, Manifest, Role, RoutePlan, Router
from turnout.settings import Settings
from turnout.shown import shown
from turnout.testing.builders import FRONTEND, NAMESPACE, accepted
from turnout.testing.conformance import odd, plans
from turnout.testing.conformance.axis import AxisConformance
from turnout.testing.conformance.calls import Call, answer, plain
from turnout.testing.conformance.counterparts import PlainEnvironment, PlainStrategy
from turnout.testing.conformance.definitions import Definition, NotTaken, Server
from turnout.testing.conformance.plans import Sample
from turnout.testing.conformance.secret_options import secrets_in

RENDER = "turnout.plugin.Router.render"
REFUSAL = "turnout.plugin.Router.refusal"
OBJECTIONS = "turnout.plugin.Router.objections"
PENDING = "turnout.plugin.Router.pending"
_NEW: tuple[Mapping[str, Any], ...] = ({}, {"status": {}}, {"status": {"conditions": []}})
SCHEMA = "the schema of its kind: this suite's `crds`, or what Kubernetes says of its own"
MANIFEST = "turnout.plugin.Manifest"


class OfManifests(AxisConformance[Router[Any]]):
    """Checks of `render` and `refusal` that look at one plan."""

    frontend: ClassVar[Frontend] = FRONTEND
    """Where the clients call in all plans."""

    crds: Sequence[Definition] = ()
    """CustomResourceDefinitions of the kinds that it writes: documents, or paths of YAML files or folders."""

    def carried(self, plan: RoutePlan, options: Any) -> bool:
        """Whether core would have a plan rendered, and not refuse the policy."""
        within = plan.features() <= self.plugin.carries
        return within and not list(self.plugin.objections(plan, options))

    def samples(self, options: Any) -> list[Sample]:
        """Plans that it carries, all of them different."""
        return [one for one in plans.samples(self.frontend) if self.carried(one.plan, options)]

    def written(self, options: Any) -> list[Sample]:
        """The same, and plans that mean what others do with rare names."""
        rare = [one for one in plans.rare(self.frontend) if self.carried(one.plan, options)]
        return [*self.samples(options), *rare]

    def test_some_plan_is_carried(self) -> None:
        """It renders one plan at least with each of the suite's `options`: else nothing is checked."""
        for label, options in self.parsed():
            if not self.samples(options):
                plainest = plans.samples(self.frontend)[0]
                told = list(self.plugin.objections(plainest.plan, options))
                found = f'no plan that it carries; it objects to "{plainest.about}": {"; ".join(told)}'
                expected = "one at least; the suite's `options` and `frontend` are what it is asked with"
                raise self.fault(f"objections with options {label}", found, expected, OBJECTIONS)

    def manifests(self, plan: RoutePlan, options: Any) -> list[Manifest]:
        """What the router makes of a plan."""
        try:
            return list(self.plugin.render(plan, options))
        except Exception as error:
            raise self.fault(
                "render", describe(error), "manifests of any plan that it carries", RENDER
            ) from error

    def test_manifests_are_complete(self) -> None:
        """Core can write what `render` returns.

        One route at least, of kinds in `writes`, each with a name of its own, and bodies of JSON without
        apiVersion, kind, metadata and status.
        """
        expected = "manifests that core can write"
        for where, sample, of in self._plans():
            self.core(where, expected, RENDER, partial(render, sample.plan, of, Calls()))

    def test_manifests_fit_their_schema(self) -> None:
        """An API server with the CustomResourceDefinitions in `crds` takes every manifest.

        Of built-in kinds it takes ConfigMaps, Secrets and Services as Kubernetes does: texts of 1 MiB in all,
        ports 1..65535, names that are DNS labels.
        """
        server = Server(self.plugin.writes, self.crds)
        for where, rendered in self._rendered():
            try:
                server.apply(rendered)
            except NotTaken as error:
                expected = "an object that fits the schema of its kind"
                raise self.fault(where, f"{rendered.ref}: {error}", expected, SCHEMA) from error
        if server.unchecked:
            kinds = ", ".join(map(str, server.unchecked))
            raise self.skip(f"give the suite `crds`, with the definitions of {kinds}")

    def test_nothing_differs_once_it_is_applied(self) -> None:
        """What the API server fills in inside a list is in the manifest: else it is put back for ever."""
        server = Server(self.plugin.writes, self.crds)
        for where, rendered in self._rendered():
            try:
                path = server.apply(rendered)
            except NotTaken:
                continue  # has a check of its own
            if path:
                found = f"{rendered.ref} whose {path} is another one after it was applied"
                raise self.fault(where, found, "the value that the API server gives it", MANIFEST)

    def test_secret_options_are_not_written(self) -> None:
        """The value of an option of type SecretStr is in no manifest: others may read routes."""
        for label, options in self.parsed():
            for secret in secrets_in(options):
                for sample in self.samples(options):
                    for one in self.manifests(sample.plan, options):
                        if secret in repr(plain(one.body)):
                            where = f'render of "{sample.about}" with options {label}'
                            found = f"the value of a secret option in {one.kind.kind} {one.name}"
                            raise self.fault(where, found, "no secret in what is written", RENDER)

    def test_a_new_route_is_not_refused(self) -> None:
        """`refusal` is None for a route that has no status yet, or an empty one."""
        for route in self._routes():
            for status in _NEW:
                told = answer(self.plugin, Call("", "refusal", ({**route, **status},)))
                if told is not None:
                    where = f"refusal of a route with {status or 'no status'}"
                    raise self.fault(where, str(told), "None", REFUSAL)

    def test_any_status_is_read(self) -> None:
        """Objects hold anything: `refusal` and `pending` never raise, and answer with text or None."""
        status = {"conditions": [{"type": "Accepted", "status": "True"}], "observedGeneration": 1}
        for route in self._routes():
            for where, strange in odd.oddities({**route, "status": status}):
                self._told(strange, f"a route with {where}")
            odd.any_document(route, lambda one: self._told(one, shown(one, 300)), self.examples)

    def _plans(self) -> Iterator[tuple[str, Sample, Accepted]]:
        for document, (label, options) in zip(self.options, self.parsed(), strict=True):
            of = self._accepted(document)
            for sample in self.written(options):
                yield f'render of "{sample.about}" with options {label}', sample, of

    def _rendered(self) -> Iterator[tuple[str, Rendered]]:
        """All that core would write for the samples: what it cannot write has a check of its own."""
        for where, sample, of in self._plans():
            try:
                found = render(sample.plan, of, Calls())
            except PluginError:
                continue
            for one in found:
                yield where, one

    def _accepted(self, document: Mapping[str, Any]) -> Accepted:
        # As an administrator would give them, who may reach into every namespace.
        settings = Settings.of({"plugins": {self.plugin.name: {"defaults": document}}})
        try:
            return accepted(PlainEnvironment(), PlainStrategy(), self.plugin, settings=settings)
        except Refused as error:
            expected = "an ordinary policy to be accepted"
            raise self.fault(f"options {document}", str(error), expected, "this suite's `options`") from error

    def _routes(self) -> Iterator[dict[str, Any]]:
        _, options = self.parsed()[0]
        for one in (
            one for first in self.samples(options)[:1] for one in self.manifests(first.plan, options)
        ):
            if one.role is Role.ROUTE:
                version = f"{one.kind.group}/{one.kind.versions[0]}".lstrip("/")
                metadata = {"name": one.name, "namespace": NAMESPACE, "generation": 1}
                yield {"apiVersion": version, "kind": one.kind.kind, "metadata": metadata, **plain(one.body)}

    def _told(self, route: Mapping[str, Any], where: str) -> None:
        """Complain unless `refusal` and `pending` can read a route."""
        for rule, ask in ((PENDING, self.plugin.pending), (REFUSAL, self.plugin.refusal)):
            about = f"{rule.rpartition('.')[2]} of {where}"
            try:
                told: object = ask(route)
            except Exception as error:
                raise self.fault(about, describe(error), "text, or None", rule) from error
            if told is not None and not isinstance(told, str):
                raise self.fault(about, type(told).__name__, "text, or None", rule)
