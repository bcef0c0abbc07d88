"""turnout routes inference traffic between the versions of a model while they come and go."""

__version__ = "0.1.0"
