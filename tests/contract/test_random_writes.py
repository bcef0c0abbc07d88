"""Whatever is written, in whatever order: both servers answer alike, to the last managed field.

What no random test finds is told in the other files one by one; this one finds what they forgot.
"""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contract.api import Answer, Api
from tests.contract.kinds import manifest
from turnout.testing.memory import InMemoryCluster

pytestmark = pytest.mark.cluster

STEPS = 40
"""Writes to one object: enough for three managers to meet each other in every field."""

Document = dict[str, Any]


class Writer:
    """Makes up writes to one object, by three managers, with all the verbs there are."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def write(self) -> Callable[[Api], Answer]:
        """Return the next write; it may be done on any server."""
        verbs = {"apply": 10, "merge": 4, "replace": 2, "create": 2, "delete": 1}
        verb = self._random.choices([*verbs], [*verbs.values()])[0]
        manager = self._pick("one", "two", "three")
        subresource = self._pick("", "", "", "status")
        document = manifest("one", spec=self._spec(), **self._metadata(), **self._status())
        if verb == "apply":
            force = self._pick(True, False)
            body = {**document["metadata"], **{k: document[k] for k in ("spec", "status") if k in document}}
            del body["name"]
            return lambda api: api.apply("one", by=manager, subresource=subresource, force=force, **body)
        if verb == "merge":
            patch = self._with_nulls({k: v for k, v in document.items() if k not in ("apiVersion", "kind")})
            return lambda api: api.merge("one", patch, subresource=subresource, fieldManager=manager)
        if verb == "replace":
            return lambda api: _replace(api, document, subresource, manager)
        if verb == "create":
            return lambda api: api.create(document, fieldManager=manager)
        return lambda api: api.delete("one")

    def _spec(self) -> Document:
        free: tuple[Any, ...] = (1, True, "x", [], [1], {"y": 1}, {"y": {"z": [1]}})
        parts = [{"name": name, **self._some(count=(1, 2), note=("x", "y"))} for name in self._sample("pqrs")]
        return self._some(
            size=(1, 2, 3),
            color=("red", "green"),
            mode=("auto", "hand"),
            steps=(["a"], ["b"], ["a", "b"]),
            tags=(self._sample("tuvw"),),
            parts=(parts,),
            options=({name: self._pick("1", "2") for name in self._sample("abc")},),
            box=(self._some(width=(1, 2), height=(1, 2)),),
            free=({name: self._pick(*free) for name in self._sample("fgh")},),
        )

    def _metadata(self) -> Document:
        """Never an empty map or list: the real server stores those only until the next write."""
        nobody = {"apiVersion": "nobody.turnout.dev/v1", "kind": "Nobody"}
        found = self._some(
            labels=({name: self._pick("1", "2") for name in self._sample("abc")},),
            annotations=({name: self._pick("1", "2") for name in self._sample("abc")},),
            finalizers=([f"contract.turnout.dev/{name}" for name in self._sample("abc")],),
            ownerReferences=([{**nobody, "name": name, "uid": name} for name in self._sample("uvw")],),
        )
        return {field: value for field, value in found.items() if value}

    def _status(self) -> Document:
        """Sometimes a status, which is never empty: the real server's text about that is not ours."""
        return self._some(status=({"always": 1, **self._some(x=(1, [1]), y=(1, {"a": 1}))},))

    def _some(self, **choices: tuple[Any, ...]) -> Document:
        return {name: self._pick(*values) for name, values in choices.items() if self._pick(True, False)}

    def _pick(self, *values: Any) -> Any:
        return self._random.choice(values)

    def _sample(self, letters: str) -> list[str]:
        return self._random.sample(letters, self._random.randint(0, len(letters)))

    def _with_nulls(self, document: Document) -> Document:
        """Replace some values in `spec` by null, at any depth."""
        spec = document["spec"]
        return {
            **document,
            "spec": {name: self._pick(value, value, value, None) for name, value in spec.items()},
        }


def _replace(api: Api, document: Document, subresource: str, manager: str) -> Answer:
    """Replace the object as it is now, or try to where there is none."""
    live = api.get("one")
    if live.status == 200:
        document = {**document, "metadata": {**live.metadata, **document["metadata"]}}
    return api.replace(document, subresource=subresource, fieldManager=manager)


@pytest.fixture
def imitated(memory: InMemoryCluster, namespace: str) -> Iterator[Api]:
    """The in-memory cluster, with the same namespace."""
    with asyncio.Runner() as runner:
        yield Api(runner, memory, namespace)


@pytest.mark.parametrize("seed", range(8))
def test_random_writes_end_alike(real: Api, imitated: Api, seed: int) -> None:
    """Every answer is the same but for times, uids and versions, and versions change at the same steps."""
    writer = Writer(seed)
    seen = Seen(), Seen()
    for step in range(STEPS):
        write = writer.write()
        there, here = (which.of(write(api)) for which, api in zip(seen, (real, imitated), strict=True))
        assert here == there, f"step {step}"
    for api in (real, imitated):
        api.merge("one", {"metadata": {"finalizers": None}})


class Seen:
    """One server's answers, without what is that server's own."""

    def __init__(self) -> None:
        self._uids: dict[str, str] = {}
        self._version = ""

    def of(self, answer: Answer) -> Any:
        """Return a copy of an answer that may be compared."""
        body = json.loads(json.dumps(answer.body), object_hook=self._comparable)
        version = answer.metadata.get("resourceVersion", self._version)
        changed, self._version = version != self._version, version
        return answer.status, body, changed

    def _comparable(self, found: Document) -> Document:
        """Neutralize the fields of one JSON object."""
        if "creationTimestamp" in found:  # metadata, which may answer with nulls when an object goes
            found = {field: value for field, value in found.items() if value not in (None, {}, [])}
        for field in ("resourceVersion", "creationTimestamp", "deletionTimestamp", "time"):
            if found.get(field):
                found[field] = "…"
        if len(found.get("uid", "")) == 36:
            found["uid"] = self._uids.setdefault(found["uid"], f"uid {len(self._uids)}")
        if "causes" in found:  # the real server repeats some, and has no order
            found["causes"] = sorted({json.dumps(cause, sort_keys=True) for cause in found["causes"]})
        if "message" in found:
            found["message"] = found["message"].partition(" is invalid: ")[0].partition(" conflict")[0]
        if "managedFields" in found:  # sorted by time, in seconds
            found["managedFields"].sort(key=lambda entry: json.dumps(entry, sort_keys=True))
        return found
