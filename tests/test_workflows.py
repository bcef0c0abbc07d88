"""Workflows run what they name, with no more rights than they need; schemas are checked by `tox run -e lint`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted(REPOSITORY.glob(".github/workflows/*"))
USES = re.compile(r"^ *(?:- )?uses: (?P<action>\S+)(?: # (?P<version>\S+))?$", re.MULTILINE)
each = pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)


def jobs(workflow: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].items()


@each
def test_actions_are_pinned_by_commit_and_tell_their_version(workflow: Path) -> None:
    text = workflow.read_text(encoding="utf-8")
    found = [one for one in USES.finditer(text) if not one["action"].startswith("./")]
    assert len([line for line in text.splitlines() if "uses:" in line and "uses: ./" not in line]) == len(
        found
    )
    for one in found:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", one["action"]), one[0]
        assert re.fullmatch(r"v\d+\.\d+\.\d+", one["version"] or ""), one[0]


def test_an_action_has_one_commit_everywhere() -> None:
    texts = (workflow.read_text(encoding="utf-8") for workflow in WORKFLOWS)
    used = {one["action"] for text in texts for one in USES.finditer(text)}
    assert len(used) == len({action.partition("@")[0] for action in used})


@each
def test_a_job_may_read_the_repository_unless_it_asks_for_more(workflow: Path) -> None:
    whole = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert whole["permissions"] == {"contents": "read"}


def test_only_jobs_that_publish_may_write_and_tokens_of_identity_are_for_environments() -> None:
    writing = {
        name: {right for right, how in job["permissions"].items() if how == "write"}
        for workflow in WORKFLOWS
        for name, job in jobs(workflow)
        if "permissions" in job
    }
    assert writing == {
        "pypi": {"id-token"},
        "image": {"packages", "attestations", "id-token"},
        "publish": {"contents"},
        "pages": {"contents"},
    }
    release = dict(jobs(REPOSITORY / ".github/workflows/release.yml"))
    assert {name: release[name].get("environment") for name in writing if name in release} == {
        "pypi": "pypi",
        "image": "image",
        "publish": None,
    }


def test_the_site_is_published_from_main_and_built_without_the_right_to_write() -> None:
    whole = yaml.safe_load((REPOSITORY / ".github/workflows/site.yml").read_text(encoding="utf-8"))
    assert whole[True] == {"push": {"branches": ["main"]}}  # YAML 1.1 reads `on` so
    assert whole["jobs"]["pages"]["needs"] == "site"
    assert "permissions" not in whole["jobs"]["site"]
    assert [step.get("uses", "").partition("@")[0] for step in whole["jobs"]["pages"]["steps"]] == [
        "actions/download-artifact",
        "",
    ]


def test_everything_that_ci_runs_is_run_for_pull_requests_and_before_a_release() -> None:
    release = dict(jobs(REPOSITORY / ".github/workflows/release.yml"))
    test = (REPOSITORY / ".github/workflows/test.yml").read_text(encoding="utf-8")
    assert "- run: bash .ci/run\n" in test
    assert release["test"]["uses"] == "./.github/workflows/test.yml"
    assert release["build"]["needs"] == "test"
    assert {name for name in ("pypi", "image") if release[name]["needs"] == "build"} == {"pypi", "image"}


def test_environments_of_tox_that_are_run_exist() -> None:
    texts = [workflow.read_text(encoding="utf-8") for workflow in WORKFLOWS]
    there = re.findall(r"^\[testenv:(\w+)\]", (REPOSITORY / "tox.ini").read_text(), flags=re.MULTILINE)
    run = re.findall(r"tox run -e (\w+)|\{environment: (\w+),", "\n".join(texts))
    assert {one or other for one, other in run} == {"audit", "lowest", "oldest", "sbom", "site", "unit"}
    assert {one or other for one, other in run} <= set(there)
