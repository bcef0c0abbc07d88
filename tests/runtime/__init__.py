"""The controller: everything that does I/O."""
