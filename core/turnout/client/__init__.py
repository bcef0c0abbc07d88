"""The Python API for model owners: `turnout.Client`."""

from turnout.client.client import Client, DeletedError, NotFoundError, NotInTimeError
from turnout.client.controllers import NoControllerError
from turnout.client.following import NotReadableError
from turnout.client.survey import Survey
from turnout.client.weights import NotShiftedError

__all__ = [
    "Client",
    "DeletedError",
    "NoControllerError",
    "NotFoundError",
    "NotInTimeError",
    "NotReadableError",
    "NotShiftedError",
    "Survey",
]
