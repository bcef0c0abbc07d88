"""`turnout demo`: the whole rollout, with nothing but Python."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from turnout.cli.demo import command


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demo prints."""
    result = CliRunner().invoke(command, ["--no-traffic"], standalone_mode=False)
    assert result.exception is None
    return result.stdout


def test_every_step_shows_its_split(shown: str) -> None:
    """The splits of the tutorial, in their order."""
    splits = [line.split()[-6:] for line in shown.splitlines() if "█" in line]
    assert [" ".join(words).split("░")[-1].split("█")[-1].strip() for words in splits] == [
        "100% ready, weight 50 of 50",
        "50% ready, weight 50 of 100",
        "50% ready, weight 50 of 100",
        "20% ready, weight 20 of 100",
        "80% ready, weight 80 of 100",
        "100% ready, weight 20 of 20",
    ]


def test_the_change_of_the_virtual_service_is_shown(shown: str) -> None:
    """What turnout writes is part of the story."""
    assert "+          mm-vmodel-id: wisdom-1" in shown
    assert "-    weight: 50\n  +    weight: 20" in shown


def test_it_needs_no_cluster_and_no_client() -> None:
    """Neither kubernetes nor aiohttp is imported."""
    code = (
        "import sys; from turnout.cli.demo import command; command(['--no-traffic'], standalone_mode=False);"
        "sys.exit(bool({'kubernetes', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_where_there_is_no_proxy_the_demo_says_how_to_get_one(tmp_path: Path) -> None:
    """Also where something of the name is installed that is not Envoy."""
    tmp_path.joinpath("envoy.py").touch()
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [Path(sys.executable).with_name("turnout"), "demo"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "To see real calls follow the routes: pip install 'turnout[demo]'" in done.stdout
    assert "That was the whole rollout" in done.stdout


def test_without_a_terminal_there_is_no_colour(shown: str) -> None:
    """Its output can go into a file."""
    assert "\x1b" not in shown
