"""Policies that change their router, their environment, or the options of these."""
