"""The suite of admission checks."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cached_property
from typing import Any, ClassVar

from turnout.api.convert import to_policy
from turnout.api.parse import parse_policy
from turnout.errors import Invalid
from turnout.plugin import AdmissionCheck
from turnout.testing.builders import NAMESPACE
from turnout.testing.conformance.calls import Call, answer
from turnout.testing.conformance.objects import Documents, documents_of, unusable
from turnout.testing.conformance.pure import PureConformance
from turnout.testing.conformance.secret_options import secrets_in
from turnout.testing.conformance.suite import needed

ADMIT = "turnout.plugin.AdmissionCheck.admit"
GIVEN = ("admitted", "refused")
PLACES = ("metadata", "spec")
_POLICY = (
    '{"apiVersion": "turnout.dev/v1alpha1", "kind": "RoutingPolicy", "metadata": {"name": "wisdom", '
    '"labels": {…}}, "spec": {"targetEnv": …, "trafficStrategy": …, "modelVersions": […]}}, or YAML of it'
)


class AdmissionConformance(PureConformance[AdmissionCheck[Any]]):
    """What every admission check does.

    A subclass gives `plugin`, and RoutingPolicies, as documents or YAML, that it admits and that it refuses
    with the first of `options`.
    """

    axis: ClassVar[Any] = AdmissionCheck

    admitted: ClassVar[Documents] = needed("RoutingPolicies that it admits", f"admitted = {_POLICY}")
    """RoutingPolicies in which `admit` finds no fault."""

    refused: ClassVar[Documents] = needed("RoutingPolicies that it refuses", f"refused = {_POLICY}")
    """RoutingPolicies in which `admit` finds one."""

    def calls(self) -> Iterator[Call]:
        for label, options in self.parsed():
            for about, document in self._documents():
                policy = to_policy(parse_policy(document, namespace=NAMESPACE))
                where = f"admit of {about} with options {label}"
                yield Call(where, "admit", (policy, deepcopy(document), options))

    def lacking(self) -> Iterator[str]:
        missing = list(super().lacking())
        yield from missing
        for name in () if missing else GIVEN:
            if wrong := list(unusable(getattr(self, name))):
                yield f"{name}: {wrong[0]}"
                continue
            for document in documents_of(getattr(self, name)):
                try:
                    parse_policy(document, namespace=NAMESPACE)
                except Invalid as error:
                    yield f"{name}: {error}"

    def test_faults_name_a_field_of_the_document(self) -> None:
        """What `admit` returns are Faults with paths of fields of the document; it does not raise."""
        for call in self.calls():
            self.check_faults(call, PLACES)

    def test_it_admits_what_it_should(self) -> None:
        """`admit` finds no fault in the documents of `admitted`."""
        for call in self._first("admitted"):
            if found := self.faults_of(call, "no fault", ADMIT):
                told = "; ".join(map(str, found))
                raise self.fault(call.where, told, "no fault", "this suite's `admitted`")

    def test_it_refuses_what_it_should(self) -> None:
        """`admit` finds faults in the documents of `refused`."""
        for call in self._first("refused"):
            if not self.faults_of(call, "a Fault", ADMIT):
                raise self.fault(call.where, "no fault", "one at least", "this suite's `refused`")

    def test_secret_options_are_in_no_fault(self) -> None:
        """The value of an option of type SecretStr is in no fault: others read the status of policies."""
        for call in self.calls():
            told = repr(answer(self.plugin, call))
            if any(secret in told for secret in secrets_in(call.args[-1])):
                expected = "no secret in what it answers or raises"
                raise self.fault(call.where, "the value of a secret option", expected, ADMIT)

    @cached_property
    def _given(self) -> Mapping[str, list[Any]]:
        """The documents of the suite."""
        return {name: documents_of(getattr(self, name)) for name in GIVEN}

    def _first(self, name: str) -> Iterator[Call]:
        """Calls with a policy of the suite and the first of the options."""
        given = len(self._given[name])
        wanted = [f"admit of {name}[{index}] with" for index in range(given)]
        label, _ = self.parsed()[0]
        return (one for one in self.calls() if one.where in [f"{text} options {label}" for text in wanted])

    def _documents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The suite's documents, each with what it is about, and the first of them with changes."""
        if lacking := next(self.lacking(), None):
            raise self.skip(lacking)
        for name, documents in self._given.items():
            for index, document in enumerate(documents):
                yield f"{name}[{index}]", document
                for about, other in _others(document):
                    yield f"{name}[{index}] {about}", other


def _others(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document as other people write it."""
    metadata, spec = document["metadata"], document["spec"]
    for key in ("labels", "annotations"):
        if key in metadata:
            yield f"without {key}", _with(document, metadata={k: v for k, v in metadata.items() if k != key})
        yield f"with other {key}", _with(document, metadata={**metadata, key: {"example.com/note": "x"}})
    yield "in another namespace", _with(document, metadata={**metadata, "namespace": "others"})
    long = {**metadata, "name": "m" * 63, "uid": "4b0e1b4e-2f5c-4f0e-9a5b-000000000000"}
    yield "with a long name", _with(document, metadata=long, spec={**spec, "modelName": "wisdom"})
    one = [{"name": "wisdom-0"}]
    kept = {key: value for key, value in spec.items() if key != "primary"}
    yield "with one version", _with(document, spec={**kept, "modelVersions": one})
    weighted = [{"name": f"wisdom-{n}", "weight": n} for n in range(16)]
    yield "with 16 versions", _with(document, spec={**kept, "modelVersions": weighted})
    match = [{"headers": {"x-tier": {"exact": "gold"}}, "method": "POST"}]
    yield (
        "with matches",
        _with(document, spec={**kept, "modelVersions": [*one, {"name": "b", "match": match}]}),
    )


def _with(document: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    return {**deepcopy(dict(document)), **changed}
