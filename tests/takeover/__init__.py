"""Hand-overs of routes."""
