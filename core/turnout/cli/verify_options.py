"""Reads what is given to `turnout verify`: each of these raises one clear error."""

import json
import math
import re
import ssl
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from turnout import yaml_input
from turnout.cli.options import ADDRESS
from turnout.errors import Invalid, Problem
from turnout.inference import Tensor, TensorError
from turnout.shapes import repr_of
from turnout.shown import shown

HOST = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?(:\d{1,5})?")
HEADER = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(=|:\s*)(?P<value>[\x20-\x7e]*)")
RESERVED = re.compile(r"(?i)grpc-.*|.*-bin|host|content-.*|te|connection|transfer-encoding")


class Finite(click.FloatRange):
    """A number within a range, and neither nan nor inf."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        found = float(super().convert(value, param, ctx))
        if not math.isfinite(found):
            self.fail(f"found {shown(str(value))}, expected a finite number", param, ctx)
        return found


def address(_: click.Context, __: click.Parameter, value: str) -> str:
    """HOST:PORT."""
    found = ADDRESS.fullmatch(value)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise click.BadParameter(f"found {shown(value)}, expected HOST:PORT, such as 127.0.0.1:8080")
    return value


def authority(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A host, maybe with a port."""
    if value is not None and not HOST.fullmatch(value):
        raise click.BadParameter(f"found {shown(value)}, expected a host, such as wisdom.models")
    return value


def headers(_: click.Context, __: click.Parameter, values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`name=value` or `name: value`."""
    found = []
    for value in values:
        header = HEADER.fullmatch(value)
        if header is None:
            raise click.BadParameter(f"found {shown(value)}, expected NAME=VALUE in ASCII")
        if RESERVED.fullmatch(header["name"]):
            raise click.BadParameter(f"the header {header['name']} is not yours to set")
        found.append((header["name"], header["value"]))
    return tuple(found)


def name_of_header(_: click.Context, __: click.Parameter, value: str) -> str:
    """The name of a response header."""
    if value and not re.fullmatch(r"[A-Za-z0-9_.-]+", value):
        raise click.BadParameter(f"found {shown(value)}, expected the name of a header, such as app-version")
    return value


def tensors(_: click.Context, __: click.Parameter, file: str | None) -> list[Tensor]:
    """The inputs of a request's body, as REST or grpcurl has it. Raises Invalid."""
    if file is None:
        return []
    subject = yaml_input.subject(file)
    try:
        body = json.loads(yaml_input.read(file))
    except (ValueError, RecursionError) as error:
        raise Invalid(subject, [Problem("", f"is not JSON: {error}")]) from None
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list):
        there = None if inputs is None else repr_of(inputs)
        raise Invalid(subject, [Problem("inputs", found=there, expected="a list of tensors")])
    found, problems = [], []
    for number, one in enumerate(inputs):
        try:
            found.append(Tensor.from_json(one))
        except TensorError as error:
            name = one.get("name") if isinstance(one, dict) else None
            path = f"inputs[{number}] {shown(name)}" if name else f"inputs[{number}]"
            problems.append(Problem(path, str(error)))
    if problems:
        raise Invalid(subject, problems)
    return found


def authorities(_: click.Context, __: click.Parameter, file: Path | None) -> bytes | None:
    """A file of certificate authorities in PEM. Raises Invalid."""
    if file is None:
        return None
    pem = file.read_bytes()
    trusted = 0
    with suppress(ValueError, ssl.SSLError):  # an empty text would be none given
        context = ssl.create_default_context(cadata=pem.decode("ascii") or "none")
        trusted = context.cert_store_stats()["x509"]
    if not trusted:
        raise Invalid(str(file), [Problem("", "holds no certificate in PEM")])
    return pem
