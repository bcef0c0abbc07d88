"""What tests of commands need."""

from tests.toys.distributions import site_packages

__all__ = ["site_packages"]
