"""All that a plugin imports of turnout: frozen data, base classes and hooks. Nothing here does I/O."""

from turnout.plugin.around import (
    AdministratorsPlugin,
    AdmissionCheck,
    Gate,
    GateAnswer,
    Notifier,
    Probe,
    Shift,
)
from turnout.plugin.decision import Decision, Inputs
from turnout.plugin.hookspecs import hookimpl
from turnout.plugin.interfaces import Environment, Options, Plugin, Router, Strategy
from turnout.plugin.objects import Kind, Manifest, Observation, Pairs, Ref, Role, Route
from turnout.plugin.plan import Backend, Feature, Frontend, Mirror, RoutePlan, Rule, Share, Version
from turnout.plugin.policy import Fault, Match, MatchType, Policy, Uses, VersionSpec

__all__ = [
    "AdministratorsPlugin",
    "AdmissionCheck",
    "Backend",
    "Decision",
    "Environment",
    "Fault",
    "Feature",
    "Frontend",
    "Gate",
    "GateAnswer",
    "Inputs",
    "Kind",
    "Manifest",
    "Match",
    "MatchType",
    "Mirror",
    "Notifier",
    "Observation",
    "Options",
    "Pairs",
    "Plugin",
    "Policy",
    "Probe",
    "Ref",
    "Role",
    "Route",
    "RoutePlan",
    "Router",
    "Rule",
    "Share",
    "Shift",
    "Strategy",
    "Uses",
    "Version",
    "VersionSpec",
    "hookimpl",
]
