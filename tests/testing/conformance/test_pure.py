"""What the suites of all axes check: names, options, faults, and that calls are pure."""

import functools
import importlib.resources
import os
import random
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import field_validator

from tests.testing.conformance.checking import ELSEWHERE, Broken, checks, failures, skipped
from tests.testing.conformance.sound import (
    WIDGET,
    OfSoundEnvironment,
    SoundEnvironment,
    WidgetOptions,
    widget,
)
from turnout.plugin import Fault, Observation, Policy
from turnout.plugin.reading import text
from turnout.testing.builders import policy
from turnout.testing.conformance import EnvironmentConformance, RouterConformance, pure
from turnout.testing.conformance.axis import AxisConformance
from turnout.testing.conformance.calls import difference

Options = WidgetOptions


def of(plugin: type[SoundEnvironment], **given: Any) -> type[EnvironmentConformance]:
    """A suite of that plugin."""
    return type(plugin.__name__, (OfSoundEnvironment,), {"plugin": plugin(), "examples": 0, **given})


class Listed(SoundEnvironment):
    watches = [WIDGET]  # type: ignore[assignment]  # noqa: RUF012  its fault


class Namesake(SoundEnvironment):
    name = "istio"


class Brittle(WidgetOptions):
    """Options that know one kind of wrong value."""

    words: str = "a b"

    @field_validator("words", mode="before")
    @classmethod
    def _two(cls, value: Any) -> Any:
        return value.split()[1]


class Unforgiving(SoundEnvironment):
    options = Brittle


