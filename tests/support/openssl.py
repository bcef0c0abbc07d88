"""For tests that make certificates by openssl's command line."""

import os
import shutil

import pytest

needs_openssl = pytest.mark.skipif(
    not shutil.which("openssl") and not os.environ.get("CI"), reason="no openssl to make a certificate with"
)
"""Skips what it marks where there is none, but for CI, where that is a failure."""
