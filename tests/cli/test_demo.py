"""`turnout demo`: the whole rollout, with nothing but Python."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from turnout.cli.demo import command


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demo prints."""
    result = CliRunner().invoke(command, standalone_mode=False)
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
        "import sys; from turnout.cli.demo import command; command(standalone_mode=False);"
        "sys.exit(bool({'kubernetes', 'aiohttp'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_a_terminal_there_is_no_colour(shown: str) -> None:
    """Its output can go into a file."""
    assert "\x1b" not in shown
