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
        raise NoCluster(str(error)) from None
    except (NotFoundError, DeletedError) as error:
        raise NotFound(str(error)) from None
    except NoControllerError as error:
        raise NoController(str(error)) from None
    except NotShiftedError as error:
        raise NotWell(str(error)) from None
    except NotInTimeError as error:
        raise NotInTime(sentence(str(error), 2048)) from None
