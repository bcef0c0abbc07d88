"""Iter8's objects, as its charts make them: traffic-templates 0.13 and 0.14, routing-actions 0.15 to 0.17,
release 0.18 to 1.1.

The text is ours, and what it yields is theirs: the same versions, and for all weights the same routes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Object = dict[str, Any]

NAMESPACE = "modelmesh-serving"
MODELMESH = "kserve-modelmesh"
KSERVE = "kserve"
DEPLOYMENT = "deployment"
TEST_CALLS: Object = {"headers": {"traffic": {"exact": "test"}}}


@dataclass(frozen=True)
class Chart:
    """A chart with its values. `weights`: of the versions, in the routemap."""

    release: str = "0.14"
    environment: str = MODELMESH
    strategy: str = "blue-green"
    model: str = "wisdom"
    names: Sequence[str] = ("wisdom-0", "wisdom-1")
    weights: Sequence[int] = (50, 50)
    namespace: str = NAMESPACE
    match: Object = field(default_factory=lambda: TEST_CALLS)
    port: int | None = None

    @property
    def first_chart(self) -> bool:
        """traffic-templates."""
        return self.release in ("0.13", "0.14")

    @property
    def last_chart(self) -> bool:
        """release."""
        return self.release in ("0.18", "1.1")

    def documents(self) -> list[Object]:
        """The routemap and the weight-config ConfigMaps."""
        weighed = {"blue-green": self.names, "mirror": self.names[1:], "canary": ()}[self.strategy]
        return [self.routemap(), *map(self.weight_config, weighed)]

    def weight_config(self, name: str, weight: int | None = None) -> Object:
        """The ConfigMap by whose annotation weights are modified."""
        if weight is None and self.last_chart:
            weight = self.weights[self.names.index(name)]
        said: Object = {"annotations": {"iter8.tools/weight": str(weight)}} if weight is not None else {}
        labels = {"iter8.tools/watch": "true"}
        metadata = {"name": f"{name}-weight-config", "namespace": self.namespace, "labels": labels, **said}
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}

    def routemap(self) -> Object:
        """The ConfigMap by which Iter8 routes."""
        spec: Object = {
            "versions": [self._version(index) for index in range(len(self.names))],
            "routingTemplates": {self.strategy: {"gvrShort": "vs", "template": self.template()}},
        }
        labels = {
            "app.kubernetes.io/managed-by": "iter8",
            "iter8.tools/kind": "routemap",
            "iter8.tools/version": f"v{self.release}",
        }
        metadata = {"name": f"{self.model}-routemap", "namespace": self.namespace, "labels": labels}
        document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
        document["data"] = {"strSpec": yaml.safe_dump(spec, sort_keys=False)}
        return document if self.last_chart else {**document, "immutable": True}

    def template(self) -> str:
        """The routing template."""
        head = [
            "apiVersion: networking.istio.io/v1beta1",
            "kind: VirtualService",
            "metadata:",
            f"  name: {self.model}",
            *([f"  namespace: {self.namespace}"] if self.last_chart else []),
            "spec:",
            f"  gateways: [{', '.join(self._gateways())}]",
            f"  hosts: [{', '.join(self.hosts)}]",
            "  http:",
        ]
        return "\n".join([*head, *self._rules(), ""])

    @property
    def hosts(self) -> list[str]:
        name = f"{self.model}.{self.namespace}"
        return [name, f"{name}.svc", f"{name}.svc.cluster.local"]

    def _gateways(self) -> list[str]:
        if self.environment == KSERVE:
            return [f"knative-serving/knative-{one}-gateway" for one in ("ingress", "local")] + ["mesh"]
        return ["mm-gateway"] if self.release == "0.13" else ["mm-gateway", "mesh"]

    def _version(self, index: int) -> Object:
        name = self.names[index]
        config = [self._resource("cm", f"{name}-weight-config")]
        if self.strategy == "canary" or (self.strategy == "mirror" and self.first_chart and index == 0):
            config = []
        main = [self._resource("isvc", name)]
        if self.environment == DEPLOYMENT:
            main = [self._resource("deploy", name)]
            if self.last_chart:
                main.insert(0, self._resource("svc", name))
        weight: Object = {"weight": self.weights[index]}
        if self.strategy == "canary" and not (self.last_chart and self.environment == KSERVE):
            weight = {}
        return {**weight, "resources": [*main, *config] if self.last_chart else [*config, *main]}

    def _resource(self, short: str, name: str) -> Object:
        return {"gvrShort": short, "name": name, "namespace": self.namespace}

    def _rules(self) -> list[str]:
        if self.strategy == "canary":
            return self._canary()
        if self.strategy == "mirror":
            return self._mirror()
        return self._knative_split() if self.environment == KSERVE else self._split()

    def _split(self) -> list[str]:
        guarded = not (self.last_chart and self.environment == MODELMESH)
        alone = self.last_chart and len(self.names) == 1
        lines = ["  - route:", *self._route(0, [] if alone else self._weight_beside())]
        for index in range(1, len(self.names)):
            route = self._route(index, [f"weight: {{{{ index .Weights {index} }}}}"])
            lines += self._while_ready(index, route) if guarded else route
        return lines

    def _weight_beside(self) -> list[str]:
        """The primary's weight, where there is a candidate."""
        return ["{{- if gt (index .Weights 1) 0 }}", "weight: {{ index .Weights 0 }}", "{{- end }}"]

    def _while_ready(self, index: int, lines: Sequence[str]) -> list[str]:
        return [f"    {{{{- if gt (index .Weights {index}) 0 }}}}", *lines, "    {{- end }}"]

    def _canary(self) -> list[str]:
        lines: list[str] = []
        for index in range(1, len(self.names)):
            match = yaml.safe_dump([self.match], default_flow_style=True, width=1000).strip()
            rule = [f"  - match: {match}", *self._named(index), "    route:", *self._route(index)]
            lines += self._while_ready(index, rule)
        primary = self._named(0)
        return [*lines, f"  - {primary[0].strip()}" if primary else "  - route:", *self._after(primary)]

    def _after(self, named: Sequence[str]) -> list[str]:
        rest = [*named[1:], "    route:"] if named else []
        return [*rest, *self._route(0)]

    def _named(self, index: int) -> list[str]:
        if self.environment != KSERVE:
            return []
        name = self.names[index]
        return [f"    name: {name}", f"    rewrite: {{uri: /v2/models/{name}/infer}}"]

    def _mirror(self) -> list[str]:
        beside = self._weight_beside() if self.last_chart else []
        copies = self._destination(1).replace("destination", "mirror")
        lines = [f"    {copies}", "    mirrorPercentage:", "      value: {{ index .Weights 1 }}"]
        if self.environment == MODELMESH:
            lines.append(f"    headers: {{request: {{set: {{mm-vmodel-id: {self.names[1]}}}}}}}")
        return ["  - route:", *self._route(0, beside), *self._while_ready(1, lines)]

    def _knative_split(self) -> list[str]:
        lines: list[str] = []
        for index, name in enumerate(self.names):
            match = f"[{{headers: {{branch: {{exact: {name}}}}}}}]"
            rule = [f"  - match: {match}", *self._named(index), "    route:", *self._route(index, split=True)]
            lines += self._while_ready(index, rule) if index else rule
        lines += ["  - name: split", "    route:"]
        host = "knative-local-gateway.istio-system.svc.cluster.local"
        for index, name in enumerate(self.names):
            set_ = f"{{branch: {name}, host: {self.model}.{self.namespace}}}"
            weight = [f"weight: {{{{ index .Weights {index} }}}}"] if index else self._weight_beside()
            route = [
                f"    - destination: {{host: {host}}}",
                *(f"      {line}" for line in weight),
                f"      headers: {{request: {{set: {set_}}}}}",
            ]
            lines += self._while_ready(index, route) if index else route
        return lines

    def _destination(self, index: int) -> str:
        port = f", port: {{number: {self.port}}}" if self.port else ""
        if self.environment == MODELMESH:
            host, port = f"modelmesh-serving.{self.namespace}.svc.cluster.local", ", port: {number: 8033}"
        elif self.environment == KSERVE:
            host = "knative-local-gateway.istio-system.svc.cluster.local"
        else:
            host = f"{self.names[index]}.{self.namespace}.svc.cluster.local"
        return f"destination: {{host: {host}{port}}}"

    def _route(self, index: int, weight: Sequence[str] = (), *, split: bool = False) -> list[str]:
        name = self.names[index]
        request: Object = {}
        if self.environment == MODELMESH:
            request["set"] = {"mm-vmodel-id": name}
        elif self.environment == KSERVE:
            request["set"] = {"Host": f"{name}-predictor.{self.namespace}.svc.cluster.local"}
        of_all = split or (self.last_chart and self.environment == MODELMESH and index == 0)
        if of_all:
            request["remove"] = ["branch"]
        headers: Object = {"request": request} if request else {}
        if not self.first_chart:
            headers["response"] = {"add": {"app-version": name}}
        said = yaml.safe_dump(headers, default_flow_style=True, width=1000).strip()
        return [
            f"    - {self._destination(index)}",
            *(f"      {one}" for one in weight),
            f"      headers: {said}",
        ]
