"""Which models exist, load and answer, as ModelMesh has it. Pure: time is passed in.

A service (an InferenceService, ModelMesh's vmodel) has a model that answers, if one is loaded, and one
that it is meant to have. The model's id is a digest of the spec, so a change of anything else loads
nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha1
from json import dumps
from typing import Any

VERSION_LABEL = "app.kubernetes.io/version"


@dataclass(frozen=True, slots=True)
class Model:
    """A model of a service. `id`: as ModelMesh names it in answers."""

    id: str
    version: str = ""

    @classmethod
    def of(cls, service: Mapping[str, Any]) -> "Model":
        """The model that an InferenceService asks for."""
        metadata = service["metadata"]
        spec = dumps(service.get("spec"), sort_keys=True, separators=(",", ":"))
        digest = sha1(spec.encode(), usedforsecurity=False).hexdigest()[:10]
        version = (metadata.get("labels") or {}).get(VERSION_LABEL, "")
        return cls(f"{metadata['name']}__isvc-{digest}", version)


@dataclass(frozen=True, slots=True)
class State:
    """A service. `active`: the model that answers, None while the first one loads.

    `target`: the model that it is meant to have. `due`: when that is loaded; None if it is.
    """

    active: Model | None
    target: Model
    due: float | None


class Models:
    """All services by name. `load_seconds`: how long a model takes to load, of services without their own.

    Times are seconds on any one clock. What a method changed, it returns, as the services' names.
    """

    def __init__(self, load_seconds: float = 0.0) -> None:
        self.load_seconds = load_seconds
        self._own_seconds: dict[str, float] = {}
        self._states: dict[str, State] = {}

    def state(self, service: str) -> State | None:
        """What is known of a service; None if it does not exist."""
        return self._states.get(service)

    def serving(self, service: str) -> Model | None:
        """The model that answers for a service."""
        state = self._states.get(service)
        return state.active if state else None

    def names(self) -> list[str]:
        return list(self._states)

    def load_in(self, service: str, seconds: float) -> None:
        """How long the next models of one service take to load; `math.inf`: they never are."""
        self._own_seconds[service] = seconds

    def put(self, service: str, model: Model, now: float, *, loaded: bool = False) -> bool:
        """A service exists and is meant to have this model. Whether anything changed.

        The model that answers does so until the new one is loaded. `loaded`: it is already.
        """
        known = self._states.get(service)
        if known is not None and known.target.id == model.id:  # no other model: at most another label
            active = model if known.active and known.active.id == model.id else known.active
            new = replace(known, active=active, target=model)
        elif known is not None and known.active is not None and known.active.id == model.id:
            new = State(model, model, None)  # back to the one that answers
        else:
            seconds = 0.0 if loaded else self._own_seconds.get(service, self.load_seconds)
            active = known.active if known is not None else None
            new = State(active, model, now + seconds) if seconds > 0 else State(model, model, None)
        self._states[service] = new
        return known != new

    def remove(self, service: str) -> bool:
        """A service is gone, and its models with it. Whether it was there."""
        return self._states.pop(service, None) is not None

    def advance(self, now: float) -> list[str]:
        """Finish the loads that are due."""
        due = [name for name, state in self._states.items() if state.due is not None and state.due <= now]
        return [name for name in due if self.finish(name)]

    def finish(self, service: str) -> bool:
        """Load what a service is loading now. Whether it was loading anything."""
        state = self._states.get(service)
        if state is None or state.due is None:
            return False
        self._states[service] = State(state.target, state.target, None)
        return True

    def next_due(self) -> float | None:
        """When the next load ends; None if there is none that will."""
        due = [state.due for state in self._states.values() if state.due is not None]
        return min((one for one in due if one != math.inf), default=None)
