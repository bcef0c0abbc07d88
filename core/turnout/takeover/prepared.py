"""What was read of a model that is to be taken over, and what speaks against it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turnout.decision.render import Rendered
from turnout.migration import Carried, differences
from turnout.names import LABEL_POLICY, ROUTING_POLICY, TRAFFIC_WEIGHTS
from turnout.plugin import Ref, Role
from turnout.plugin.reading import items, mapping
from turnout.takeover.handover import managed_fields, said_of_spec

Object = Mapping[str, Any]


class Refused(Exception):  # noqa: N818 - an outcome for the user
    """A model is not taken over as it stands. `lines` say why."""

    def __init__(self, *lines: str) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was read of a model: the documents that are there or are to be, the objects as turnout would write
    them, and as they are.
    """

    carried: Carried
    policy: Object
    weights: Object | None
    there: frozenset[Ref]
    rendered: tuple[Rendered, ...]
    live: Mapping[Ref, Object]

    @property
    def uid(self) -> str:
        """The policy's; empty while it is not there."""
        return str(mapping(self.policy.get("metadata")).get("uid", ""))

    def owns(self, found: Object) -> bool:
        """Whether the policy is an owner of an object: then turnout's controller decides what it says."""
        return any(one.get("uid") == self.uid for one in owners_of(found))

    def handed(self, ref: Ref) -> bool:
        """Whether an object is the policy's, and nothing of Iter8's is left on it."""
        found = self.live[ref]
        # Iter8 0.18 to 1.1 makes the routemap an owner, by this kind in lower case.
        iter8s = any(str(one.get("kind")).lower() == "configmap" for one in owners_of(found))
        return self.owns(found) and not iter8s and managed_fields(found) is None

    @property
    def missing(self) -> dict[Ref, Object]:
        """The documents that are to be created."""
        place = self.carried.namespace, self.carried.name
        policy, weights = Ref(ROUTING_POLICY, *place), Ref(TRAFFIC_WEIGHTS, *place)
        if policy in self.there and not self.left:
            return {}  # it is done, and weights that are not there have been reset
        named = ((policy, self.policy), (weights, self.weights))
        return {ref: one for ref, one in named if one and ref not in self.there}

    @property
    def left(self) -> list[Rendered]:
        """The objects that are still to be handed over."""
        return [one for one in self.rendered if one.ref in self.live and not self.handed(one.ref)]


def compare(prepared: Prepared, *, accept_changes: bool) -> None:
    """Whether turnout would write the same routes. Raises Refused where not, unless changes are accepted."""
    lines: list[str] = []
    for one in prepared.left:
        found = prepared.live[one.ref]
        if prepared.owns(found):
            continue
        if whose := _of_another(found, prepared):
            raise Refused(f"{one.ref} is {whose}")
        spec = mapping(found.get("spec"))
        different = (
            differences.of_routes(spec, one.body["spec"])
            if one.role is Role.ROUTE
            else differences.of_objects(spec, one.body["spec"], said=said_of_spec(found))
        )
        lines.extend(
            f"{one.ref}: {path}: found {there}, turnout would write {wanted}"
            for path, there, wanted in different
        )
    if lines and not accept_changes:
        raise Refused(*lines)


def follows(prepared: Prepared, *, suspended: bool) -> None:
    """Whether turnout's controller will write Iter8's routes: a policy that was there may have others.

    Raises Refused where it will not.
    """
    place = prepared.carried.namespace, prepared.carried.name
    policy, route = f"RoutingPolicy {'/'.join(place)}", f"VirtualService {'/'.join(place)}"
    makes = [str(one.ref) for one in prepared.rendered if one.role is Role.ROUTE]
    if route not in makes:
        told = f"makes {', '.join(makes) or 'no routes'}, and not {route}, which nobody would write any more"
        raise Refused(f"{policy} {told}: change the policy, or delete it")
    if suspended and prepared.left:
        raise Refused(
            f"{policy} is suspended: nobody would follow the versions; set spec.suspend to false first"
        )


def _of_another(found: Object, prepared: Prepared) -> str | None:
    """Whose an object is, if it is of another policy or another controller."""
    metadata = mapping(found.get("metadata"))
    policy = mapping(metadata.get("labels")).get(LABEL_POLICY, prepared.carried.name)
    if policy != prepared.carried.name:
        return f"of policy {policy}"
    for owner in owners_of(found):
        if owner.get("controller") is True and owner.get("uid") != prepared.uid:
            return f"owned by {owner.get('kind')} {owner.get('name')}"
    return None


def owners_of(found: Object) -> tuple[Object, ...]:
    return items(mapping(found.get("metadata")).get("ownerReferences"))
