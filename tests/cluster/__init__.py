"""Tests against a real API server; `python tools/testbed.py` builds what they need."""
