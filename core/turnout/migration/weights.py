"""Which weights Iter8 counts, in its order: the annotation, then the routemap, then 1.

The annotation is read from the first resource of a version alone, and from objects that Iter8 watches. So the
weight-config ConfigMaps count where the chart lists them first, as those up to 0.17 do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from turnout.migration.artifacts import KINDS, Artifacts
from turnout.migration.findings import Finding
from turnout.migration.routemap import Resource, Routemap, Version
from turnout.plugin.reading import mapping
from turnout.shown import shown

ANNOTATION = "iter8.tools/weight"
LABEL_WATCH = "iter8.tools/watch"
DEFAULT = 1
GREATEST = 2**32 - 1
"""Iter8 reads annotations as 32 bits without a sign."""
DIGITS = len(str(GREATEST))


@dataclass(frozen=True, slots=True)
class Weights:
    """By the place of the version: what the routemap says, and what annotations say in its stead."""

    declared: tuple[int, ...]
    overrides: tuple[int | None, ...]
    findings: tuple[Finding, ...] = field(default=())

    @property
    def effective(self) -> tuple[int, ...]:
        """What Iter8 counts while every version is there. If nothing is left, the primary gets all."""
        both = zip(self.declared, self.overrides, strict=True)
        found = tuple(own if over is None else over for own, over in both)
        return found if any(found) else (DEFAULT, *found[1:])


def read(routemap: Routemap, artifacts: Artifacts) -> Weights:
    """The weights of a routemap's versions."""
    findings: list[Finding] = []
    overrides: list[int | None] = []
    for version in routemap.versions:
        found = _Read(routemap, version, artifacts)
        overrides.append(found.override())
        findings.extend(found.findings())
    declared = tuple(DEFAULT if one.weight is None else one.weight for one in routemap.versions)
    return Weights(declared, tuple(overrides), tuple(findings))


@dataclass(frozen=True, slots=True)
class _Read:
    routemap: Routemap
    version: Version
    artifacts: Artifacts

    def override(self) -> int | None:
        if not self.version.resources or not self._watched(self.version.resources[0]):
            return None
        text = self._annotation(self.version.resources[0])
        if text is None or not (text.isascii() and text.isdigit()):
            return None
        digits = text.lstrip("0") or "0"
        # Python refuses to read thousands of digits.
        return int(digits) if len(digits) <= DIGITS and int(digits) <= GREATEST else None

    def findings(self) -> Iterator[Finding]:
        for index, resource in enumerate(self.version.resources):
            subject, text = self._subject(resource), self._annotation(resource)
            if resource.gvr_short not in KINDS:
                continue
            if self._object(resource) is None:
                if resource.gvr_short == "cm" and not self.artifacts.whole and index == 0:
                    yield Finding(subject, "is not among the documents: its weight is not known", False)
            elif not self._watched(resource):
                told = f"it has no label {LABEL_WATCH}: to Iter8 its version is not there; to turnout it is"
                yield Finding(subject, told, False)
            elif text is not None and index == 0 and self.override() is None:
                yield Finding(
                    subject, f"the weight {shown(text)} is no number to Iter8: it does not count", False
                )
            elif text is not None and index > 0 and text != str(self._counted()):
                first = self._subject(self.version.resources[0])
                told = f"the weight {shown(text)} does not count: Iter8 reads that of {first} alone"
                yield Finding(subject, told, False)

    def _counted(self) -> int:
        override = self.override()
        declared = DEFAULT if self.version.weight is None else self.version.weight
        return declared if override is None else override

    def _object(self, resource: Resource) -> object:
        kind = KINDS.get(resource.gvr_short, "")
        return self.artifacts.get(kind, self.routemap.namespace_of(resource), resource.name)

    def _metadata(self, resource: Resource) -> dict[str, object]:
        return dict(mapping(mapping(self._object(resource)).get("metadata")))

    def _watched(self, resource: Resource) -> bool:
        return mapping(self._metadata(resource).get("labels")).get(LABEL_WATCH) == "true"

    def _annotation(self, resource: Resource) -> str | None:
        found = mapping(self._metadata(resource).get("annotations")).get(ANNOTATION)
        return found if isinstance(found, str) else None

    def _subject(self, resource: Resource) -> str:
        kind = KINDS.get(resource.gvr_short, resource.gvr_short)
        return f"{kind} {self.routemap.namespace_of(resource)}/{resource.name}"
