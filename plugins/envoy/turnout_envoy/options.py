"""Options of the router envoy."""

from pydantic import Field

from turnout.plugin import Options


class EnvoyOptions(Options):
    """What the routes say. Where Envoy listens, and how it reaches what answers, is in its own bootstrap."""

    app_version_header: str = Field(default="", pattern=r"^([a-z0-9][-a-z0-9_.]*)?$", max_length=63)
    """A response header that tells which version answered, by its label `app.kubernetes.io/version`."""
