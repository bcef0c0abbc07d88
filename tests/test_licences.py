"""What turnout brings along is under licences that anyone may use it with."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from deploy.sbom import normal
from packaging.requirements import Requirement

ALLOWED = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "MPL-2.0",  # copyleft for its own files alone, which are used as they are: certifi, orjson
    "PSF-2.0",
}
SPDX = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""How older metadata says it."""


def brought() -> Iterator[Distribution]:
    """What turnout and its extras depend on, as far as it is installed."""
    extras = frozenset(distribution("turnout").metadata.get_all("Provides-Extra") or ())
    pending, seen = [("turnout", extras)], set[tuple[str, frozenset[str]]]()
    while pending:
        name, extras = asked = pending.pop()
        if asked in seen:
            continue
        seen.add(asked)
        try:
            one = distribution(name)
        except PackageNotFoundError:
            continue  # of an extra that is not needed here
        if name != "turnout":
            yield one
        wanted = [Requirement(line) for line in one.requires or ()]
        pending += ((normal(each.name), frozenset(each.extras)) for each in wanted if asked_for(each, extras))


def asked_for(wanted: Requirement, extras: frozenset[str]) -> bool:
    return not wanted.marker or any(wanted.marker.evaluate({"extra": extra}) for extra in ("", *extras))


def licences(found: Distribution) -> set[str]:
    """SPDX identifiers where they are known, else what the metadata says."""
    said = found.metadata.get_all
    if expressions := said("License-Expression"):
        return set(re.split(r"[\s()]+", expressions[0])) - {"", "AND", "OR"}
    listed = [one for one in said("Classifier") or () if one.startswith("License :: ")]
    words = [one.rpartition(" :: ")[2] for one in listed] or said("License") or ["none"]
    return {SPDX.get(word, word) for word in words}


def test_each_dependency_has_a_licence_that_is_allowed() -> None:
    found = {one.name: licences(one) for one in brought()}
    assert {"kubernetes", "pydantic", "certifi"} <= found.keys()
    told = [
        f"{name}: found {', '.join(sorted(said - ALLOWED))}" for name, said in found.items() if said - ALLOWED
    ]
    assert told == [], f"expected {', '.join(sorted(ALLOWED))}"
