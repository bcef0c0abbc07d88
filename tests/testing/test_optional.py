"""What pytest and hypothesis are not needed for."""

import subprocess
import sys

WITHOUT = """
import sys
sys.modules["pytest"] = sys.modules["hypothesis"] = None
import turnout.testing.builders
import turnout.testing.memory
from turnout.strategies.blue_green import BlueGreen
from turnout.testing.conformance import EnvironmentConformance, StrategyConformance
from turnout_kserve_modelmesh.environment import KServeModelMesh

class OfBlueGreen(StrategyConformance):
    plugin = BlueGreen()

class OfModelMesh(EnvironmentConformance):
    plugin = KServeModelMesh()
    ready = not_ready = {
        "kind": "InferenceService",
        "metadata": {"name": "wisdom-0"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }

OfBlueGreen().test_decisions_keep_the_rules()
OfModelMesh().test_any_object_is_observed()
"""


def test_suites_run_where_neither_pytest_nor_hypothesis_is_installed() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
