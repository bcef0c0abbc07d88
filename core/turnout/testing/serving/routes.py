"""Shares the calls to a model between services, where no mesh does. Pure."""

from collections.abc import Mapping


class Routes:
    """Weights of services, by model. Calls are shared in turn: any 100 of them as the weights say."""

    def __init__(self) -> None:
        self._weights: dict[str, Mapping[str, float]] = {}
        self._owed: dict[str, dict[str, float]] = {}

    def set(self, model: str, weights: Mapping[str, float]) -> None:
        """Share the calls to a model; without weights, they go to the service of its name again."""
        self._weights[model] = {name: weight for name, weight in weights.items() if weight > 0}
        self._owed[model] = dict.fromkeys(self._weights[model], 0.0)

    def service(self, model: str) -> str:
        """The service that the next call to a model goes to."""
        owed = self._owed.get(model)
        if not owed:
            return model
        for name, weight in self._weights[model].items():
            owed[name] += weight
        next_one = max(owed, key=owed.__getitem__)
        owed[next_one] -= sum(self._weights[model].values())
        return next_one
