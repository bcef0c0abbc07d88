"""Every reason of a condition or an event, with what it means. The words do not move."""

from enum import StrEnum


class Reason(StrEnum):
    """CamelCase, as the API conventions have it."""

    # Accepted
    VALID = "Valid"
    """The spec and every plugin's options are valid."""
    INVALID_SPEC = "InvalidSpec"
    """A field of the spec, or a plugin's option, is wrong; the message has its path."""
    UNKNOWN_PLUGIN = "UnknownPlugin"
    """No environment, strategy or router of that name is installed."""
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed"
    """The policy names another namespace, and the administrator's allow-list does not."""
    UNSUPPORTED = "Unsupported"
    """The router's network cannot say what the policy asks."""
    PLUGIN_FAILED = "PluginFailed"
    """A plugin raised, returned nonsense or took too long. The routes stay as they are."""
    NO_POLICY = "NoPolicy"
    """TrafficWeights without a policy of their name."""
    UNKNOWN_VERSION = "UnknownVersion"
    """TrafficWeights name a version that the policy does not have."""
    NOT_USED = "NotUsed"
    """TrafficWeights set something that the policy's strategy does not read."""

    # Routed
    IN_FORCE = "InForce"
    """The routes in the cluster are the decided ones."""
    SUSPENDED = "Suspended"
    """`spec.suspend` leaves the routes as they are."""
    NOT_ACCEPTED = "NotAccepted"
    """The policy is not valid, so its routes stay as they are."""
    WAITING = "WaitingForCaches"
    """What the decision depends on cannot be read now; the message says why."""
    KIND_NOT_INSTALLED = "KindNotInstalled"
    """The cluster does not serve a kind that the policy's plugins need."""
    FORBIDDEN = "Forbidden"
    """The controller may not read or write something; the message says what."""
    CONFLICT = "RouteConflict"
    """A route of that name exists and is someone else's. It is never taken over."""
    SHARED_CONFLICT = "SharedConflict"
    """An older policy wants another body of a shared object; that one is in force."""
    CONTENDED = "Contended"
    """Someone keeps changing a route back; corrections back off."""
    WRITE_FAILED = "WriteFailed"
    """The API server refused a write; the message has its words."""
    REFUSED_BY_NETWORK = "RefusedByNetwork"
    """The routes were written, and their own status says that the network refuses them."""
    NO_BACKEND = "NoBackend"
    """Nothing is known that could answer for a version that would have to be routed."""

    # Ready
    READY = "Ready"
    """Accepted, Routed, and at least one version is ready."""
    NO_VERSION_READY = "NoVersionReady"
    """No version is ready: the routes in force are held, or everything goes to the primary."""
    NO_WEIGHT = "NothingHasWeight"
    """Ready versions exist, and all have weight 0: the routes in force are held."""
    NOT_ROUTED = "NotRouted"
    """The decided routes are not in force; see Routed."""

    # versions
    MISSING = "Missing"
    """The version's object does not exist."""
    DELETING = "Deleting"
    """The version's object is being deleted."""
    UNPROTECTED = "Unprotected"
    """The finalizer that lets a deletion wait for the drain is not on it yet."""

    # events
    SHIFTED = "Shifted"
    """Traffic moved."""
    CORRECTED = "Corrected"
    """A route was not what had been decided, and was put right: mostly someone else's change."""
    DRAIN_TIMED_OUT = "DrainTimedOut"
    """A deleted version was released while routes may still lead to it."""
