"""The tests, laid out like the sources; cluster/ needs a real API server."""
