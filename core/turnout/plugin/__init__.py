"""All that a plugin imports of turnout: frozen data, base classes and hooks. Nothing here does I/O."""

from turnout.plugin.decision import Decision, Inputs
from turnout.plugin.hookspecs import hookimpl
from turnout.plugin.interfaces import Environment, Options, Plugin, Probe, Router, Strategy
from turnout.plugin.objects import Kind, Manifest, Observation, Pairs, Ref, Role, Route
from turnout.plugin.plan import Backend, Feature, Frontend, Mirror, RoutePlan, Rule, Share, Version
from turnout.plugin.policy import Fault, Match, MatchType, Policy, Uses, VersionSpec

__all__ = [
    "Backend",
    "Decision",
    "Environment",
    "Fault",
    "Feature",
    "Frontend",
    "Inputs",
    "Kind",
    "Manifest",
    "Match",
    "MatchType",
    "Mirror",
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
    "Strategy",
    "Uses",
    "Version",
    "VersionSpec",
    "hookimpl",
]
