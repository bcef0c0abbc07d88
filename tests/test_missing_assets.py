"""What a contributor is told whose machine lacks what tests run against."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.assets import REPOSITORY, TESTBED

TESTS = """
import pytest

from tests.support import AssetsMissingError

def lacks():
    raise AssetsMissingError("no CRDs of toys")

@pytest.fixture(scope="session")
def lacking():
    lacks()

def test_setup(lacking): pass

def test_setup_again(lacking): pass

def test_call():
    lacks()

def test_error():
    raise RuntimeError("no CRDs of toys")
"""


@pytest.mark.parametrize(
    ("group", "version", "tests", "instead"),
    [
        ("cluster", "1.25.0", "pytest -m cluster", "They take the one of KUBEBUILDER_ASSETS instead"),
        (
            "crds",
            "1.21",
            "install the CRDs of Istio, KServe or Gateway API",
            "KUBEBUILDER_ASSETS replaces the API server, not",
        ),
        ("helm", "1.24.0", "Tests of the Helm chart", "nothing replaces it"),
        ("prometheus", "1.26.7", "deploy/prometheus", "nothing replaces it"),
        ("mesh", "1.26.0", "tests/mesh", "nothing replaces it"),
    ],
)
def test_without_go_it_is_said_which_tests_need_it_and_what_else_would_do(
    tmp_path: Path, group: str, version: str, tests: str, instead: str
) -> None:
    env = {"PATH": str(tmp_path), "TURNOUT_CACHE": str(tmp_path), "KUBEBUILDER_ASSETS": str(tmp_path)}
    built = subprocess.run(
        [sys.executable, TESTBED, "--group", group], env=env, capture_output=True, text=True
    )
    assert (built.returncode, built.stdout) == (1, "")
    first, rest = built.stderr.split("\n", 1)
    assert first == f"testbed: error: Go {version} or newer is needed, and there is no `go` on PATH."
    assert tests in rest
    assert instead in rest


@pytest.mark.parametrize(("ci", "counts"), [("", "1 failed, 3 skipped"), ("true", "2 failed, 2 errors")])
def test_a_test_that_lacks_something_is_skipped_unless_nobody_would_notice(
    tmp_path: Path, ci: str, counts: str
) -> None:
    """In its setup or in its body; the message says what is lacking. Errors of other kinds stay errors."""
    (tmp_path / "test_toys.py").write_text(TESTS)
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", "-q", "-rsfE", f"--config-file={os.devnull}"]
    command: list[str | Path] = [sys.executable, "-m", "pytest", *options, tmp_path]
    run = subprocess.run(
        command, cwd=REPOSITORY, env={**os.environ, "CI": ci}, capture_output=True, text=True
    )
    assert counts in run.stdout
    word = "FAILED" if ci else "SKIPPED"
    assert any(line.startswith(word) and "no CRDs of toys" in line for line in run.stdout.splitlines())
