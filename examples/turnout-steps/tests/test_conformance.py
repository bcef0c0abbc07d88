"""steps passes the suite of strategies."""

from turnout.testing.conformance import StrategyConformance
from turnout_steps.strategy import Steps


class TestSteps(StrategyConformance):
    plugin = Steps()
    options = ({}, {"steps": [{"weight": 30}]}, {"whenLost": "resume"})
