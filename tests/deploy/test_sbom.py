"""A bill of materials that lacks something is an error that says what."""

from typing import Any

from deploy.sbom import faults, locked

from tests.support.assets import REPOSITORY

LICENSES = [{"license": {"id": "MIT"}}]


def bill(*components: dict[str, Any]) -> dict[str, Any]:
    return {"components": [*components]}


def test_bill_with_each_locked_package_and_its_licence_is_complete() -> None:
    """A name may be written in several ways, and more may be there."""
    found = bill(
        {"name": "PyYAML", "version": "6.0.3", "licenses": LICENSES},
        {"name": "typing_extensions", "version": "4.16.0", "licenses": LICENSES},
        {"name": "turnout", "version": "0.1.0"},
    )
    assert faults(found, {"pyyaml": "6.0.3", "typing-extensions": "4.16.0"}) == []


def test_what_is_missing_of_another_version_or_without_licence_is_named() -> None:
    found = bill(
        {"name": "idna", "version": "3.19", "licenses": LICENSES}, {"name": "yarl", "version": "1.25"}
    )
    assert faults(found, {"idna": "3.20", "yarl": "1.25", "attrs": "26.1"}) == [
        "idna: found version 3.19, expected 3.20, which is locked",
        "yarl 1.25: found no licence, expected one",
        "attrs: found version None, expected 26.1, which is locked",
    ]


def test_versions_are_read_from_the_lock() -> None:
    text = (REPOSITORY / "deploy/docker/requirements.txt").read_text(encoding="utf-8")
    versions = locked()
    assert f"\nkubernetes=={versions['kubernetes']} " in text
    assert len(versions) > 20
