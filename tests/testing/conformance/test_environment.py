"""The suite of environments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from tests.testing.conformance.checking import ELSEWHERE, Broken, checks, failures
from tests.testing.conformance.sound import (
    WIDGET,
    OfSoundEnvironment,
    SoundEnvironment,
    WidgetOptions,
    Widgets,
    widget,
)
from turnout.plugin import Backend, Fault, Frontend, Kind, Observation, Policy, Ref, VersionSpec
from turnout.plugin.promotion import SPEC, taken
from turnout.plugin.reading import mapping
from turnout.testing.conformance import EnvironmentConformance
from turnout.testing.conformance.axis import AxisConformance

GADGET = Kind("example.com", ("v1",), "Gadget", "gadgets")
Seen = Sequence[Observation | None]
Objects = Sequence[Mapping[str, Any]]
Now = Sequence[Mapping[str, Any] | None]


def of(plugin: type[Widgets], **given: Any) -> type[EnvironmentConformance]:
    """A suite of that plugin."""
    return type(plugin.__name__, (OfSoundEnvironment,), {"plugin": plugin(), "examples": 0, **given})


class NamesNothing(SoundEnvironment):
    def refs(self, version: VersionSpec, options: WidgetOptions) -> Sequence[Ref]:
        return () if version.name == "wisdom-15" else super().refs(version, options)


class NamesForeigners(SoundEnvironment):
    def refs(self, version: VersionSpec, options: WidgetOptions) -> Sequence[Ref]:
        kind = GADGET if version.namespace == "others" else WIDGET
        return (Ref(kind, version.namespace, version.name),)


class NamesByWeight(SoundEnvironment):
    def refs(self, version: VersionSpec, options: WidgetOptions) -> Sequence[Ref]:
        name = f"{version.name}-heavy" if version.weight == 7 else version.name
        return (Ref(WIDGET, version.namespace, name),)


class OneForAll(SoundEnvironment):
    def refs(self, version: VersionSpec, options: WidgetOptions) -> Sequence[Ref]:
        return (Ref(WIDGET, version.namespace, "wisdom"),)


class NoPort(SoundEnvironment):
    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        return [replace(one, port=0) for one in super().frontends(policy, options)]


class NoFrontends(SoundEnvironment):
    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        return () if policy.namespace == "others" else super().frontends(policy, options)


class NamedForThePolicy(SoundEnvironment):
    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        name = "main" if policy.name == policy.model_name else "other"
        return [replace(one, name=name) for one in super().frontends(policy, options)]


class OneHost(SoundEnvironment):
    """Its clients call one server, whatever model they want."""

    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        return [replace(one, hosts=("widgets",)) for one in super().frontends(policy, options)]


class ForgetsTheNamespace(SoundEnvironment):
    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        return [replace(one, hosts=(policy.model_name,)) for one in super().frontends(policy, options)]


class InANamespaceOfItsOwn(SoundEnvironment):
    """All widgets are called in one namespace, which routers are told of."""

    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        hosts = (f"{policy.model_name}.widgets",)
        return [replace(one, namespace="widgets", hosts=hosts) for one in super().frontends(policy, options)]


class ServesOneNamespace(SoundEnvironment):
    """What its `check` refuses it cannot do."""

    def check(self, policy: Policy, options: WidgetOptions) -> Iterable[Fault]:
        if policy.namespace != "models" or len(policy.versions) != 2:
            yield Fault("spec.modelVersions", "found others than two in models")

    def frontends(self, policy: Policy, options: WidgetOptions) -> Sequence[Frontend]:
        assert policy.namespace == "models" or policy.model_name == "robin"
        return super().frontends(policy, options)


class Refuses(SoundEnvironment):
    def check(self, policy: Policy, options: WidgetOptions) -> Iterable[Fault]:
        yield Fault("spec.modelVersions", "found some")


class Trims(SoundEnvironment):
    """Makes names of its own, which are no names any more where a version's is long."""

    def backends(self, version: VersionSpec, seen: Seen, options: WidgetOptions) -> Mapping[str, Backend]:
        name = f"{version.name}-"[:63].rstrip("-") if len(version.name) < 63 else f"{version.name[:62]}-"
        return {"main": Backend(name, version.namespace, options.port)}


class GoesByItsLast(SoundEnvironment):
    """Gives every version the port of the widget that it saw last."""

    last = "wisdom-0"

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        name = mapping(obj.get("metadata")).get("name")
        self.last = name if isinstance(name, str) and name.startswith("other-") else "wisdom-0"
        return super().observe(obj)

    def backends(self, version: VersionSpec, seen: Seen, options: WidgetOptions) -> Mapping[str, Backend]:
        header = (("x-widget", "other" if self.last.startswith("other-") else "mine"),)
        found = super().backends(version, seen, options)
        return {name: replace(one, set_headers=header) for name, one in found.items()}


