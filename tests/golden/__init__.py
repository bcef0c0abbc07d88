"""Whole manifests, one file a case, as `turnout plan -o yaml` prints them.

`UPDATE_GOLDEN=1 pytest tests/golden` writes the files anew: read the difference before it is kept, for
what a file says is what proxies do.
"""
