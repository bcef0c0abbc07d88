"""Registers the environment kserve-modelmesh."""

from collections.abc import Iterable
from typing import Any

from turnout.plugin import Environment, hookimpl
from turnout_kserve_modelmesh.environment import KServeModelMesh


@hookimpl
def turnout_environments() -> Iterable[Environment[Any]]:
    return (KServeModelMesh(),)
