"""The suite of routers: what they make of plans that differ. Single plans are looked at in `manifests`."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

import orjson

from turnout.calling import Calls
from turnout.decision import carry
from turnout.plugin import Manifest, Role, Router
from turnout.testing.conformance import plans
from turnout.testing.conformance.calls import Call, plain
from turnout.testing.conformance.manifests import OBJECTIONS, RENDER, OfManifests

CARRIES = "turnout.plugin.Router.carries"
ROLE = "turnout.plugin.Role"


class RouterConformance(OfManifests):
    """What every router does.

    A subclass gives `plugin`; `crds`, so that manifests are checked by their schemas; and `read`, so that
    shares are.
    """

    axis: ClassVar[Any] = Router

    precision: ClassVar[float] = 0.001
    """By how many percent of the calls a share may be off, for networks that count in steps."""

    def read(self, manifests: Sequence[Manifest]) -> Mapping[str, float] | None:
        """The weights of the calls that match nothing, by the name of the Service, as the manifests say them.

        None, the default, skips the check of shares.
        """
        return None

    def calls(self) -> Iterator[Call]:
        yield from self.calls_of_all()
        for label, options in self.parsed():
            for sample in self.written(options):
                where = f'render of "{sample.about}" with options {label}'
                yield Call(where, "render", (sample.plan, options))
            for sample in plans.samples(self.frontend):
                if sample.plan.features() <= self.plugin.carries:
                    where = f'objections to "{sample.about}" with options {label}'
                    yield Call(where, "objections", (sample.plan, options))
        route = {"kind": "Route", "metadata": {"name": "wisdom"}, "status": {"conditions": []}}
        for method in ("refusal", "pending"):
            yield Call(f"{method} of an empty route", method, (route,))

    def test_objections_are_sentences(self) -> None:
        """`objections` returns texts, one for each thing that cannot be said; it does not raise."""
        for label, options in self.parsed():
            for sample in plans.samples(self.frontend):
                if sample.plan.features() <= self.plugin.carries:
                    where = f'objections to "{sample.about}" with options {label}'
                    step = partial(carry.objections, self.plugin, sample.plan, options, Calls())
                    self.core(where, "texts, or none", OBJECTIONS, step)

    def test_every_feature_that_it_carries_is_written(self) -> None:
        """Plans that differ are written differently: what is in `carries` and not written is lost."""
        for label, options in self.parsed():
            known: dict[bytes, str] = {}
            for sample in self.samples(options):
                manifests = plain(self.manifests(sample.plan, options))
                other = known.setdefault(orjson.dumps(manifests, option=orjson.OPT_SORT_KEYS), sample.about)
                if other != sample.about:
                    found = f'the same manifests for "{other}" and "{sample.about}"'
                    expected = "others; what the network cannot say is left out of `carries`"
                    raise self.fault(f"render with options {label}", found, expected, CARRIES)

    def test_every_feature_that_it_carries_can_be_asked_for(self) -> None:
        """Some features come only with others, without which they are of no use."""
        able = plans.samples(self.frontend)
        for feature in sorted(self.plugin.carries):
            asking = [one.plan.features() for one in able if feature in one.plan.features()]
            if not any(features <= self.plugin.carries for features in asking):
                needed = ", ".join(sorted(min(asking, key=len) - self.plugin.carries))
                expected = f"{needed} as well, without which no plan asks for it"
                raise self.fault("carries", feature, expected, "turnout.plugin.RoutePlan.features")

    def test_names_do_not_depend_on_weights_and_rules(self) -> None:
        """Plans of the same versions write the same objects, and plans of fewer versions no others."""
        for label, options in self.parsed():
            written = {
                sample.about: (
                    {version.name for version in sample.plan.versions()},
                    {f"{one.kind.kind} {one.name}" for one in self.manifests(sample.plan, options)},
                )
                for sample in self.samples(options)
                if sample.plain
            }
            for about, (versions, names) in written.items():
                for other, (more, known) in written.items():
                    if (versions == more and names != known) or (versions < more and not names <= known):
                        found = f'{_listed(names)} for "{about}", and {_listed(known)} for "{other}"'
                        expected = "the same objects: routes that are replaced are gone for a moment"
                        raise self.fault(f"render with options {label}", found, expected, RENDER)

    def test_only_routes_depend_on_the_rules(self) -> None:
        """Supporting and shared objects are the same whatever the rules say: they are written first."""
        for label, options in self.parsed():
            seen: dict[str, tuple[str, Any]] = {}
            for sample in self.samples(options):
                for one in self.manifests(sample.plan, options) if sample.plain else ():
                    if one.role is not Role.ROUTE:
                        name = f"{one.kind.kind} {one.name}"
                        about, body = seen.setdefault(name, (sample.about, plain(one.body)))
                        if body != plain(one.body):
                            found = f'{name} that differs between "{about}" and "{sample.about}"'
                            raise self.fault(f"render with options {label}", found, "Role.ROUTE for it", ROLE)

    def test_policies_have_routes_of_their_own(self) -> None:
        """Policies of different models have no object in common that is not shared."""
        for label, name, (owl, wren) in self._in_common():
            if {owl.role, wren.role} != {Role.SHARED}:
                found = f"{name} for the policies owl and wren"
                expected = "a name with the policy's or its model's in it, or Role.SHARED"
                raise self.fault(f"render with options {label}", found, expected, ROLE)

    def test_shared_objects_are_the_same_for_every_policy(self) -> None:
        """Of a shared object that differs between policies the oldest policy's is written."""
        for label, name, (owl, wren) in self._in_common():
            if {owl.role, wren.role} == {Role.SHARED} and plain(owl.body) != plain(wren.body):
                found = f"{name} that differs between two policies with the same options"
                raise self.fault(f"render with options {label}", found, "the same body", f"{ROLE}.SHARED")

    def test_shares_are_conserved(self) -> None:
        """What `read` finds in the manifests are the shares of the plan."""
        for label, options in self.parsed():
            for weights in plans.WEIGHTS:
                plan = plans.weighted(self.frontend, *weights)
                if not self.carried(plan, options):
                    continue
                read = self.read(self.manifests(plan, options))
                if read is None:
                    raise self.skip("give the suite `read(self, manifests)`, which finds the weights in them")
                found = _percent(read)
                wanted = _percent({f"wisdom-{n}": weight for n, weight in enumerate(weights) if weight})
                off = max(abs(found.get(name, 0) - wanted.get(name, 0)) for name in {*found, *wanted})
                if off > self.precision or not all(found.get(name) for name in wanted):
                    where = f"render of the weights {'/'.join(map(str, weights))} with options {label}"
                    raise self.fault(where, _shares(found), _shares(wanted), RENDER)

    def _in_common(self) -> Iterator[tuple[str, str, tuple[Manifest, Manifest]]]:
        """The objects that two policies of different models both write."""
        for label, options in self.parsed():
            owl, wren = (
                {
                    f"{one.kind.kind} {one.name}": one
                    for one in self.manifests(plans.of_model(model, self.frontend), options)
                }
                for model in ("owl", "wren")
            )
            for name in sorted(owl.keys() & wren.keys()):
                yield label, name, (owl[name], wren[name])


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _percent(weights: Mapping[str, float]) -> dict[str, float]:
    total = sum(weights.values()) or 1
    return {name: 100 * weight / total for name, weight in weights.items()}


def _shares(percents: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}%" for name, value in sorted(percents.items())) or "no shares"
