"""Options of the router envoy."""

from turnout.plugin import Options


class EnvoyOptions(Options):
    """None: where Envoy listens, and how it reaches what answers, is said in its own bootstrap."""
