"""A real control plane for tests, and what it takes to start, use and stop one."""

from tests.support.assets import Assets, AssetsMissingError, find_assets
from tests.support.audit import AuditEntry
from tests.support.control_plane import ControlPlane
from tests.support.identities import Credentials
from tests.support.waiting import wait_until

__all__ = [
    "Assets",
    "AssetsMissingError",
    "AuditEntry",
    "ControlPlane",
    "Credentials",
    "find_assets",
    "wait_until",
]
