"""The status that users read."""
