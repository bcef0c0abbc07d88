"""How what goes wrong between a command and the cluster ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from turnout.cli.exits import NoCluster, NotFound
from turnout.client import DeletedError, NotFoundError
from turnout.runtime.errors import ApiError
from turnout.runtime.errors import NoCluster as NoClusterFound
from turnout.runtime.transport import ConnectionFailed


@contextmanager
def told_errors() -> Iterator[None]:
    """Tell what a user can do something about as one clear error."""
    try:
        yield
    except (NoClusterFound, ApiError, ConnectionFailed) as error:
        raise NoCluster(str(error)) from None
    except (NotFoundError, DeletedError) as error:
        raise NotFound(str(error)) from None