class KnowsByName(SoundEnvironment):
    """Takes versions of one name for the same, in whatever namespace they are."""

    known: ClassVar[dict[str, Mapping[str, Backend]]] = {}

    def backends(self, version: VersionSpec, seen: Seen, options: WidgetOptions) -> Mapping[str, Backend]:
        key = f"{version.name}:{options.port}"
        return self.known.setdefault(key, super().backends(version, seen, options))


class Unreachable(SoundEnvironment):
    def backends(self, version: VersionSpec, seen: Seen, options: WidgetOptions) -> Mapping[str, Backend]:
        return {}


class WithoutPorts(SoundEnvironment):
    def backends(self, version: VersionSpec, seen: Seen, options: WidgetOptions) -> Mapping[str, Backend]:
        (main,) = super().backends(version, seen, options).values()
        return {"main": main if seen[0] else replace(main, port=0)}


class AllAlike(SoundEnvironment):
    def backends(self, version: VersionSpec, seen: Seen, options: WidgetOptions) -> Mapping[str, Backend]:
        return {"main": Backend("server", version.namespace, options.port)}


class NeverReady(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        return replace(seen, ready=seen.ready and None)


class NeverDown(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        return replace(seen, ready=seen.ready or None)


class NeverInDoubt(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        return replace(seen, ready=bool(seen.ready))


class Hasty(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        return seen if "status" in obj else replace(seen, ready=True)


class Trusting(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        return replace(super().observe(obj), message=obj["status"]["message"][:100])


class TrustingItself(SoundEnvironment):
    """What it keeps of an odd object is of no use to it."""

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        found = mapping(mapping(obj.get("spec")).get("model")).get("image")
        return replace(super().observe(obj), addresses=(("image", str(found)),) if found else ())

    def backends(self, version: VersionSpec, seen: Seen, options: WidgetOptions) -> Mapping[str, Backend]:
        if seen[0]:
            dict(seen[0].addresses)["image"].split()
        return super().backends(version, seen, options)


class Loose(SoundEnvironment):
    """Its observations cannot be hashed."""

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        return replace(super().observe(obj), addresses=[("url", "x")])  # type: ignore[arg-type]  # its fault


class Hoards(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        found = mapping(obj.get("status")).get("message")
        return replace(super().observe(obj), message=found if isinstance(found, str) else "")


class Curious(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        annotations = mapping(mapping(obj.get("metadata")).get("annotations"))
        told = annotations.get("kubectl.kubernetes.io/last-applied-configuration", "")
        return replace(super().observe(obj), message=str(told)[:100])


class Nervous(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        version = mapping(obj.get("metadata")).get("resourceVersion")
        return replace(super().observe(obj), message=str(version)[:100])


class Blind(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        return replace(super().observe(obj), revision="")


class Renames(SoundEnvironment):
    def promoted(self, primary: Objects, candidate: Objects) -> Objects:
        made = super().promoted(primary, candidate)
        same = mapping(mapping(primary[0].get("metadata")).get("labels")) == mapping(
            mapping(candidate[0].get("metadata")).get("labels")
        )
        return made if same else [{**made[0], "kind": "Gadget"}]


class KeepsTheVersion(SoundEnvironment):
    def promoted(self, primary: Objects, candidate: Objects) -> Objects:
        return [taken(primary[0], candidate[0], (SPEC,))]


class Counts(SoundEnvironment):
    """It counts on how often the candidate's version was promoted."""

    def promoted(self, primary: Objects, candidate: Objects) -> Objects:
        (made,) = super().promoted(primary, candidate)
        if mapping(candidate[0]["metadata"])["uid"] == "uid-0":
            return [made]
        count = mapping(primary[0]["spec"]).get("promotions", 0)
        return [{**made, "spec": {**mapping(made["spec"]), "promotions": count + 1}}]


class Hoarder(SoundEnvironment):
    """It keeps what the primary had, so that nothing ever goes again."""

    def promoted(self, primary: Objects, candidate: Objects) -> Objects:
        (made,) = super().promoted(primary, candidate)
        labels = {**mapping(candidate[0]["metadata"]["labels"]), **mapping(primary[0]["metadata"]["labels"])}
        labels |= made["metadata"]["labels"]
        labels[f"promoted-{made['metadata']['labels']['app.kubernetes.io/version']}"] = "true"
        return [{**made, "metadata": {**made["metadata"], "labels": labels}}]


class Satisfied(SoundEnvironment):
    def rolled_out(self, before: Now, now: Now) -> tuple[bool | None, str]:
        return True, ""


class Vague(SoundEnvironment):
    def witnesses(self, primary: Objects) -> Sequence[Ref]:
        return ["pods"]  # type: ignore[list-item]  # its fault


BROKEN = (
    Broken(of(NamesNothing), "test_refs_name_objects_of_kinds_that_it_watches", "refs returned nothing"),
    Broken(of(NamesForeigners), "test_refs_name_objects_of_kinds_that_it_watches", "in `watches`"),
    Broken(of(NamesByWeight), "test_refs_depend_on_the_version_alone", "wisdom-0-heavy"),
    Broken(
        of(
            OneForAll,
            version="wisdom",
            **{
                state: widget(word, name="wisdom", generation=1 + (state == "replaced"))
                for state, word in (
                    ("ready", "True"),
                    ("not_ready", "False"),
                    ("unknown", "Unknown"),
                    ("replaced", "True"),
                )
            },
        ),
        "test_refs_tell_versions_apart",
        "an object of its own for each version",
    ),
    Broken(
        of(NoPort),
        "test_frontends_are_places_where_clients_can_call",
        "expected port to be an integer 1..65535",
    ),
    Broken(of(NoFrontends), "test_frontends_are_places_where_clients_can_call", "frontends returned nothing"),
    Broken(
        of(NamedForThePolicy), "test_frontends_have_the_same_names_for_every_policy", "found the names other"
    ),
    Broken(
        of(OneHost),
        "test_models_have_hosts_of_their_own",
        "found widgets:8080 for the model robin of namespace models and for the model wren of namespace models",
    ),
    Broken(
        of(ForgetsTheNamespace),
        "test_models_have_hosts_of_their_own",
        "the model robin of namespace elsewhere",
    ),
    Broken(of(Trims), "test_backends_are_what_routers_can_write", "in the longest names, of which nothing"),
    Broken(
        of(GoesByItsLast),
        "test_answers_do_not_depend_on_earlier_calls",
        "backends when the version is replaced",
    ),
    Broken(
        of(Unreachable), "test_a_ready_version_has_a_backend_for_every_frontend", "found backends for none"
    ),
    Broken(of(WithoutPorts), "test_backends_are_what_routers_can_write", "port=0 for the frontend"),
    Broken(
        of(AllAlike), "test_backends_tell_versions_apart", "expected another Service, authority or header"
    ),
    Broken(of(Widgets), "test_drain_is_declared", "expected `drain = True` if"),
    Broken(
        of(SoundEnvironment, version="wisdom-9"),
        "test_the_samples_are_the_objects_that_refs_names",
        "found Widget models/wisdom-0; expected Widget models/wisdom-9",
    ),
    Broken(of(NeverReady), "test_a_ready_version_is_ready", "found ready=None"),
    Broken(of(NeverDown), "test_a_version_that_is_not_ready_is_not", "expected ready=False"),
    Broken(of(NeverInDoubt), "test_an_unknown_version_is_unknown", "expected ready=None"),
    Broken(of(Hasty), "test_objects_without_a_status_are_not_ready", "found ready=True"),
    Broken(
        of(Trusting), "test_any_object_is_observed", "observe of `ready` with nothing at all: found KeyError"
    ),
    Broken(of(TrustingItself), "test_any_object_is_observed", "backends with options {} after observing"),
    Broken(of(Loose), "test_any_object_is_observed", "expected addresses to be a tuple of pairs of str"),
    Broken(of(Hoards), "test_what_is_kept_is_small", "with a long status.message"),
    Broken(of(Curious), "test_secrets_are_not_kept", "with secrets in it"),
    Broken(of(Nervous), "test_heartbeats_change_nothing", "another metadata.resourceVersion"),
    Broken(of(Renames), "test_a_promotion_keeps_the_object_that_it_is", "promoted returned another kind"),
    Broken(
        of(KeepsTheVersion),
        "test_a_promoted_primary_has_the_candidates_version",
        "expected that of the candidate, 'conformance-2'",
    ),
    Broken(of(Counts), "test_a_promotion_made_again_changes_nothing", "spec.promotions"),
    Broken(of(Hoarder), "test_a_promotion_can_be_taken_back", "metadata.labels.promoted-conformance-2"),
    Broken(of(Satisfied), "test_a_primary_that_is_not_ready_is_not_rolled_out", "found True; expected False"),
    Broken(of(Vague), "test_witnesses_are_objects", 'found plugin sound-widgets: witnesses returned "pods"'),
    Broken(of(Blind), "test_another_model_is_another_revision", "of `ready` and of `replaced`"),
)


def test_a_sound_environment_passes() -> None:
    assert failures(OfSoundEnvironment, elsewhere=True) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_fails_its_check_alone(broken: Broken) -> None:
    found = failures(broken.suite)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]


def test_every_check_of_its_own_can_fail() -> None:
    own = set(checks(EnvironmentConformance)) - set(checks(AxisConformance))
    assert {broken.check for broken in BROKEN} >= own


def test_an_environment_may_have_hosts_in_common_if_it_says_so() -> None:
    assert failures(of(OneHost, hosts_in_common=True)) == {}
    assert failures(of(InANamespaceOfItsOwn)) == {}


def test_policies_that_an_environment_refuses_are_no_samples() -> None:
    assert failures(of(ServesOneNamespace)) == {}


def test_an_environment_that_refuses_every_policy_is_told() -> None:
    found = failures(of(Refuses))["test_frontends_are_places_where_clients_can_call"]

    assert "check: found faults in all of the suite's policies" in found


def test_an_environment_remembers_nothing_of_other_namespaces() -> None:
    KnowsByName.known.clear()

    assert "backends when" in failures(of(KnowsByName), elsewhere=True)[ELSEWHERE]
