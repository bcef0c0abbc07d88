"""The README says what is so."""

import re
import subprocess
import sys
from pathlib import Path

from turnout_steps.options import StepsOptions

HERE = Path(__file__).parents[1]
README = (HERE / "README.md").read_text(encoding="utf-8")


def test_its_policy_is_the_one_in_the_example() -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)

    assert shown == (HERE / "example" / "policy.yaml").read_text(encoding="utf-8")


def test_its_command_shows_what_the_policy_would_do() -> None:
    (arguments,) = re.findall(r"^turnout (plan .*)$", README, flags=re.MULTILINE)
    program = Path(sys.executable).with_name("turnout")
    done = subprocess.run([program, *arguments.split()], cwd=HERE, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
    assert "split: wisdom-0 90% / wisdom-1 10%" in done.stdout


def test_it_names_every_option_and_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", README, flags=re.MULTILINE)
    fields = StepsOptions.model_fields.values()

    assert [name for name, _ in rows] == [field.alias for field in fields]
    told = dict(rows)
    defaults = StepsOptions().model_dump(mode="json", by_alias=True)
    steps = ", ".join(f"{one['weight']} for {one['pause']}" for one in defaults["steps"][:-1])
    assert f"Default: {steps}, {defaults['steps'][-1]['weight']}" in told["steps"]
    assert f"`{defaults['whenLost']}` at the first step (default)" in told["whenLost"]
