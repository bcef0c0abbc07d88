"""What environments see in objects, which others write: the half of their suite that needs samples."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from typing import Any, ClassVar

import orjson
import yaml

from turnout.calling import describe
from turnout.decision import wellformed
from turnout.plugin import Environment, Observation, VersionSpec
from turnout.plugin.reading import mapping
from turnout.shown import shown
from turnout.testing.builders import NAMESPACE, spec
from turnout.testing.conformance import odd
from turnout.testing.conformance.axis import AxisConformance
from turnout.testing.conformance.suite import needed

STATES = ("ready", "not_ready", "unknown", "replaced")

Documents = Mapping[str, Any] | Sequence[Mapping[str, Any]] | str
"""The object of a version; or several, in the order of `refs`; or YAML text of them."""

OBSERVE = "turnout.plugin.Environment.observe"
OBSERVATION = "turnout.plugin.Observation"
MOST = 4096
"""Characters of an observation: one is kept of every object."""
SECRET = "conformance-secret-7f3a"  # noqa: S105  nobody's


class OfObjects(AxisConformance[Environment[Any]]):
    """Checks of `observe`."""

    version: ClassVar[str] = "wisdom-0"
    """The version whose objects the samples are."""

    namespace: ClassVar[str] = NAMESPACE

    ready: ClassVar[Documents] = needed(
        "the object of a version that is ready, or a list of its objects in the order of `refs`",
        'ready = {"apiVersion": …, "kind": …, "metadata": {"name": "wisdom-0"}, "status": …}, or YAML of it',
    )
    """The objects of a version that is ready."""

    not_ready: ClassVar[Documents] = needed(
        "the same object or objects, of a version that is not ready",
        'not_ready = {**ready, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}',
    )
    """The same, when it is not."""

    unknown: ClassVar[Documents | None] = None
    """The same, when nobody can tell; None if there is no such state."""

    replaced: ClassVar[Documents | None] = None
    """The same as `ready`, when it serves another model; None if that cannot be told from the objects."""

    @property
    def version_spec(self) -> VersionSpec:
        return spec(self.version, namespace=self.namespace)

    @cached_property
    def samples(self) -> dict[str, list[dict[str, Any]]]:
        """The documents by state: ready, not_ready, and unknown and replaced where they are given."""
        given = {state: getattr(self, state) for state in STATES}
        if lacking := next(self.lacking(), None):
            raise self.skip(lacking)
        return {state: documents_of(found) for state, found in given.items() if found is not None}

    def lacking(self) -> Iterator[str]:
        yield from super().lacking()
        for state in STATES:
            given = inspect.getattr_static(self, state)
            if given and isinstance(given, str | Mapping | Sequence):
                yield from (f"{state}: {told}" for told in unusable(given))

    def observe(self, document: Mapping[str, Any]) -> Any:
        """What the plugin says of an object. Never raises: there are checks that it does not."""
        try:
            return self.plugin.observe(deepcopy(document))
        except Exception as error:  # noqa: BLE001  plugin code
            return Observation(None, f"raised {describe(error)}")

    def seen(self, state: str, *, of: str | None = None) -> list[Observation | None]:
        """What the plugin says of a sample; with `of` if it were that version's."""
        found = self.samples[state]
        return [self.observe(odd.renamed(one, self.version, of) if of else one) for one in found]

    @cached_property
    def _ready(self) -> list[Observation | None]:
        return self.seen("ready")

    def test_the_samples_are_the_objects_that_refs_names(self) -> None:
        """The suite's documents are of the kinds and names that `refs` has for its version."""
        refs = self.plugin.refs(self.version_spec, self.parsed()[0][1])
        expected = ", ".join(map(str, refs))
        for state, documents in self.samples.items():
            found = [
                f"{d.get('kind')} {self.namespace}/{d.get('metadata', {}).get('name')}" for d in documents
            ]
            groups = [str(d.get("apiVersion", "")).rpartition("/")[0] for d in documents]
            if found != list(map(str, refs)) or groups != [ref.kind.group for ref in refs]:
                rule = "this suite's `version`, `namespace` and samples"
                raise self.fault(f"`{state}`", ", ".join(found), f"{expected}, in this order", rule)

    def test_a_ready_version_is_ready(self) -> None:
        """`observe` says True of all the objects in `ready`, and in `replaced`."""
        for state in ("ready", "replaced"):
            if state in self.samples:
                self._verdict(state, True)

    def test_a_version_that_is_not_ready_is_not(self) -> None:
        """`observe` says False of one at least of the objects in `not_ready`."""
        self._verdict("not_ready", False)

    def test_an_unknown_version_is_unknown(self) -> None:
        """`observe` says None of one at least of the objects in `unknown`, and False of none."""
        if "unknown" in self.samples:
            self._verdict("unknown", None)

    def test_objects_without_a_status_are_not_ready(self) -> None:
        """What its controller has not looked at yet gets no calls."""
        documents = self.samples["ready"]
        stripped = [{key: value for key, value in one.items() if key != "status"} for one in documents]
        if stripped != documents and all(self.observe(one).ready is True for one in stripped):
            where = "observe of `ready` without its status"
            raise self.fault(where, "ready=True", "False, or None for unknown", f"{OBSERVATION}.ready")

    def test_any_object_is_observed(self) -> None:
        """Objects of others hold anything: `observe` never raises, nor `backends` on what it said."""
        for state, documents in self.samples.items():
            for index, document in enumerate(documents):
                for where, strange in odd.oddities(document):
                    self._stands(strange, index, f"`{state}` with {where}")
        first = self.samples["ready"][0]
        odd.any_document(first, lambda one: self._stands(one, 0, shown(one, 300)), self.examples)

    def test_what_is_kept_is_small(self) -> None:
        """However long the texts of a status are, little of them is kept."""
        for state, documents in self.samples.items():
            for document in documents:
                for where, long in odd.inflated(document):
                    size = len(repr(self.observe(long)))
                    if size > MOST:
                        found = f"an observation of {size} characters"
                        expected = f"{MOST} at most: cut it with turnout.plugin.reading.text"
                        raise self.fault(f"`{state}` with a long {where}", found, expected, OBSERVE)

    def test_secrets_are_not_kept(self) -> None:
        """Values of environment variables, of data and of kubectl's annotation are in no observation."""
        for state, documents in self.samples.items():
            for document in documents:
                if SECRET in repr(self.observe(odd.with_secret(document, SECRET))):
                    expected = "nothing from env, data, stringData and last-applied-configuration"
                    raise self.fault(f"`{state}` with secrets in it", "one of them", expected, OBSERVATION)

    def test_heartbeats_change_nothing(self) -> None:
        """A write that says nothing new leaves the observation equal, so that it wakes nobody."""
        for state, documents in self.samples.items():
            for document in documents:
                before = self.observe(document)
                for where, beat in odd.heartbeats(document):
                    if self.observe(beat) != before:
                        found = f"{self.observe(beat)} after {before}"
                        raise self.fault(f"`{state}` with {where}", found, "an equal one", OBSERVATION)

    def test_another_model_is_another_revision(self) -> None:
        """`revision` changes when what is served changes: a strategy's state belongs to one candidate."""
        if "replaced" in self.samples:
            revisions = [[one.revision for one in self.seen(s) if one] for s in ("ready", "replaced")]
            if revisions[0] == revisions[1]:
                found = f"the revision {'/'.join(revisions[0])} of `ready` and of `replaced`"
                raise self.fault("revision", found, "two that differ", f"{OBSERVATION}.revision")

    def _verdict(self, state: str, expected: bool | None) -> None:
        seen = self.seen(state)
        words = [one.ready if one else None for one in seen]
        worst = False if False in words else None if None in words else True
        if worst is not expected:
            rule = f"{OBSERVATION}.ready, and this suite's `{state}`"
            raise self.fault(f"observe of `{state}`", f"ready={worst}: {seen}", f"ready={expected}", rule)

    def _stands(self, document: Mapping[str, Any], index: int, where: str) -> None:
        """Complain unless an object of any shape is observed, and the observation is of use."""
        expected = "an Observation, whatever the object holds (see turnout.plugin.reading)"
        try:
            seen = self.plugin.observe(document)
        except Exception as error:
            raise self.fault(f"observe of {where}", describe(error), expected, OBSERVE) from error
        for found, right in wellformed.of_observation(seen):
            raise self.fault(f"observe of {where}", found, right, OBSERVATION)
        together = [*self._ready]
        together[index] = seen
        for label, options in self.parsed():
            try:
                dict(self.plugin.backends(self.version_spec, together, options))
            except Exception as error:
                told = f"backends with options {label} after observing {where}"
                right = "backends, or none: a frontend left out makes the version not ready"
                raise self.fault(
                    told, describe(error), right, "turnout.plugin.Environment.backends"
                ) from error


def unusable(given: Documents) -> Iterator[str]:
    """What is wrong with documents of objects."""
    try:
        documents = documents_of(given)
    except yaml.YAMLError as error:
        yield f"is no YAML: {describe(error)}"
        return
    for found in documents or [None]:
        metadata = mapping(found.get("metadata")) if isinstance(found, Mapping) else {}
        if not (metadata.get("name") and found.get("kind")):
            yield f"found {shown(found)}, expected objects, each with a kind and a metadata.name"


def documents_of(given: Documents) -> list[Any]:
    """Documents as JSON has them: what YAML takes for a date is text."""
    found: Any = yaml.safe_load_all(given) if isinstance(given, str) else given
    listed = [found] if isinstance(found, Mapping) else [one for one in found if one]
    documents: list[Any] = orjson.loads(orjson.dumps(listed))
    return documents
