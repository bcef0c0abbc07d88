"""The suite of probes."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import SecretStr

from tests.testing.conformance.checking import Broken, checks, failures, skipped
from turnout.plugin import Kind, Options, Probe, Route
from turnout.testing.conformance import ProbeConformance
from turnout.testing.conformance.suite import Conformance


class AddressOptions(Options):
    """Whom to ask."""

    address: str
    """A host and a port."""
    token: SecretStr = SecretStr("correct-horse")
    """What it says there."""


class SoundProbe(Probe[AddressOptions]):
    name = "sound-probe"
    options = AddressOptions
    router = "sound-table"

    async def in_force(self, routes: Sequence[Route], options: AddressOptions) -> bool | None:
        host, _, port = options.address.partition(":")
        try:
            async with asyncio.timeout(1):
                await asyncio.open_connection(host, int(port))
        except OSError:
            return None
        return True


class Optimist(SoundProbe):
    async def in_force(self, routes: Sequence[Route], options: AddressOptions) -> bool | None:
        return await super().in_force(routes, options) is not False


class Patient(SoundProbe):
    async def in_force(self, routes: Sequence[Route], options: AddressOptions) -> bool | None:
        await asyncio.sleep(10)
        return None


class Blocks(SoundProbe):
    async def in_force(self, routes: Sequence[Route], options: AddressOptions) -> bool | None:
        time.sleep(1)  # noqa: ASYNC251  its fault
        return None


class Stubborn(SoundProbe):
    async def in_force(self, routes: Sequence[Route], options: AddressOptions) -> bool | None:
        try:
            await asyncio.sleep(0.3)
        except asyncio.CancelledError:
            await asyncio.sleep(2)
        return None


class Tells(SoundProbe):
    async def in_force(self, routes: Sequence[Route], options: AddressOptions) -> bool | None:
        raise OSError(f"found no {options.token.get_secret_value()}")


class Raises(SoundProbe):
    async def in_force(self, routes: Sequence[Route], options: AddressOptions) -> bool | None:
        raise OSError("nobody answers")


def of(plugin: type[SoundProbe], **given: Any) -> type[ProbeConformance]:
    """A suite of that plugin."""
    kind = Kind("example.com", ("v1",), "Table", "tables")
    suite: dict[str, Any] = {
        "plugin": plugin(),
        "options": ({"address": "127.0.0.1:9"},),
        "routes": (Route(kind, "models", "wisdom", {"spec": {}}),),
    }
    return type(plugin.__name__, (ProbeConformance,), {**suite, **given})


BROKEN = (
    Broken(of(Optimist), "test_silence_is_no_consent", "found True; expected None"),
    Broken(of(Patient), "test_it_answers_in_time", "found no answer within 2 s"),
    Broken(of(Stubborn), "test_it_ends_when_it_is_cancelled", "goes on 1 s after it was cancelled"),
    Broken(of(Tells), "test_secret_options_are_not_told", "the value of a secret option"),
    Broken(of(Blocks), "test_it_does_not_block", "found time.sleep; expected calls"),
)


@pytest.mark.parametrize("plugin", [SoundProbe, Raises])
def test_a_sound_probe_passes(plugin: type[SoundProbe]) -> None:
    """An exception is as good as None."""
    assert failures(of(plugin)) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_broken_rule_fails_its_check_alone(broken: Broken) -> None:
    found = failures(broken.suite)

    assert list(found) == [broken.check]
    assert broken.says in found[broken.check]


def test_every_check_of_its_own_can_fail() -> None:
    own = set(checks(ProbeConformance)) - set(checks(Conformance))
    assert {broken.check for broken in BROKEN} == own


@pytest.mark.parametrize(
    "given", [{"routes": ()}, {"routes": ProbeConformance.routes}], ids=["none", "missing"]
)
def test_a_suite_without_routes_checks_nothing_and_says_so(given: Any) -> None:
    found = failures(of(SoundProbe, **given))

    assert list(found) == ["test_the_suite_has_what_it_needs"]
    assert "expected routes that can be asked about" in found["test_the_suite_has_what_it_needs"]
    assert "has no `routes`" in skipped(of(SoundProbe, **given), "test_silence_is_no_consent")
