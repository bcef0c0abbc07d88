"""How what goes wrong between a command and the cluster ends."""

from collections.abc import Iterator
from contextlib import contextmanager

from turnout.cli.exits import NoCluster, NoController, NotFound, NotInTime, NotWell
from turnout.client import (
    DeletedError,
    NoControllerError,
    NotFoundError,
    NotInTimeError,
    NotReadableError,
    NotShiftedError,
)
from turnout.runtime.errors import ApiError
from turnout.runtime.errors import NoCluster as NoClusterFound
from turnout.runtime.transport import ConnectionFailed
from turnout.shown import sentence


@contextmanager
def told_errors() -> Iterator[None]:
    """Tell what a user can do something about as one clear error."""
    try:
        yield
    except (NoClusterFound, ApiError, ConnectionFailed, NotReadableError) as error:
        raise NoCluster(_line(error)) from None
    except (NotFoundError, DeletedError) as error:
        raise NotFound(_line(error)) from None
    except NoControllerError as error:
        raise NoController(_line(error)) from None
    except NotShiftedError as error:
        raise NotWell(_line(error)) from None
    except NotInTimeError as error:
        raise NotInTime(_line(error)) from None


def _line(error: Exception) -> str:
    """What an API server, or something in front of it, says may hold anything."""
    return sentence(str(error), 4096)
