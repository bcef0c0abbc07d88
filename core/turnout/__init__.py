"""turnout routes inference traffic between the versions of a model while they come and go."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnout.client import Client
    from turnout.rollout import Rollout

__all__ = ["Client", "Rollout"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what is asked for, and only then: the commands' help must not wait for it."""
    if name == "Client":
        from turnout.client import Client

        return Client
    if name == "Rollout":
        from turnout.rollout import Rollout

        return Rollout
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
