"""Checks that any plugin has to pass, for a plugin's own tests to subclass.

A suite is a plain class of pytest tests. A subclass gives the plugin, and what cannot be known without
it: options, documents of objects, CustomResourceDefinitions. A check that does not hold raises
AssertionError, which says what was found, what would be right, and where that is written. Neither pytest
nor hypothesis has to be installed; with hypothesis, objects of any shape are tried besides fixed ones.
"""

from turnout.testing.conformance.admission import AdmissionConformance
from turnout.testing.conformance.environment import EnvironmentConformance
from turnout.testing.conformance.gate import GateConformance
from turnout.testing.conformance.notifier import NotifierConformance
from turnout.testing.conformance.probe import ProbeConformance
from turnout.testing.conformance.router import RouterConformance
from turnout.testing.conformance.strategy import StrategyConformance

__all__ = [
    "AdmissionConformance",
    "EnvironmentConformance",
    "GateConformance",
    "NotifierConformance",
    "ProbeConformance",
    "RouterConformance",
    "StrategyConformance",
]
