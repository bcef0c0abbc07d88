"""What environments make of objects when a candidate is promoted: a part of their suite."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from turnout.calling import Calls, PluginError
from turnout.decision import promotion as ask
from turnout.plugin.reading import VERSION_LABEL
from turnout.testing.conformance import odd
from turnout.testing.conformance.calls import Call, difference, plain
from turnout.testing.conformance.objects import OfObjects

PROMOTED = "turnout.plugin.Environment.promoted"
ROLLED_OUT = "turnout.plugin.Environment.rolled_out"
WITNESSES = "turnout.plugin.Environment.witnesses"
PROMOTED_VERSION = "conformance-2"

Objects = list[dict[str, Any]]


class OfPromotion(OfObjects):
    """Checks of `promoted`, `witnesses` and `rolled_out`, with the suite's samples."""

    def promotions(self) -> Iterator[tuple[str, Objects, Objects]]:
        """Objects of the primary and of a candidate, which has another label and, if it is given, spec."""
        primary = [self._stored(one, f"uid-{index}", "1") for index, one in enumerate(self.samples["ready"])]
        for state in ("ready", "replaced"):
            if state in self.samples:
                others = [
                    odd.renamed(one, self.version, f"other-{self.version}") for one in self.samples[state]
                ]
                candidate = [
                    self._stored(one, f"uid-of-other-{index}", PROMOTED_VERSION)
                    for index, one in enumerate(others)
                ]
                yield f"a candidate that is `{state}`", primary, candidate

    def _stored(self, document: dict[str, Any], uid: str, version: str) -> dict[str, Any]:
        """A sample as an API server would have it, with what promotions must leave alone."""
        own = {
            "namespace": self.namespace,
            "uid": uid,
            "resourceVersion": uid[-1],
            "finalizers": [f"example.com/{uid}"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": uid, "uid": uid}],
        }
        metadata = {**document["metadata"], **own}
        metadata["labels"] = {**metadata.get("labels", {}), VERSION_LABEL: version}
        return {**document, "metadata": metadata}

    def promotion_calls(self) -> Iterator[Call]:
        """For the checks of what is pure."""
        for about, primary, candidate in self.promotions():
            yield Call(f"promoted of {about}", "promoted", (primary, candidate))
            yield Call(f"witnesses of {about}", "witnesses", (primary,))
        ready = self.samples["ready"]
        for state, now in self.samples.items():
            yield Call(f"rolled_out when it is `{state}`", "rolled_out", (ready, now))

    def test_a_promotion_keeps_the_object_that_it_is(self) -> None:
        """Names, uids, finalizers, owners and status stay: what it serves is all that is promoted."""
        for about, primary, candidate in self.promotions():
            step = partial(ask.promoted, self.plugin, primary, candidate, Calls())
            self.core(
                f"promoted of {about}", "an object for each, as it was but for its spec", PROMOTED, step
            )

    def test_a_promoted_primary_has_the_candidates_version(self) -> None:
        """`observe` tells of the main object the version that it tells of the candidate's."""
        for about, primary, candidate in self.promotions():
            wanted = self.observe(candidate[0]).app_version
            made = self._promoted(primary, candidate)
            found = self.observe(made[0]).app_version if made else wanted
            if found != wanted:
                where = f"promoted of {about}"
                told = f"app_version={found!r} of its first object"
                raise self.fault(where, told, f"that of the candidate, {wanted!r}", PROMOTED)

    def test_a_promotion_made_again_changes_nothing(self) -> None:
        """So one that was interrupted can be gone on with."""
        for about, primary, candidate in self.promotions():
            once = self._promoted(primary, candidate)
            again = self._promoted(once, candidate) if once else once
            if changed := difference(plain(once), plain(again)):
                expected = "what is promoted already, as it is"
                raise self.fault(f"promoted of {about}, twice", changed, expected, PROMOTED)

    def test_a_promotion_can_be_taken_back(self) -> None:
        """Promoting the former objects of the primary makes it what it was."""
        for about, primary, candidate in self.promotions():
            made = self._promoted(primary, candidate)
            undone = self._promoted(made, primary) if made else None
            if undone and (changed := difference(plain(primary), plain(undone))):
                expected = "the primary as it was before"
                raise self.fault(f"promoted of {about}, and then of the former", changed, expected, PROMOTED)

    def test_a_primary_that_is_not_ready_is_not_rolled_out(self) -> None:
        """`rolled_out` tells False of `not_ready`; of the others what it may."""
        for state, now in self.samples.items():
            where = f"rolled_out when it is `{state}`"
            step = partial(ask.rolled_out, self.plugin, self.samples["ready"], now, Calls())
            verdict, _ = self.core(where, "True, False or None, with a message", ROLLED_OUT, step)
            if state == "not_ready" and verdict is not False:
                raise self.fault(where, f"{verdict}", "False", ROLLED_OUT)

    def test_witnesses_are_objects(self) -> None:
        """`witnesses` names objects, if any."""
        for about, primary, _ in self.promotions():
            step = partial(ask.witnesses, self.plugin, primary, Calls())
            self.core(f"witnesses of {about}", "objects", WITNESSES, step)

    def _promoted(self, primary: Objects, candidate: Objects) -> Objects | None:
        """What the plugin makes of it; None where core could not use that: there is a check of its own."""
        try:
            return [dict(one) for one in ask.promoted(self.plugin, primary, candidate, Calls())]
        except PluginError:
            return None