class Vague(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        if policy.namespace == "others":
            yield Fault("weights", "are too heavy")


class Wordy(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return ["it is too heavy"] if policy.namespace == "others" else []  # type: ignore[list-item]


class Gullible(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return ()


class Reaching(SoundEnvironment):
    def reaches(self, options: Options) -> Iterable[tuple[str, str]]:
        yield "spec.gateway", "others"


class Marks(SoundEnvironment):
    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        obj["seen"] = True  # type: ignore[index]  # its fault
        return seen


class Counts(SoundEnvironment):
    def __init__(self) -> None:
        self.asked = 0

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        self.asked += 1
        if policy.namespace == "others":
            yield Fault("spec.modelName", f"found {policy.model_name} {self.asked} times")


class TellsTheTime(SoundEnvironment):
    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return super().check(policy, options) if datetime.now(UTC).year > 2000 else ()


class Hashes(SoundEnvironment):
    """Strings have other hashes in every process."""

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        if policy.namespace == "others":
            yield Fault("spec.modelName", " ".join({"a", "b", "c", "d", "e", policy.model_name}))


REMEMBERED: dict[str, list[Fault]] = {}


class Remembers(SoundEnvironment):
    """Takes policies of one name for the same."""

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        said = [Fault("spec.modelName", f"found it in {policy.cluster_domain}")]
        return REMEMBERED.setdefault(policy.name, said) if policy.model_name != "owl" else ()


class Slow(SoundEnvironment):
    def backends(self, version: Any, seen: Any, options: Options) -> Any:
        Clock.now += 6
        return super().backends(version, seen, options)


class Clock:
    """Tells the suites the time that plugins take, of which none passes."""

    now = 0.0

    @classmethod
    def monotonic(cls) -> float:
        return cls.now


class Broad(SoundEnvironment):
    """Takes whatever it is given for text."""

    def observe(self, obj: Mapping[str, Any]) -> Observation:
        seen = super().observe(obj)
        assert text(obj.get("data")) != "\N{SNOWMAN}"
        return seen


BROKEN = (
    Broken(of(SoundEnvironment, options=()), "test_the_suite_has_what_it_needs", "options: found ()"),
    Broken(of(Slow), "test_calls_take_little_time", "found 6.0 s; expected 5 s at most"),
    Broken(of(Listed), "test_it_is_a_plugin", "expected a tuple of at least one Kind"),
    Broken(of(Namesake), "test_its_name_is_its_own", "istio (turnout "),
    Broken(of(Unforgiving), "test_wrong_options_are_refused_by_their_path", 'options {"words": null}'),
    Broken(of(Vague), "test_faults_name_a_field_of_the_policy", 'found the path "weights"'),
    Broken(of(Wordy), "test_faults_name_a_field_of_the_policy", "it is too heavy"),
    Broken(of(Gullible, refused=(policy(model_name="owl"),)), "test_policies_are_refused", "found no fault"),
    Broken(of(Reaching), "test_what_it_reaches_is_named_by_an_option", "spec.gateway"),
    Broken(of(Marks), "test_arguments_are_left_as_they_were", "arguments[0][0].seen is in one of them alone"),
    Broken(of(Counts), "test_answers_do_not_depend_on_earlier_calls", "another answer the second time"),
    Broken(of(TellsTheTime), "test_calls_do_no_io", "the clock (datetime.now)"),
    Broken(of(Hashes), ELSEWHERE, "found another answer in another process"),
    Broken(of(Remembers), ELSEWHERE, "asked in another order: [0][1] is 'found it in cluster.local' and"),
)


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_fails_its_check_alone(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    REMEMBERED.clear()
    monkeypatch.setattr(pure, "time", Clock)
    found = failures(broken.suite, elsewhere=broken.check == ELSEWHERE)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]
    about_the_suite = ("test_it_is_a_plugin", "test_the_suite_has_what_it_needs")
    assert broken.suite.plugin.name in found[broken.check] or broken.check in about_the_suite


def test_every_check_can_fail() -> None:
    assert {broken.check for broken in BROKEN} == set(checks(AxisConformance))


def test_a_policy_that_has_to_be_refused_is() -> None:
    assert failures(of(SoundEnvironment, refused=(policy(model_name="owl"),))) == {}


def test_options_of_the_suite_have_to_be_right() -> None:
    """Else every check says why it cannot begin."""
    (said, *_) = set(failures(of(SoundEnvironment, options=({"port": 0},))).values())

    assert "spec.config.sound-widgets.port: found 0, expected an integer 1..65535" in said


class Forgetful(EnvironmentConformance):
    """Gives one of the two documents that are needed."""

    plugin = SoundEnvironment()
    ready = widget("True")


class Absent(RouterConformance):
    """Gives nothing."""


@pytest.mark.parametrize(
    ("suite", "says"),
    [
        (Absent, ["plugin: is missing, expected an instance of your plugin, such as plugin = MyPlugin()"]),
        (Forgetful, ["not_ready: is missing, expected the same object", "such as not_ready = {**ready,"]),
        (of(SoundEnvironment, not_ready=None), ["not_ready: found None, expected the same object"]),
        (of(SoundEnvironment, ready=()), ["ready: found (), expected the object of a version"]),
        (of(SoundEnvironment, ready="---"), ["ready: found null, expected objects, each with a kind"]),
        (of(SoundEnvironment, ready="{"), ["ready: is no YAML: ParserError"]),
        (of(SoundEnvironment, ready={"metadata": {"name": "wisdom-0"}}), ["ready: found {", "with a kind"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_suite_lacks_is_told_once(suite: type[Any], says: list[str]) -> None:
    """By its name, with its type and an example; the other checks are skipped, or do without."""
    found = failures(suite)

    assert list(found) == ["test_the_suite_has_what_it_needs"]
    assert [text for text in says if text not in found["test_the_suite_has_what_it_needs"]] == []


def test_a_plugin_without_a_name_and_options_is_told_once() -> None:
    class Nameless(SoundEnvironment):
        name = None  # type: ignore[assignment]  # its fault
        options = None  # type: ignore[assignment]  # the same

    assert list(failures(of(Nameless))) == ["test_it_is_a_plugin"]


class Caches(SoundEnvironment):
    """Reads a resource of its own when it is first asked, and numbers that follow from a seed."""

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        limit = random.Random(len(resource())).randint(1, 9)
        if policy.namespace == "others":
            yield Fault("spec.modelName", f"found more than {limit}")


@functools.cache
def resource() -> str:
    return importlib.resources.files(__package__).joinpath("__init__.py").read_text("utf-8")


class ReadsOnce(SoundEnvironment):
    """Has a cache of what it may not know."""

    def check(self, policy: Policy, options: Options) -> Iterable[Fault]:
        return [Fault("spec.modelName", f"found {machine()}")]


@functools.cache
def machine() -> str:
    return Path(os.devnull).read_text("utf-8")


def test_a_resource_that_is_read_once_is_no_io() -> None:
    resource.cache_clear()

    assert failures(of(Caches), elsewhere=True) == {}


def test_a_file_of_the_machine_is_io_also_where_it_is_kept() -> None:
    machine.cache_clear()
    with pytest.raises(AssertionError, match="found use of a file"):
        of(ReadsOnce)().test_calls_do_no_io()


def test_two_answers_are_shown_where_they_differ() -> None:
    told = difference({"rules": "x" * 500 + "90/10"}, {"rules": "x" * 500 + "80/20"})

    assert told is not None
    assert len(told) < 300
    assert "x90/10' and …" in told
    assert told.endswith("x80/20'")


def test_a_plugin_that_cannot_be_sent_is_not_asked_elsewhere() -> None:
    """Nobody forbids it: the check says so, and is skipped."""

    class Local(SoundEnvironment):
        """Has no place in its module, where another process would look for it."""

    assert "cannot be sent to another process" in skipped(of(Local), ELSEWHERE)


def test_a_profiler_at_work_is_left_alone() -> None:
    sys.setprofile(lambda frame, event, arg: None)
    try:
        assert "a profiler is at work" in skipped(of(SoundEnvironment), "test_calls_do_no_io")
    finally:
        sys.setprofile(None)


def test_hypothesis_finds_what_fixed_samples_do_not() -> None:
    class Deep(SoundEnvironment):
        """Stumbles over what is in no sample."""

        def observe(self, obj: Mapping[str, Any]) -> Observation:
            seen = super().observe(obj)
            data = obj.get("data")
            if isinstance(data, dict) and any(isinstance(value, float) for value in data.values()):
                raise TypeError("a float")
            return seen

    assert failures(of(Deep)) == {}
    assert "found TypeError: a float" in failures(of(Deep, examples=300))["test_any_object_is_observed"]
