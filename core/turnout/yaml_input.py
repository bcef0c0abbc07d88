"""Reads YAML that people write: as text first, with one clear line for what is wrong with it."""

import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from turnout.errors import Invalid, Problem
from turnout.validation import shown

STDIN = "-"


def subject(file: str) -> str:
    """A file in messages."""
    return "standard input" if file == STDIN else file


def read(file: str) -> str:
    """The text of a file, or of standard input. Raises Invalid."""
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise Invalid(subject(file), [Problem("", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        where = f"at byte {error.start + 1}"
        raise Invalid(subject(file), [Problem("", f"is not UTF-8 text: {error.reason} {where}")]) from None


def documents(text: str, source: str) -> list[Any]:
    """All YAML documents of a text from `source`; None stands for an empty one. Raises Invalid."""
    try:
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise Invalid(source, [Problem("", f"is not YAML: {problem}{where}")]) from None
    except (yaml.YAMLError, ValueError) as error:  # such as a date on the 32nd
        raise Invalid(source, [Problem("", f"is not YAML: {' '.join(str(error).split())}")]) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError):  # PyYAML's, for `!!bool maybe`
        raise Invalid(
            source, [Problem("", "is not YAML: a value is not of the type that its tag names")]
        ) from None
    except RecursionError:
        raise Invalid(source, [Problem("", "nested too deeply, or contains itself")]) from None


class _Loader(yaml.SafeLoader):
    """Refuses a key that comes twice, of which YAML parsers keep either."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"key {shown(key.value)} comes twice", problem_mark=key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)
