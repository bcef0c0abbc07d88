"""The suite of routers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.testing.conformance.checking import Broken, checks, failures, skipped
from tests.testing.conformance.sound import (
    ANYTHING,
    ENTRANCE,
    TABLE,
    OfSoundRouter,
    SoundRouter,
    TableOptions,
    definition,
)
from turnout.plugin import Feature, Manifest, Role, RoutePlan, Rule
from turnout.testing.conformance import RouterConformance
from turnout.testing.conformance.axis import AxisConformance

STRICT = definition(
    TABLE,
    {
        "properties": {
            "rules": {
                "type": "array",
                "items": {
                    "type": "object",
                    **ANYTHING,
                    "properties": {
                        "rows": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                **ANYTHING,
                                "properties": {"weight": {"type": "integer", "maximum": 100}},
                            },
                        }
                    },
                },
            }
        }
    },
)
FILLING = definition(
    TABLE,
    {
        "properties": {
            "rules": {
                "type": "array",
                "items": {
                    "type": "object",
                    **ANYTHING,
                    "properties": {"timeout": {"type": "string", "default": "10s"}},
                },
            }
        }
    },
)


def of(plugin: type[SoundRouter], **given: Any) -> type[RouterConformance]:
    """A suite of that plugin."""
    return type(plugin.__name__, (OfSoundRouter,), {"plugin": plugin(), "examples": 0, **given})


class Changed(SoundRouter):
    """What a sound router writes, each manifest with a change."""

    def render(self, plan: RoutePlan, options: TableOptions) -> Sequence[Manifest]:
        return [self.change(one, plan, options) for one in super().render(plan, options)]

    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        raise NotImplementedError


class WritesMetadata(Changed):
    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        return replace(one, body={**one.body, "metadata": {"labels": {}}})


class HasNoRoute(Changed):
    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        return replace(one, role=Role.SUPPORT) if one.role is Role.ROUTE and len(plan.frontends) > 1 else one


class Undeclared(SoundRouter):
    writes = (ENTRANCE,)


class DropsResponseHeaders(SoundRouter):
    def rule(self, rule: Rule) -> dict[str, Any]:
        bare = tuple(replace(share, set_response_headers=()) for share in rule.shares)
        return super().rule(replace(rule, shares=bare))


class MixesUpRegularExpressions(SoundRouter):
    """Takes a prefix for a regular expression."""

    def rule(self, rule: Rule) -> dict[str, Any]:
        made = super().rule(rule)
        return {**made, "matches": [match.replace("regex", "prefix") for match in made["matches"]]}


class SortsRules(SoundRouter):
    """By their names, but for the last one: the first that matches is another one."""

    def render(self, plan: RoutePlan, options: TableOptions) -> Sequence[Manifest]:
        *others, last = plan.rules
        rules = (*sorted(others, key=lambda rule: rule.name), last)
        return super().render(replace(plan, rules=rules), options)


class HalfOfMirrors(SoundRouter):
    carries = frozenset(Feature) - {Feature.MIRROR}


class Spills(Changed):
    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        return replace(one, body={"spec": {**one.body["spec"], "login": options.password.get_secret_value()}})


class RefusesTheNew(SoundRouter):
    def refusal(self, route: Mapping[str, Any]) -> str | None:
        return None if route.get("status", {}) != {} else "it has no status"


class TrustsStatus(SoundRouter):
    def refusal(self, route: Mapping[str, Any]) -> str | None:
        status = route.get("status") or {}
        return None if not status else (None if status["conditions"] is not None else "no conditions")


class AwaitsStatus(SoundRouter):
    def pending(self, route: Mapping[str, Any]) -> str | None:
        return None if route["status"]["conditions"] else "no controller has seen it"


class Mumbles(SoundRouter):
    """One text in place of several."""

    def objections(self, plan: RoutePlan, options: TableOptions) -> Any:
        return "no mirrors" if len(plan.frontends) > 1 else ()


class RefusesAll(SoundRouter):
    def objections(self, plan: RoutePlan, options: TableOptions) -> Any:
        yield f"no {plan.frontends[0].protocol}"


class NamedForRules(Changed):
    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        return replace(one, name=f"{one.name}-{len(plan.rules)}") if one.kind == TABLE else one


class NamedForFew(Changed):
    """A plan of one version has a route of another name."""

    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        alone = len(list(plan.versions())) == 1
        return replace(one, name=f"{one.name}-alone") if one.kind == TABLE and alone else one


class RulesInSupport(Changed):
    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        said = {"spec": {"rules": len(plan.rules)}}
        return replace(one, body=said) if one.role is Role.SUPPORT else one


class OneTableForAll(Changed):
    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        return replace(one, name="table") if one.role is Role.ROUTE else one


class SharesItsOwn(Changed):
    def change(self, one: Manifest, plan: RoutePlan, options: TableOptions) -> Manifest:
        return replace(one, body={"spec": {"for": plan.policy.name}}) if one.role is Role.SHARED else one


class Rounds(SoundRouter):
    """Counts in whole percents."""

    def rule(self, rule: Rule) -> dict[str, Any]:
        made = super().rule(rule)
        total = sum(share.weight for share in rule.shares)
        for row in made["rows"]:
            row["exact"], row["weight"] = row["weight"], round(100 * row["weight"] / total)
        return made


class Strays(SoundRouter):
    """Gives calls to a Service that the plan does not name."""

    def rule(self, rule: Rule) -> dict[str, Any]:
        made = super().rule(rule)
        made["rows"].append({"name": "blackhole", "weight": 1})
        return made


BROKEN = (
    Broken(of(WritesMetadata), "test_manifests_are_complete", "metadata in the body of entrance"),
    Broken(of(HasNoRoute), "test_manifests_are_complete", "render returned no route"),
    Broken(of(Undeclared), "test_manifests_are_complete", "a kind that it does not declare in `writes`"),
    Broken(
        of(SoundRouter, crds=(STRICT, definition(ENTRANCE, ANYTHING))),
        "test_manifests_fit_their_schema",
        'render of "weights 1/999999',
    ),
    Broken(
        of(SoundRouter, crds=(FILLING, definition(ENTRANCE, ANYTHING))),
        "test_nothing_differs_once_it_is_applied",
        "Table models/wisdom whose spec.rules[0] is another one",
    ),
    Broken(of(Spills), "test_secret_options_are_not_written", "a secret option in Entrance entrance"),
    Broken(of(RefusesTheNew), "test_a_new_route_is_not_refused", "found it has no status; expected None"),
    Broken(of(TrustsStatus), "test_any_status_is_read", "refusal of a route with status ="),
    Broken(
        of(AwaitsStatus), "test_any_status_is_read", "pending of a route with nothing at all: found KeyError"
    ),
    Broken(
        of(DropsResponseHeaders),
        "test_every_feature_that_it_carries_is_written",
        '"everything to wisdom-0" and "the response header x-model: a"',
    ),
    Broken(
        of(SortsRules),
        "test_every_feature_that_it_carries_is_written",
        '"gold before test" and "test before gold"',
    ),
    Broken(
        of(MixesUpRegularExpressions),
        "test_every_feature_that_it_carries_is_written",
        '"the header x-tier prefix gold" and "the header x-tier regex gold"',
    ),
    Broken(
        of(HalfOfMirrors),
        "test_every_feature_that_it_carries_can_be_asked_for",
        "found mirror-authority; expected mirror as well",
    ),
    Broken(
        of(Mumbles), "test_objections_are_sentences", 'objections returned "no mirrors", expected a list of'
    ),
    Broken(
        of(RefusesAll),
        "test_some_plan_is_carried",
        'found no plan that it carries; it objects to "everything to wisdom-0": no grpc; expected one at least',
    ),
    Broken(of(NamedForRules), "test_names_do_not_depend_on_weights_and_rules", "Table wisdom-2"),
    Broken(of(NamedForFew), "test_names_do_not_depend_on_weights_and_rules", "Table wisdom-alone"),
    Broken(of(RulesInSupport), "test_only_routes_depend_on_the_rules", "Entrance wisdom-hosts that differs"),
    Broken(of(OneTableForAll), "test_policies_have_routes_of_their_own", "Table table for the policies"),
    Broken(of(SharesItsOwn), "test_shared_objects_are_the_same_for_every_policy", "Entrance entrance that"),
    Broken(of(Rounds), "test_shares_are_conserved", "render of the weights 1/999999"),
    Broken(of(Strays), "test_shares_are_conserved", "blackhole"),
)


def test_a_sound_router_passes() -> None:
    assert failures(OfSoundRouter, elsewhere=True) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_fails_its_check_alone(broken: Broken) -> None:
    found = failures(broken.suite)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]


def test_every_check_of_its_own_can_fail() -> None:
    own = set(checks(RouterConformance)) - set(checks(AxisConformance))
    assert {broken.check for broken in BROKEN} == own


def test_a_router_that_carries_little_is_asked_for_little() -> None:
    class Simple(SoundRouter):
        carries = frozenset({Feature.WEIGHTS})

        def render(self, plan: RoutePlan, options: TableOptions) -> Sequence[Manifest]:
            assert len(plan.rules) == 1
            return super().render(plan, options)

    assert failures(of(Simple)) == {}


def test_what_a_router_objects_to_is_not_rendered() -> None:
    class Objects(SoundRouter):
        def objections(self, plan: RoutePlan, options: TableOptions) -> Sequence[str]:
            return ["a mirror beside weights"] if self.both(plan) else []

        def render(self, plan: RoutePlan, options: TableOptions) -> Sequence[Manifest]:
            assert not self.both(plan)
            return super().render(plan, options)

        def both(self, plan: RoutePlan) -> bool:
            return any(len(rule.shares) > 1 and rule.mirrors for rule in plan.rules)

    assert failures(of(Objects)) == {}


def test_steps_of_a_network_are_within_its_precision() -> None:
    """A share that vanishes is none."""

    class Tens(SoundRouter):
        carries = frozenset({Feature.WEIGHTS})

        def rule(self, rule: Rule) -> dict[str, Any]:
            made = super().rule(rule)
            total = sum(share.weight for share in rule.shares)
            for row in made["rows"]:
                row["exact"], row["weight"] = row["weight"], max(1, round(100 * row["weight"] / total))
            return made

    assert failures(of(Tens, precision=1.0)) == {}


def test_definitions_may_be_files(tmp_path: Path) -> None:
    """Of which others are passed over."""
    (tmp_path / "tables.yaml").write_text(yaml.safe_dump_all([STRICT, {"kind": "Namespace"}]))
    (tmp_path / "README.md").write_text("none")
    suite = of(SoundRouter, crds=(tmp_path, definition(ENTRANCE, ANYTHING)))

    assert list(failures(suite)) == ["test_manifests_fit_their_schema"]


def test_checks_that_cannot_tell_say_what_they_need() -> None:
    """What is known is checked all the same."""
    suite = of(SoundRouter, crds=(), read=RouterConformance.read)

    assert "definitions of tables.example.com" in skipped(suite, "test_manifests_fit_their_schema")
    assert "`read(self, manifests)`" in skipped(suite, "test_shares_are_conserved")


def test_a_version_that_is_not_served_is_told() -> None:
    crd = definition(TABLE, ANYTHING)
    crd["spec"]["versions"][0]["name"] = "v2"
    found = failures(of(SoundRouter, crds=(crd, definition(ENTRANCE, ANYTHING))))

    assert "is defined in v2, and not in v1" in found["test_manifests_fit_their_schema"]
