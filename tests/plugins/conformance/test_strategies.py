"""The built-in strategies pass the suite of strategies."""

from turnout.strategies.blue_green import BlueGreen
from turnout.strategies.canary import Canary
from turnout.strategies.mirror import Mirroring
from turnout.testing.builders import policy, spec
from turnout.testing.conformance import StrategyConformance


class TestBlueGreen(StrategyConformance):
    plugin = BlueGreen()


class TestCanary(StrategyConformance):
    plugin = Canary()
    options = ({}, {"fallback": "candidate"})


class TestMirror(StrategyConformance):
    plugin = Mirroring()
    options = ({}, {"percentage": 12.5}, {"fallback": "candidate"})
    refused = (policy("wisdom-0", spec("wisdom-1", 101)),)
