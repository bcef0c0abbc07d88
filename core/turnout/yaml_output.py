"""Writes YAML that every parser reads alike."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*[A-Za-z0-9 ./_-]*[A-Za-z0-9]")


class _Dumper(yaml.SafeDumper):
    """Quotes more than PyYAML would: 1e3, y and 0o7 are text to it, and none to kubectl."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        style = None if _PLAIN.fullmatch(data) else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def dump(documents: Iterable[Mapping[str, Any]]) -> str:
    """All documents, each key in the order it has."""
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=float("inf"),
    )
